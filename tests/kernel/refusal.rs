//! Where a tier refuses acts before they happen: changes to names and attributes leave nothing behind and are told once,
//! descriptors from outside never arrive, and a program cannot be run through the dynamic loader.

use std::ffi::OsStr;
use std::io::{IoSlice, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use scopeward_tests::patience::patient;
use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session, cuts};
use serde_json::Value;

/// What is done in the directory `D`, which has a file `one`, a file `new` and a directory `tree`; and its kind.
const CHANGES: &[(&str, &str)] = &[
    ("os.rename('D/one', 'D/moved')", "file.rename"),
    ("os.rename('D/new', 'D/one')", "file.rename"),
    ("os.link('D/one', 'D/linked')", "file.link"),
    ("os.unlink('D/one')", "file.unlink"),
    ("os.truncate('D/one', 1)", "file.truncate"),
    ("os.chmod('D/one', 0o600)", "file.attributes"),
    ("os.chown('D/one', 1, 1)", "file.attributes"),
    ("os.setxattr('D/one', 'trusted.x', b'1')", "file.attributes"),
    ("os.rename('D/tree', 'D/other')", "file.rename"),
    ("os.rmdir('D/tree/empty')", "file.unlink"),
    ("os.mkdir('D/tree/made')", "file.create"),
    ("os.symlink('/etc', 'D/tree/soft')", "file.create"),
    ("os.mkfifo('D/tree/pipe')", "file.create"),
    ("open('D/tree/file', 'w').close()", "file.create"),
    ("os.link('D/new', 'D/tree/hard')", "file.link"),
];

/// Whether this cut was refused before the act.
fn is_refused(cut: &Value) -> bool {
    let verdict = &cut["verdict"];
    verdict["when"] == "before_act" && (verdict["tier"] == "lsm" || verdict["tier"] == "fmod_ret")
}

/// Whether some cut was; else says that this host has no tier that refuses.
fn is_refusing(ended: &Ended) -> bool {
    let refused = cuts(&ended.events).any(|cut| {
        let tier = &cut["verdict"]["tier"];
        tier == "lsm" || tier == "fmod_ret"
    });
    if !refused {
        say_skipped(&test_name(), "no tier here refuses acts before they happen");
    }
    refused
}

/// Makes `D` and gives what is in it, to be compared afterwards.
fn stage(scratch: &Scratch, name: &str) -> Vec<String> {
    std::fs::create_dir_all(scratch.path(name)).expect("make a directory");
    for file in ["one", "new"] {
        scratch
            .write(&format!("{name}/{file}"), "content")
            .expect("write");
    }
    std::fs::create_dir_all(scratch.path(&format!("{name}/tree/empty"))).expect("make a directory");
    listed(&scratch.path(name))
}

