//! Renames, links, removals, truncations and attribute changes of guarded things are recorded for what they are, and
//! those of others are not cuts.

use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};

/// What is done with a file `F` in the directory `D`, and the kind of act that it is.
/// Truncation is not among them: fanotify does not tell it from a write, and a write was told of when the file was
/// opened. Where the rule refuses, it is answered (`truncate` in tests/evasion).
const CHANGES: &[(&str, &str)] = &[
    ("import os; os.rename('F', 'F-moved')", "file.rename"),
    ("import os; os.link('F', 'F-linked')", "file.link"),
    ("import os; os.unlink('F')", "file.unlink"),
    ("import os; os.chmod('F', 0o644)", "file.attributes"),
    ("import os; os.rename('D/new', 'F')", "file.rename"),
];

#[test]
fn each_change_of_a_guarded_file_is_recorded_as_its_kind() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let mut failed = Vec::new();
    for (program, kind) in CHANGES {
        let scratch = Scratch::new().expect("make a directory");
        let guarded = scratch.write("guarded/one", "content").expect("write");
        scratch.write("guarded/new", "new").expect("write");
        let benign = scratch.write("benign/one", "content").expect("write");
        scratch.write("benign/new", "new").expect("write");
        let text = scope::guarding(std::slice::from_ref(&guarded), "flag");
        let scope = scratch.write("scope.toml", text).expect("write the scope");
        let on = |path: &std::path::Path, directory: &str| {
            let place = scratch.path(directory).display().to_string();
            program
                .replace('F', &path.display().to_string())
                .replace("'D/", &format!("'{place}/"))
        };
        let both = format!("{}\n{}", on(&guarded, "guarded"), on(&benign, "benign"));
        let ended = Session::new(&scratch, &scope)
            .run(&["/usr/bin/python3", "-I", "-S", "-c", &both])
            .expect("run");
        if ended.status.code() != Some(0) {
            failed.push(format!("{program}: {ended:?}"));
        }
        if ended.cuts_of(kind).is_empty() {
            failed.push(format!("{program}: no cut of kind {kind}: {:#?}", ended.events));
        }
        if let Some(cut) = cuts(&ended.events).find(|cut| cut["act"]["path"].to_string().contains("/benign/"))
        {
            failed.push(format!("{program}: a benign change is a cut: {cut:#}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
