//! End-to-end stories.
//!
//! * [`rotation`]: rotations and crashes, rows R1–R19 of the fault matrix.

mod rotation;