fn listed(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory).expect("list").flatten() {
            let about = entry.metadata().expect("look at it");
            use std::os::unix::fs::MetadataExt as _;
            found.push(format!(
                "{} {:o} {} {}",
                entry.path().display(),
                about.mode(),
                about.uid(),
                if about.is_file() { about.len() } else { 0 }
            ));
            if about.is_dir() {
                left.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_refused_change_leaves_nothing_behind_and_is_told_once() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let before = stage(&scratch, "guarded");
    let mut program = String::from("import os, sys\nopen(sys.argv[1]).close()\n");
    for (index, (change, _)) in CHANGES.iter().enumerate() {
        stage(&scratch, &format!("benign{index}"));
        for (directory, word) in [
            ("guarded".to_owned(), "guarded"),
            (format!("benign{index}"), "benign"),
        ] {
            let place = scratch.path(&directory).display().to_string();
            let change = change.replace("D/", &format!("{place}/"));
            program += &format!(
                "try:\n  {change}\n  print('{word} {index} done')\nexcept OSError as e:\n  print('{word} {index}', e.errno)\n"
            );
        }
    }
    let guarded = scratch.path("guarded").display().to_string();
    let rule = format!(
        "[network]\ndefault = \"allow\"\n[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"{guarded}/one\", \
         \"{guarded}/tree/**\"]\naccess = [\"write\"]\nresponse = \"deny\"\nweight = 0\nreason = \"guarded by the test\"\n"
    );
    let scope = scratch
        .write("scope.toml", scope::with(&rule))
        .expect("write the scope");
    let script = scratch.write("program.py", program).expect("write the program");
    let ended = Session::new(&scratch, &scope)
        .run(&[
            "/usr/bin/python3".as_ref(),
            "-I".as_ref(),
            "-S".as_ref(),
            script.as_os_str(),
            script.as_os_str(),
        ])
        .expect("run");
    if !is_refusing(&ended) {
        return;
    }
    let mut failed = Vec::new();
    for (index, (change, kind)) in CHANGES.iter().enumerate() {
        let says = |line: &str| ended.stdout.lines().any(|said| said == line);
        if !says(&format!("guarded {index} 1")) {
            failed.push(format!("{change}: not refused with EPERM"));
        }
        // A filesystem in memory may know no extended attributes.
        if !says(&format!("benign {index} done")) && !says(&format!("benign {index} 95")) {
            failed.push(format!("{change}: does not work elsewhere"));
        }
        if !ended.cuts_of(kind).into_iter().any(is_refused) {
            failed.push(format!("{change}: no cut of kind {kind} before the act"));
        }
    }
    let after = listed(&scratch.path("guarded"));
    if after != before {
        failed.push(format!("changed all the same: {before:#?} {after:#?}"));
    }
    let told: Vec<&Value> = cuts(&ended.events).collect();
    if told.len() != CHANGES.len() {
        failed.push(format!("{} cuts for {} changes", told.len(), CHANGES.len()));
    }
    if let Some(other) = told
        .iter()
        .find(|cut| !is_refused(cut) || !cut["act"].to_string().contains("/guarded/"))
    {
        failed.push(format!("a cut of something else: {other:#}"));
    }
    assert!(failed.is_empty(), "{failed:#?}\n{}\n{told:#?}", ended.stdout);
}

#[test]
fn what_is_removed_outside_what_may_be_written_stays() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    stage(&scratch, "outside");
    stage(&scratch, "inside");
    let (outside, inside) = (scratch.path("outside"), scratch.path("inside"));
    let tables = format!(
        "[network]\ndefault = \"allow\"\n[files]\ndefault = \"allow\"\nwrite-default = \"deny\"\nwrite = \
         [\"{}/**\", \"/dev/**\"]\n",
        inside.display()
    );
    let scope = scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope");
    let script = format!(
        "rm {o}/one; rm -r {o}/tree; mv {o}/new {i}/taken; ln {o}/new {i}/linked; rm {i}/one; rm -r {i}/tree; mv {i}/new \
         {i}/moved; echo done",
        o = outside.display(),
        i = inside.display()
    );
    let script = scratch.write("script", script).expect("write the script");
    let ended = Session::new(&scratch, &scope)
        .run(&["sh".as_ref(), script.as_os_str()])
        .expect("run");
    if !is_refusing(&ended) {
        return;
    }
    assert!(ended.stdout.ends_with("done\n"), "{ended:?}");
    for kept in ["one", "new", "tree/empty"] {
        assert!(outside.join(kept).exists(), "{kept} is gone: {ended:#?}");
    }
    assert_eq!(listed(&inside).len(), 1, "{:#?} {ended:#?}", listed(&inside));
    assert!(cuts(&ended.events).all(is_refused), "{:#?}", ended.events);
    assert_eq!(ended.cuts_of("file.unlink").len(), 2, "{:#?}", ended.events);
    assert_eq!(ended.cuts_of("file.rename").len(), 1, "{:#?}", ended.events);
    assert_eq!(ended.cuts_of("file.link").len(), 1, "{:#?}", ended.events);
}

/// Passes each of `descriptors` to the first that connects, one message each.
fn hand_over(listener: UnixListener, descriptors: Vec<RawFd>) -> JoinHandle<std::io::Result<()>> {
    std::thread::spawn(move || {
        let (to, _): (UnixStream, _) = listener.accept()?;
        for descriptor in descriptors {
            let own = [descriptor];
            sendmsg::<()>(
                to.as_raw_fd(),
                &[IoSlice::new(b"!")],
                &[ControlMessage::ScmRights(&own)],
                MsgFlags::empty(),
                None,
            )?;
        }
        Ok(())
    })
}

/// Takes what [`hand_over`] passes, and uses it: two files, two connections.
const TAKER: &str = "import socket, sys, os\n\
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
    for what in ['guarded', 'benign', 'forbidden', 'allowed']:\n\
    \x20 _, fds, flags, _ = socket.recv_fds(s, 1, 1)\n\
    \x20 if not fds: print(what, 'kept back'); continue\n\
    \x20 try:\n\
    \x20   if what in ('guarded', 'benign'): print(what, os.pread(fds[0], 64, 0).decode())\n\
    \x20   else: os.write(fds[0], what.encode()); print(what, 'sent')\n\
    \x20 except OSError as e: print(what, e.errno)\n";

