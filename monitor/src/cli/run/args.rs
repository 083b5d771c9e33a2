//! What `scopeward run` takes.

use std::{ffi::OsString, path::PathBuf};

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::scope::words::Mode;

/// Which command, held to what.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Exits with CMD's own status: 128 + N where signal N ended it (137, and one line saying which rule, \
    where Scopeward killed it), 127 where CMD does not exist, 126 where it cannot be run. Started by sudo, CMD runs \
    as the calling user."
)]
pub struct Args {
    /// The scope: the name of one that the daemon has or that is built in, or a file (with a / in it, or .toml at its
    /// end). Without it, the built-in one that fits CMD
    #[arg(long, value_name = "NAME|FILE")]
    pub scope: Option<String>,
    /// Decide and record only (observe), or act (enforce); in place of the scope's own mode
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(["observe", "enforce"]).map(|word| mode(&word)))]
    pub mode: Option<Mode>,
    /// Write the session's events there as they happen, one JSON object a line; - for standard output
    #[arg(long, value_name = "FILE|-")]
    pub events: Option<PathBuf>,
    /// Write a report about the session there once the command has ended: one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

fn mode(word: &str) -> Mode {
    if word == "enforce" {
        Mode::Enforce
    } else {
        Mode::Observe
    }
}
