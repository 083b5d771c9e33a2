//! In a session every act on a process outside, and every way out, is answered; the same within the session, and what only
//! resembles it, is untouched, and so is the same attacker outside the session.

use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::outsiders::escape::{cgroup_root, remove_cgroup, remove_mounts};
use scopeward_tests::attack::technique::{OutsiderTechnique, Sort, Technique};
use scopeward_tests::expectation;
use scopeward_tests::process::Bounded;
use scopeward_tests::programs::trials;
use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};
use scopeward_tests::table::{self, Row};
use scopeward_tests::trial::{answers, outsider_attack, recorded, through};

use crate::judgement::judge;

/// Everything that these techniques do is answered by killing.
const TABLES: &str =
    "[processes]\ntrace = \"kill\"\nsignal = \"kill\"\n[session]\nleave = \"kill\"\nmount = \"kill\"";

/// What the victim has in its memory.
static SECRET: AtomicU64 = AtomicU64::new(0x5ec2_e75e_c2e7_5ec2);

/// Who is attacked: this process itself, which is in no session, or where that would be stopped a child of it.
struct Victim(Option<Child>);

impl Victim {
    fn of(technique: &Technique) -> Self {
        // `PTRACE_ATTACH` stops, and a tracer that is killed leaves it so.
        let stops = technique.name == "ptrace-attach";
        Self(stops.then(|| {
            Command::new("sleep")
                .arg("600")
                .spawn()
                .expect("start a process to attack")
        }))
    }

    /// Its process id, and an address in it.
    fn aim(&self) -> (u32, u64) {
        let own = std::process::id();
        (self.0.as_ref().map_or(own, Child::id), SECRET.as_ptr() as u64)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child
                .kill()
                .and_then(|()| child.wait())
                .expect("end the process that was attacked");
        }
    }
}

/// Signals that came to this process.
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_signal(_: nix::libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// From now on `SIGWINCH`, which the techniques send, is counted.
fn count_signals() {
    let action = SigAction::new(
        SigHandler::Handler(count_signal),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    // SAFETY: the handler does one atomic addition.
    unsafe { sigaction(Signal::SIGWINCH, &action) }.expect("count signals");
}

fn check(name: &str) {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let technique = Technique::named(name).expect("a technique of the table");
    let Sort::Outsider(sort) = technique.sort else {
        panic!("{name} is no technique on another process")
    };
    if ["leave-cgroup", "start-in-cgroup"].contains(&name) && cgroup_root().is_err() {
        say_skipped(&test_name(), "cgroup v2 is not mounted");
        return;
    }
    let _turn = take_turn();
    hold(technique, sort);
    remove_cgroup();
}

pub fn hold(technique: &Technique, sort: OutsiderTechnique) {
    let trials = trials();
    let scratch = Scratch::new().expect("make a directory");
    let victim = Victim::of(technique);
    let scope = scratch
        .write("scope.toml", scope::with(TABLES))
        .expect("write the scope");
    let inside = Loot::create(&scratch.path("loot-inside"), trials * 2).expect("make the loot");
    let outside = Loot::create(&scratch.path("loot-outside"), trials * 2).expect("make the loot");
    let attack = |loot: &str, aside: &str, twin| {
        outsider_attack(
            technique,
            trials,
            &scratch.path(loot),
            &scratch.path(aside),
            victim.aim(),
            twin,
        )
    };
    let same = attack("loot-outside", "outside", false);
    let neighbour = Bounded::start(Command::new(&same[0]).args(&same[1..]))
        .and_then(|running| running.finish(Duration::from_secs(300)))
        .expect("the attacker outside ends");
    count_signals();
    SIGNALS.store(0, Ordering::SeqCst);
    let ended = Session::new(&scratch, &scope)
        .run(&attack("loot-inside", "inside", true))
        .expect("the session ends");

    remove_mounts(&scratch.path("")).expect("take mounts away");
    let killed = answers(&inside, trials, false);
    let tier = expectation::tier();
    let open = expectation::open(technique.name, tier);
    let row = Row {
        technique: technique.name.to_owned(),
        tier,
        trials,
        // Signals that wait together come as one.
        obtained: if sort.done_first {
            SIGNALS.load(Ordering::SeqCst)
        } else {
            through(&inside, trials, false)
        },
        twin: through(&inside, trials, true),
        outside: through(&outside, trials, false),
        answered: killed.clone(),
        recorded: recorded(&ended.events),
        open: open.unwrap_or_default().to_owned(),
    };
    table::add(&row).expect("write the table");
    let said = format!("{row:#?}\n{}\n{}", ended.stdout, ended.stderr);
    assert!(
        ended.status.success(),
        "the supervisor itself was stopped: {said}"
    );
    assert!(
        neighbour.status.success(),
        "{}",
        String::from_utf8_lossy(&neighbour.stderr)
    );
    assert_eq!(
        row.outside, trials,
        "outside the session the technique must work: {said}"
    );
    assert_eq!(
        row.twin,
        trials,
        "its benign twin must work: {} {said}",
        answers(&inside, trials, true)
    );
    judge(&row, open, &ended.events, &said);
    assert_eq!(killed, format!("killed ×{trials}"), "{said}");
    let told = cuts(&ended.events).filter(|event| event["act"]["kind"] == sort.kind);
    assert!(told.count() > 0, "no cut of its kind: {:#?} {said}", ended.events);
    let other = cuts(&ended.events).find(|event| event["act"]["kind"] != sort.kind);
    assert!(other.is_none(), "something else is a cut: {other:#?}");
}

techniques! {
    check, Outsider, every_technique_on_others_has_a_test;
    ptrace_seize: "ptrace-seize",
    ptrace_attach: "ptrace-attach",
    pidfd_getfd: "pidfd-getfd-outsider",
    proc_environ: "proc-environ",
    proc_environ_thread: "proc-environ-thread",
    proc_maps: "proc-maps",
    proc_mem: "proc-mem",
    proc_fd: "proc-fd",
    process_vm_readv: "process-vm-readv",
    kill: "kill",
    tgkill: "tgkill",
    sigqueue: "sigqueue",
    sigqueue_forged: "sigqueue-forged",
    pidfd_send_signal: "pidfd-send-signal",
    pidfd_send_record: "pidfd-send-record",
    unshare_mounts: "unshare-mounts",
    unshare_users: "unshare-users",
    clone_users: "clone-users",
    setns: "setns",
    chroot_away: "chroot-away",
    mount: "mount",
    mount_nowhere: "mount-nowhere",
    bpf_enumerate: "bpf-enumerate",
    leave_cgroup: "leave-cgroup",
    start_in_cgroup: "start-in-cgroup",
}
