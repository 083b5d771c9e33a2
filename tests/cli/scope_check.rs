//! `scopeward scope check` and `doctor`, which need no daemon and no rights.

use scopeward_tests::daemon::{ask, said};
use scopeward_tests::requirement::{Need, require};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;

#[test]
fn a_good_scope_is_0_and_a_bad_one_2() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let good = scratch
        .write("good.toml", scope::with("[network]\ndefault = \"deny\""))
        .expect("write");
    let bad = scratch
        .write("bad.toml", "name = \"bad\"\n[netwrk]\ndefault = \"deny\"\n")
        .expect("write");
    for (path, status) in [(good, 0), (bad, 2)] {
        let output = ask(&scratch, &["scope", "check", &path.display().to_string()]).expect("ask");
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
    }
}

#[test]
fn a_misspelt_key_is_answered_with_the_right_one() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let bad = scratch
        .write("bad.toml", "name = \"bad\"\n[netwrk]\ndefault = \"deny\"\n")
        .expect("write");
    let output = ask(&scratch, &["scope", "check", &bad.display().to_string()]).expect("ask");
    let text = said(&output);
    for part in ["netwrk", "network", "2"] {
        assert!(text.contains(part), "{part} is not said: {text}");
    }
}

#[test]
fn doctor_needs_no_daemon() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let output = ask(&scratch, &["doctor"]).expect("ask");
    assert!(
        matches!(output.status.code(), Some(0 | 3 | 5)),
        "{}",
        said(&output)
    );
    assert!(!output.stdout.is_empty(), "{}", said(&output));
}

#[test]
fn questions_without_a_daemon_are_4() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    for question in [&["status"][..], &["sessions"], &["agents"], &["events"]] {
        let output = ask(&scratch, question).expect("ask");
        assert_eq!(output.status.code(), Some(4), "{question:?}: {}", said(&output));
    }
}

#[test]
fn wrong_usage_is_2() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    for words in [
        &["no-such-command"][..],
        &["run", "--mode", "perhaps", "--", "true"],
        &["why"],
    ] {
        let output = ask(&scratch, words).expect("ask");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", said(&output));
    }
}
