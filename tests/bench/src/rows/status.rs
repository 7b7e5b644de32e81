//! The broker at a glance, when it is large.

use crate::admin;
use crate::broker::Transport;
use crate::clock;
use crate::report::{Round, Row, median, sorted};
use crate::team::Team;

const CLIENTS: usize = 10_000;
const CREDENTIALS: usize = 1_000;
/// Most milliseconds for one answer.
const MOST_MILLISECONDS: f64 = 100.0;
/// Looks in each round.
const LOOKS: usize = 11;

/// `status_large`: from the connection to the last byte, over the administration socket.
pub(crate) fn row(rounds: usize) -> anyhow::Result<Row> {
    let team = Team::with(CLIENTS, CREDENTIALS)?;
    let broker = team.setup(Transport::Http)?.start()?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let mut looks = Vec::new();
        for _ in 0..LOOKS {
            let begun = clock::instant();
            admin::get(&broker.socket(), "/admin/v1/status")?;
            looks.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        measured.push(Round { ours: median(&sorted(looks.into_iter())), reference: MOST_MILLISECONDS });
    }
    broker.process.stop()?;
    let remark = format!(
        "`status` over the socket with {CLIENTS} clients and {CREDENTIALS} credentials, from the connection to the last byte; reference: the bound"
    );
    Ok(Row::of("status_large", &measured, "ms", 1.0, remark))
}
