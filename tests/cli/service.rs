//! The daemon as a service manager meets it: told when it is ready, fed, handed a socket, ended while it starts.

use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use scopeward_tests::daemon::{Daemon, ask, leftovers, said, status};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(30);

/// The service manager's end of `NOTIFY_SOCKET`.
struct Notified {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Notified {
    fn new(scratch: &Scratch) -> Self {
        let socket = UnixDatagram::bind(scratch.path("notify")).expect("bind the notify socket");
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("bound its reads");
        Self {
            socket,
            heard: Vec::new(),
        }
    }

    /// Takes in what has come.
    fn hear(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(len) = self.socket.recv(&mut bytes) {
            self.heard
                .push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        }
    }

    /// Waits for a message with `line` among its lines, from message `from` on.
    fn waits_for(&mut self, line: &str, from: usize) -> bool {
        wait_until(BOUND, || {
            self.hear();
            self.heard
                .iter()
                .skip(from)
                .any(|message| message.lines().any(|heard| heard == line))
        })
    }

    /// How often the watchdog is fed within `time`.
    fn fed_within(&mut self, time: Duration) -> usize {
        self.hear();
        let (before, begun) = (self.heard.len(), Instant::now());
        while begun.elapsed() < time {
            self.hear();
        }
        let fed = |message: &&String| message.lines().any(|line| line == "WATCHDOG=1");
        self.heard.iter().skip(before).filter(fed).count()
    }
}

fn thread_of(pid: Pid, name: &str) -> Pid {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("list the threads");
    threads
        .flatten()
        .find(|entry| {
            std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        })
        .and_then(|entry| entry.file_name().to_str()?.parse().ok())
        .map_or_else(|| panic!("no thread {name}"), Pid::from_raw)
}

/// Stops one thread of a process; it goes on when it is detached.
fn stop_thread(pid: Pid, name: &str) -> Pid {
    let thread = thread_of(pid, name);
    ptrace::seize(thread, ptrace::Options::empty()).expect("seize the thread");
    ptrace::interrupt(thread).expect("stop the thread");
    waitpid(thread, Some(WaitPidFlag::__WALL)).expect("see it stop");
    thread
}

#[test]
fn it_says_when_it_is_ready_reloads_and_ends_and_only_a_whole_way_feeds_the_watchdog() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let mut notified = Notified::new(&scratch);
    scratch.note_daemon();
    let daemon = Bounded::start(
        scratch
            .scopeward(&["daemon"])
            .env("NOTIFY_SOCKET", scratch.path("notify"))
            .env("WATCHDOG_USEC", "2000000"),
    )
    .expect("start the daemon");
    assert!(notified.waits_for("READY=1", 0), "{:?}", notified.heard);
    assert!(status(&scratch).is_ok(), "ready, and does not answer");
    let fed = notified.fed_within(Duration::from_secs(4));
    assert!(fed >= 5, "fed {fed} times in two of the watchdog's times");

    // One thread stands still; all others, the one that feeds among them, go on.
    for name in ["ring", "store"] {
        let thread = stop_thread(daemon.pid(), name);
        // What was under way before may still arrive.
        notified.fed_within(Duration::from_millis(500));
        let fed = notified.fed_within(Duration::from_secs(3));
        ptrace::detach(thread, None).expect("let it go on");
        assert_eq!(fed, 0, "fed while the thread {name} stands still");
        let fed = notified.fed_within(Duration::from_secs(3));
        assert!(fed >= 2, "not fed after the thread {name} went on");
    }

    let heard = notified.heard.len();
    kill(daemon.pid(), Signal::SIGHUP).expect("ask to reload");
    assert!(notified.waits_for("RELOADING=1", heard), "{:?}", notified.heard);
    assert!(notified.waits_for("READY=1", heard), "{:?}", notified.heard);
    let reloading = notified
        .heard
        .iter()
        .skip(heard)
        .find(|m| m.contains("RELOADING=1"));
    let moment = reloading.and_then(|message| {
        message
            .lines()
            .find_map(|line| line.strip_prefix("MONOTONIC_USEC=")?.parse::<u64>().ok())
    });
    assert!(moment.is_some_and(|moment| moment > 0), "{reloading:?}");

    kill(daemon.pid(), Signal::SIGTERM).expect("end it");
    assert!(notified.waits_for("STOPPING=1", heard), "{:?}", notified.heard);
    let output = daemon.finish(BOUND).expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(leftovers(&scratch).expect("look"), Vec::<String>::new());
}

