//! Which files a pattern guards: a path, a tree, names anywhere, one kind of access; each beside something that it does not.

use std::path::PathBuf;

use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session};

/// Reads each of `files` (made where they are missing) under a rule for `pattern`, and says which were read.
fn readable(pattern: &str, files: &[&str]) -> Option<Vec<bool>> {
    let (_scratch, ended) = each(pattern, "\"read\", \"write\"", files, "cat F")?;
    Some(
        files
            .iter()
            .map(|file| ended.stdout.contains(&format!("content of {file}\n")))
            .collect(),
    )
}

/// Runs `act` with each of `files` for `F` in one session. `DIR` in the pattern stands for the scratch directory.
fn each(pattern: &str, access: &str, files: &[&str], act: &str) -> Option<(Scratch, Ended)> {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return None;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let mut script = String::new();
    for file in files {
        let path = scratch.path(file);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("make directories");
        std::fs::write(&path, format!("content of {file}\n")).expect("write");
        script.push_str(&act.replace('F', &path.display().to_string()));
        script.push_str("; echo \"status $?\"\n");
    }
    let pattern = pattern
        .replace("DIR", &scratch.path("").display().to_string())
        .replace("//", "/");
    let rule = format!("[[files.rule]]\npaths = [{pattern:?}]\naccess = [{access}]\nresponse = \"kill\"");
    let scope = scratch
        .write("scope.toml", scope::with(&rule))
        .expect("write the scope");
    let ended = Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run");
    Some((scratch, ended))
}

#[test]
fn an_exact_path() {
    let Some(read) = readable(
        "DIR/guarded/one",
        &["guarded/one", "guarded/one-more", "benign/one"],
    ) else {
        return;
    };
    assert_eq!(read, [false, true, true]);
}

#[test]
fn a_tree_and_everything_below_it() {
    let files = [
        "guarded/one",
        "guarded/a/b/c/d/e/f/two",
        "benign/one",
        "guarded-not/one",
    ];
    let Some(read) = readable("DIR/guarded/**", &files) else {
        return;
    };
    assert_eq!(read, [false, false, true, true]);
}

#[test]
fn a_name_anywhere() {
    let files = ["benign/.env", "a/b/.env", "benign/.envrc", "benign/x.env"];
    let Some(read) = readable("**/.env", &files) else {
        return;
    };
    assert_eq!(read, [false, false, true, true]);
}

#[test]
fn a_suffix_anywhere() {
    let files = [
        "benign/server.pem",
        "a/b/.pem",
        "benign/server.pem.txt",
        "benign/pem",
    ];
    let Some(read) = readable("*.pem", &files) else {
        return;
    };
    assert_eq!(read, [false, false, true, true]);
}

#[test]
fn names_at_one_depth_below_a_directory() {
    let files = [
        "home/.ssh/id_rsa",
        "home/.ssh/id_ed25519",
        "home/.ssh/config",
        "home/.ssh/old/id_rsa",
    ];
    let Some(read) = readable("DIR/home/.ssh/id_*", &files) else {
        return;
    };
    assert_eq!(read, [false, false, true, true]);
}

#[test]
fn only_writing() {
    let act = "cat F; (echo changed >>F) 2>/dev/null";
    let Some((scratch, ended)) = each("DIR/guarded/one", "\"write\"", &["guarded/one"], act) else {
        return;
    };
    assert!(ended.stdout.contains("content of guarded/one\n"), "{ended:?}");
    let now = std::fs::read_to_string(scratch.path("guarded/one")).expect("read");
    assert_eq!(now, "content of guarded/one\n", "{ended:?}");
}

#[test]
fn only_reading() {
    let act = "cat F; echo changed >>F";
    let Some((scratch, ended)) = each("DIR/guarded/one", "\"read\"", &["guarded/one"], act) else {
        return;
    };
    assert!(!ended.stdout.contains("content of"), "{ended:?}");
    let now = std::fs::read_to_string(scratch.path("guarded/one")).expect("read");
    assert_eq!(now, "content of guarded/one\nchanged\n", "{ended:?}");
}

#[test]
fn an_event_tells_the_alias_and_what_is_guarded() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/one", "content").expect("write");
    let alias: PathBuf = scratch.path("benign/alias");
    std::fs::hard_link(&guarded, &alias).expect("link");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let ended = Session::new(&scratch, &scope)
        .run(&["cat".as_ref(), alias.as_os_str()])
        .expect("run");
    assert_eq!(ended.status.code(), Some(137), "{ended:?}");
    let cuts = ended.cuts_of("file.open");
    let act = &cuts.first().expect("a cut")["act"];
    assert_eq!(act["path"], alias.to_str().expect("UTF-8"), "{act:#}");
    assert_eq!(act["guarded_as"], guarded.to_str().expect("UTF-8"), "{act:#}");
    assert_eq!(act["access"], serde_json::json!(["read"]), "{act:#}");
}
