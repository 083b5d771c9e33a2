//! What a session and its user see when the scope is left.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session};

const BOUND: Duration = Duration::from_secs(60);

fn guarded_scope(scratch: &Scratch, path: &PathBuf) -> PathBuf {
    let text = scope::guarding(std::slice::from_ref(path), "kill");
    scratch.write("scope.toml", text).expect("write the scope")
}

#[test]
fn a_killed_command_is_137_and_one_line() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let scope = guarded_scope(&scratch, &guarded);
    let ended = Session::new(&scratch, &scope)
        .run(&[OsStr::new("cat"), guarded.as_os_str()])
        .expect("run");
    assert_eq!(ended.status.code(), Some(137), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let lines: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("files.rule[0]"))
        .collect();
    assert_eq!(lines.len(), 1, "one line says which rule: {ended:?}");
    let cut = ended.cuts_of("file.open");
    assert_eq!(cut.len(), 1, "{:#?}", ended.events);
    assert_eq!(cut[0]["verdict"]["rule"], "files.rule[0]");
    assert_eq!(cut[0]["verdict"]["reason"], "guarded by the test");
    assert_eq!(cut[0]["act"]["path"], guarded.to_str().expect("UTF-8"));
}

#[test]
fn only_the_process_that_acted_is_killed() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let scope = guarded_scope(&scratch, &guarded);
    let script = format!("cat {}; echo \"cat ended with $?\"; exit 5", guarded.display());
    let ended = Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run");
    assert_eq!(ended.status.code(), Some(5), "{ended:?}");
    assert_eq!(ended.stdout, "cat ended with 137\n", "{ended:?}");
}

/// Starts a command that waits for the file `sign` and then reads `guarded`; `meanwhile` runs while it waits.
fn read_after(scratch: &Scratch, guarded: &PathBuf, meanwhile: impl FnOnce()) -> Ended {
    let scope = guarded_scope(scratch, guarded);
    let (ready, sign) = (scratch.path("ready"), scratch.path("sign"));
    let script = format!(
        ": >{}; while ! test -e {}; do sleep 0.02; done; cat {}; echo \"cat ended with $?\"",
        ready.display(),
        sign.display(),
        guarded.display()
    );
    let session = Session::new(scratch, &scope);
    let mut running = session.start(&["sh", "-c", &script]).expect("start");
    assert!(
        running.has_made(&ready, BOUND).expect("wait"),
        "the command does not run"
    );
    meanwhile();
    std::fs::write(sign, "").expect("give the sign");
    session.end(running).expect("end")
}

#[test]
fn a_guarded_path_that_does_not_exist_is_guarded_from_its_creation() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.path("guarded/later");
    let ended = read_after(&scratch, &guarded, || {
        std::fs::write(&guarded, "secret\n").expect("write");
    });
    assert_eq!(ended.stdout, "cat ended with 137\n", "{ended:?}");
}

#[test]
fn a_guarded_path_in_a_directory_that_does_not_exist_is_guarded_too() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.path("guarded/later/still/credential");
    let ended = read_after(&scratch, &guarded, || {
        std::fs::create_dir_all(guarded.parent().expect("has a parent")).expect("make directories");
        std::fs::write(&guarded, "secret\n").expect("write");
    });
    assert_eq!(ended.stdout, "cat ended with 137\n", "{ended:?}");
}

#[test]
fn a_guarded_file_that_is_replaced_stays_guarded() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "old\n").expect("write");
    let ended = read_after(&scratch, &guarded, || {
        let new = scratch.write("benign/new", "new secret\n").expect("write");
        std::fs::rename(new, &guarded).expect("replace");
    });
    assert_eq!(ended.stdout, "cat ended with 137\n", "{ended:?}");
}

#[test]
fn a_denied_program_does_not_run() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let program = scratch.path("guarded/forbidden");
    std::fs::copy("/bin/echo", &program).expect("copy a program");
    let alias = scratch.path("benign/alias");
    std::os::unix::fs::symlink(&program, &alias).expect("make a link");
    for response in ["deny", "kill"] {
        let rule = format!(
            "[[exec.rule]]\nexe = [{:?}]\nresponse = \"{response}\"",
            program.display().to_string()
        );
        let scope = scratch
            .write("scope.toml", scope::with(&rule))
            .expect("write the scope");
        let script = format!(
            "{} it ran; {} it ran; echo done",
            program.display(),
            alias.display()
        );
        let ended = Session::new(&scratch, &scope)
            .run(&["sh", "-c", &script])
            .expect("run");
        assert_eq!(ended.stdout, "done\n", "{response}: {ended:?}");
        assert_eq!(
            ended.cuts_of("process.exec").len(),
            2,
            "{response}: {:#?}",
            ended.events
        );
    }
}
