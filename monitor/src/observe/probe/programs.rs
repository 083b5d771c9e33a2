//! Scopeward's own programs: loaded and attached for a moment, with nobody in a session but an own child.

use super::{child, fact::Fact, host::Security, place::Place, stronger};
use crate::{
    observe::{
        fanotify, lacking,
        load::{Kernel, LoadError, Sizes},
    },
    scope::words::Tier,
};

/// Enough for one child: a ring of 64 KiB.
const SIZES: Sizes = Sizes {
    ring: 1 << 16,
    members: 1_024,
    quota: 200,
};

/// Which mechanisms were seen to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Membership, by fork and exit.
    pub sessions: bool,
    /// Opens, at the exit of the system call.
    pub opens: bool,
    /// Programs, before their first instruction.
    pub programs: bool,
    /// Opens by io_uring.
    pub io_uring: bool,
    /// Connects and sends, before the act.
    pub network: bool,
    /// Opens of guarded files, before the act.
    pub fanotify: bool,
    /// The tier that refuses opens, programs and sockets before the act.
    pub denies: Option<Tier>,
    /// Changes to names and attributes of files, in that tier.
    pub changes: bool,
    /// What arrives at a unix socket.
    pub arrivals: bool,
}

impl Held {
    /// Whether an agent can be held to its scope: followed, kept from files, kept from endpoints.
    #[must_use]
    pub const fn suffices(self) -> bool {
        self.sessions && self.opens && self.programs && self.network
    }
}

/// Loads, attaches, tries; everything is off again afterwards.
pub(super) fn tried(place: &Place, security: &Security) -> (Held, Vec<Fact>) {
    let (held, mut facts) = match Kernel::load(&place.dir, None, SIZES) {
        Ok((mut kernel, ring)) => {
            let found = match kernel.watch(true) {
                Ok(()) => loaded(kernel, place, security),
                Err(error) => refused(&error),
            };
            drop(ring);
            found
        }
        Err(error) => refused(&error),
    };
    let (works, fact) = fanotify_tier(place);
    facts.push(fact);
    (
        Held {
            fanotify: works,
            ..held
        },
        facts,
    )
}

fn loaded(mut kernel: Kernel, place: &Place, security: &Security) -> (Held, Vec<Fact>) {
    let absent = kernel.absent().to_vec();
    let has = |name: &str| absent.iter().all(|(lacking, _)| *lacking != name);
    let mut facts = Vec::new();
    facts.push(match absent.as_slice() {
        [] => Fact::ok(
            "tracepoint programs",
            "fork, exec, exit, sys_exit, io_uring_complete and sk_data_ready attach",
        ),
        some => {
            let each = some
                .iter()
                .map(|(name, why)| format!("{name} is refused ({why}): {}", lacking::meaning(name)));
            Fact::limited("tracepoint programs", each.collect::<Vec<_>>().join("; "))
        }
    });
    facts.extend(stronger::facts(kernel.denies(), kernel.refused_tiers(), security));
    facts.push(Fact::ok(
        "cgroup programs",
        "connect4, connect6, sendmsg4, sendmsg6 and sock_create attach",
    ));
    let mut held = Held {
        sessions: true,
        opens: has("sys_exit"),
        programs: has("exec"),
        // All ways to open come by the same security hook.
        io_uring: has("io_uring_complete") || kernel.denies().is_some(),
        network: true,
        fanotify: false,
        denies: kernel.denies(),
        changes: kernel.denies_changes().is_some(),
        arrivals: has("data_ready"),
    };
    let what = "self-test";
    facts.push(match child::trial(&mut kernel, &place.dir) {
        Ok(seen) if seen.was_refused() && (seen.was_killed() || !held.opens) => Fact::ok(
            what,
            if held.opens {
                "the child of an own child was refused a connect, and killed before it had a guarded file"
            } else {
                "the child of an own child was refused a connect"
            },
        ),
        Ok(seen) => {
            held.network = seen.was_refused();
            held.opens &= seen.was_killed();
            held.denies = held.denies.filter(|_| held.opens);
            held.sessions = held.network || held.opens;
            let connect = if held.network {
                "was refused a connect"
            } else {
                "could connect"
            };
            let open = if seen.was_killed() {
                "was killed at a guarded file"
            } else {
                "could open a guarded file"
            };
            Fact::missing(what, format!("the child of an own child {connect}, and {open}"))
        }
        Err(error) => {
            held.sessions = false;
            Fact::missing(what, format!("failed to {error}"))
        }
    });
    (held, facts)
}

fn refused(error: &LoadError) -> (Held, Vec<Fact>) {
    let what = match error {
        LoadError::Mount(_) => "cgroup programs",
        _ => "tracepoint and cgroup programs",
    };
    (
        Held::default(),
        vec![Fact::missing(what, format!("failed to {error}"))],
    )
}

fn fanotify_tier(place: &Place) -> (bool, Fact) {
    let what = "fanotify";
    match fanotify::trial(&place.dir) {
        Ok(()) => (
            true,
            Fact::ok(
                what,
                "an open of a file of our own was refused before it took effect",
            ),
        ),
        Err(error) => {
            let fact = Fact::missing(what, format!("failed to {error}"));
            (
                false,
                fact.with(
                    "a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y, 5.9 or later, and CAP_SYS_ADMIN",
                ),
            )
        }
    }
}
