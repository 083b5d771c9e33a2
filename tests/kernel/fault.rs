//! What cannot be decided is answered as the scope says for it, told with the reason, and counted: each fault is made
//! inside, and an outsider does the same at the same time.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use scopeward_tests::daemon::{Daemon, said};
use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session, cuts};
use serde_json::Value;

/// More levels of directories than a walk goes up.
const LEVELS: usize = 80;
const PYTHON: [&str; 4] = ["/usr/bin/python3", "-I", "-S", "-c"];

/// How often this was counted, as `status` says.
fn counted(daemon: &Daemon<'_>, what: &str) -> u64 {
    let status = daemon.status().expect("ask for the status");
    status["losses"][what].as_u64().unwrap_or(0)
}

/// A cut of this kind that says so.
fn says<'e>(ended: &'e Ended, kind: &str, reason: &str) -> Option<&'e Value> {
    cuts(&ended.events).find(|cut| {
        let told = cut["verdict"]["reason"].as_str().unwrap_or_default();
        cut["act"]["kind"] == kind && told.contains(reason)
    })
}

/// A directory deeper than any walk goes, and what is in it: a file and a program.
fn deep(scratch: &Scratch) -> PathBuf {
    let path = scratch.path("benign").join("d/".repeat(LEVELS));
    std::fs::create_dir_all(&path).expect("make directories");
    std::fs::write(path.join("file"), "content").expect("write");
    std::fs::copy("/bin/true", path.join("program")).expect("copy");
    std::fs::set_permissions(path.join("program"), std::fs::Permissions::from_mode(0o755))
        .expect("allow to run");
    path
}

fn run(scratch: &Scratch, tables: &str, program: &str) -> Ended {
    let scope = scratch
        .write("scope.toml", scope::with(tables))
        .expect("write the scope");
    let mut words = PYTHON.map(str::to_owned).to_vec();
    words.push(program.to_owned());
    Session::new(scratch, &scope).run(&words).expect("run")
}

