//! What a replay shows, byte by byte.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::{
    Args, Show,
    run::{replay, run},
};
use crate::cli::{
    exit::Exit,
    render::output::{Look, Output},
    scope::Setting,
};
use crate::record::event::{ActRecord, EventRecord};
use crate::record::tests::sample;
use crate::scope::{
    capability::Capabilities,
    effective::Effective,
    extends::ScopeFile,
    merge,
    words::{Access, Kind, Mode, Response, Tier, When},
};

const SCOPE: &str = r#"
name = "replayed"
mode = "enforce"
expires = 2026-11-22T07:00:00Z
on-expiry = "deny"

[network]
default = "deny"
allow = ["203.0.113.0/24:443"]

[files]
default = "allow"

[[files.rule]]
paths = ["~/.netrc"]
response = "kill"
weight = 20
reason = "credentials are off limits"
[[files.rule.unless]]
exe = "/usr/bin/ssh"
ancestor = "/usr/bin/git"

[[files.rule]]
paths = ["**/.env"]
response = "deny"

[exec]
default = "allow"

[[exec.rule]]
exe = ["memfd:*"]
response = "deny"

[[exec.rule]]
argv = ["* --dangerously-skip-permissions*"]
response = "freeze"

[[budget]]
weight = 30
within = "5m"
account = "owner"
response = "freeze"
"#;

fn scope() -> Effective {
    let file = ScopeFile::read("replayed.toml", SCOPE.to_owned()).unwrap();
    merge::effective(&file, &|_| None).unwrap()
}

fn args() -> Args {
    Args {
        file: "recorded.ndjson".into(),
        scope: "replayed".into(),
        home: Some(PathBuf::from("/home/dev")),
        keep_going: false,
        show: None,
        json: false,
    }
}

