//! `[[export]]`: where events go besides the store. One table for each exporter, with one table in it for its destination.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::quantity::{Bytes, Span};
use crate::export::filter::ExportFilter;
use crate::export::settings::{DestinationSettings, ExportSettings, FileSettings, Format, From};
use crate::scope::name_glob::NameGlob;
use crate::scope::words::{Kind, Response};

/// One exporter, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExportTable {
    /// Its name.
    pub name: String,
    /// `ocsf`, `ecs`, `cef` or `native`.
    pub format: FormatWord,
    /// Kinds of acts; empty for all.
    pub kind: Vec<Kind>,
    /// Verdicts; empty for all.
    pub verdict: Vec<Response>,
    /// Agents, with at most one `*` each; empty for all.
    pub agent: Vec<String>,
    /// The least weight.
    pub min_weight: u32,
    /// Whether what looks like a secret is taken out.
    pub redact: bool,
    /// Whether OCSF records are chained by fingerprints.
    pub integrity: bool,
    /// Bytes of the store that are kept for it.
    pub spool: Bytes,
    /// Where a new exporter begins.
    pub from: FromWord,
    /// Most events of one delivery.
    pub batch: usize,
    /// How long one delivery may take.
    pub timeout: Span,
    /// A file of lines.
    pub file: Option<FileTable>,
}

/// The word of a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of `Format`")]
pub enum FormatWord {
    #[default]
    Ocsf,
    Ecs,
    Cef,
    Native,
}

/// The word of a beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of `From`")]
pub enum FromWord {
    #[default]
    Now,
    Oldest,
}

/// `[export.file]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTable {
    path: PathBuf,
    #[serde(default = "file_size")]
    max_size: Bytes,
    #[serde(default = "file_keep")]
    keep: u32,
}

const fn file_size() -> Bytes {
    Bytes(100 << 20)
}

const fn file_keep() -> u32 {
    10
}

impl Default for ExportTable {
    fn default() -> Self {
        Self {
            name: String::new(),
            format: FormatWord::Ocsf,
            kind: Vec::new(),
            verdict: Vec::new(),
            agent: Vec::new(),
            min_weight: 0,
            redact: true,
            integrity: false,
            spool: Bytes(4 << 30),
            from: FromWord::Now,
            batch: 1_000,
            timeout: Span(Duration::from_secs(30)),
            file: None,
        }
    }
}

impl ExportTable {
    /// As the exporter takes it.
    ///
    /// # Errors
    /// What cannot be meant: the key (with its table's name, where it stands in one), and what is wrong with its value.
    pub fn settings(&self) -> Result<ExportSettings, Vec<(&'static str, String)>> {
        let mut mistakes = Vec::new();
        let mut wrong = |key, what: &str| mistakes.push((key, what.to_owned()));
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(named) {
            wrong(
                "name",
                "is missing, or has other characters than letters, digits, - and _",
            );
        }
        if !(1..=10_000).contains(&self.batch) {
            wrong("batch", "is not between 1 and 10000");
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(600)).contains(&self.timeout.0) {
            wrong("timeout", "is not between 1s and 10min");
        }
        if self.integrity && self.format != FormatWord::Ocsf {
            wrong("integrity", "is for format = \"ocsf\" only");
        }
        let agents: Vec<NameGlob> = self
            .agent
            .iter()
            .filter_map(|agent| NameGlob::parse(agent))
            .collect();
        if agents.len() != self.agent.len() {
            wrong("agent", "has a name with more than one *");
        }
        let destination = self.destination(&mut mistakes);
        let settings = destination.map(|destination| ExportSettings {
            name: self.name.clone(),
            destination,
            format: match self.format {
                FormatWord::Ocsf => Format::Ocsf,
                FormatWord::Ecs => Format::Ecs,
                FormatWord::Cef => Format::Cef,
                FormatWord::Native => Format::Native,
            },
            filter: ExportFilter {
                kinds: self.kind.clone(),
                verdicts: self.verdict.clone(),
                agents,
                least_weight: self.min_weight,
            },
            redact: self.redact,
            integrity: self.integrity,
            spool: self.spool.0,
            from: match self.from {
                FromWord::Now => From::Now,
                FromWord::Oldest => From::Oldest,
            },
            batch: self.batch,
            timeout: self.timeout.0,
        });
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(settings),
            _ => Err(mistakes),
        }
    }

    fn destination(&self, mistakes: &mut Vec<(&'static str, String)>) -> Option<DestinationSettings> {
        let mut wanted = Vec::new();
        if let Some(file) = &self.file {
            if !file.path.is_absolute() {
                mistakes.push(("file.path", "is not an absolute path".to_owned()));
            }
            if file.max_size < Bytes(64 << 10) {
                mistakes.push(("file.max-size", "is less than 64KiB".to_owned()));
            }
            wanted.push(DestinationSettings::File(FileSettings {
                path: file.path.clone(),
                bytes: file.max_size.0,
                keep: file.keep,
            }));
        }
        if wanted.len() != 1 {
            let what = format!(
                "has {} destinations: give it one table, as [export.file]",
                wanted.len()
            );
            mistakes.push(("", what));
        }
        wanted.pop()
    }
}
