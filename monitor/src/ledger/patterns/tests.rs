//! Each pattern, and the harmless work that looks like it.

use super::watch::{Finding, Known, Patterns};
use crate::{
    record::{
        event::{ActRecord, EventRecord},
        tests::sample,
    },
    scope::secret::is_secret_like,
    scope::words::{Access, Kind, Response},
};

const HOME: &str = "/home/dev";

fn event(seconds: i64, act: ActRecord) -> EventRecord {
    let mut event = sample::event(0);
    event.time = sample::start() + jiff::SignedDuration::from_secs(seconds);
    event.act = act;
    event.process.cwd = Some("/home/dev/src/project".into());
    event
}

fn read(seconds: i64, path: &str) -> EventRecord {
    event(
        seconds,
        ActRecord {
            path: Some(path.into()),
            access: vec![Access::Read],
            ..ActRecord::new(Kind::FileOpen)
        },
    )
}

fn connect(seconds: i64) -> EventRecord {
    event(
        seconds,
        ActRecord {
            address: Some("203.0.113.7".parse().unwrap()),
            port: Some(443),
            ..ActRecord::new(Kind::NetConnect)
        },
    )
}

fn run(seconds: i64, pid: u32, lineage: &[&str], argv: &[&str]) -> EventRecord {
    let mut event = event(seconds, ActRecord::new(Kind::ProcessExec));
    event.process.pid = pid;
    event.process.exe = Some(format!("/usr/bin/{}", argv[0]));
    event.process.argv = argv.iter().map(|word| (*word).to_owned()).collect();
    event.process.lineage = lineage.iter().map(|word| (*word).to_owned()).collect();
    event
}

fn found(events: &[EventRecord]) -> Vec<Finding> {
    let mut patterns = Patterns::default();
    events
        .iter()
        .flat_map(|event| {
            let secret = event.act.path.as_deref().filter(|path| is_secret_like(path));
            patterns.take(
                event,
                Known {
                    home: HOME,
                    secret,
                    lends: true,
                },
            )
        })
        .collect()
}

fn rules(events: &[EventRecord]) -> Vec<&'static str> {
    found(events).iter().map(|finding| finding.rule).collect()
}

#[test]
fn five_secrets_in_a_minute_are_hunting() {
    let paths = [
        ".netrc",
        ".pypirc",
        ".npmrc",
        ".config/forum/token",
        ".ssh/id_ed25519",
        ".pgpass",
    ];
    let hunt: Vec<_> = (0..)
        .zip(paths)
        .map(|(n, path)| read(n, &format!("{HOME}/{path}")))
        .collect();
    assert_eq!(rules(&hunt[..4]), [""; 0]);
    assert_eq!(rules(&hunt[..5]), ["pattern.hunting"]);
    assert_eq!(found(&hunt)[0].reads.len(), 5, "they are to be rotated");
    assert_eq!(rules(&hunt), ["pattern.hunting"; 2], "one more");
    assert_eq!(found(&hunt)[1].reads.len(), 1, "and it too");
    let twice: Vec<_> = hunt.iter().chain(&hunt).cloned().collect();
    assert_eq!(rules(&twice), ["pattern.hunting"; 2], "each once");
    // One a minute is not.
    let slow: Vec<_> = (0..)
        .zip(paths)
        .map(|(n, path)| read(n * 61, &format!("{HOME}/{path}")))
        .collect();
    assert_eq!(rules(&slow), [""; 0]);
    // The same one again and again is not.
    let again: Vec<_> = (0..20).map(|n| read(n, &format!("{HOME}/.netrc"))).collect();
    assert_eq!(rules(&again), [""; 0]);
}

#[test]
fn three_are_enough_after_a_refusal() {
    let mut refused = connect(0);
    refused.verdict.called_for = Response::Deny;
    refused.verdict.applied = Response::Deny;
    let mut hunt = vec![refused];
    for (n, path) in [".netrc", ".pypirc", ".npmrc"].into_iter().enumerate() {
        hunt.push(read(n as i64 + 1, &format!("{HOME}/{path}")));
    }
    assert_eq!(rules(&hunt), ["pattern.hunting"]);
    assert_eq!(rules(&hunt[1..]), [""; 0], "without the refusal");
}

