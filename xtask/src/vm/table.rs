//! The table technique × tier × kernel of docs/kernel-support.md: kept as `docs/kernel-support.json`, made of the rows that
//! machines measured, and never by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The cells, below the root of the checkout.
const CELLS: &str = "docs/kernel-support.json";
/// The document with the table.
const DOCUMENT: &str = "docs/kernel-support.md";
const BEGIN: &str = "<!-- made by `cargo xtask vm --table`; not by hand -->\n";
const END: &str = "<!-- end of what is made -->\n";

/// The tiers, in the order of the columns: as events call them, and the column's head.
const TIERS: [(&str, &str); 3] = [
    ("lsm", "`lsm`"),
    ("fmod_ret", "`fmod_ret`"),
    ("tracepoint", "`tracepoint` + `fanotify` + `cgroup`"),
];

/// What one technique came to, by its name.
type Cells = BTreeMap<String, String>;

/// Everything that was measured.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// By tier, then by kernel.
    measured: BTreeMap<String, BTreeMap<String, Cells>>,
    /// Kernels on which nothing is held: what `doctor` and `run` say there.
    refused: BTreeMap<String, Cells>,
}

impl Table {
    /// The table of the checkout at `root`; empty where there is none yet.
    ///
    /// # Errors
    /// A sentence, when the file is none.
    pub fn read(root: &Path) -> Result<Self, String> {
        match fs::read_to_string(root.join(CELLS)) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{CELLS}: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("cannot read {CELLS}: {error}")),
        }
    }

    /// Takes what a machine measured in place of what was known of this kernel and tier.
    ///
    /// # Errors
    /// A sentence naming a row that was measured in another tier.
    pub fn take(&mut self, series: &str, tier: &str, rows: &[Value]) -> Result<(), String> {
        let cells = cells(tier, rows)?;
        let kernels = self.measured.entry(tier.to_owned()).or_default();
        kernels.insert(series.to_owned(), cells);
        Ok(())
    }

    /// Takes what `said` holds of a kernel on which nothing is held: lines `doctor: …` and `run: …`.
    pub fn take_refusal(&mut self, series: &str, said: &str) {
        let lines = said.lines().filter_map(|line| line.split_once(": "));
        let wanted = lines.filter(|(what, _)| ["doctor", "run"].contains(what));
        let cells = wanted.map(|(what, line)| (what.to_owned(), line.to_owned()));
        self.refused.insert(series.to_owned(), cells.collect());
    }

    /// What `rows` say otherwise than the table, one sentence each.
    ///
    /// # Errors
    /// A sentence naming a row that was measured in another tier.
    pub fn differences(&self, series: &str, tier: &str, rows: &[Value]) -> Result<Vec<String>, String> {
        let known = self.measured.get(tier).and_then(|kernels| kernels.get(series));
        let now = cells(tier, rows)?;
        let names: BTreeSet<&String> = now
            .keys()
            .chain(known.into_iter().flat_map(BTreeMap::keys))
            .collect();
        let differing = names.into_iter().filter_map(|name| {
            let (was, is) = (known.and_then(|cells| cells.get(name)), now.get(name));
            let word = |cell: Option<&String>| cell.map_or("no row", String::as_str).to_owned();
            (was != is).then(|| {
                format!(
                    "{name}: {DOCUMENT} says `{}`, and it is `{}`",
                    word(was),
                    word(is)
                )
            })
        });
        Ok(differing.collect())
    }

    /// Writes the cells, and the document with the table anew.
    ///
    /// # Errors
    /// A sentence, when a file cannot be written or the document has no place for the table.
    pub fn write(&self, root: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())? + "\n";
        fs::write(root.join(CELLS), text).map_err(|error| format!("cannot write {CELLS}: {error}"))?;
        let path = root.join(DOCUMENT);
        let document =
            fs::read_to_string(&path).map_err(|error| format!("cannot read {DOCUMENT}: {error}"))?;
        let document = self.within(&document)?;
        fs::write(&path, document).map_err(|error| format!("cannot write {DOCUMENT}: {error}"))
    }

    /// `document` with this table in its place.
    fn within(&self, document: &str) -> Result<String, String> {
        let (before, rest) = document
            .split_once(BEGIN)
            .ok_or_else(|| format!("{DOCUMENT} has no line {BEGIN}"))?;
        let (_, after) = rest
            .split_once(END)
            .ok_or_else(|| format!("{DOCUMENT} has no line {END}"))?;
        Ok(format!("{before}{BEGIN}{}{END}{after}", self.markdown()))
    }

    fn markdown(&self) -> String {
        let mut text = String::from("| technique |");
        for (_, head) in TIERS {
            write!(text, " {head} |").ok();
        }
        text.push_str("\n|---|---|---|---|\n");
        let names: BTreeSet<&String> = self
            .measured
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(BTreeMap::keys)
            .collect();
        for name in names {
            write!(text, "| {name} |").ok();
            for (tier, _) in TIERS {
                write!(text, " {} |", self.cell(tier, name)).ok();
            }
            text.push('\n');
        }
        for (series, said) in &self.refused {
            let words: Vec<String> = said
                .iter()
                .map(|(what, line)| format!("`scopeward {what}`: {line}"))
                .collect();
            let cell = words.join("<br>");
            writeln!(
                text,
                "| every technique on {series} | {cell} | the same | the same |"
            )
            .ok();
        }
        text
    }

    /// One cell: what all kernels agree on, or what each says.
    fn cell(&self, tier: &str, name: &str) -> String {
        let mut kernels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (series, cells) in self.measured.get(tier).into_iter().flatten() {
            let cell = cells.get(name).map_or("not measured", String::as_str);
            kernels.entry(cell).or_default().push(series);
        }
        let named = |(cell, series): (&str, Vec<&str>)| {
            let mut series = series;
            series.sort_by_key(|series| order(series));
            format!("{cell} ({})", series.join(", "))
        };
        match kernels.len() {
            0 => "not measured".to_owned(),
            _ => kernels.into_iter().map(named).collect::<Vec<_>>().join("<br>"),
        }
    }
}

