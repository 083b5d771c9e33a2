//! Executed instructions per system call, in a machine that counts them: the table of docs/instructions.md, and the budget
//! that it is held to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was measured, and what it may be, below the root of the checkout.
const MEASURED: &str = "docs/instructions.json";
const BUDGET: &str = "xtask/instructions-budget.json";
const DOCUMENT: &str = "docs/instructions.md";

/// The kernel that counts.
pub const SERIES: &str = "6.12";

/// What a machine does to get to each of [`PLACES`].
pub const SCRIPT: &str = include_str!("counting.sh");

/// Where the counted program runs, in the order in which a machine gets there.
const PLACES: [(&str, &str); 4] = [
    ("without", "without Scopeward"),
    ("idle", "daemon, no session"),
    ("outside", "outside, a session runs"),
    ("inside", "inside a session, allowed"),
];

/// Instructions by call, by place, by tier.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>);

/// One bound: how many more instructions than without Scopeward a call may take.
#[derive(Debug, Deserialize)]
struct Bound {
    tiers: Vec<String>,
    place: String,
    call: String,
    at_most: i64,
}

impl Counts {
    /// What is known in the checkout at `root`; nothing where there is no file yet.
    ///
    /// # Errors
    /// A sentence, when the file is none.
    pub fn read(root: &Path) -> Result<Self, String> {
        match fs::read_to_string(root.join(MEASURED)) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{MEASURED}: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("cannot read {MEASURED}: {error}")),
        }
    }

    /// Takes what the counting program wrote among all that was `said` in a machine of this `tier`.
    ///
    /// # Errors
    /// A sentence, when a place was not counted.
    pub fn take(&mut self, tier: &str, said: &str) -> Result<(), String> {
        let mut places = BTreeMap::new();
        for line in said.lines().filter_map(|line| line.strip_prefix("count ")) {
            let counted: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            let calls: BTreeMap<String, u64> = serde_json::from_value(counted["calls"].clone())
                .map_err(|error| format!("{line}: {error}"))?;
            places.insert(counted["where"].as_str().unwrap_or_default().to_owned(), calls);
        }
        if let Some((place, _)) = PLACES.iter().find(|(place, _)| !places.contains_key(*place)) {
            return Err(format!("nothing was counted {place}: {said}"));
        }
        self.0.insert(tier.to_owned(), places);
        Ok(())
    }

    /// Writes what was counted, and the table.
    ///
    /// # Errors
    /// A sentence, when a file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())? + "\n";
        for (path, text) in [(MEASURED, text), (DOCUMENT, self.markdown())] {
            fs::write(root.join(path), text).map_err(|error| format!("cannot write {path}: {error}"))?;
        }
        Ok(())
    }

    /// How many more instructions than without Scopeward.
    fn more(&self, tier: &str, place: &str, call: &str) -> Option<i64> {
        let places = self.0.get(tier)?;
        let count = |place: &str| i64::try_from(*places.get(place)?.get(call)?).ok();
        Some(count(place)? - count("without")?)
    }

    /// What breaks the budget of the checkout at `root`, one sentence each.
    ///
    /// # Errors
    /// A sentence, when there is none.
    pub fn breaches(&self, root: &Path) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(root.join(BUDGET))
            .map_err(|error| format!("cannot read {BUDGET}: {error}"))?;
        let bounds: Vec<Bound> = serde_json::from_str(&text).map_err(|error| format!("{BUDGET}: {error}"))?;
        let mut breaches = Vec::new();
        for bound in &bounds {
            let Bound {
                tiers,
                place,
                call,
                at_most,
            } = bound;
            for tier in tiers.iter().filter(|tier| self.0.contains_key(*tier)) {
                match self.more(tier, place, call) {
                    Some(more) if more <= *at_most => {}
                    Some(more) => {
                        breaches.push(format!(
                            "{tier}, {place}: {call} takes {more} more instructions, not {at_most}"
                        ));
                    }
                    None => breaches.push(format!("{tier}, {place}: {call} was not counted")),
                }
            }
        }
        Ok(breaches)
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# Executed instructions per system call\n\n\
             Made by `cargo xtask vm --count`, not by hand: Linux {SERIES} with one emulated processor whose time stamp counter\n\
             counts executed instructions (QEMU, `-icount shift=0`; a loop of a known number of instructions is counted first).\n\
             Medians of 41 batches, kernel and user space together; in brackets what Scopeward adds. fork + exec + exit includes\n\
             what the daemon does meanwhile. `xtask/instructions-budget.json` holds the bounds.\n\n\
             In `lsm` and `fmod_ret` nothing is attached to the exit of system calls: outside a session a call without a hook costs\n\
             nothing. Each hook that a call comes by costs about 360 instructions outside, of which Scopeward's program runs about 50\n\
             (the id, one bit, the end); the rest is how the kernel enters and leaves such a program. An open comes by one of them;\n\
             what else it costs was not taken apart (Linux does more for every file of a filesystem on which somebody, here\n\
             Scopeward, watches some file by fanotify). The aim of 250 for an open outside is not met. In a session what a file matched is\n\
             remembered: an allowed open that was allowed before, with the file where it was and the rules as they were, costs at most\n\
             the 3,000 that were aimed at; the first one of each file costs about 11,000.\n"
        );
        for (tier, places) in &self.0 {
            write!(text, "\n## `{tier}`\n\n| call |").ok();
            for (_, head) in PLACES {
                write!(text, " {head} |").ok();
            }
            text.push_str("\n|---|---|---|---|---|\n");
            for (call, without) in places.get("without").into_iter().flatten() {
                write!(text, "| {call} | {without} |").ok();
                for (place, _) in &PLACES[1..] {
                    let count = places.get(*place).and_then(|calls| calls.get(call)).copied();
                    let more = self.more(tier, place, call).unwrap_or_default();
                    write!(text, " {} ({more:+}) |", count.unwrap_or_default()).ok();
                }
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Counts;

    fn said(idle: u64) -> String {
        ["without", "idle", "outside", "inside"]
            .map(|place| {
                let count = if place == "idle" { idle } else { 100 };
                format!(
                    "count {{\"where\":\"{place}\",\"calls\":{{\"open + close\":{count}}},\"known\":1}}\n"
                )
            })
            .concat()
    }

    #[test]
    fn what_was_counted_is_held_to_the_budget() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut counts = Counts::default();
        counts.take("lsm", &said(100)).unwrap();
        assert_eq!(counts.more("lsm", "idle", "open + close"), Some(0));
        let too_many = |counts: &Counts| {
            let breaches = counts.breaches(root).unwrap();
            breaches
                .iter()
                .filter(|breach| breach.contains("more instructions"))
                .count()
        };
        assert_eq!(too_many(&counts), 0);
        counts.take("lsm", &said(200)).unwrap();
        assert_eq!(too_many(&counts), 1);
        assert!(
            counts
                .take("lsm", "count {\"where\":\"idle\",\"calls\":{}}")
                .is_err()
        );
    }

    #[test]
    fn the_committed_counts_are_within_the_budget_and_in_the_document() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let counts = Counts::read(root).unwrap();
        assert_eq!(counts.breaches(root), Ok(Vec::new()));
        let document = std::fs::read_to_string(root.join(super::DOCUMENT)).unwrap();
        assert_eq!(counts.markdown(), document);
    }
}
