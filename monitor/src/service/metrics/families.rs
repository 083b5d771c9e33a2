//! Every family of metrics, in the order of the data's way. docs/operations.md and the alert rules name them.

use std::collections::BTreeMap;

use super::{
    figures::BUCKETS,
    text::{Kind, Text},
};
use crate::{
    api::{control::Control as _, types::SessionState},
    ledger::cut::nanoseconds,
    pipeline::Monitor,
    record::health::StoreState,
    scope::model::Account,
};

/// A count as the format has it: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the format has floating point alone")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// A word as the records have it.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

impl Monitor {
    /// All metrics, as Prometheus reads them.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let mut text = Text::default();
        let status = self.status();
        text.family("scopeward_info", Kind::Gauge, "The running version")
            .value(&[("version", &status.version)], 1.0);
        let mut tiers = text.family(
            "scopeward_tier_info",
            Kind::Gauge,
            "By which mechanisms each kind of act is held",
        );
        for held in &status.tiers {
            for tier in &held.tiers {
                tiers.value(&[("acts", &held.acts), ("tier", &word(tier))], 1.0);
            }
        }
        text.family(
            "scopeward_degraded",
            Kind::Gauge,
            "How many things are not as they should be; `scopeward status` says which",
        )
        .value(&[], number(status.degraded.len() as u64));
        self.sessions_and_acts(&mut text);
        self.verdicts(&mut text);
        self.budgets_and_exposure(&mut text);
        self.losses(&mut text);
        store(&status.store, &mut text);
        super::exporters::write(&self.exporters(), &mut text);
        self.heartbeats(&mut text);
        process(&mut text);
        text.into_string()
    }

    fn sessions_and_acts(&self, text: &mut Text) {
        let mut by_state: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for session in self.sessions() {
            let state = match session.status {
                SessionState::Running => "running",
                SessionState::Frozen(_) => "frozen",
                SessionState::Ended | SessionState::Killed(_) => continue,
            };
            *by_state.entry((session.agent, state)).or_default() += 1;
        }
        let mut sessions = text.family(
            "scopeward_sessions",
            Kind::Gauge,
            "Sessions, by agent and by whether they run or wait frozen for a person",
        );
        for ((agent, state), count) in &by_state {
            sessions.value(&[("agent", agent), ("state", state)], number(*count));
        }
        let figures = self.figures();
        let mut acts = text.family(
            "scopeward_acts_total",
            Kind::Counter,
            "Acts that the kernel counted in sessions, allowed ones and cuts",
        );
        for (agent, sums) in &figures.agents {
            acts.value(&[("agent", agent)], number(sums.acts));
        }
        let mut cuts = text.family(
            "scopeward_cuts_total",
            Kind::Counter,
            "Acts outside the scope, told or not",
        );
        for (agent, sums) in &figures.agents {
            cuts.value(&[("agent", agent)], number(sums.cuts));
        }
    }

    fn verdicts(&self, text: &mut Text) {
        let figures = self.figures();
        let mut verdicts = text.family(
            "scopeward_verdicts_total",
            Kind::Counter,
            "Verdicts that were told: allowed acts once for each object, cuts with their repeats",
        );
        for (key, count) in &figures.verdicts {
            verdicts.value(
                &[
                    ("scope", &key.scope),
                    ("rule", &key.rule),
                    ("kind", key.kind.word()),
                    ("called_for", &word(key.called_for)),
                    ("applied", &word(key.applied)),
                    ("when", &word(key.when)),
                    ("tier", &word(key.tier)),
                ],
                number(*count),
            );
        }
        let mut latency = text.family(
            "scopeward_record_latency_seconds",
            Kind::Histogram,
            "From an act in the kernel to its record; the answer was given before, in the kernel",
        );
        let mut sum = 0;
        for (end, count) in BUCKETS.iter().zip(figures.latency) {
            sum += count;
            latency.part("_bucket", &[("le", &end.to_string())], number(sum));
        }
        sum += figures.latency[BUCKETS.len()];
        latency.part("_bucket", &[("le", "+Inf")], number(sum));
        latency.part("_sum", &[], figures.latency_sum.as_secs_f64());
        latency.part("_count", &[], number(sum));
    }

    fn budgets_and_exposure(&self, text: &mut Text) {
        let now = jiff::Timestamp::now();
        let tallies: Vec<_> = {
            let mut state = self.lock();
            [Account::Session, Account::Agent, Account::Owner, Account::Host]
                .into_iter()
                .flat_map(|account| state.ledger.tallies(account, nanoseconds(now), &|_| true))
                .collect()
        };
        super::exposure::write(&tallies, &self.incidents(), now, text);
    }

    fn losses(&self, text: &mut Text) {
        let (losses, troubles) = {
            let state = self.lock();
            (state.kernel.maps.losses(), state.troubles.clone())
        };
        let mut family = text.family(
            "scopeward_losses_total",
            Kind::Counter,
            "Acts that were answered in the kernel and could not be handed over or seen whole, by hook and reason",
        );
        for (hook, reason, count) in losses {
            family.value(&[("hook", hook), ("reason", reason)], number(count));
        }
        let mut family = text.family(
            "scopeward_troubles_total",
            Kind::Counter,
            "What went wrong in the daemon, by what it was",
        );
        for (what, count) in &troubles {
            family.value(&[("what", what)], number(*count));
        }
    }

    fn heartbeats(&self, text: &mut Text) {
        let pulse = self.heartbeat.pulse();
        text.family(
            "scopeward_heartbeats_total",
            Kind::Counter,
            "Heartbeats that came from the kernel through the ring and the store",
        )
        .value(&[], number(pulse.beats));
        text.family(
            "scopeward_heartbeats_missed_total",
            Kind::Counter,
            "Heartbeats that did not come in time",
        )
        .value(&[], number(pulse.missed));
        if let Some(age) = pulse.age {
            text.family(
                "scopeward_heartbeat_age_seconds",
                Kind::Gauge,
                "How long ago the last heartbeat that came through was sent",
            )
            .value(&[], age.as_secs_f64());
            text.family(
                "scopeward_heartbeat_duration_seconds",
                Kind::Gauge,
                "How long it took from the kernel to the disk",
            )
            .value(&[], pulse.took.as_secs_f64());
        }
    }
}

