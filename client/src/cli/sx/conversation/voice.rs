//! What is said to the person between answers.

use std::io::{self, Write as _};

use crate::cli::outcome;
use crate::cli::sx::typed::NAME;
use crate::failure::visible;
use crate::talk::Talk;

/// A line of ours. Who cannot read it has left.
pub(super) fn say(line: &str) {
    let _ = outcome::answer(&format!("{}\n", visible(line)));
}

/// What has come up on the way.
pub(super) fn tell(talk: &mut Talk, verbose: bool) {
    let mut stderr = io::stderr().lock();
    for line in std::mem::take(talk).lines(verbose) {
        let _ = writeln!(stderr, "{NAME}: {line}");
    }
}
