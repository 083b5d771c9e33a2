//! Credential hunting: several different secrets within a minute; fewer where something was refused just before.

use crate::ledger::{incidents::CredentialRead, patterns::watch::Finding};

/// How many different secrets are hunting.
const MANY: usize = 5;
/// How many are, after something was refused.
const FEW: usize = 3;
/// Within how long, in nanoseconds.
const WITHIN: i64 = 60 * 1_000_000_000;
/// What the cut counts.
const WEIGHT: u32 = 10;
/// Most secrets that are remembered within that time.
const REMEMBERED: usize = 64;

/// What was seen of one session.
#[derive(Debug, Default)]
pub struct Hunting {
    /// When, what, and whether it was had.
    secrets: Vec<(i64, CredentialRead, bool)>,
    refused: Option<i64>,
    told: Option<i64>,
}

impl Hunting {
    /// Something was refused.
    pub fn refused(&mut self, now: i64) {
        self.refused = Some(now);
    }

    /// A secret was read, or tried.
    pub fn read(&mut self, now: i64, read: &CredentialRead, had: bool) -> Option<Finding> {
        let fresh = |time: i64| now.saturating_sub(time) < WITHIN;
        let again = self.secrets.iter().any(|(_, known, _)| known.path == read.path);
        self.secrets
            .retain(|(time, known, _)| fresh(*time) && known.path != read.path);
        if self.secrets.len() < REMEMBERED {
            self.secrets.push((now, read.clone(), had));
        }
        let sharper = self.refused.is_some_and(fresh);
        let enough = self.secrets.len() >= if sharper { FEW } else { MANY };
        if !enough {
            return None;
        }
        if self.told.is_some_and(fresh) {
            // It goes on: what is had now was not named then, and has to be rotated as well.
            return (had && !again).then(|| Finding {
                rule: "pattern.hunting",
                weight: WEIGHT,
                reason: format!("one more secret within a minute: {}", read.path),
                reads: vec![read.clone()],
            });
        }
        self.told = Some(now);
        let names: Vec<&str> = self
            .secrets
            .iter()
            .map(|(_, known, _)| known.path.as_str())
            .take(MANY)
            .collect();
        let after = if sharper { ", after an act was refused" } else { "" };
        Some(Finding {
            rule: "pattern.hunting",
            weight: WEIGHT,
            reason: format!(
                "{} different secrets within a minute{after}: {}",
                self.secrets.len(),
                names.join(", ")
            ),
            reads: self
                .secrets
                .iter()
                .filter(|(_, _, had)| *had)
                .map(|(_, known, _)| known.clone())
                .collect(),
        })
    }
}
