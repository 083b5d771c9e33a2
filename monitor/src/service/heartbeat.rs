//! The heartbeat: from a program in the kernel through the ring, the state's lock and the store's writer. Nothing else
//! feeds the service manager's watchdog, so that a daemon that only looks alive is started again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{attribute::clock::Clock, pipeline::Monitor, service::systemd};

/// How often it beats where no watchdog asks for more.
const PERIOD: Duration = Duration::from_secs(10);
/// How many beats the watchdog's time has room for: one may come late without harm.
const BEATS: u32 = 4;
/// How often a beat looks whether the monitor ends.
const LOOK: Duration = Duration::from_millis(100);

/// Since when, and how long, the beats took.
#[derive(Debug, Default)]
pub struct Heartbeat {
    /// Boot clock, ns, of the last beat that came all the way; 0 before the first.
    last: AtomicU64,
    /// How long that took, ns.
    took: AtomicU64,
    /// How many came all the way.
    beats: AtomicU64,
    /// How many did not, in the time that they had.
    missed: AtomicU64,
}

/// What is known of the beats, for `status` and the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// How long ago the last beat that came all the way began; `None` before the first.
    pub age: Option<Duration>,
    /// How long it took from the kernel to the disk.
    pub took: Duration,
    /// How many came all the way.
    pub beats: u64,
    /// How many did not.
    pub missed: u64,
}

impl Heartbeat {
    /// What is known of the beats.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        let last = self.last.load(Ordering::Relaxed);
        Pulse {
            age: (last != 0).then(|| Duration::from_nanos(Clock::boot_ns().saturating_sub(last))),
            took: Duration::from_nanos(self.took.load(Ordering::Relaxed)),
            beats: self.beats.load(Ordering::Relaxed),
            missed: self.missed.load(Ordering::Relaxed),
        }
    }

    fn came(&self, began: u64) {
        self.took
            .store(Clock::boot_ns().saturating_sub(began), Ordering::Relaxed);
        self.last.store(began, Ordering::Relaxed);
        self.beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// Beats until the monitor ends.
pub fn run(monitor: &Arc<Monitor>) {
    let watchdog = systemd::watchdog();
    let period = watchdog.map_or(PERIOD, |within| (within / BEATS).clamp(LOOK, PERIOD));
    while !monitor.stopping() {
        let began = Clock::boot_ns();
        if beat(monitor, began, period) {
            monitor.heartbeat.came(began);
            if watchdog.is_some() {
                systemd::feed();
            }
        } else if !monitor.stopping() {
            monitor.heartbeat.missed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("a heartbeat did not come through the ring and the store in time");
        }
        let next = began.saturating_add(u64::try_from(period.as_nanos()).unwrap_or(u64::MAX));
        while Clock::boot_ns() < next && !monitor.stopping() {
            std::thread::sleep(LOOK);
        }
    }
}

/// Sends one beat, and waits for it as long as `bound`. Where the disk refuses events, a beat that came to the writer
/// counts: to start the daemon again would not mend the disk.
fn beat(monitor: &Monitor, began: u64, bound: Duration) -> bool {
    let Some(store) = monitor.store() else {
        return false;
    };
    let sent = {
        let mut state = monitor.lock();
        let sent = state.kernel.beat();
        if sent.is_err() {
            state.trouble("heartbeat could not be sent by the kernel");
        }
        sent.is_ok()
    };
    let mut waited = Duration::ZERO;
    while sent && waited < bound && !monitor.stopping() {
        if store.wait_for_mark(began, LOOK) {
            return true;
        }
        waited += LOOK;
    }
    false
}