#[test]
fn an_end_that_it_has_not_read_yet_leaves_nothing_held() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch
        .write("scope.toml", scope::with(""))
        .expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let ready = scratch.path("ready");
    let script = format!(
        "echo $$ >{0}.new; mv {0}.new {0}; exec sleep 600",
        ready.display()
    );
    let mut running = Session::new(&scratch, &scope)
        .start(&["sh", "-c", &script])
        .expect("start");
    assert!(
        running.has_made(&ready, BOUND).expect("wait"),
        "the command does not run"
    );
    let command = std::fs::read_to_string(&ready).expect("read its number");
    let command = Pid::from_raw(command.trim().parse().expect("a number"));
    // The end of the session, and the order to end, while nothing is read.
    let readers = ["ring", "housekeeping"].map(|name| stop_thread(daemon.pid(), name));
    kill(running.pid(), Signal::SIGKILL).expect("end run");
    kill(command, Signal::SIGKILL).expect("end the command");
    assert!(
        wait_until(BOUND, || kill(command, None).is_err()),
        "the command does not end"
    );
    kill(daemon.pid(), Signal::SIGTERM).expect("order it to end");
    std::thread::sleep(Duration::from_secs(1));
    for reader in readers {
        ptrace::detach(reader, None).expect("let it read on");
    }
    let output = daemon.stop().expect("stop");
    assert!(!said(&output).contains("stay held"), "{}", said(&output));
    assert_eq!(leftovers(&scratch).expect("look"), Vec::<String>::new());
}

#[test]
fn a_socket_that_is_handed_over_is_served_and_stays() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let path = scratch.path("run/scopeward.sock");
    let listener = UnixListener::bind(&path).expect("bind the socket");
    // Asked before there is a daemon: waits on the socket.
    let early = Bounded::start(&mut scratch.scopeward(&["status", "--json"])).expect("ask");
    let program = scratch.scopeward::<&str>(&[]).get_program().to_owned();
    let mut start = Command::new("sh");
    start
        .args([
            "-c",
            "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" daemon 3<&0 </dev/null",
        ])
        .arg(program)
        .env("SCOPEWARD_CONFIG", scratch.path("daemon.toml"))
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)));
    scratch.note_daemon();
    let daemon = Bounded::start(&mut start).expect("start the daemon");
    let answer = early.finish(BOUND).expect("an answer");
    assert!(answer.status.success(), "{}", said(&answer));
    kill(daemon.pid(), Signal::SIGTERM).expect("end it");
    let output = daemon.finish(BOUND).expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    assert!(path.exists(), "the service manager's socket is gone");

    // Another socket than the settings name is no API's.
    let other = UnixListener::bind(scratch.path("other.sock")).expect("bind another");
    let wrong = Bounded::start(start.stdin(Stdio::from(std::os::fd::OwnedFd::from(other))))
        .expect("start the daemon")
        .finish(BOUND)
        .expect("it ends");
    assert!(
        !wrong.status.success() && said(&wrong).contains("other.sock"),
        "{}",
        said(&wrong)
    );
}

#[test]
fn ended_while_it_starts_it_leaves_nothing() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    for after in [30, 80, 150, 300, 600, 1_000] {
        let scratch = Scratch::new().expect("make a directory");
        scratch.note_daemon();
        let daemon = Bounded::start(&mut scratch.scopeward(&["daemon"])).expect("start the daemon");
        std::thread::sleep(Duration::from_millis(after));
        kill(daemon.pid(), Signal::SIGTERM).expect("end it");
        let output = daemon.finish(BOUND).expect("it ends");
        assert!(output.status.success(), "after {after} ms: {}", said(&output));
        assert_eq!(
            leftovers(&scratch).expect("look"),
            Vec::<String>::new(),
            "after {after} ms"
        );
        assert_eq!(
            scratch.pins(),
            Vec::<std::path::PathBuf>::new(),
            "after {after} ms"
        );
    }
}

#[test]
fn a_reload_changes_all_or_nothing() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let settings = std::fs::read_to_string(scratch.path("daemon.toml")).expect("read the settings");
    scratch
        .write("daemon.toml", settings + "[service]\nreload = \"asked\"\n")
        .expect("write the settings");
    let text = |name: &str, mode: &str| {
        format!("name = {name:?}\nmode = {mode:?}\n[[match]]\nexe = \"/nonexistent/agent\"\n")
    };
    for name in ["first", "second"] {
        scratch
            .write(&format!("scopes/{name}.toml"), text(name, "enforce"))
            .expect("write a scope");
    }
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let modes = || {
        let status = daemon.status().expect("ask");
        let of = |scope: &serde_json::Value| format!("{} {}", scope["name"], scope["mode"]).replace('"', "");
        status["scopes"]
            .as_array()
            .map(|scopes| scopes.iter().map(of).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    assert_eq!(modes(), ["first enforce", "second enforce"]);
    scratch
        .write("scopes/first.toml", text("first", "observe"))
        .expect("change the first");
    scratch
        .write("scopes/second.toml", "name = \"second\"\nmood = 1\n")
        .expect("spoil the second");
    let refused = ask(&scratch, &["reload"]).expect("ask to reload");
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("second.toml"), "{}", said(&refused));
    // Longer than a change takes to be found by itself.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(modes(), ["first enforce", "second enforce"]);
    scratch
        .write("scopes/second.toml", text("second", "observe"))
        .expect("mend the second");
    let done = ask(&scratch, &["reload"]).expect("ask to reload");
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(modes(), ["first observe", "second observe"]);
    daemon.stop().expect("stop");
}