#[test]
fn tests_of_a_project_and_sanctioned_readers_are_no_hunters() {
    let fixtures: Vec<_> = (0..30)
        .map(|n| read(n, &format!("/home/dev/src/project/tests/tls/{n}.pem")))
        .collect();
    assert_eq!(rules(&fixtures), [""; 0]);
    let certificates: Vec<_> = (0..30)
        .map(|n| read(n, &format!("/etc/ssl/certs/{n}.pem")))
        .collect();
    assert_eq!(rules(&certificates), [""; 0]);
    let sanctioned: Vec<_> = (0..30)
        .map(|n| {
            let mut event = read(n, &format!("{HOME}/.ssh/id_rsa{n}.key"));
            event.verdict.rule = Some("files.rule[0]".into());
            event
        })
        .collect();
    assert_eq!(rules(&sanctioned), [""; 0]);
}

#[test]
fn what_a_token_is_used_for_is_done_as_its_owner() {
    let token = read(0, "/home/dev/.config/forum/token");
    let mut posted = connect(1);
    posted.process.pid = token.process.pid;
    let said = found(&[token.clone(), posted.clone(), posted.clone()]);
    assert_eq!(said.len(), 1, "told once for a pair");
    assert_eq!(said[0].rule, "pattern.identity");
    assert!(
        said[0]
            .reason
            .starts_with("acted as dev at 203.0.113.7:443, with /home/dev/.config/forum/token"),
        "{}",
        said[0].reason
    );
    // `curl -H "$(cat token)"`: the shell's next child.
    let mut sibling = connect(2);
    sibling.process.pid = 9_999;
    sibling.process.ppid = token.process.ppid;
    assert_eq!(rules(&[token.clone(), sibling]), ["pattern.identity"]);
    // Another branch of the session's tree is not.
    let mut elsewhere = connect(2);
    (elsewhere.process.pid, elsewhere.process.ppid) = (9_998, 9_997);
    assert_eq!(rules(&[token.clone(), elsewhere]), [""; 0]);
    // Neither is what came before the read, or long after it; nor a read that was refused, or sanctioned.
    assert_eq!(rules(&[posted.clone(), token.clone()]), [""; 0]);
    let mut late = posted.clone();
    late.time = sample::start() + jiff::SignedDuration::from_secs(700);
    assert_eq!(rules(&[token.clone(), late]), [""; 0]);
    let mut refused = token.clone();
    refused.verdict.called_for = Response::Deny;
    refused.verdict.applied = Response::Deny;
    assert_eq!(rules(&[refused, posted.clone()]), [""; 0]);
    let mut sanctioned = token;
    sanctioned.verdict.rule = Some("files.rule[0]".into());
    assert_eq!(rules(&[sanctioned, posted]), [""; 0]);
}

#[test]
fn a_command_that_leaves_its_sandbox_is_told() {
    let confined = run(
        0,
        10,
        &["claude", "bwrap"],
        &["bwrap", "--unshare-net", "npx", "tool"],
    );
    let inside = run(1, 11, &["claude", "bwrap", "npx"], &["npx", "tool"]);
    let outside = run(2, 12, &["claude", "npx"], &["npx", "tool"]);
    assert_eq!(
        rules(&[confined.clone(), inside.clone(), outside.clone()]),
        ["pattern.retry"]
    );
    // Confined each time; first without and then with; another command; the sandbox that becomes its command.
    assert_eq!(
        rules(&[confined.clone(), inside.clone(), confined.clone(), inside]),
        [""; 0]
    );
    assert_eq!(rules(&[outside, confined.clone()]), [""; 0]);
    assert_eq!(
        rules(&[
            confined.clone(),
            run(2, 12, &["claude", "npx"], &["npx", "other"])
        ]),
        [""; 0]
    );
    assert_eq!(
        rules(&[confined, run(1, 10, &["claude", "npx"], &["npx", "tool"])]),
        [""; 0]
    );
}
