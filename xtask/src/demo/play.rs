//! The order of the demo.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::demo::daemon::Daemon;
use crate::demo::expectations::{self, Expectations};
use crate::demo::leftovers::Holdings;
use crate::demo::listener::Listener;
use crate::demo::stage::{AGENT, Stage};
use crate::{apt, build, process};

/// The programs that the demo's agent works with, and the packages they come in.
const PROGRAMS: [(&str, &str); 5] = [
    ("git", "git"),
    ("python3", "python3"),
    ("curl", "curl"),
    ("perl", "perl-base"),
    ("bpftool", "bpftool"),
];

/// The exit status of the agent's script, which must come through the monitor unchanged.
const STATUS: i32 = 42;

/// Builds everything, plays, and checks.
///
/// # Errors
/// A sentence, when something cannot be run here, or how many expectations did not hold.
pub fn run(root: &Path) -> Result<(), String> {
    apt::ensure(&PROGRAMS, "the demo's agent works with real programs")?;
    let binary = build::release(root)?;
    if !process::is_root()? {
        return Err("the demo loads programs into the kernel: run it as root".to_owned());
    }
    let began = Instant::now();
    let broken = play(&binary)?;
    println!("\ndemo: {:.1} s", began.elapsed().as_secs_f64());
    if broken == 0 {
        Ok(())
    } else {
        Err(format!("{broken} expectations did not hold"))
    }
}

fn play(binary: &Path) -> Result<usize, String> {
    let stage = Stage::build()?;
    let server = || Listener::start().map_err(|error| format!("cannot listen on loopback: {error}"));
    let (listed, unlisted) = (server()?, server()?);
    stage.declare(listed.port())?;
    let daemon = Daemon::start(binary, &stage)?;
    let holdings = Holdings::of(daemon.pid(), stage.root())?;

    println!(
        "demo: an agent works under the scope {AGENT}, and its twin outside any session does the same\n"
    );
    let script = stage.path("agent.sh");
    let mut inside = daemon.command();
    inside.args(["run", "--scope", AGENT, "--", "sh"]).arg(&script);
    let mut outside = Command::new("sh");
    outside.arg(&script).stdin(Stdio::null());
    stage.play_agent(&mut inside, "session", listed.port(), unlisted.port());
    stage.play_agent(&mut outside, "outside", listed.port(), unlisted.port());
    let twin = outside
        .spawn()
        .map_err(|error| format!("cannot start sh: {error}"))?;
    let session = process::capture(&mut inside)?;
    let twin = twin
        .wait_with_output()
        .map_err(|error| format!("cannot wait for sh: {error}"))?;

    let events = daemon.events(AGENT, expectations::all_cuts_are_in)?;
    let allowed = events
        .iter()
        .filter(|event| event["verdict"]["called_for"] == "allow")
        .count();
    println!(
        "{allowed} acts of the agent were allowed, such as its {}; these were not:\n",
        examples(&events)
    );
    show(
        &mut daemon.command(),
        &["events", "--agent", AGENT, "--verdict", "flag,deny,freeze,kill"],
    )?;
    let killed = events
        .iter()
        .find(|event| event["verdict"]["applied"] == "kill" && event["act"]["kind"] == "file.open");
    if let Some(id) = killed.and_then(|event| event["id"].as_str()) {
        show(&mut daemon.command(), &["why", id])?;
    }
    show(&mut daemon.command(), &["status"])?;

    println!("what must have happened:");
    let mut expectations = Expectations::default();
    let words = String::from_utf8_lossy(&session.stderr);
    let through = session.status.code() == Some(STATUS) && twin.status.code() == Some(STATUS);
    expectations.expect(
        "the agent's exit status comes through",
        through,
        &format!("{}: {words}", session.status),
    );
    expectations.of_outcomes(&stage, &unlisted);
    expectations.of_events(&stage, &events);

    let ended = daemon.end();
    expectations.expect(
        "the daemon ends when it is told to",
        ended.is_ok(),
        &ended.err().unwrap_or_default(),
    );
    let ids = events
        .iter()
        .filter_map(|event| event["session"]["id"].as_str().map(str::to_owned));
    let sessions: Vec<String> = ids.collect::<BTreeSet<_>>().into_iter().collect();
    let left = holdings.left(&sessions)?;
    let held = format!(
        "nothing is left of {} programs, maps and links, nor of cgroups, mounts, processes",
        holdings.len()
    );
    expectations.expect(&held, left.is_empty(), &left.join(", "));
    Ok(expectations.broken())
}

/// What some allowed programs and connections were, for people.
fn examples(events: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let allowed = events
        .iter()
        .filter(|event| event["verdict"]["called_for"] == "allow");
    let mut names: Vec<String> = Vec::new();
    for event in allowed {
        let act = &event["act"];
        let name = match act["kind"].as_str() {
            Some("process.exec") => text(&act["path"]),
            Some("net.connect") => format!("connection to {}:{}", text(&act["address"]), act["port"]),
            _ => continue,
        };
        let telling = ["/git", "/curl", "connection"]
            .iter()
            .any(|word| name.contains(word))
            && !name.contains("libexec");
        if telling && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// Shows what a person would see who typed it.
fn show(command: &mut Command, words: &[&str]) -> Result<(), String> {
    println!("$ scopeward {}", words.join(" "));
    process::run(command.args(words))?;
    println!();
    Ok(())
}