#[test]
fn a_descriptor_from_outside_does_not_arrive() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/file", "the secret").expect("write");
    let benign = scratch.write("benign/file", "no secret").expect("write");
    let forbidden = TcpListener::bind("127.0.0.2:0").expect("listen");
    let allowed = TcpListener::bind("127.0.0.1:0").expect("listen");
    let connections = [&forbidden, &allowed].map(|listener| {
        let mut connection = TcpStream::connect(listener.local_addr().expect("an address")).expect("connect");
        connection.write_all(b"own ").expect("send");
        connection
    });
    let files = [&guarded, &benign].map(|path| std::fs::File::open(path).expect("open"));
    let descriptors = files
        .iter()
        .map(AsRawFd::as_raw_fd)
        .chain(connections.iter().map(AsRawFd::as_raw_fd))
        .collect();
    let socket = scratch.path("hand-over");
    let hand = hand_over(UnixListener::bind(&socket).expect("listen"), descriptors);
    let tables = format!(
        "[network]\ndefault = \"deny\"\nallow = [\"127.0.0.1\"]\n[sockets]\ndefault = \"allow\"\n[files]\ndefault = \
         \"allow\"\n[[files.rule]]\npaths = [\"{}\"]\nresponse = \"deny\"\nreason = \"guarded by the test\"\n",
        guarded.display()
    );
    let scope = scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope");
    let taker = scratch.write("taker.py", TAKER).expect("write the program");
    let ended = Session::new(&scratch, &scope)
        .run(&[
            "/usr/bin/python3".as_ref(),
            "-I".as_ref(),
            taker.as_os_str(),
            socket.as_os_str(),
        ])
        .expect("run");
    // Where nobody came, the other thread would wait for ever.
    drop(UnixStream::connect(&socket));
    let handed = hand.join().expect("join");
    assert!(handed.is_ok(), "{handed:?} {ended:#?}");
    if !is_refusing(&ended) {
        return;
    }
    assert_eq!(
        ended.stdout, "guarded kept back\nbenign no secret\nforbidden kept back\nallowed sent\n",
        "{ended:#?}"
    );
    let told: Vec<&Value> = cuts(&ended.events).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told.iter().all(|cut| is_refused(cut)), "{told:#?}");
    assert_eq!(told[0]["act"]["call"], "receive", "{told:#?}");
}

/// What happens to the directory `D/plain` with a file `one.txt` outside the session, what is opened afterwards, and whether
/// it is guarded then.
const MOVES: &[(&str, &str, bool)] = &[
    ("", "plain/one.txt", false),
    ("plain/one.txt > plain/one.pem", "plain/one.pem", true),
    ("plain/one.pem > plain/one.txt", "plain/one.txt", false),
    ("plain > hidden", "hidden/one.txt", true),
    ("hidden > plain", "plain/one.txt", false),
    ("plain > below/hidden/plain", "below/hidden/plain/one.txt", true),
    ("below/hidden/plain > plain", "plain/one.txt", false),
    ("plain/one.txt + plain/two.pem", "plain/two.pem", true),
    ("", "plain/one.txt", false),
];

/// Asks for each of the moves, and opens the file three times: what is known of it is used from the second time on.
const OPENER: &str = "import os, sys, time\n\
    at = sys.argv[1]\n\
    for index, path in enumerate(sys.argv[2:]):\n\
    \x20 open(f'{at}/ask{index}', 'w').close()\n\
    \x20 while not os.path.exists(f'{at}/done{index}'): time.sleep(0.02)\n\
    \x20 for _ in range(3):\n\
    \x20   try: print(index, open(f'{at}/{path}').read())\n\
    \x20   except OSError as e: print(index, e.errno)\n";

/// Moves and links files as the session asks for it, from outside.
fn move_as_asked(directory: &Path) -> std::io::Result<()> {
    let end = Instant::now() + patient(Duration::from_secs(60));
    for (index, (change, ..)) in MOVES.iter().enumerate() {
        while !directory.join(format!("ask{index}")).exists() {
            if Instant::now() > end {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some((from, to)) = change.split_once(" > ") {
            std::fs::rename(directory.join(from), directory.join(to))?;
        } else if let Some((from, to)) = change.split_once(" + ") {
            std::fs::hard_link(directory.join(from), directory.join(to))?;
        }
        std::fs::write(directory.join(format!("done{index}")), "")?;
    }
    Ok(())
}

#[test]
fn what_is_known_of_a_file_ends_when_it_is_moved() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    std::fs::create_dir_all(scratch.path("plain")).expect("make a directory");
    scratch.write("plain/one.txt", "content").expect("write");
    std::fs::create_dir_all(scratch.path("below/hidden")).expect("make a directory");
    let tables = "[network]\ndefault = \"allow\"\n[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"**/*.pem\", \
                  \"**/hidden/**\"]\naccess = [\"read\"]\nresponse = \"deny\"\nweight = 0\nreason = \"guarded by the test\"\n";
    let scope = scratch
        .write("scope.toml", scope::with(tables))
        .expect("write the scope");
    let opener = scratch.write("opener.py", OPENER).expect("write the program");
    let directory = scratch.path("");
    let moves = std::thread::spawn({
        let directory = directory.clone();
        move || move_as_asked(&directory)
    });
    let mut command = vec![
        "/usr/bin/python3".as_ref(),
        "-I".as_ref(),
        opener.as_os_str(),
        directory.as_os_str(),
    ];
    command.extend(MOVES.iter().map(|(_, path, _)| OsStr::new(path)));
    let ended = Session::new(&scratch, &scope).run(&command).expect("run");
    let moved = moves.join().expect("join");
    if !is_refusing(&ended) {
        return;
    }
    assert!(moved.is_ok(), "{moved:?} {ended:#?}");
    let expected: String = MOVES
        .iter()
        .enumerate()
        .flat_map(|(index, (_, _, guarded))| {
            let line = if *guarded {
                format!("{index} 1\n")
            } else {
                format!("{index} content\n")
            };
            vec![line; 3]
        })
        .collect();
    assert_eq!(ended.stdout, expected, "{ended:#?}");
    assert!(cuts(&ended.events).all(is_refused), "{:#?}", ended.events);
}
