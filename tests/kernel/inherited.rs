//! What was open before the session began is settled when it begins: nothing of a guarded file is had or changed through it.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Command;

use scopeward_tests::daemon::said;
use scopeward_tests::process::Bounded;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session, cuts};

const PYTHON: [&str; 4] = ["/usr/bin/python3", "-I", "-S", "-c"];
const CONTENT: &str = "the secret";
const READS: &str = "import os; print('got', os.read(0, 100).decode())";
const WRITES: &str = "import os; os.write(0, b'changed'); print('got nothing')";

fn opened(path: &Path, writes: bool) -> File {
    let file = OpenOptions::new().read(!writes).write(writes).open(path);
    file.expect("open before the session begins")
}

fn run(scratch: &Scratch, scope: &Path, program: &str, input: File) -> Ended {
    let session = Session::new(scratch, scope);
    let mut command = session.command(&[&PYTHON[..], &[program]].concat());
    let running = Bounded::start(command.stdin(input)).expect("start the session");
    session.end(running).expect("the session ends")
}

#[test]
fn what_was_open_before_the_session_is_answered_as_it_begins() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let mut failed = Vec::new();
    for (program, writes, access) in [(READS, false, "read"), (WRITES, true, "write")] {
        let scratch = Scratch::new().expect("make a directory");
        let place = |name: &str| scratch.write(name, CONTENT).expect("write");
        let (guarded, benign, control) = (place("guarded/one"), place("benign/one"), place("guarded/other"));
        let scope_of = |response: &str| {
            let text = scope::guarding(&[guarded.clone(), control.clone()], response);
            scratch
                .write(&format!("{response}.toml"), text)
                .expect("write the scope")
        };
        // Without Scopeward it works.
        let mut outside = Command::new(PYTHON[0]);
        outside
            .args(&PYTHON[1..])
            .arg(program)
            .stdin(opened(&control, writes));
        let outside = outside.output().expect("run outside");
        let done = |text: &str, path: &Path| {
            let content = std::fs::read_to_string(path).expect("read");
            if writes {
                content.starts_with("changed")
            } else {
                text.contains(CONTENT)
            }
        };
        if !done(&said(&outside), &control) {
            failed.push(format!("{access}: outside: {}", said(&outside)));
        }
        for response in ["deny", "kill"] {
            let ended = run(&scratch, &scope_of(response), program, opened(&guarded, writes));
            let told = ended.cuts_of("file.receive");
            let says = told.iter().any(|cut| {
                cut["act"]["call"] == "inherited"
                    && cut["act"]["access"][0] == access
                    && cut["verdict"]["applied"] == "kill"
            });
            if done(&ended.stdout, &guarded) || ended.stdout.contains("got") || !says {
                failed.push(format!("{access} {response}: {ended:#?}"));
            }
        }
        let flagged = run(&scratch, &scope_of("flag"), program, opened(&guarded, writes));
        if !done(&flagged.stdout, &guarded) || flagged.cuts_of("file.receive").len() != 1 {
            failed.push(format!("{access} flag: {flagged:#?}"));
        }
        let twin = run(&scratch, &scope_of("kill"), program, opened(&benign, writes));
        if !done(&twin.stdout, &benign) || cuts(&twin.events).count() != 0 {
            failed.push(format!("{access}: the twin: {twin:#?}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
