//! `scopeward why EVENT`.

use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::types::{Reason, Why};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::{escape, escape_lines};
use crate::cli::render::event::{act_words, link_words, verdict_words};
use crate::cli::render::json;
use crate::cli::render::origin::lines;
use crate::cli::render::output::Output;
use crate::cli::render::time::{clock, day};
use crate::cli::run::reasons::words;
use crate::cli::sessions::owner_words;
use crate::scope::words::{Tier, When};

/// Which event.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The event's id, or the beginning of it
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    pub event: Option<String>,
    /// From inside an agent session: the latest act of this session that was outside the scope
    #[arg(long)]
    pub last: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Says which rule decided, which processes led there, for which person, and what would have allowed it.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let Some(event) = &args.event else {
        let reason: Reason = client.get("/v1/self/why").await?;
        if args.json {
            json::write(output, &reason)?;
        } else {
            output.line(&words(&reason))?;
        }
        return Ok(Exit::Done);
    };
    let why: Why = client.get(&format!("/v1/events/{}/why", encode(event))).await?;
    if args.json {
        json::write(output, &why)?;
    } else {
        show(&why, output)?;
    }
    Ok(Exit::Done)
}

fn show(why: &Why, output: &mut Output<'_>) -> Result<(), CliError> {
    let (event, zone) = (&why.event, output.look.zone.clone());
    output.line(&escape(&why.summary))?;
    output.line("")?;
    let mut field = |name: &str, value: &str| output.line(&format!("{name:<9}{value}"));
    field("act", &act_words(&event.act, event.count))?;
    field(
        "when",
        &format!("{} {}", day(event.time, &zone), clock(event.time, &zone)),
    )?;
    let verdict = &event.verdict;
    let (when, tier) = (when_words(verdict.when), tier_words(verdict.tier));
    field(
        "verdict",
        &format!("{}, {when}, by {tier}", verdict_words(verdict)),
    )?;
    let rule = verdict.rule.as_deref().unwrap_or("no rule: the default");
    let scope = escape(&verdict.scope);
    field(
        "rule",
        &format!(
            "{} of scope {scope} (generation {})",
            escape(rule),
            event.generation
        ),
    )?;
    if let Some(reason) = &verdict.reason {
        field("reason", &escape(reason))?;
    }
    field("event", &escape(&event.id))?;
    field(
        "session",
        &format!("{} ({})", escape(&event.session.id), escape(&event.session.agent)),
    )?;
    let owner = &why.owner;
    let login = owner
        .login_session
        .map_or_else(String::new, |login| format!(", login session {login}"));
    let tty = owner
        .tty
        .as_deref()
        .map_or_else(String::new, |tty| format!(", {}", escape(tty)));
    field(
        "for",
        &format!("{} (uid {}{login}{tty})", escape(&owner_words(owner)), owner.uid),
    )?;
    if let Some(origin) = &why.origin {
        output.line("")?;
        output.line("Where it comes from:")?;
        for (name, value) in lines(origin) {
            output.line(&format!("  {name:<12}{value}"))?;
        }
    }
    if let Some(text) = &why.rule_text {
        output.line("")?;
        output.line("The rule:")?;
        output.line(&indented(text))?;
    }
    output.line("")?;
    output.line("The processes:")?;
    for (depth, link) in why.chain.iter().enumerate() {
        output.line(&format!(
            "  {}{}",
            "  ".repeat(depth),
            link_words(&link.exe, link.pid, &link.argv)
        ))?;
    }
    if let Some(instead) = &why.instead {
        output.line("")?;
        output.line("What would have allowed it:")?;
        output.line(&indented(instead))?;
    }
    if let Some(command) = &why.grant_command {
        output.line("")?;
        output.line("To approve it for a while:")?;
        output.line(&indented(command))?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    escape_lines(text)
        .lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

const fn when_words(when: When) -> &'static str {
    match when {
        When::BeforeAct => "before the act took effect",
        When::BeforeUse => "before the process could use its result",
        When::After => "afterwards",
    }
}

const fn tier_words(tier: Tier) -> &'static str {
    match tier {
        Tier::Lsm => "a BPF LSM program",
        Tier::FmodRet => "an fmod_ret program",
        Tier::Tracepoint => "a tracepoint program",
        Tier::Fanotify => "fanotify",
        Tier::Cgroup => "a cgroup program",
        Tier::Daemon => "the daemon",
    }
}
