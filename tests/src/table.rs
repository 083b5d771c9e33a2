//! The table of techniques: how many trials, what was obtained, how it was answered. Each test adds its row as a file of
//! `target/evasion`; `cargo xtask vm --table` makes the table of docs/kernel-support.md of the rows of all machines.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::expectation::Tier;
use crate::programs;

/// One technique's figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// The technique's name.
    pub technique: String,
    /// The tier that answered.
    pub tier: Tier,
    /// How many trials.
    pub trials: usize,
    /// In how many of them the attacker inside the session obtained, delivered or destroyed something.
    pub obtained: usize,
    /// In how many the benign twin did.
    pub twin: usize,
    /// In how many the same attacker outside the session did.
    pub outside: usize,
    /// How attempts were answered, most frequent first, as `killed ×50`.
    pub answered: String,
    /// The responses, tiers and times of the recorded cuts, as `kill fanotify before_act ×50`.
    pub recorded: String,
    /// Why something may be obtained in this tier, and what closes it; empty where nothing may.
    pub open: String,
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "technique": self.technique, "tier": self.tier.word(), "trials": self.trials, "obtained": self.obtained, "twin": self.twin,
            "outside": self.outside, "answered": self.answered, "recorded": self.recorded, "open": self.open,
        })
    }
}

fn directory() -> PathBuf {
    programs::target_directory().join("evasion")
}

fn write(technique: &str, row: &Value) -> io::Result<()> {
    let rows = directory();
    std::fs::create_dir_all(&rows)?;
    std::fs::write(
        rows.join(format!("{}.json", technique.replace(' ', "-"))),
        row.to_string(),
    )
}

/// Adds `row`.
///
/// # Errors
/// Those of writing files.
pub fn add(row: &Row) -> io::Result<()> {
    write(&row.technique, &row.json())
}

/// Adds a row for a technique that this kernel has no way to try.
///
/// # Errors
/// Those of writing files.
pub fn add_lacking(technique: &str, tier: Tier, why: &str) -> io::Result<()> {
    write(
        technique,
        &json!({ "technique": technique, "tier": tier.word(), "lacking": why }),
    )
}
