//! Only which tier decides here: enough to judge a scope, without loading Scopeward's own programs.

use std::path::Path;

use nix::unistd::geteuid;

use super::place::Place;
use crate::{
    observe::{btf::Btf, deny, fanotify},
    scope::capability::Capabilities,
};

/// What this host decides, found by trying on an own child; `None` without the rights to try, or where something stands
/// in the way.
#[must_use]
pub fn strongest() -> Option<Capabilities> {
    if !geteuid().is_root() {
        return None;
    }
    // The place takes the thread out of the host's mounts.
    std::thread::spawn(|| {
        let place = Place::make().ok()?;
        let types = Btf::read(Path::new(Btf::KERNEL)).ok()?;
        let marks = fanotify::trial(&place.dir).is_ok();
        Some(match deny::choose(&types, Vec::new()).tier {
            Some(tier) => Capabilities::denying(tier, marks),
            None => Capabilities::tracepoint(marks),
        })
    })
    .join()
    .ok()
    .flatten()
}
