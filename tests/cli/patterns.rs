//! Patterns of small acts, on real processes; and the harmless twin.

use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session};

fn patterns(ended: &Ended) -> Vec<String> {
    ended
        .events
        .iter()
        .filter_map(|event| event["verdict"]["rule"].as_str())
        .filter(|rule| rule.starts_with("pattern."))
        .map(str::to_owned)
        .collect()
}

/// Five secrets of a home are read and something is reached, and the page about it says so; the same in a project that is
/// worked in is nothing.
#[test]
fn hunting_and_acting_as_a_person_are_cuts_and_work_in_a_project_is_none() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch
        .write("scope.toml", scope::with("[network]\ndefault = \"allow\"\n"))
        .expect("write the scope");
    let (home, project) = (scratch.path("home"), scratch.path("benign"));
    for name in [".netrc", ".pypirc", ".npmrc", ".pgpass", "forum-token"] {
        std::fs::write(home.join(name), "secret").expect("write");
        std::fs::write(project.join(format!("{name}.pem")), "fixture").expect("write");
    }
    let page = scratch.path("report.html");
    let hunt = format!(
        "for f in .netrc .pypirc .npmrc .pgpass forum-token; do read x <{}/$f; done; \
         : 2>/dev/null >/dev/tcp/127.0.0.1/9; true",
        home.display()
    );
    let ended = Session::new(&scratch, &scope)
        .reporting_to(&page)
        .run(&["bash", "-c", &hunt])
        .expect("run");
    let expected = ["pattern.hunting", "pattern.identity"];
    assert_eq!(patterns(&ended), expected, "{}", ended.stderr);
    let page = std::fs::read_to_string(&page).expect("read the report");
    for part in [
        "forum-token",
        "acted as",
        "127.0.0.1:9",
        "5 credentials have to be rotated",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let twin = format!(
        "cd {}; for f in .netrc .pypirc .npmrc .pgpass forum-token; do cat $f.pem >/dev/null; done; \
         : 2>/dev/null >/dev/tcp/127.0.0.1/9; true",
        project.display()
    );
    let ended = Session::new(&scratch, &scope)
        .events_to(&scratch.path("twin"))
        .run(&["bash", "-c", &twin])
        .expect("run");
    assert_eq!(patterns(&ended), Vec::<String>::new(), "{}", ended.stderr);
}
