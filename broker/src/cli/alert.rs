//! `alert`: telling people what needs one.

use clap::{Args, Subcommand};
use scorpiox_wire::admin::AlertTest;

use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::text::{Table, Tone};
use super::wording::Wording;

/// Try whom the broker tells when something needs a person
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker alert test")]
pub(super) struct AlertArguments {
    #[command(subcommand)]
    verb: AlertVerb,
}

#[derive(Debug, Subcommand)]
enum AlertVerb {
    /// Send a test to the webhook and the command that are configured, and say what they did with it
    #[command(
        after_help = "Exit code 1 when somebody was not reached.\n\nExample:\n  scorpiox-broker alert test --json"
    )]
    Test,
}

impl Errand for AlertArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let AlertVerb::Test = self.verb;
        let test = desk.broker.test_alerts().await?;
        desk.answer(&test, text)?;
        match test.sinks.iter().find(|sink| !sink.delivered) {
            None => Ok(()),
            Some(sink) => Err(Failure::new(Exit::Failed, format!("the {} was not reached", sink.sink))
                .next("correct [alerts] in the broker's configuration, and restart it")),
        }
    }
}

fn text(test: &AlertTest, wording: &Wording) -> String {
    let mut table = Table::headed(&["SINK", "TO", "OUTCOME"]);
    for sink in &test.sinks {
        let outcome = match &sink.problem {
            None => (Tone::Good, "delivered".to_owned()),
            Some(problem) => (Tone::Bad, problem.clone()),
        };
        table.row([(Tone::Plain, sink.sink.clone()), (Tone::Plain, sink.to.clone()), outcome]);
    }
    wording.render(&table).trim_end().to_owned()
}
