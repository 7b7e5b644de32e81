//! A person's own functions: programs that the model may call by name, with arguments that were checked.
//!
//! * [`schema`]: what arguments look like, in the strict part of JSON Schema.
//! * [`description`]: one function, as its file describes it.
//! * [`directory`]: all of them.
//!
//! They lie in the folder `functions` beside the user's settings: `NAME.json` and the program `NAME`.
//!
//! ```json
//! {
//!   "description": "The tickets that are assigned to somebody.",
//!   "parameters": {
//!     "type": "object",
//!     "properties": {"person": {"type": "string"}, "most": {"type": ["integer", "null"]}},
//!     "required": ["person", "most"],
//!     "additionalProperties": false
//!   },
//!   "timeout_seconds": 30,
//!   "network": false
//! }
//! ```
//!
//! The program runs in the sandbox, in the workspace. It reads the arguments, one JSON object, from its standard input;
//! what it prints is told to the model, with its exit code.

pub mod description;
pub mod directory;
pub mod schema;
