//! How a monitor is set up, and which files are its own.

use std::path::PathBuf;

use crate::{
    observe::load::Sizes,
    scope::{name_glob::NameGlob, pattern::PathPattern},
};

/// How a monitor is set up.
#[derive(Debug)]
pub struct Settings {
    /// Where private mounts and the socket live.
    pub run: PathBuf,
    /// Where scope files are.
    pub scopes: PathBuf,
    /// The directory of a bpffs where programs and maps outlive the daemon; `None` for the length of one run.
    pub pins: Option<PathBuf>,
    /// Where policies are noted for the next daemon; `None` for the length of one run.
    pub notes: Option<PathBuf>,
    /// Where the evidence of frozen sessions is kept; `None` for the length of one run.
    pub evidence: Option<PathBuf>,
    /// Where incidents are kept for the next daemon; `None` for the length of one run.
    pub cases: Option<PathBuf>,
    /// What else of its own nobody in a session may change: the daemon's state, run directory and settings.
    pub own: Vec<PathPattern>,
    /// How much the kernel side can hold.
    pub sizes: Sizes,
    /// Whether changed scope files are taken in by themselves; else only when somebody asks for a reload.
    pub automatic_reload: bool,
}

/// Where the service manager finds units, and what changes them (`scopeward.service.d`).
const UNITS: [&str; 5] = [
    "/etc/systemd/system",
    "/etc/systemd/system.control",
    "/run/systemd/system",
    "/run/systemd/system.control",
    "/usr/lib/systemd/system",
];

impl Settings {
    /// Where the monitor keeps what holds sessions: scopes, unit, what it notes for its next start, pins, store.
    pub(crate) fn own_files(&self) -> Vec<PathPattern> {
        let places = [Some(&self.scopes), self.notes.as_ref(), self.pins.as_ref()];
        let mut own: Vec<PathPattern> = places
            .into_iter()
            .flatten()
            .map(|path| PathPattern::Tree(path.display().to_string()))
            .chain(self.own.iter().cloned())
            .collect();
        for dir in UNITS {
            own.push(PathPattern::UnderDir {
                dir: dir.to_owned(),
                depth: Some(1),
                parent: None,
                name: NameGlob::around("scopeward", ""),
            });
            own.extend(["service", "socket"].map(|of| PathPattern::Tree(format!("{dir}/scopeward.{of}.d"))));
        }
        own
    }
}