/// Exit code, output, complaints.
fn replayed(bytes: &[u8], args: &Args, width: Option<u16>) -> (Exit, String, String) {
    let look = Look {
        width,
        colours: false,
        zone: TimeZone::UTC,
        now: sample::start(),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let setting = Setting::of_this_process(Capabilities::tracepoint(true));
    let exit = replay(
        bytes,
        args,
        &scope(),
        &setting,
        &mut Output::new(&mut out, look),
        &mut err,
    )
    .unwrap();
    (
        exit,
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

fn lines(events: &[EventRecord]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        bytes.extend(serde_json::to_vec(event).unwrap());
        bytes.push(b'\n');
    }
    bytes
}

fn with(n: u64, act: ActRecord) -> EventRecord {
    EventRecord {
        act,
        ..sample::event(n)
    }
}

fn opened(n: u64, path: &str) -> EventRecord {
    with(
        n,
        ActRecord {
            path: Some(path.into()),
            access: vec![Access::Read],
            ..ActRecord::new(Kind::FileOpen)
        },
    )
}

/// One act for each thing that a scope says something about.
fn recording() -> Vec<EventRecord> {
    let mut sanctioned = opened(4, "/home/dev/.netrc");
    sanctioned.process.exe = Some("/usr/bin/ssh".into());
    sanctioned.process.lineage = vec!["claude".into(), "git".into(), "ssh".into()];
    let mut git = opened(3, "/home/dev/src/a");
    git.process.exe = Some("/usr/bin/git".into());
    git.session = sanctioned.session.clone();
    let alias = ActRecord {
        guarded_as: Some("/home/dev/.netrc".into()),
        ..opened(5, "/tmp/harmless").act
    };
    let exec = |path: &str| ActRecord {
        path: Some(path.into()),
        ..ActRecord::new(Kind::ProcessExec)
    };
    let mut argued = with(7, exec("/usr/bin/claude"));
    argued.process.argv = vec!["claude".into(), "--dangerously-skip-permissions".into()];
    let renamed = ActRecord {
        path: Some("/tmp/x".into()),
        to: Some("/home/dev/.netrc".into()),
        ..ActRecord::new(Kind::FileRename)
    };
    let mut late = sample::event(19);
    late.time = "2026-11-22T07:00:00Z".parse().unwrap();
    let mut many = opened(11, "/home/dev/src/.env");
    many.count = 40;
    vec![
        opened(1, "/tmp/x"),
        opened(2, "/home/dev/.netrc"),
        git,
        sanctioned,
        with(5, alias),
        with(6, exec("/memfd:payload (deleted)")),
        argued,
        with(8, renamed),
        sample::event(9),
        with(
            10,
            ActRecord {
                path: Some("/run/docker.sock".into()),
                ..ActRecord::new(Kind::UnixConnect)
            },
        ),
        many,
        with(12, ActRecord::new(Kind::NetConnect)),
        with(
            13,
            ActRecord {
                status: Some(0),
                ..ActRecord::new(Kind::ProcessExit)
            },
        ),
        late,
    ]
}

#[test]
fn what_is_answered_otherwise_is_shown() {
    let bytes = lines(&recording());
    for (form, width) in [("80", Some(80)), ("pipe", None)] {
        let (exit, out, err) = replayed(&bytes, &args(), width);
        assert_eq!((exit, err.as_str()), (Exit::No, ""));
        insta::assert_snapshot!(format!("changed-{form}"), out);
    }
}

#[test]
fn every_act_gets_its_answer() {
    let (_, out, _) = replayed(&lines(&recording()), &Args { json: true, ..args() }, None);
    let answers: Vec<String> = out
        .lines()
        .filter_map(|line| serde_json::from_str::<EventRecord>(line).ok())
        .map(|event| {
            let verdict = &event.verdict;
            let (called_for, applied) = (verdict.called_for.word(), verdict.applied.word());
            let rule = verdict.rule.as_deref().unwrap_or("-");
            let (when, tier) = (verdict.when, verdict.tier);
            format!(
                "{:16} {called_for:6} {applied:6} {when:?} {tier:?} {rule} {}",
                event.act.kind.word(),
                event.weight
            )
        })
        .collect();
    assert_eq!(answers.len(), recording().len());
    insta::assert_snapshot!("answers", answers.join("\n"));
    let summary: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    insta::assert_snapshot!("summary", serde_json::to_string_pretty(&summary).unwrap());
}

#[test]
fn the_same_bytes_twice() {
    let bytes = lines(&recording());
    let args = Args { json: true, ..args() };
    assert_eq!(replayed(&bytes, &args, None), replayed(&bytes, &args, None));
}

#[test]
fn a_malformed_line_is_named_and_ends_it_unless_it_is_to_go_on() {
    let mut bytes = lines(&[opened(1, "/tmp/x")]);
    bytes.extend_from_slice(b"{\"schema\": \"\x1b[2J\n\xff\xff\n[[[[\n{\"schema\":\"\\u001b[2J/9\"}\n");
    bytes.extend(lines(&[opened(2, "/home/dev/.netrc")]));
    let (exit, out, err) = replayed(&bytes, &args(), None);
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.starts_with("recorded.ndjson:2: it is not an event record"),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
    assert_eq!(out, "");
    let (exit, out, err) = replayed(
        &bytes,
        &Args {
            keep_going: true,
            ..args()
        },
        None,
    );
    assert_eq!(exit, Exit::No);
    let numbers: Vec<_> = err.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(numbers, ["2", "3", "4", "5"], "{err}");
    assert!(!err.contains('\x1b') && !out.contains('\x1b'), "{err}{out}");
    assert!(
        out.contains("/home/dev/.netrc") && out.contains("4 lines left out"),
        "{out}"
    );
}

#[test]
fn what_an_agent_wrote_never_reaches_the_terminal() {
    let mut event = opened(1, "/home/dev/\x1b]0;owned\x07/.env");
    event.session.agent = "\u{202e}evil".into();
    event.session.owner.name = Some("x\x1b[31m".into());
    let (exit, out, err) = replayed(&lines(&[event]), &Args { home: None, ..args() }, Some(100));
    assert_eq!((exit, err.as_str()), (Exit::No, ""));
    assert!(!out.contains(['\x1b', '\x07', '\u{202e}']), "{out:?}");
}

#[test]
fn nothing_outside_the_scope_is_0_and_nothing_is_shown() {
    let (exit, out, err) = replayed(&lines(&[opened(1, "/tmp/x")]), &args(), None);
    assert_eq!((exit, err.as_str()), (Exit::Done, ""));
    assert_eq!(
        out,
        "1 act replayed against scope `replayed`: 0 cuts, 0 answered otherwise than recorded.\n"
    );
    let (_, out, _) = replayed(
        &lines(&[opened(1, "/tmp/x")]),
        &Args {
            show: Some(Show::All),
            ..args()
        },
        None,
    );
    assert!(out.contains("/tmp/x"), "{out}");
    assert_eq!(replayed(b"", &args(), None).0, Exit::Done);
}

#[test]
fn observing_changes_nothing() {
    let mut scope = scope();
    scope.mode = Mode::Observe;
    let event = opened(2, "/home/dev/.netrc");
    let scope = scope.resolve(std::path::Path::new("/home/dev"));
    let now = super::decide::anew(&event, &scope, &[], &Capabilities::tracepoint(true)).unwrap();
    assert_eq!(
        (now.verdict.called_for, now.verdict.applied),
        (Response::Kill, Response::Flag)
    );
    let held = super::decide::anew(&event, &scope, &[], &Capabilities::tracepoint(false)).unwrap();
    assert_eq!(
        (held.verdict.tier, held.verdict.when),
        (Tier::Tracepoint, When::BeforeUse)
    );
}

#[test]
fn a_file_or_scope_that_is_not_there_is_2() {
    let look = Look {
        width: None,
        colours: false,
        zone: TimeZone::UTC,
        now: sample::start(),
    };
    let setting = Setting::of_this_process(Capabilities::tracepoint(true));
    let with = |args: &Args| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run(args, &setting, &mut Output::new(&mut out, look.clone()), &mut err).unwrap();
        (exit, String::from_utf8(err).unwrap())
    };
    let nothing = Args {
        scope: "@coding-agent".into(),
        file: "/no/such/file".into(),
        ..args()
    };
    let (exit, err) = with(&nothing);
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("/no/such/file"), "{err}");
    let (exit, err) = with(&Args {
        scope: "no-such-scope".into(),
        ..args()
    });
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("no-such-scope"), "{err}");
    let (exit, err) = with(&Args {
        home: Some("relative".into()),
        ..nothing
    });
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("--home"), "{err}");
}
