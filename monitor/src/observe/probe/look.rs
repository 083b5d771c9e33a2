//! Everything at once.

use serde::Serialize;

use super::{
    acts::{ActGuarantee, acts},
    fact::{Fact, State},
    host::{self, Security},
    place::Place,
    programs::{self, Held},
    raw,
    rights::Rights,
};
use crate::{
    observe::{btf::Btf, mounts, offsets},
    scope::capability::{Capabilities, Guarantee},
    scope::words::{Tier, When},
};

/// What was found out.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    /// The kernel's release.
    pub kernel: String,
    /// Whether agents can be held here, by this process.
    pub holds: bool,
    /// Whether this process had the rights to find out.
    pub privileged: bool,
    /// One thing each.
    pub facts: Vec<Fact>,
    /// What becomes of each kind of act.
    pub acts: Vec<ActGuarantee>,
    /// What rules are worth here.
    #[serde(skip)]
    pub capabilities: Capabilities,
}

/// Looks at everything, in a thread with mounts of its own: nothing of it stays. Takes some tenths of a second, and
/// for that time has Scopeward's programs attached, with nobody in a session but a child of this process.
///
/// # Errors
/// Where neither a thread nor a directory of its own can be had.
pub fn look() -> std::io::Result<Probe> {
    let thread = std::thread::Builder::new()
        .name("probe".to_owned())
        .spawn(|| Ok(within(&Place::make()?)))?;
    thread
        .join()
        .map_err(|_| std::io::Error::other("the probe panicked"))?
}

fn within(place: &Place) -> Probe {
    let rights = Rights::of_this_process();
    let security = Security::look(place);
    let btf = Btf::read(std::path::Path::new(Btf::KERNEL));
    let mut facts = vec![
        Fact::ok("kernel", host::release()),
        rights.fact(),
        host::pid_namespace(),
        host::pid_max(),
    ];
    facts.extend(security.facts());
    facts.push(host::unprivileged_bpf());
    facts.extend(types(&btf));
    let cgroup = filesystem("cgroup v2", "cgroup2", place, mounts::cgroup2);
    let has_cgroup = cgroup.state == State::Ok;
    facts.push(cgroup);
    facts.push(filesystem("bpffs", "bpf", place, mounts::bpffs));
    let mut held = Held::default();
    if rights.suffice() {
        facts.push(bpf());
        facts.push(ring());
        if has_cgroup || place.private {
            let (found, more) = programs::tried(place, &security);
            held = found;
            facts.extend(more);
        } else {
            facts.push(Fact::untried("tracepoint and cgroup programs"));
        }
    } else {
        let tried = [
            "bpf system call",
            "ring buffer",
            "tracepoint programs",
            "cgroup programs",
            "self-test",
            "fanotify",
        ];
        facts.extend(
            tried
                .into_iter()
                .chain(["tier lsm", "tier fmod_ret"])
                .map(Fact::untried),
        );
    }
    Probe {
        kernel: host::release(),
        holds: held.suffices(),
        privileged: rights.suffice(),
        facts,
        acts: if rights.suffice() { acts(held) } else { Vec::new() },
        capabilities: capabilities(held),
    }
}

fn types(btf: &Result<Btf, super::super::btf::BtfError>) -> Vec<Fact> {
    const CHANGE: &str = "a kernel built with CONFIG_DEBUG_INFO_BTF=y";
    match btf {
        Err(error) => vec![Fact::missing("BTF", format!("failed to {error}")).with(CHANGE)],
        Ok(btf) => {
            let fields = match offsets::resolve(btf) {
                Ok(fields) => Fact::ok("kernel structs", format!("all {} fields are there", fields.len())),
                Err(error) => Fact::missing("kernel structs", format!("failed to {error}"))
                    .with("a version of Scopeward that knows this kernel"),
            };
            vec![Fact::ok("BTF", Btf::KERNEL), fields]
        }
    }
}

fn filesystem(
    what: &'static str,
    kind: &str,
    place: &Place,
    get: fn(&std::path::Path) -> Result<std::path::PathBuf, mounts::MountError>,
) -> Fact {
    let mounted = mounts::find(kind);
    match (mounted, place.filesystem(kind, get)) {
        (Ok(Some(at)), _) => Fact::ok(what, format!("mounted at {}", at.display())),
        (_, Ok(Some(_))) => Fact::ok(what, "not mounted; Scopeward mounts one for itself"),
        (_, Ok(None)) => Fact::missing(what, "not mounted, and mounting it needs root")
            .with(format!("mount -t {kind} {kind} DIRECTORY, as root")),
        (_, Err(error)) => Fact::missing(what, format!("failed to {error}")),
    }
}