/// What happens in directories deeper than the walk: scope, what is done (`DEEP`: that directory), kind, reason, counter.
const DEEP: [(&str, &str, &str, &str, &str); 4] = [
    (
        "[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"/nonexistent/tree/**\"]\nresponse = \"kill\"",
        "open('DEEP/file').read()",
        "file.open",
        "the file could not be resolved",
        "open: unresolved",
    ),
    (
        "[files]\ndefault = \"allow\"\n[[exec.rule]]\nexe = [\"/nonexistent/tree/**\"]\nresponse = \"kill\"",
        "os.execv('DEEP/program', ['program'])",
        "process.exec",
        "the program could not be resolved",
        "exec: unresolved",
    ),
    (
        "[files]\ndefault = \"allow\"\n[[sockets.rule]]\npath = [\"/nonexistent/tree/**\"]\nresponse = \"kill\"",
        "os.chdir('DEEP'); one = socket.socket(socket.AF_UNIX); one.connect('socket'); one.send(b'x')",
        "unix.connect",
        "the socket could not be resolved",
        "unix: unresolved",
    ),
    (
        "[files]\ndefault = \"allow\"\nwrite = [\"/nonexistent/**\"]\nwrite-default = \"kill\"",
        "os.unlink('gone', dir_fd=os.open('DEEP', os.O_RDONLY))",
        "file.unlink",
        "",
        "open: unresolved",
    ),
];

#[test]
fn what_lies_deeper_than_a_walk_goes_is_answered_and_counted() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let deep = deep(&scratch);
    let listener = listen_in(&deep);
    let mut failed = Vec::new();
    for (tables, act, kind, reason, counter) in DEEP {
        std::fs::write(deep.join("gone"), "").expect("write");
        let program = format!(
            "import os, socket\n{}\nprint('went on')",
            act.replace("DEEP", &deep.display().to_string())
        );
        let before = counted(&daemon, counter);
        let ended = run(&scratch, tables, &program);
        if ended.status.code() != Some(137) || ended.stdout.contains("went on") {
            failed.push(format!("{act}: not answered: {} {}", ended.status, ended.stderr));
        }
        if says(&ended, kind, reason).is_none() {
            failed.push(format!(
                "{act}: no cut of kind {kind} says {reason:?}: {:#?}",
                ended.events
            ));
        }
        if counted(&daemon, counter) == before {
            failed.push(format!("{act}: not counted as {counter}"));
        }
        // Outside, and in a session that guards nothing of the kind.
        std::fs::write(deep.join("gone"), "").expect("write");
        let outside = std::process::Command::new(PYTHON[0])
            .args(&PYTHON[1..])
            .arg(&program)
            .output();
        let outside = outside.expect("run outside");
        if !outside.status.success() {
            failed.push(format!("{act}: outside: {}", said(&outside)));
        }
        std::fs::write(deep.join("gone"), "").expect("write");
        let free = run(&scratch, "[files]\ndefault = \"allow\"", &program);
        if !free.status.success() || cuts(&free.events).count() != 0 {
            failed.push(format!("{act}: where nothing is guarded: {free:#?}"));
        }
    }
    drop(listener);
    daemon.stop().expect("stop");
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A socket in a directory whose path is too long for its address.
fn listen_in(directory: &Path) -> std::os::unix::net::UnixListener {
    let short = directory.join("socket");
    let link = std::env::temp_dir().join(format!("scopeward-deep-{}", std::process::id()));
    std::os::unix::fs::symlink(directory, &link).expect("link");
    let listener = std::os::unix::net::UnixListener::bind(link.join("socket"));
    std::fs::remove_file(&link).expect("remove the link");
    assert!(short.exists());
    listener.expect("listen")
}

#[test]
fn a_process_that_there_is_no_room_for_never_runs() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    const ROOM: usize = 16;
    let scratch = Scratch::new().expect("make a directory");
    let settings = std::fs::read_to_string(scratch.path("daemon.toml")).expect("read");
    scratch
        .write("daemon.toml", format!("{settings}[limits]\nprocesses = {ROOM}\n"))
        .expect("write");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    // Each child says that it runs; the outsider's count is that of a machine without Scopeward.
    let program = "import os, sys, time
maker = os.fork()
if maker == 0:
    for _ in range(40):
        if os.fork() == 0:
            os.write(1, b'child\\n')
            time.sleep(2)
            os._exit(0)
    os._exit(0)
ended = os.waitpid(maker, 0)[1]
time.sleep(0.5)
os.write(1, b'maker %d\\n' % ended)
";
    let before = counted(&daemon, "fork: map full");
    let outside = std::process::Command::new(PYTHON[0])
        .args(&PYTHON[1..])
        .arg(program)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let ended = run(&scratch, "[files]\ndefault = \"allow\"", program);
    let mut theirs = String::new();
    let mut outside = outside.expect("run outside");
    let said = outside
        .stdout
        .take()
        .expect("its output")
        .read_to_string(&mut theirs);
    said.expect("read");
    assert!(outside.wait().expect("wait").success());
    let children = |text: &str| text.lines().filter(|line| *line == "child").count();
    assert_eq!(children(&theirs), 40, "outside: {theirs}");
    assert!(theirs.contains("maker 0"), "outside: {theirs}");
    // Who made the one too many was killed (9), and that one never said anything: all that run have room.
    assert!(ended.stdout.contains("maker 9"), "{ended:#?}");
    assert_eq!(children(&ended.stdout), ROOM - 2, "{ended:#?}");
    assert_eq!(counted(&daemon, "fork: map full"), before + 1);
    daemon.stop().expect("stop");
}

/// A read that fails in the kernel: the field, scope, what is done, kind, reason, counter.
const UNREADABLE: [(&str, &str, &str, &str, &str, &str); 6] = [
    (
        "INODE_SB",
        "[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"/nonexistent/file\"]\nresponse = \"RESPONSE\"",
        "open('/etc/hostname').read()",
        "file.open",
        "the file could not be resolved",
        "open: unresolved",
    ),
    (
        "DENTRY_PARENT",
        "[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"/nonexistent/file\"]\nresponse = \"RESPONSE\"",
        "open('/etc/hostname').read()",
        "file.open",
        "the file could not be resolved",
        "open: unresolved",
    ),
    (
        // What was opened cannot be found: as where another thread closes it meanwhile.
        "FDTABLE_FD",
        "[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"/nonexistent/file\"]\nresponse = \"RESPONSE\"",
        "open('/etc/hostname').read()",
        "file.open",
        "the file could not be resolved",
        "open: unresolved",
    ),
    (
        "INODE_NLINK",
        "[files]\ndefault = \"allow\"\n[[exec.rule]]\nexe = [\"/nonexistent/program\"]\nresponse = \"RESPONSE\"",
        "os.execv('/bin/true', ['true'])",
        "process.exec",
        "the program could not be resolved",
        "exec: unresolved",
    ),
    (
        "INODE_NLINK",
        "[files]\ndefault = \"allow\"\n[[sockets.rule]]\npath = [\"/nonexistent/socket\"]\nresponse = \"RESPONSE\"",
        "one = socket.socket(socket.AF_UNIX); one.connect('LISTENER'); one.close()",
        "unix.connect",
        "the socket could not be resolved",
        "unix: unresolved",
    ),
    (
        "PROC_PID",
        "[files]\ndefault = \"allow\"\n[processes]\ntrace = \"RESPONSE\"",
        "open('/proc/OUTSIDE/environ').read()",
        "process.trace",
        "",
        "process: unresolved",
    ),
];

#[test]
fn what_cannot_be_read_is_answered_and_counted() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    {
        let scratch = Scratch::new().expect("make a directory");
        let fault = [("SCOPEWARD_FAULT", "NO_SUCH_FIELD")];
        if Daemon::start_with(&scratch, &fault).is_ok() {
            say_skipped(
                &test_name(),
                "this program was not built for debugging, and makes no faults",
            );
            return;
        }
    }
    let mut failed = Vec::new();
    for (field, tables, act, kind, reason, counter) in UNREADABLE {
        let scratch = Scratch::new().expect("make a directory");
        let daemon = Daemon::start_with(&scratch, &[("SCOPEWARD_FAULT", field)]).expect("start the daemon");
        let socket = scratch.path("benign/socket");
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("listen");
        let act = act
            .replace("LISTENER", &socket.display().to_string())
            .replace("OUTSIDE", &std::process::id().to_string());
        let program = format!("import os, socket\n{act}\nprint('went on')");
        // Flagged, it goes on, and says why; killed, it does not. Outside, nothing is asked.
        let flagged = run(&scratch, &tables.replace("RESPONSE", "flag"), &program);
        if !flagged.status.success() || says(&flagged, kind, reason).is_none() {
            failed.push(format!("{field}: no {kind} says {reason:?}: {flagged:#?}"));
        }
        if counted(&daemon, counter) == 0 {
            failed.push(format!("{field}: not counted as {counter}"));
        }
        let killed = run(&scratch, &tables.replace("RESPONSE", "kill"), &program);
        if killed.status.code() != Some(137) || killed.stdout.contains("went on") {
            failed.push(format!("{field}: not answered: {killed:#?}"));
        }
        let outside = std::process::Command::new(PYTHON[0])
            .args(&PYTHON[1..])
            .arg(&program)
            .output();
        let outside = outside.expect("run outside");
        if !outside.status.success() {
            failed.push(format!("{field}: outside: {}", said(&outside)));
        }
        drop(listener);
        daemon.stop().expect("stop");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
