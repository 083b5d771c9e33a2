//! Programs: by path under any name, from memory, from a file that is gone, by their arguments.

use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session};

/// Runs `script` under one exec rule. `DIR` stands for the scratch directory, where `program` is a copy of `echo`.
fn under(rule: &str, script: &str) -> Option<Ended> {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return None;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    std::fs::copy("/bin/echo", scratch.path("program")).expect("copy a program");
    std::fs::copy("/bin/echo", scratch.path("other")).expect("copy a program");
    let place = scratch
        .path("")
        .display()
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let rule = format!("[[exec.rule]]\n{}", rule.replace("DIR", &place));
    let scope = scratch
        .write("scope.toml", scope::with(&rule))
        .expect("write the scope");
    // Not as an argument of the shell, where a pattern for arguments would find it.
    let script = scratch
        .write("script", script.replace("DIR", &place))
        .expect("write the script");
    Some(
        Session::new(&scratch, &scope)
            .run(&["sh".as_ref(), script.as_os_str()])
            .expect("run"),
    )
}

#[test]
fn a_program_under_every_name() {
    let script = "ln -s DIR/program DIR/soft; ln DIR/program DIR/hard; DIR/program a; DIR/soft b; DIR/hard c; \
                  (cd DIR; ./program d); DIR/other e; echo done";
    let Some(ended) = under("exe = [\"DIR/program\"]\nresponse = \"kill\"", script) else {
        return;
    };
    assert_eq!(ended.stdout, "e\ndone\n", "{ended:?}");
    assert_eq!(ended.cuts_of("process.exec").len(), 4, "{:#?}", ended.events);
}

/// Held where a tier refuses: elsewhere the loader only opens the program, and opening is not executing.
#[test]
fn a_program_given_to_the_loader() {
    let script =
        "/lib64/ld-linux-x86-64.so.2 DIR/program a; /lib64/ld-linux-x86-64.so.2 DIR/other b; echo done";
    let Some(ended) = under("exe = [\"DIR/program\"]\nresponse = \"kill\"", script) else {
        return;
    };
    if ended
        .events
        .iter()
        .all(|event| event["verdict"]["tier"] != "lsm" && event["verdict"]["tier"] != "fmod_ret")
    {
        say_skipped(&test_name(), "no tier here refuses acts before they happen");
        return;
    }
    assert_eq!(ended.stdout, "b\ndone\n", "{ended:?}");
    assert_eq!(ended.cuts_of("process.exec").len(), 1, "{:#?}", ended.events);
}

#[test]
fn a_program_in_memory() {
    let script = "/usr/bin/python3 -I -S -c \"\nimport os\nfd = os.memfd_create('x')\n\
                  os.write(fd, open('/bin/echo', 'rb').read())\n\
                  os.execve(fd, ['echo', 'from memory'], {})\"; echo done";
    let Some(ended) = under("exe = [\"memfd:*\"]\nresponse = \"kill\"", script) else {
        return;
    };
    assert_eq!(ended.stdout, "done\n", "{ended:?}");
    assert_eq!(ended.cuts_of("process.exec").len(), 1, "{:#?}", ended.events);
}

#[test]
fn a_program_whose_file_is_gone() {
    let script = "/usr/bin/python3 -I -S -c \"\nimport os\nfd = os.open('DIR/program', os.O_RDONLY)\n\
                  os.unlink('DIR/program')\nos.execve(fd, ['echo', 'deleted'], {})\"; echo done";
    let Some(ended) = under("exe = [\"*(deleted)\"]\nresponse = \"kill\"", script) else {
        return;
    };
    assert_eq!(ended.stdout, "done\n", "{ended:?}");
    assert_eq!(ended.cuts_of("process.exec").len(), 1, "{:#?}", ended.events);
}

#[test]
fn a_program_by_its_arguments() {
    // Decided in user space after the exec: a program that takes its time does not come to its end.
    let script = "sleep 0.25; echo $?; sleep 5.25; echo $?; echo done";
    let rule = "argv = [\"* 5.25\"]\nresponse = \"kill\"";
    let Some(ended) = under(rule, script) else { return };
    assert_eq!(ended.stdout, "0\n137\ndone\n", "{ended:?}");
}
