//! The table of techniques: how many trials, what was obtained, how it was answered. Each test adds its row;
//! `target/evasion.json` and `target/evasion.md` always show all rows.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::programs;

/// One technique's figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// The technique's name.
    pub technique: String,
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
    /// The tiers and times of the recorded cuts, as `fanotify before_act`.
    pub recorded: String,
    /// Why something may be obtained in this tier, and what closes it; empty where nothing may.
    pub open: String,
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "technique": self.technique, "trials": self.trials, "obtained": self.obtained, "twin": self.twin,
            "outside": self.outside, "answered": self.answered, "recorded": self.recorded, "open": self.open,
        })
    }
}

fn directory() -> PathBuf {
    programs::target_directory().join("evasion")
}

/// Adds `row`, and writes both tables anew.
///
/// # Errors
/// Those of writing files; `InvalidData` for a row that is not JSON.
pub fn add(row: &Row) -> io::Result<()> {
    let rows = directory();
    std::fs::create_dir_all(&rows)?;
    std::fs::write(
        rows.join(format!("{}.json", row.technique)),
        row.json().to_string(),
    )?;
    let mut all: Vec<Value> = Vec::new();
    for entry in std::fs::read_dir(&rows)? {
        all.push(serde_json::from_str(&std::fs::read_to_string(entry?.path())?)?);
    }
    all.sort_by_key(|row| row["technique"].to_string());
    let target = programs::target_directory();
    std::fs::write(target.join("evasion.json"), serde_json::to_string_pretty(&all)?)?;
    std::fs::write(
        target.join("evasion.md"),
        markdown(&all).map_err(io::Error::other)?,
    )
}

fn markdown(rows: &[Value]) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "| technique | trials | obtained | benign twin | outside | answered | recorded | open in this tier |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        for column in [
            "technique",
            "trials",
            "obtained",
            "twin",
            "outside",
            "answered",
            "recorded",
            "open",
        ] {
            let cell = row[column]
                .as_str()
                .map_or_else(|| row[column].to_string(), str::to_owned);
            write!(text, "| {cell} ")?;
        }
        text.push_str("|\n");
    }
    Ok(text)
}