fn store(store: &crate::record::health::StoreHealth, text: &mut Text) {
    let mut one = |name, kind, help, value| text.family(name, kind, help).value(&[], value);
    let failing = matches!(store.state, StoreState::Failing(_));
    one(
        "scopeward_store_failing",
        Kind::Gauge,
        "1 while events wait in memory because the disk refuses them",
        f64::from(u8::from(failing)),
    );
    for (name, kind, help, value) in [
        (
            "scopeward_store_backlog_events",
            Kind::Gauge,
            "Events that wait in memory",
            store.backlog,
        ),
        (
            "scopeward_store_written_total",
            Kind::Counter,
            "Events on disk since the start",
            store.written,
        ),
        (
            "scopeward_store_lost_total",
            Kind::Counter,
            "Events that found no room in memory",
            store.lost,
        ),
        (
            "scopeward_store_lost_cuts_total",
            Kind::Counter,
            "Cuts among these",
            store.lost_cuts,
        ),
        (
            "scopeward_store_bytes",
            Kind::Gauge,
            "Size of the store",
            store.bytes,
        ),
        (
            "scopeward_store_unclean_stops",
            Kind::Gauge,
            "How often the store was stopped without a shutdown",
            store.unclean_stops,
        ),
    ] {
        one(name, kind, help, number(value));
    }
}

/// The daemon's own use, under the names that every client library gives them.
fn process(text: &mut Text) {
    let Ok(own) = procfs::process::Process::myself() else {
        return;
    };
    let ticks = number(procfs::ticks_per_second().max(1));
    if let Ok(stat) = own.stat() {
        text.family(
            "process_cpu_seconds_total",
            Kind::Counter,
            "Processor time of the daemon, user and system",
        )
        .value(&[], number(stat.utime + stat.stime) / ticks);
        text.family(
            "process_resident_memory_bytes",
            Kind::Gauge,
            "Memory of the daemon",
        )
        .value(&[], number(stat.rss * procfs::page_size()));
        text.family("process_threads", Kind::Gauge, "Threads of the daemon")
            .value(&[], number(stat.num_threads.unsigned_abs()));
    }
    if let Ok(open) = own.fd_count() {
        text.family("process_open_fds", Kind::Gauge, "Open descriptors of the daemon")
            .value(&[], number(open as u64));
    }
}
