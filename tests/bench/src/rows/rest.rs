//! A start, until the broker says that it is ready and answers; and its memory when it has nothing to do.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::broker::Transport;
use crate::clock;
use crate::load;
use crate::report::{Round, Row};
use crate::team::Team;

/// Most time from the start of the process to its first answer.
const MOST_SECONDS: f64 = 0.2;
/// Most resident memory.
const MOST_MEGABYTES: f64 = 40.0;
/// Until what a start left behind has calmed down.
const CALM: Duration = Duration::from_secs(2);

/// `rest` and `rest_memory`, of a broker as a service has it: HTTPS, a worker per core, one login, ten clients.
pub(crate) fn rows(rounds: usize) -> anyhow::Result<Vec<Row>> {
    let team = Team::of(10)?;
    let (mut starts, mut memory) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let path = team.path(&format!("notify-{round}"));
        let notified = UnixDatagram::bind(&path)?;
        notified.set_read_timeout(Some(Duration::from_secs(10)))?;
        let setup = team.setup(Transport::Https)?.with("NOTIFY_SOCKET", path.display());
        let begun = clock::instant();
        let broker = setup.start()?;
        let mut word = [0; 256];
        let length = notified.recv(&mut word).context("the broker never said that it is ready")?;
        ensure!(word[..length].starts_with(b"READY=1"), "it said something else first");
        load::once(&broker.target()?, &load::request("/readyz", None))?;
        starts.push(Round { ours: begun.elapsed().as_secs_f64(), reference: MOST_SECONDS });
        load::once(&broker.target()?, &load::request("/codex", Some(&team.keys[0])))?;
        std::thread::sleep(CALM);
        let megabytes = broker.process.resident()? as f64 / f64::from(1 << 20);
        memory.push(Round { ours: megabytes, reference: MOST_MEGABYTES });
        broker.process.stop()?;
    }
    Ok(vec![
        Row::of(
            "rest",
            &starts,
            "s",
            1.0,
            "from the start of the process to its first answer over HTTPS, on a data directory that exists; reference: the bound".into(),
        ),
        Row::of(
            "rest_memory",
            &memory,
            "MB",
            1.0,
            "resident memory at rest: HTTPS, a worker per core, one login, ten clients; reference: the bound".into(),
        ),
    ])
}
