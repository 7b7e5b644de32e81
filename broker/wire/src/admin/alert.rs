//! Telling people.

use serde::{Deserialize, Serialize};

/// What came of a test: each sink in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertTest {
    /// Each sink that is configured.
    pub sinks: Vec<AlertDelivery>,
}

/// What one sink did with a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertDelivery {
    /// `webhook` or `command`.
    pub sink: String,
    /// The webhook's host, or the program.
    pub to: String,
    /// It took the alert.
    pub delivered: bool,
    /// Why it did not, in words.
    pub problem: Option<String>,
}
