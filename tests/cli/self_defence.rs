//! No act of an agent changes what holds it, whatever its user id: not the daemon's files, not its maps.

use std::path::PathBuf;
use std::process::Command;

use scopeward_tests::daemon::{Daemon, said};
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};

const PYTHON: [&str; 4] = ["/usr/bin/python3", "-I", "-S", "-c"];

/// The daemon's own files, by where they are below its directories.
const OWN: [&str; 5] = [
    "scopes/attacked.toml",
    "daemon.toml",
    "state/made",
    "run/made",
    "run/policies/made",
];

#[test]
fn an_agent_that_is_root_does_not_write_to_what_holds_it() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let text = scope::with("[files]\ndefault = \"allow\"");
    scratch
        .write("scopes/attacked.toml", &text)
        .expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = scratch.write("scope.toml", &text).expect("write the scope");
    let append = |path: PathBuf| {
        format!(
            "open({:?}, 'a').close()\nprint('went on')",
            path.display().to_string()
        )
    };
    let mut failed = Vec::new();
    for own in OWN {
        let program = append(scratch.path(own));
        let words = [&PYTHON[..], &[&program]].concat();
        let ended = Session::new(&scratch, &scope).run(&words).expect("run");
        let told = cuts(&ended.events).any(|cut| {
            cut["verdict"]["rule"] == "self-defence" && cut["act"]["path"].to_string().contains(own)
        });
        if ended.status.code() != Some(137) || ended.stdout.contains("went on") || !told {
            failed.push(format!("{own}: {ended:#?}"));
        }
        // Whoever administers this host does the same, and a session a file of its own beside it.
        let outside = Command::new(PYTHON[0])
            .args(&words[1..])
            .output()
            .expect("run outside");
        if !outside.status.success() {
            failed.push(format!("{own}: outside: {}", said(&outside)));
        }
        let twin = append(scratch.path("benign").join(own.replace('/', "-")));
        let words = [&PYTHON[..], &[&twin]].concat();
        let ended = Session::new(&scratch, &scope).run(&words).expect("run");
        if !ended.status.success() || cuts(&ended.events).count() != 0 {
            failed.push(format!("{own}: the twin: {ended:#?}"));
        }
    }
    daemon.stop().expect("stop");
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Opens the pin `argv[1]`, of a map whose keys have `argv[2]` bytes and whose values `argv[3]`, and writes to it.
const WRITE_TO_MAP: &str = r#"
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr, 128)
    done = libc.syscall(ctypes.c_long(321), command, attr, 128)
    return (done, ctypes.get_errno())
path = ctypes.create_string_buffer(sys.argv[1].encode())
fd, error = bpf(7, struct.pack("Q", ctypes.addressof(path)))
print("got", fd >= 0, error)
key, value = (ctypes.create_string_buffer(int(size)) for size in sys.argv[2:4])
done, error = bpf(2, struct.pack("IxxxxQQQ", fd, ctypes.addressof(key), ctypes.addressof(value), 0))
print("wrote", done == 0, error)
"#;

#[test]
fn what_was_told_and_counted_is_written_by_the_programs_alone() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) || !cfg!(target_arch = "x86_64") {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let pins = scratch.pins();
    let pins = pins.first().expect("the daemon pins");
    // Outside, as root, who may open every map: those that sessions are held by can be written, the others not.
    for (map, key, writes) in [
        ("GRANTS", 40, true),
        ("SEEN_CUTS", 32, false),
        ("SEEN_ACTS", 32, false),
    ] {
        let value = if writes { 24 } else { 8 };
        let output = Command::new(PYTHON[0])
            .args(&PYTHON[1..])
            .arg(WRITE_TO_MAP)
            .arg(pins.join(map))
            .args([key.to_string(), value.to_string()])
            .output()
            .expect("run outside");
        let text = said(&output);
        assert!(text.contains("got True"), "{map}: {text}");
        assert!(
            text.contains(if writes { "wrote True" } else { "wrote False 1" }),
            "{map}: {text}"
        );
    }
    // Inside, finding them is answered.
    let scope = scratch
        .write("scope.toml", scope::with("[files]\ndefault = \"allow\""))
        .expect("write");
    let pin = pins.join("GRANTS").display().to_string();
    let words = [&PYTHON[..], &[WRITE_TO_MAP, &pin, "40", "24"]].concat();
    let ended = Session::new(&scratch, &scope).run(&words).expect("run");
    assert!(!ended.stdout.contains("got True"), "{ended:#?}");
    assert!(!ended.cuts_of("monitor.tamper").is_empty(), "{ended:#?}");
    daemon.stop().expect("stop");
}
