//! `scopeward grant EVENT|--session S … --for 10m`.

use std::time::Duration;

use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::types::{ChangeRequest, Grant, GrantRequest, SessionInfo};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::grants::object_words;
use crate::cli::render::escape::escape;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::render::time::{clock, day};
use crate::cli::sessions::state_words;
use crate::scope::words::Access;

/// What is approved, for how long, and why.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["event", "session"]))]
#[command(group = clap::ArgGroup::new("object").args(["file", "program", "to"]))]
pub struct Args {
    /// The event that asks: approves the very file, program or endpoint that it was about, for its session
    pub event: Option<String>,
    /// In place of an event: the session
    #[arg(long, value_name = "SESSION", requires = "object")]
    pub session: Option<String>,
    /// With --session: the file that this path leads to now
    #[arg(long, value_name = "PATH", requires = "session", conflicts_with = "event")]
    pub file: Option<String>,
    /// With --session: the program that this path leads to now
    #[arg(long, value_name = "PATH", requires = "session", conflicts_with = "event")]
    pub program: Option<String>,
    /// With --session: an endpoint, as 203.0.113.7:443 or [2001:db8::1]:53/udp
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        requires = "session",
        conflicts_with = "event"
    )]
    pub to: Option<String>,
    /// For a file: reading or writing, in place of what the event did (or of reading)
    #[arg(long, value_name = "ACCESS", value_delimiter = ',', value_parser = access)]
    pub access: Vec<Access>,
    /// For how long, as 90s, 10m or 8h; at most 24h
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub lasts: Duration,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Let the frozen session go on as well
    #[arg(long)]
    pub thaw: bool,
    /// The grant as one JSON object
    #[arg(long)]
    pub json: bool,
}

fn access(word: &str) -> Result<Access, String> {
    match word {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        _ => Err("read or write".to_owned()),
    }
}

/// Approves something for a session, for a while.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let request = GrantRequest {
        event: args.event.clone(),
        session: args.session.clone(),
        file: absolute(args.file.as_deref()),
        program: absolute(args.program.as_deref()),
        to: args.to.clone(),
        access: args.access.clone(),
        seconds: args.lasts.as_secs(),
        reason: args.reason.clone(),
    };
    let grant: Grant = client.post("/v1/grants", &request).await?;
    let thawed = if args.thaw {
        Some(thaw(&grant, client).await?)
    } else {
        None
    };
    if args.json {
        json::write(output, &grant)?;
        return Ok(Exit::Done);
    }
    let zone = output.look.zone.clone();
    output.line(&format!(
        "{}: {} may {} until {} {}",
        escape(&grant.id),
        escape(&grant.session),
        object_words(&grant.object),
        day(grant.until, &zone),
        clock(grant.until, &zone),
    ))?;
    match thawed {
        Some(session) => output.line(&format!(
            "{}: {}",
            escape(&session.id),
            escape(&state_words(&session.status))
        ))?,
        None => output.line(&format!("take it back: scopeward revoke {}", escape(&grant.id)))?,
    }
    Ok(Exit::Done)
}

/// The daemon has another working directory.
fn absolute(path: Option<&str>) -> Option<String> {
    let path = path?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
    Some(whole.to_string_lossy().into_owned())
}

/// Lets the grant's session go on.
///
/// # Errors
/// [`CliError`].
pub async fn thaw(grant: &Grant, client: &Client) -> Result<SessionInfo, CliError> {
    let target = format!("/v1/sessions/{}/thaw", encode(&grant.session));
    let reason = match &grant.reason {
        Some(reason) => format!("granted ({}): {reason}", grant.id),
        None => format!("granted ({})", grant.id),
    };
    Ok(client.post(&target, &ChangeRequest { reason }).await?)
}
