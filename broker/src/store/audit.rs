//! The audit in the database.
