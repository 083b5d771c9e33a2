//! Retry with less confinement: a command that ran inside a sandbox program is run again without it.

use crate::{ledger::patterns::watch::Finding, record::event::EventRecord};

/// Programs that confine what they start.
const CONFINES: [&str; 12] = [
    "bwrap",
    "firejail",
    "nsjail",
    "minijail0",
    "sandbox-exec",
    "srt",
    "landrun",
    "unshare",
    "setpriv",
    "runsc",
    "systemd-nspawn",
    "proot",
];
/// Within how long, in nanoseconds.
const WITHIN: i64 = 60 * 60 * 1_000_000_000;
/// What the cut counts.
const WEIGHT: u32 = 5;
/// Most commands that are remembered.
const REMEMBERED: usize = 256;
/// Most words of options that a sandbox program has before its command.
const OPTIONS: usize = 64;

/// A command that was confined.
#[derive(Debug)]
struct Confined {
    time: i64,
    argv: Vec<String>,
    by: &'static str,
    pid: u32,
}

/// What was seen of one session.
#[derive(Debug, Default)]
pub struct Retry {
    confined: Vec<Confined>,
}

impl Retry {
    /// A program was executed.
    pub fn executed(&mut self, now: i64, event: &EventRecord) -> Option<Finding> {
        let process = &event.process;
        self.confined
            .retain(|known| now.saturating_sub(known.time) < WITHIN);
        if let Some(by) = process.exe.as_deref().and_then(confines) {
            if self.confined.len() == REMEMBERED {
                self.confined.remove(0);
            }
            self.confined.push(Confined {
                time: now,
                argv: process.argv.iter().take(OPTIONS * 2).cloned().collect(),
                by,
                pid: process.pid,
            });
            return None;
        }
        // Still inside one, or the command that one of them has become.
        if process.argv.is_empty() || process.lineage.iter().any(|name| confines(name).is_some()) {
            return None;
        }
        let at = self.confined.iter().position(|known| {
            let (whole, own) = (known.argv.len(), process.argv.len());
            // The command stands at the end of the sandbox program's own arguments.
            known.pid != process.pid && own < whole && known.argv[whole - own..] == process.argv[..]
        })?;
        let known = self.confined.remove(at);
        Some(Finding {
            rule: "pattern.retry",
            weight: WEIGHT,
            reason: format!(
                "{} was run inside {} before, and now without it",
                process.argv.join(" "),
                known.by
            ),
            reads: Vec::new(),
        })
    }
}

fn confines(program: &str) -> Option<&'static str> {
    let name = program.rsplit('/').next().unwrap_or(program);
    CONFINES.iter().find(|known| **known == name).copied()
}
