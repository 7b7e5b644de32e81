//! `scorpiox-config`.

pub mod editor;
