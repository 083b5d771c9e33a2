//! Makes the attempts: one after another, each recorded in its own slot of the loot, each in a process of
//! its own where the answer may be its death.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::prctl::set_child_subreaper;

use super::command::{Aim, Order};
use super::files::accomplice::{clone_with, leave};
use super::files::target::{FileTarget, wait_for};
use super::loot::Loot;
use super::network::datagram;
use super::network::target::{NetworkTarget, payload};
use super::outsiders::target::{OutsiderTarget, on_own_child};
use super::services::target::ServiceTarget;
use super::slot::{Slot, State};
use super::technique::Sort;
use crate::patience::{patience, patient};
use crate::unix_service::Addresses;

/// An attacker that hangs is ended by its own alarm after this many seconds.
const PATIENCE_SECONDS: u32 = 10;
/// How long two attackers wait for each other.
const MEETING: Duration = Duration::from_secs(60);

/// The slot of an attempt: the attack's, or its twin's.
#[must_use]
pub const fn slot_of(trial: usize, twin: bool) -> usize {
    trial * 2 + if twin { 1 } else { 0 }
}

/// Carries out `order`, and returns how many attempts were made, twins included.
///
/// # Errors
/// Those of mapping the loot and of starting processes; what a technique meets is recorded in its slot.
pub fn carry_out(order: &Order) -> io::Result<usize> {
    let path = order.loot.clone().unwrap_or_else(scratch_loot);
    let loot = if order.loot.is_some() {
        Loot::open(&path)?
    } else {
        Loot::create(&path, order.trials * 2)?
    };
    if order.supervise {
        set_child_subreaper(true)?;
    }
    if let Some((mine, theirs)) = &order.meet {
        meet(mine, theirs)?;
    }
    let mut made = 0;
    for trial in 0..order.trials {
        for twin in [false, true] {
            if twin && !has_twin(&order.aim) {
                continue;
            }
            let slot = loot.slot(slot_of(trial, twin));
            if order.supervise {
                in_child(order, trial, twin, slot)?;
            } else {
                attempt(order, trial, twin, slot);
            }
            made += 1;
        }
    }
    if order.loot.is_none() {
        print_loot(&loot);
        std::fs::remove_file(&path)?;
    }
    Ok(made)
}

/// Makes the file `mine`, then waits for `theirs`.
fn meet(mine: &Path, theirs: &Path) -> io::Result<()> {
    std::fs::write(mine, "")?;
    let begun = Instant::now();
    while !theirs.exists() {
        if begun.elapsed() > patient(MEETING) {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the other attacker did not come",
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn scratch_loot() -> PathBuf {
    std::env::temp_dir().join(format!("attack-loot-{}", std::process::id()))
}

const fn has_twin(aim: &Aim) -> bool {
    match aim {
        Aim::File { twin, .. } => twin.is_some(),
        Aim::Service { twin, .. } => twin.is_some(),
        Aim::Network { twin, .. } | Aim::Outsider { twin, .. } => *twin,
    }
}

/// One attempt in this process.
fn attempt(order: &Order, trial: usize, twin: bool, slot: Slot<'_>) {
    slot.set_state(State::Begun);
    let outcome = match (&order.technique.sort, &order.aim) {
        (
            Sort::File(technique),
            Aim::File {
                on,
                twin: twin_on,
                aside,
            },
        ) => {
            let path = if twin { twin_on.as_ref().unwrap_or(on) } else { on };
            let path = PathBuf::from(path.replace("{}", &trial.to_string()));
            (technique.attempt)(
                &FileTarget {
                    path,
                    aside: aside.clone(),
                    trial,
                },
                slot,
            )
        }
        (Sort::Network(technique), Aim::Network { to, allowed, tag, .. }) => {
            let (to, tag) = if twin {
                (*allowed, "twin")
            } else {
                (*to, tag.as_str())
            };
            // The benign twin of a forbidden kind of socket is a common one.
            let by = if twin && technique.forbidden_socket {
                datagram::sendto
            } else {
                technique.attempt
            };
            by(&NetworkTarget {
                to,
                allowed: *allowed,
                payload: payload(tag, trial),
            })
        }
        (
            Sort::Service(technique),
            Aim::Service {
                at,
                twin: twin_at,
                tag,
                aside,
            },
        ) => {
            let (at, tag) = if twin {
                (twin_at.as_ref().unwrap_or(at), "twin")
            } else {
                (at, tag.as_str())
            };
            (technique.attempt)(&ServiceTarget {
                at: Addresses::of(at),
                payload: payload(tag, trial),
                aside: aside.clone(),
                trial,
            })
        }
        (
            Sort::Outsider(technique),
            Aim::Outsider {
                victim,
                address,
                aside,
                ..
            },
        ) => {
            let target = OutsiderTarget {
                pid: *victim,
                address: *address,
                aside: aside.clone(),
                trial,
            };
            match (twin, technique.twin) {
                (false, _) => (technique.attempt)(&target),
                (true, Some(benign)) => benign(&target),
                (true, None) => on_own_child(&target, technique.attempt),
            }
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    slot.end(&outcome);
}

/// One attempt in a child; waits for it and for everything that it left behind.
fn in_child(order: &Order, trial: usize, twin: bool, slot: Slot<'_>) -> io::Result<()> {
    let child = clone_with(0)?;
    if child == 0 {
        // SAFETY: sets a timer of this process.
        unsafe { libc::alarm(PATIENCE_SECONDS * patience()) };
        attempt(order, trial, twin, slot);
        leave();
    }
    slot.set_status(wait_for(child)?);
    while wait_for(-1).is_ok() {}
    Ok(())
}

fn print_loot(loot: &Loot) {
    for index in 0..loot.slots() {
        let slot = loot.slot(index);
        if slot.state() == State::Untried {
            continue;
        }
        let data = slot.data();
        let used = data
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        let text = String::from_utf8_lossy(data.get(..used).unwrap_or_default()).into_owned();
        let line = serde_json::json!({
            "attempt": index / 2, "twin": index % 2 == 1, "state": format!("{:?}", slot.state()),
            "errno": slot.errno(), "status": slot.status(), "bytes": used, "obtained": text,
        });
        println!("{line}");
    }
}
