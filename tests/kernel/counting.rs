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

/// How many benign acts a flood has: `SCOPEWARD_FLOOD`, else what takes some seconds.
fn flood_size() -> u64 {
    let set = std::env::var("SCOPEWARD_FLOOD").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(300_000)
}

/// Opens a thousand benign files over and over, then the guarded one.
const FLOOD: &str = "import os,sys\n\
    paths=[os.path.join(sys.argv[1],str(n)) for n in range(1000)]\n\
    [open(path,'w').close() for path in paths]\n\
    for n in range(int(sys.argv[2])): os.close(os.open(paths[n%1000],os.O_RDONLY))\n\
    print('flooded',flush=True)\n\
    print('obtained',os.read(os.open(sys.argv[3],os.O_RDONLY),100),flush=True)";

#[test]
fn a_flood_of_benign_acts_hides_no_cut() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Speed]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let benign = scratch.path("benign").display().to_string();
    let (size, guarded) = (flood_size().to_string(), guarded.display().to_string());
    let words = [
        "/usr/bin/python3",
        "-I",
        "-S",
        "-c",
        FLOOD,
        &benign,
        &size,
        &guarded,
    ];
    let begun = std::time::Instant::now();
    let ended = Session::new(&scratch, &scope).run(&words).expect("run");
    println!("{size} benign acts and one cut in {:?}", begun.elapsed());
    assert_eq!(ended.stdout, "flooded\n", "{}", ended.stderr);
    assert_eq!(ended.status.code(), Some(137), "{}", ended.stderr);
    let cuts = ended.cuts_of("file.open");
    assert_eq!(ended.cut_count(), 1, "{cuts:#?}");
    assert_eq!(cuts[0]["act"]["path"], guarded.as_str(), "{cuts:#?}");
}
