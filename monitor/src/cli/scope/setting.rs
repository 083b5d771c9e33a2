//! Where the subcommands run: the host's capabilities and directories.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use crate::scope::capability::Capabilities;

/// Where scopes are installed.
pub const SCOPE_DIR: &str = "/etc/scopeward/scopes";

/// What `scopeward scope` needs to know about its surroundings.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What the host decides, and when.
    pub capabilities: Capabilities,
    /// Where scopes are found by name.
    pub scope_dir: PathBuf,
    /// Colours, only on a terminal and never with `NO_COLOR`.
    pub colour: bool,
    /// The width of a line, in characters.
    pub width: usize,
    /// The time at which expiry is judged.
    pub now: jiff::Timestamp,
}

impl Setting {
    /// The setting of this process, on a host with `capabilities`.
    #[must_use]
    pub fn of_this_process(capabilities: Capabilities) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            capabilities,
            scope_dir: Path::new(SCOPE_DIR).to_path_buf(),
            colour: std::io::stdout().is_terminal() && !plain,
            width: 110,
            now: jiff::Timestamp::now(),
        }
    }
}