fn bpf() -> Fact {
    let what = "bpf system call";
    match raw::load() {
        Ok(_) => Fact::ok(what, "a program loads"),
        Err(error) => Fact::missing(what, format!("a program of two instructions is refused: {error}"))
            .with("a kernel with CONFIG_BPF_SYSCALL=y, and a seccomp filter that lets bpf(2) through"),
    }
}

fn ring() -> Fact {
    let what = "ring buffer";
    match raw::ring() {
        Ok(_) => Fact::ok(what, "one is made"),
        Err(error) => Fact::missing(what, format!("refused: {error}")).with("Linux 5.8 or later"),
    }
}

/// What rules are worth with these mechanisms.
fn capabilities(held: Held) -> Capabilities {
    if let (Some(tier), true) = (held.denies, held.suffices()) {
        return Capabilities::denying(tier, held.fanotify);
    }
    let usual = Capabilities::tracepoint(held.fanotify);
    let tracepoint =
        |works: bool, when| (held.sessions && works).then_some(Guarantee::new(Tier::Tracepoint, when));
    let objects = if held.fanotify && held.sessions {
        usual.file_objects
    } else {
        None
    };
    Capabilities {
        file_objects: objects.or(tracepoint(held.opens, When::BeforeUse)),
        file_names: tracepoint(held.opens, When::BeforeUse),
        exec: tracepoint(held.programs, When::BeforeUse),
        exec_argv: tracepoint(held.programs, When::After),
        sockets: tracepoint(held.opens, When::BeforeUse),
        trace: tracepoint(held.opens, When::BeforeUse),
        signal: tracepoint(held.opens, When::After),
        leave: tracepoint(held.opens, When::BeforeUse),
        mount: tracepoint(held.opens, When::BeforeUse),
        network: usual.network.filter(|_| held.network && held.sessions),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Held = Held {
        sessions: true,
        opens: true,
        programs: true,
        io_uring: true,
        network: true,
        fanotify: true,
        arrivals: true,
        denies: None,
        changes: false,
    };

    #[test]
    fn a_mechanism_that_is_missing_is_worth_nothing() {
        assert_eq!(capabilities(ALL), Capabilities::tracepoint(true));
        assert_eq!(
            capabilities(Held {
                fanotify: false,
                ..ALL
            }),
            Capabilities::tracepoint(false)
        );
        let nothing = capabilities(Held::default());
        assert_eq!(
            (
                nothing.file_objects,
                nothing.file_names,
                nothing.exec,
                nothing.network
            ),
            (None, None, None, None)
        );
        let opens = capabilities(Held { opens: false, ..ALL });
        assert_eq!(
            (opens.file_objects, opens.file_names),
            (Capabilities::tracepoint(true).file_objects, None)
        );
    }

    #[test]
    fn this_machine_is_looked_at_and_left_as_it_was() {
        let mounts = || std::fs::read_to_string("/proc/self/mounts").unwrap();
        let before = mounts();
        let probe = look().unwrap();
        assert_eq!(mounts(), before);
        let of = |what: &str| probe.facts.iter().find(|fact| fact.what == what);
        assert_eq!(
            of("kernel").map(|fact| fact.found.as_str()),
            Some(probe.kernel.as_str())
        );
        if !Rights::of_this_process().suffice() {
            assert!(!probe.holds && !probe.privileged && probe.acts.is_empty());
            assert_eq!(of("self-test").map(|fact| fact.state), Some(State::Untried));
            println!("skipped: the trials need root");
            return;
        }
        println!("{probe:#?}");
        assert_eq!(
            probe.holds,
            of("self-test").is_some_and(|fact| fact.state == State::Ok)
        );
        assert_eq!(probe.acts.iter().any(|act| act.when.is_some()), probe.holds);
        for fact in ["tier lsm", "tier fmod_ret"] {
            assert!(of(fact).is_some_and(|fact| fact.state == State::Ok || fact.change.is_some()));
        }
    }
}
