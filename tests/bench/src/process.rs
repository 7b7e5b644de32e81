//! Processes that are measured: where their programs are, what they have used, and that they end with us.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// Of `/proc/PID/stat`: the kernel tells user space 100 ticks a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// A program that was built together with this one.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name(name);
    ensure!(path.is_file(), "{} is missing: start the benchmarks with tests/bench/run", path.display());
    Ok(path)
}

/// A process that ends when this is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().display().to_string();
        command.spawn().map(Self).with_context(|| format!("cannot start {name}"))
    }

    /// Its standard output, once, if it was piped.
    pub(crate) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.0.stdout.take()
    }

    /// Processor time that it has used so far, in user and kernel mode, all threads together.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in parentheses may hold anything; fields 14 and 15 are counted from behind it.
        let fields: Vec<&str> = stat.rsplit_once(')').context("a stat file has a name")?.1.split(' ').collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u32>().ok()).context("ticks");
        Ok(TICK * (ticks(12)? + ticks(13)?))
    }

    /// Its resident memory, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process has memory")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// Asks it to end and waits; an error if it was not at peace.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM);
        let status = self.0.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

/// Lets this process, and those that it starts, have `wanted` files open.
pub(crate) fn raise_open_files(wanted: u64) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(wanted);
    ensure!(most >= wanted, "only {most} files may be open here and {wanted} are needed: raise `ulimit -n`");
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })?;
    Ok(())
}
