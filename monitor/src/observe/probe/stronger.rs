//! The tiers that deny files and programs before the act: can this kernel give them? Nothing here uses them yet.

use std::io;

use super::{
    fact::Fact,
    host::Security,
    raw::{self, As},
};
use crate::observe::btf::Btf;

/// Asked by nobody in the moment that it is attached, and answered with "go on" all the same.
const HOOK: &str = "socket_getpeername";

/// What is said of a tier that the kernel gives.
const NOT_USED: &str = "this kernel could give it; this version of Scopeward does not use it yet";

/// BPF LSM and `fmod_ret`, tried with programs that allow, attached for a moment.
pub(super) fn tiers(btf: Option<&Btf>, security: &Security) -> [Fact; 2] {
    [lsm(btf, security), fmod_ret(btf)]
}

fn lsm(btf: Option<&Btf>, security: &Security) -> Fact {
    let what = "tier lsm";
    let function = btf.and_then(|btf| btf.function(&format!("bpf_lsm_{HOOK}")));
    let Some(function) = function else {
        return Fact::missing(what, "this kernel is built without BPF LSM (CONFIG_BPF_LSM)")
            .with("a kernel built with CONFIG_BPF_LSM=y and CONFIG_DEBUG_INFO_BTF=y");
    };
    match tried(As::lsm(function)) {
        Err(error) => {
            Fact::missing(what, format!("this kernel refuses BPF LSM programs: {error}")).with(change(&error))
        }
        Ok(()) if security.has_bpf() => Fact::limited(what, NOT_USED),
        Ok(()) => {
            let fact = Fact::limited(
                what,
                "programs load, and never run, because `bpf` is not in the LSM list",
            );
            match &security.lsms {
                Some(list) => fact.with(format!(
                    "boot parameter lsm={list},bpf (and a version of Scopeward that uses it: this one does not yet)"
                )),
                None => fact,
            }
        }
    }
}

fn fmod_ret(btf: Option<&Btf>) -> Fact {
    let what = "tier fmod_ret";
    let function = btf.and_then(|btf| btf.function(&format!("security_{HOOK}")));
    let Some(function) = function else {
        return Fact::missing(what, "the kernel's BTF shows no security_* functions");
    };
    match tried(As::fmod_ret(function)) {
        Ok(()) => Fact::limited(what, NOT_USED),
        Err(error) => Fact::missing(what, format!("this kernel refuses fmod_ret programs: {error}"))
            .with(change(&error)),
    }
}

/// What a refusal asks for. It was tried with every capability, so "not permitted" is the kernel's own doing.
fn change(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "another kernel: this one does not let even root load such programs (some guest kernels are built so)"
    } else {
        "a kernel with BPF trampolines (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y, CONFIG_BPF_JIT=y)"
    }
}

/// Loads and attaches a program that allows, and takes it off again at once.
fn tried(what: As) -> io::Result<()> {
    let program = raw::load(what)?;
    let link = raw::attach(&program)?;
    drop(link);
    Ok(())
}