/// 6.1 before 6.12.
fn order(series: &str) -> Vec<u32> {
    series.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// The cells of measured rows, by technique.
fn cells(tier: &str, rows: &[Value]) -> Result<Cells, String> {
    rows.iter()
        .map(|row| {
            let name = row["technique"].as_str().unwrap_or_default().to_owned();
            if row["tier"] != tier {
                return Err(format!("{name} was answered in tier {}, not {tier}", row["tier"]));
            }
            Ok((name, cell(row)))
        })
        .collect()
}

/// What a row says: held and when, not held and why, or not to be tried there.
fn cell(row: &Value) -> String {
    if let Some(why) = row["lacking"].as_str() {
        return why.to_owned();
    }
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    if !text("open").is_empty() {
        return format!("not held: {}", text("open"));
    }
    if row["obtained"] != 0 {
        return format!("FAILED: obtained {} times of {}", row["obtained"], row["trials"]);
    }
    // `kill fanotify after ×3, kill lsm before_act ×1`: of a technique of several acts, the one that was answered last.
    let answers = text("recorded").split(", ").filter_map(|words| {
        let words: Vec<&str> = words.split(' ').collect();
        let (tier, when) = (words.get(1)?, words.get(2)?);
        let rank = ["before_act", "before_use", "after"]
            .iter()
            .position(|known| known == when)?;
        Some((rank, format!("{when}, `{tier}`")))
    });
    match answers.max() {
        Some((_, answer)) => format!("held {answer}"),
        None => "FAILED: held, and not recorded".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{Table, cell};

    #[test]
    fn a_row_says_held_or_why_not() {
        let row = |obtained: u32, recorded: &str, open: &str| {
            cell(
                &json!({"technique": "open", "trials": 3, "obtained": obtained, "recorded": recorded, "open": open}),
            )
        };
        let both = "kill fanotify before_act ×3, kill lsm before_act ×3";
        assert_eq!(row(0, both, ""), "held before_act, `lsm`");
        assert_eq!(
            row(0, "kill fanotify after ×3, kill lsm before_act ×1", ""),
            "held after, `fanotify`"
        );
        assert_eq!(row(0, "", ""), "FAILED: held, and not recorded");
        assert_eq!(row(1, both, ""), "FAILED: obtained 1 times of 3");
        assert_eq!(row(1, both, "for a reason"), "not held: for a reason");
    }

    #[test]
    fn what_is_otherwise_than_the_table_is_told() {
        let rows = |recorded: &str| {
            vec![json!({"technique": "open", "tier": "lsm", "obtained": 0, "recorded": recorded, "open": ""})]
        };
        let mut table = Table::default();
        table.take("6.1", "lsm", &rows("kill lsm before_act ×3")).unwrap();
        let same = table.differences("6.1", "lsm", &rows("kill lsm before_act ×9"));
        assert_eq!(same, Ok(Vec::new()));
        let other = table.differences("6.1", "lsm", &rows("kill tracepoint before_use ×3"));
        assert_eq!(other.map(|found| found.len()), Ok(1));
        assert!(table.differences("6.1", "fmod_ret", &rows("")).is_err());
    }

    #[test]
    fn the_document_holds_the_table_of_this_checkout() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let document = std::fs::read_to_string(root.join(super::DOCUMENT)).unwrap();
        let table = Table::read(root).unwrap();
        assert_eq!(table.within(&document).as_ref(), Ok(&document));
        for bad in ["FAILED", "not measured"] {
            assert!(!table.markdown().contains(bad), "a cell says {bad}");
        }
    }
}
