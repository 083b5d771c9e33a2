//! Cuts are always counted; allowed acts are told once for each object.

use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

#[test]
fn every_cut_of_a_flood_is_counted() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "flag");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let flood = "import os,sys\nfor _ in range(20000): os.close(os.open(sys.argv[1], os.O_RDONLY))";
    let words = [
        "/usr/bin/python3",
        "-I",
        "-S",
        "-c",
        flood,
        &guarded.display().to_string(),
    ]
    .map(String::from);
    let ended = Session::new(&scratch, &scope).run(&words).expect("run");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(ended.cut_count(), 20000, "{} events", ended.events.len());
}

#[test]
fn an_allowed_object_is_told_once() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let benign = scratch.write("benign/notes", "text\n").expect("write");
    let scope = scratch
        .write("scope.toml", scope::with(""))
        .expect("write the scope");
    let script = format!("for i in 1 2 3 4 5 6 7 8 9 10; do cat {}; done", benign.display());
    let ended = Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run");
    let told = ended
        .events
        .iter()
        .filter(|event| event["act"]["path"] == benign.to_str().expect("UTF-8"));
    assert!(told.count() <= 1, "{:#?}", ended.events);
}
