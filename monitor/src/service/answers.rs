//! Used-up budgets: what the ledger says of a cut, done to the session and told of.

use std::collections::{BTreeMap, BTreeSet};

use scopeward_abi::member::state as kernel_state;

use crate::{
    attribute::sessions::SessionState,
    ledger::{
        account::AccountKey,
        book::{self, length, place},
        cut::{Cut, nanoseconds, owner_name},
        tally::{Use, number, word},
        window::Sum,
    },
    record::event::{EventRecord, VerdictRecord},
    scope::{
        model::Budget,
        words::{Mode, Response, Step, Tier, When},
    },
    service::state::State,
};

/// How many of the cuts that used up a budget its record names.
const NAMED: usize = 3;
/// Old cuts are looked for once in so many seconds.
const FORGET_SECONDS: i64 = 600;

impl State {
    /// Enters a recorded cut in the ledger, and answers the budgets that it uses up. The records of the answers wait in
    /// `answers`.
    pub fn enter(&mut self, key: u64, record: &EventRecord) {
        self.note_case(record);
        let Some(cut) = Cut::of(record) else { return };
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let (number, enforces) = (session.policy, session.mode == Mode::Enforce);
        let budgets = self.budgets(number);
        for step in self.ledger.take(&cut, &budgets) {
            let applied = if enforces {
                step.budget.response.response()
            } else {
                Response::Flag
            };
            let told = self.answer_record(number, record, &step, applied);
            let reason = format!(
                "{} used up: {}",
                told.verdict.rule.as_deref().unwrap_or("budget"),
                told.verdict.reason.as_deref().unwrap_or_default()
            );
            self.note_case(&told);
            let done = match applied {
                Response::Deny => self.tighten(key, &reason),
                Response::Freeze => self.freeze(key, &reason),
                Response::Kill => self.kill(key, &reason),
                _ => Ok(()),
            };
            if done.is_err() {
                self.trouble("used-up budget could not be answered");
            }
            self.answers.push(told);
        }
    }

    /// Whether a budget of that step is used up at `now`, of those that a session is held to.
    pub fn is_used_up(&mut self, key: u64, step: Step, now: i64) -> bool {
        let uses = self.budget_uses(key, now);
        uses.iter()
            .any(|(budget, sum)| budget.response == step && sum.uses_up(budget.weight))
    }

    /// The budget that is nearest to its end at `now`, of those that a session is held to.
    pub fn nearest_budget(&mut self, key: u64, now: i64) -> Option<Use> {
        let share = |used: &Use| used.sum / f64::from(used.weight.max(1));
        let uses = self.budget_uses(key, now).into_iter().map(|(budget, sum)| Use {
            weight: budget.weight,
            within: budget.within.as_secs(),
            response: budget.response,
            sum: number(sum),
        });
        uses.max_by(|one, other| share(one).total_cmp(&share(other)))
    }

    /// The budgets that a session is held to, with what has gathered in the account of each at `now`.
    fn budget_uses(&mut self, key: u64, now: i64) -> Vec<(Budget, Sum)> {
        let Some(session) = self.sessions.get(key) else {
            return Vec::new();
        };
        let facts = &session.facts;
        let names = [
            facts.id.clone(),
            facts.agent.clone(),
            owner_name(&facts.owner),
            self.host.name.clone(),
        ];
        let budgets = self.budgets(session.policy);
        let with_sum = |budget: Budget| {
            let account = AccountKey {
                account: budget.account,
                name: names[place(budget.account)].as_str().into(),
            };
            let sum = self.ledger.sum(&account, length(&budget), now);
            (budget, sum)
        };
        budgets.into_iter().map(with_sum).collect()
    }

    /// The budgets of a policy.
    #[must_use]
    pub fn budgets(&self, policy: u32) -> Vec<Budget> {
        self.policies
            .get(policy)
            .map(|policy| policy.scope.budgets.clone())
            .unwrap_or_default()
    }

    /// Lets go of cuts that no budget asks for any more.
    pub fn forget_old_cuts(&mut self) {
        let now = jiff::Timestamp::now();
        if now.as_second() % FORGET_SECONDS == 0 {
            self.ledger.forget(nanoseconds(now));
        }
    }

    /// Freezes or kills the rest of sessions that the kernel stopped, where the event that would have said so is lost.
    pub fn catch_up_with_kernel(&mut self) {
        let held: BTreeMap<u64, u32> = self
            .kernel
            .maps
            .all_sessions()
            .into_iter()
            .map(|(key, session)| (key, session.state))
            .collect();
        let behind: BTreeSet<u64> = self
            .sessions
            .live()
            .filter(|(key, session)| {
                session.state == SessionState::Running
                    && held.get(key).is_some_and(|state| *state != kernel_state::RUNNING)
            })
            .map(|(key, _)| key)
            .collect();
        for key in behind.intersection(&self.stopped.clone()) {
            let reason = "stopped by the kernel; the event that says why is lost";
            let done = match held.get(key) {
                Some(&kernel_state::KILLED) => self.kill(*key, reason),
                _ => self.freeze(*key, reason),
            };
            if done.is_err() {
                self.trouble("session that the kernel stopped could not be stopped whole");
            }
        }
        self.stopped = behind;
    }

    fn answer_record(
        &mut self,
        policy: u32,
        cut: &EventRecord,
        step: &book::Step,
        applied: Response,
    ) -> EventRecord {
        let scope = self.policies.get(policy).map(|policy| &policy.scope);
        let rule = scope.map(|scope| scope.budget_id(step.number).to_string());
        EventRecord {
            id: self.next_id(cut.time),
            verdict: VerdictRecord {
                called_for: step.budget.response.response(),
                applied,
                // What the kernel's brake stopped did not go on to use its result.
                when: if self.braked && applied >= Response::Freeze {
                    When::BeforeUse
                } else {
                    When::After
                },
                // Every process is stopped by its cgroup and by a signal; what escapes both, at its next system call.
                tier: Tier::Tracepoint,
                scope: cut.verdict.scope.clone(),
                rule,
                reason: Some(because(step)),
                grant: None,
            },
            weight: 0,
            count: 1,
            ..cut.clone()
        }
    }
}

/// How the cuts came to it, in one sentence.
fn because(step: &book::Step) -> String {
    let budget = &step.budget;
    let within = humantime::format_duration(budget.within);
    let named: Vec<String> = step
        .because
        .iter()
        .take(NAMED)
        .map(|line| {
            format!(
                "{} {} counts {} ({})",
                line.rule, line.object, line.counts, line.event
            )
        })
        .collect();
    let more = (step.because.len() + step.more).saturating_sub(named.len());
    let more = match more {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let account = match budget.account {
        crate::scope::model::Account::Session => "this session".to_owned(),
        account => format!("{} {}", word(account), step.name),
    };
    let then = if budget.response == Step::Tighten {
        "; from now on it has only what it has used before"
    } else {
        ""
    };
    format!(
        "cuts of {account} add up to {} of {} within {within}: {}{more}{then}",
        number(step.sum),
        budget.weight,
        named.join(", ")
    )
}
