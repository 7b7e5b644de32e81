//! `openapi`: the document of the administration. No broker is asked.

use clap::Args;

use super::failure::Failure;
use super::screen::Screen;

/// Print the OpenAPI 3.1 document of the administration
///
/// A running broker serves the same at /openapi.json.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker openapi")]
pub(super) struct OpenapiArguments {}

impl OpenapiArguments {
    pub(super) fn run(self, screen: &mut Screen) -> Result<(), Failure> {
        screen.answer(crate::http::openapi::json())
    }
}
