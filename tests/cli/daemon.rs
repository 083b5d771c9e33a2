//! A daemon of one's own: alone, held through its death, told of by `status`.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use scopeward_tests::daemon::{Daemon, ask, leftovers, listing, said};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(30);

#[test]
fn it_starts_answers_and_leaves_nothing() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let status = daemon.status().expect("ask");
    assert_eq!(
        status["pid"].as_i64(),
        Some(daemon.pid().as_raw().into()),
        "{status:#}"
    );
    assert!(
        status["tiers"].as_array().is_some_and(|tiers| !tiers.is_empty()),
        "{status:#}"
    );
    let output = daemon.stop().expect("stop");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(leftovers(&scratch).expect("look"), Vec::<String>::new());
}

#[test]
fn a_second_one_names_the_first() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let second = Bounded::start(&mut scratch.scopeward(&["daemon"]))
        .expect("start")
        .finish(BOUND)
        .expect("it ends");
    assert!(!second.status.success(), "{}", said(&second));
    let pid = daemon.pid().to_string();
    assert!(
        said(&second).contains(&pid),
        "the first, {pid}, is not named: {}",
        said(&second)
    );
    assert!(daemon.status().is_ok(), "the first has gone");
    daemon.stop().expect("stop");
}

#[test]
fn a_deleted_socket_comes_back() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    std::fs::remove_file(scratch.path("run/scopeward.sock")).expect("delete the socket");
    assert!(
        wait_until(BOUND, || daemon.status().is_ok()),
        "no answer after the socket was deleted"
    );
    daemon.stop().expect("stop");
}

#[test]
fn a_bad_scope_leaves_the_old_one_in_force() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    scratch
        .write("scopes/attacked.toml", scope::with(""))
        .expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    scratch
        .write("scopes/attacked.toml", "name = \"attacked\"\nmood = 1\n")
        .expect("spoil the scope");
    kill(daemon.pid(), Signal::SIGHUP).expect("ask to reload");
    let mut last = serde_json::Value::Null;
    let told = wait_until(BOUND, || {
        last = daemon.status().unwrap_or_default();
        last["scopes"]
            .as_array()
            .is_some_and(|scopes| scopes.iter().any(|scope| scope["state"] == "old_in_force"))
    });
    assert!(told, "{last:#}");
    daemon.stop().expect("stop");
}

#[test]
fn anybody_can_enrol() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Nobody]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let script = format!("id -u; cat {}; echo \"cat ended with $?\"", guarded.display());
    let held = Session::new(&scratch, &scope).command(&["sh", "-c", &script]);
    let program = scratch.path("scopeward");
    std::fs::copy(held.get_program(), &program).expect("copy the program");
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program);
    let arguments = held.get_args().map(|word| {
        if word.to_string_lossy().ends_with("/events") {
            "-".as_ref()
        } else {
            word
        }
    });
    command
        .args(arguments)
        .env("SCOPEWARD_CONFIG", scratch.path("daemon.toml"))
        .current_dir("/");
    let output = Bounded::start(&mut command)
        .expect("start")
        .finish(BOUND)
        .expect("end");
    let text = said(&output);
    assert!(
        text.contains("65534\n") && text.contains("cat ended with 137"),
        "{text}"
    );
    assert!(!text.contains("secret\n"), "{text}");
    daemon.stop().expect("stop");
}

#[test]
fn sessions_stay_held_when_it_is_killed_and_are_adopted_by_the_next() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let (ready, first, second) = (
        scratch.path("ready"),
        scratch.path("first"),
        scratch.path("second"),
    );
    let script = format!(
        ": >{}; wait_for() {{ while ! test -e $1; do sleep 0.02; done; }}\n\
         wait_for {}; cat {guarded}; echo \"first: $?\"; wait_for {}; cat {guarded}; echo \"second: $?\"",
        ready.display(),
        first.display(),
        second.display(),
        guarded = guarded.display(),
    );
    let session = Session::new(&scratch, &scope);
    let mut running = session.start(&["sh", "-c", &script]).expect("start");
    assert!(
        running.has_made(&ready, BOUND).expect("wait"),
        "the command does not run"
    );
    daemon.kill().expect("kill the daemon");
    std::fs::write(&first, "").expect("give the first sign");
    std::thread::sleep(Duration::from_millis(300));
    let daemon = Daemon::start(&scratch).expect("start the next daemon");
    let adopted = wait_until(BOUND, || {
        listing(&scratch, &["sessions", "--json"]).is_ok_and(|sessions| !sessions.is_empty())
    });
    std::fs::write(&second, "").expect("give the second sign");
    let ended = session.end(running).expect("end");
    assert!(adopted, "the next daemon does not know the session: {ended:?}");
    assert_eq!(ended.stdout, "first: 137\nsecond: 137\n", "{ended:?}");
    daemon.stop().expect("stop");
    assert_eq!(leftovers(&scratch).expect("look"), Vec::<String>::new());
}

#[test]
fn a_full_disk_stops_no_enforcement_and_is_told() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let state = scratch.path("state");
    let options = Some("size=256k");
    nix::mount::mount(
        Some("tmpfs"),
        &state,
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        options,
    )
    .expect("mount");
    let told = full_disk(&scratch, &scope, &guarded);
    nix::mount::umount2(&state, nix::mount::MntFlags::MNT_DETACH).expect("unmount");
    assert_eq!(told, Ok(()));
}

fn full_disk(scratch: &Scratch, scope: &std::path::Path, guarded: &std::path::Path) -> Result<(), String> {
    let daemon = Daemon::start(scratch).map_err(|error| error.to_string())?;
    // The disk is full when this fails.
    let filled = std::fs::write(scratch.path("state/filler"), vec![1; 1 << 20]);
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9 10; do cat {}; done; true",
        guarded.display()
    );
    let ended = Session::new(scratch, scope)
        .run(&["sh", "-c", &script])
        .map_err(|error| error.to_string())?;
    if filled.is_ok() || !ended.stdout.is_empty() {
        return Err(format!("{filled:?} {ended:?}"));
    }
    let told = wait_until(BOUND, || {
        ask(scratch, &["status"])
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("disk is full"))
    });
    let answer = ask(scratch, &["status"]).map_err(|error| error.to_string())?;
    daemon.stop().map_err(|error| error.to_string())?;
    if told {
        Ok(())
    } else {
        Err(format!("status says nothing of the full disk: {}", said(&answer)))
    }
}
