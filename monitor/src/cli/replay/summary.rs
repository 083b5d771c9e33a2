//! What a replay adds up to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::owners::{From, Owners};
use crate::{
    cli::{
        failure::CliError,
        render::{escape::escape, output::Output, words::counted},
    },
    ledger::{
        book::Step,
        tally::{Tally, number, word},
    },
    scope::words::Step as Ladder,
};

/// The version tag of the summary's line.
pub const SUMMARY_SCHEMA: &str = "scopeward.replay/1";

/// The last line of a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Always [`SUMMARY_SCHEMA`].
    pub schema: &'static str,
    /// The scope that decided.
    pub scope: String,
    /// Acts, each as often as its record says.
    pub acts: u64,
    /// Of these, outside the scope.
    pub cuts: u64,
    /// Of these, answered otherwise than recorded.
    pub differences: u64,
    /// Acts whose record does not say enough to decide; they count as recorded.
    pub undecided: u64,
    /// Lines that are no events, and were left out.
    pub malformed: u64,
    /// Acts that the recording itself says it lacks.
    pub missed: u64,
    /// What `~` stood for, by owner's name, or id where there is none.
    pub homes: BTreeMap<String, String>,
    /// Budgets of the scope that the cuts would have used up, in the order of the acts.
    pub used_up: Vec<UsedUp>,
    /// How the cuts of each session add up at the end.
    pub ledger: Vec<Tally>,
}

/// A budget that a cut used up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsedUp {
    /// Its name in the scope.
    pub budget: String,
    /// What is done then.
    pub response: Ladder,
    /// Whose account it is.
    pub account: String,
    /// The event of the cut.
    pub event: String,
    /// What the cuts added up to.
    pub sum: f64,
    /// How much may gather.
    pub weight: u32,
    /// In how many seconds.
    pub within: u64,
    /// The events of the cuts that brought it there, the heaviest first.
    pub because: Vec<String>,
}

impl UsedUp {
    /// A step of the ladder that the cut of `event` led to, by a budget called `budget`.
    pub(super) fn of(step: &Step, budget: String, event: &str) -> Self {
        Self {
            budget,
            response: step.budget.response,
            account: format!("{} {}", word(step.budget.account), step.name),
            event: event.to_owned(),
            sum: number(step.sum),
            weight: step.budget.weight,
            within: step.budget.within.as_secs(),
            because: step.because.iter().map(|line| line.event.clone()).collect(),
        }
    }
}

impl Summary {
    /// Of a scope, before anything was replayed.
    #[must_use]
    pub const fn new(scope: String) -> Self {
        Self {
            schema: SUMMARY_SCHEMA,
            scope,
            acts: 0,
            cuts: 0,
            differences: 0,
            undecided: 0,
            malformed: 0,
            missed: 0,
            homes: BTreeMap::new(),
            used_up: Vec::new(),
            ledger: Vec::new(),
        }
    }

    /// Takes in what `~` stood for.
    pub(super) fn set_homes(&mut self, owners: &Owners<'_>) {
        for (uid, name, resolved) in owners.iter() {
            let who = name.map_or_else(|| uid.to_string(), str::to_owned);
            self.homes.insert(who, resolved.home.display().to_string());
        }
    }

    /// Writes it in sentences.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(super) fn write(&self, owners: &Owners<'_>, output: &mut Output<'_>) -> Result<(), CliError> {
        let scope = escape(&self.scope);
        output.line(&format!(
            "{} replayed against scope `{scope}`: {}, {} answered otherwise than recorded.",
            counted(self.acts, "act"),
            counted(self.cuts, "cut"),
            self.differences,
        ))?;
        for used in &self.used_up {
            output.line(&format!(
                "{} would be used up by {}, then {}: {} of {} within {} by {}.",
                used.budget,
                escape(&used.event),
                used.response.word(),
                used.sum,
                used.weight,
                humantime::format_duration(std::time::Duration::from_secs(used.within)),
                escape(&used.account),
            ))?;
        }
        if self.undecided > 0 {
            output.line(&format!(
                "! {} could not be decided, because the record lacks what it is judged by; they count as recorded.",
                counted(self.undecided, "act")
            ))?;
        }
        if self.malformed > 0 {
            output.line(&format!(
                "! {} left out, because they are no events.",
                counted(self.malformed, "line")
            ))?;
        }
        if self.missed > 0 {
            let missed = counted(self.missed, "act");
            output.line(&format!(
                "! {missed} came faster than they could be recorded, and are not in this file."
            ))?;
        }
        for (uid, name, resolved) in owners.iter() {
            let who = name.map_or_else(|| format!("user {uid}"), |name| escape(name).into_owned());
            let home = resolved.home.display().to_string();
            let home = escape(&home);
            match resolved.from {
                From::Given | From::Here => {}
                From::Usual => output.line(&format!(
                    "`~` was taken as {home} for {who}, who is not a user of this host; --home says otherwise."
                ))?,
                From::Unknown => output.line(&format!(
                    "! The home of {who} is not known, so that nothing fits a rule with `~`; name it with --home."
                ))?,
            }
        }
        Ok(())
    }
}
