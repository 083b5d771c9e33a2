//! What each command shows, asked over a real socket: on a narrow terminal, a wide one, and into a pipe.

use clap::{CommandFactory, Parser};
use jiff::tz::TimeZone;

use crate::api::client::Client;
use crate::api::tests::fake::{Served, serve};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::output::{Look, Output};
use crate::cli::{
    Cli, Command, agents, cuts, events, export, freeze, grant, grants, incidents, kill, pending, report,
    rotate, sessions, status, thaw, tree, why,
};
use crate::record::tests::sample;

async fn run_on(client: &Client, look: Look, line: &str) -> Result<(Exit, String), CliError> {
    let cli = Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
    let mut written = Vec::new();
    let mut output = Output::new(&mut written, look);
    let output = &mut output;
    let exit = match &cli.command {
        Command::Status(args) => status::run(args, client, output).await,
        Command::Agents(args) => agents::run(args, client, output).await,
        Command::Sessions(args) => sessions::run(args, client, output).await,
        Command::Tree(args) => tree::run(args, client, output).await,
        Command::Events(args) => events::run(args, client, output).await,
        Command::Export(args) => export::run(args, client, output).await,
        Command::Incidents(args) => incidents::run(args, client, output).await,
        Command::Rotate(args) => rotate::run(args, client, output).await,
        Command::Report(args) => report::run(args, client, output).await,
        Command::Cuts(args) => cuts::run(args, client, output).await,
        Command::Why(args) => why::run(args, client, output).await,
        Command::Pending(args) => pending::run(args, client, output).await,
        Command::Grant(args) => grant::run(args, client, output).await,
        Command::Grants(args) => grants::run(args, client, output).await,
        Command::Revoke(args) => grants::revoke(args, client, output).await,
        Command::Freeze(args) => freeze::run(args, client, output).await,
        Command::Thaw(args) => thaw::run(args, client, output).await,
        Command::Kill(args) => kill::run(args, client, output).await,
        Command::Run(_)
        | Command::Daemon(_)
        | Command::Scope(_)
        | Command::Doctor(_)
        | Command::Reload(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Replay(_)
        | Command::Top(_)
        | Command::Verify(_) => {
            panic!("it has no daemon to ask, or asks it by itself")
        }
    }?;
    Ok((exit, String::from_utf8(written).unwrap()))
}

fn look(width: Option<u16>) -> Look {
    let now = sample::start().checked_add(jiff::Span::new().hours(2)).unwrap();
    Look {
        width,
        colours: false,
        zone: TimeZone::UTC,
        now,
    }
}

async fn shown(served: &Served, width: Option<u16>, line: &str) -> String {
    let (exit, text) = run_on(&served.client, look(width), line).await.unwrap();
    assert_eq!(exit, Exit::Done);
    assert!(
        !text.contains(['\x1b', '\r']),
        "nothing of an agent's gets to the terminal: {text:?}"
    );
    if let Some(width) = width {
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        // Prose and process trees are not wrapped: a terminal does that.
        let wraps = !line.contains("--json")
            && ["events", "sessions", "agents"]
                .iter()
                .any(|word| line.contains(word));
        assert!(
            !wraps || widest <= usize::from(width),
            "{widest} columns:\n{text}"
        );
    }
    text
}

#[tokio::test]
async fn what_each_command_shows() {
    let served = serve();
    let why = format!("scopeward why {}", sample::event(9).id);
    let lines = [
        ("status", "scopeward status"),
        ("agents", "scopeward agents"),
        ("sessions", "scopeward sessions --all"),
        ("tree", "scopeward tree s-00000000000000aa"),
        ("events", "scopeward events --limit 12"),
        ("why", why.as_str()),
        ("cuts", "scopeward cuts"),
        ("cuts-by-rule", "scopeward cuts --by rule"),
        ("incidents", "scopeward incidents"),
    ];
    for (name, line) in lines {
        for (form, width) in [("80", Some(80)), ("140", Some(140)), ("pipe", None)] {
            insta::assert_snapshot!(format!("{name}-{form}"), shown(&served, width, line).await);
        }
    }
}

#[tokio::test]
async fn json_is_one_value_a_line() {
    let served = serve();
    let why = format!("scopeward why {} --json", sample::event(9).id);
    let lines = [
        ("scopeward status --json", 1),
        ("scopeward agents --json", 1),
        ("scopeward sessions --json", 2),
        ("scopeward sessions --all --json", 3),
        ("scopeward tree s-00000000000000aa --json", 1),
        ("scopeward events --json --limit 0 --kind file.open", 27),
        ("scopeward events --json --limit 3", 3),
        ("scopeward cuts --json", 1),
        ("scopeward cuts --by owner --json", 1),
        ("scopeward cuts --json nobody", 0),
        ("scopeward incidents --json", 2),
        ("scopeward incidents --open --json", 1),
        ("scopeward freeze s-00000000000000bb --reason x --json", 1),
        (why.as_str(), 1),
    ];
    for (line, count) in lines {
        let text = shown(&served, Some(80), line).await;
        let values = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        assert_eq!(
            values.filter(serde_json::Value::is_object).count(),
            count,
            "{line}: {text}"
        );
    }
}

#[tokio::test]
async fn following_writes_each_event_when_it_is_there() {
    struct Pipe(std::sync::mpsc::Sender<Vec<u8>>);
    impl std::io::Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let broken = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            self.0.send(bytes.to_vec()).map_err(broken)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let served = serve();
    let (sender, written) = std::sync::mpsc::channel();
    let client = served.client.clone();
    let following = async move {
        let args = events::Args {
            follow: true,
            json: true,
            ..events::Args::default()
        };
        let mut pipe = std::io::BufWriter::new(Pipe(sender));
        events::run(&args, &client, &mut Output::new(&mut pipe, look(None))).await
    };
    let reading = async {
        let mut text = Vec::new();
        for n in 0.. {
            served.fake.record(sample::event(1_000 + n));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            text.extend(written.try_iter().flatten());
            if text.ends_with(b"\n") {
                break;
            }
            assert!(n < 500);
        }
        // The reader of the pipe goes away: `scopeward events --follow | head -1`.
        drop(written);
        for n in 0..500 {
            served.fake.record(sample::event(2_000 + n));
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let error = tokio::select! {
        ended = following => ended.unwrap_err(),
        () = reading => panic!("it goes on without a reader"),
    };
    assert!(error.is_quiet() && error.exit() == Exit::Done);
}

#[tokio::test]
async fn exit_codes_tell_what_happened() {
    let served = serve();
    let run = async |line: &str| match run_on(&served.client, look(None), line).await {
        Ok((exit, _)) => exit,
        Err(error) => error.exit(),
    };
    assert_eq!(run("scopeward why 01NOTHING").await, Exit::No);
    assert_eq!(run("scopeward tree s-nobody").await, Exit::No);
    assert_eq!(run("scopeward events --since soon").await, Exit::Usage);
    assert_eq!(run("scopeward events --path a[").await, Exit::Usage);
    *served.fake.inside.lock().unwrap() = Some(std::process::id());
    assert_eq!(
        run("scopeward thaw s-00000000000000bb --reason x").await,
        Exit::Privileges
    );
    let nobody = Client::new("/nonexistent/scopeward.sock");
    let error = run_on(&nobody, look(None), "scopeward status").await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotRunning);
    assert_eq!(
        error.to_string(),
        "the scopeward daemon is not running (nothing answers on /nonexistent/scopeward.sock); \
         start it: systemctl start scopeward"
    );
}

#[tokio::test]
async fn colours_only_where_they_are_wanted() {
    let served = serve();
    let coloured = Look {
        colours: true,
        ..look(Some(140))
    };
    let (_, text) = run_on(&served.client, coloured, "scopeward events --verdict deny")
        .await
        .unwrap();
    assert!(text.contains("\x1b["), "{text:?}");
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
    for line in [
        "scopeward",
        "scopeward freeze s-1",
        "scopeward events --kind file.opened",
        "scopeward events --limit x",
    ] {
        assert_eq!(
            Cli::try_parse_from(line.split(' ')).unwrap_err().exit_code(),
            2,
            "{line}"
        );
    }
}

#[tokio::test]
async fn exporters_are_shown_and_tested() {
    let served = serve();
    let (exit, text) = run_on(&served.client, look(Some(160)), "scopeward export status")
        .await
        .unwrap();
    assert_eq!(exit, Exit::No, "one does not deliver");
    assert!(!text.contains('\x1b'), "{text:?}");
    for part in [
        "siem",
        "waiting",
        "88000",
        "1204",
        "95 s",
        "No space left on device",
        "refused 1 event for good",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (_, text) = run_on(&served.client, look(None), "scopeward export status --json")
        .await
        .unwrap();
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["totals"]["delivered"], 88_000);
    let (exit, text) = run_on(&served.client, look(None), "scopeward export test siem")
        .await
        .unwrap();
    assert_eq!(exit, Exit::Done);
    assert!(text.contains("took the test event"), "{text}");
    let error = run_on(&served.client, look(None), "scopeward export test other")
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::No);
    assert!(error.to_string().contains("no exporter"), "{error}");
}

#[tokio::test]
async fn what_waits_is_shown_and_approved_and_taken_back() {
    let served = serve();
    let waits = shown(&served, Some(80), "scopeward pending").await;
    let event = sample::event(9).id;
    assert!(
        waits.contains("curl[4212] net.connect 203.0.113.7:443") && waits.contains(&event),
        "{waits}"
    );
    let line = format!("scopeward grant {event} --for 10m --thaw");
    let given = shown(&served, Some(80), &line).await;
    assert!(
        given.contains("may connect to 203.0.113.7:443/tcp until 2026-11-22 06:10:00.123")
            && given.contains("running"),
        "{given}"
    );
    let listed = shown(&served, Some(120), "scopeward grants").await;
    assert!(
        listed.contains("g-0000000001") && listed.contains("operator"),
        "{listed}"
    );
    let back = shown(&served, Some(80), "scopeward revoke g-0000000001").await;
    assert!(back.contains("taken back after 3 uses"), "{back}");
    let listed = shown(&served, Some(120), "scopeward grants").await;
    assert!(!listed.contains("g-0000000001"), "{listed}");
}

#[test]
fn a_grant_names_one_thing_and_a_time() {
    let parse = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
    assert!(parse("scopeward grant 01ABC --for 10m"));
    assert!(parse("scopeward grant --session s-1 --to 192.0.2.1:1 --for 90s"));
    assert!(parse(
        "scopeward grant --session s-1 --file /a --access read,write --for 1h"
    ));
    for wrong in [
        "scopeward grant 01ABC",
        "scopeward grant --for 10m",
        "scopeward grant --session s-1 --for 10m",
        "scopeward grant 01ABC --session s-1 --for 10m",
        "scopeward grant 01ABC --file /a --for 10m",
        "scopeward grant --session s-1 --file /a --to 192.0.2.1:1 --for 10m",
        "scopeward grant --session s-1 --file /a --access execute --for 10m",
    ] {
        assert!(!parse(wrong), "{wrong}");
    }
}
