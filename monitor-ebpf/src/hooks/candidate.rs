//! Programs outside sessions that fit a `[[match]]`.

use scopeward_abi::{
    event::{Header, flag, hook, kind, loss},
    object::ns,
};

use super::exec::{event, program, report};
use crate::{
    emit,
    kernel::{offsets::Address, task},
    maps::POLICIES,
    matching::{self, Table},
    scratch,
};

/// A program outside sessions that fits a `[[match]]`: the daemon looks at arguments and owner, and enrols it.
#[inline(never)]
pub fn look(bprm: Address, ids: (u32, u32)) {
    if is_matched_program(bprm) {
        tell(bprm, ids);
    }
}

#[inline(never)]
fn is_matched_program(bprm: Address) -> bool {
    let Some(scratch) = scratch::acquire() else {
        emit::lost(hook::EXEC, loss::SCRATCH);
        return false;
    };
    // SAFETY: written whole by the daemon.
    let policy = unsafe { POLICIES.get(&0) };
    let mut fits = false;
    if let (true, Some(policy)) = (program(bprm, scratch), policy) {
        let table = Table::programs(ns::MATCH, policy);
        fits = matching::find(&table, scratch).mask != 0;
    }
    scratch::release(scratch);
    fits
}

/// Tells the daemon of a process outside sessions whose program fits a `[[match]]`.
#[inline(never)]
fn tell(bprm: Address, ids: (u32, u32)) {
    let Some(scratch) = scratch::acquire() else {
        emit::lost(hook::EXEC, loss::SCRATCH);
        return;
    };
    let seen = program(bprm, scratch);
    let event = event(scratch);
    event.header = Header {
        version: scopeward_abi::ABI_VERSION,
        kind: kind::EXEC,
        hook: hook::EXEC,
        tid: ids.1,
        tgid: ids.0,
        time: emit::now(),
        cookie: task::cookie(task::current()).unwrap_or(0),
        flags: flag::CANDIDATE,
        ..Header::default()
    };
    report(scratch, bprm, seen, true);
    scratch::release(scratch);
}
