//! `scopeward pending`.

use jiff::Timestamp;

use crate::api::client::Client;
use crate::api::types::Pending;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::render::time::{age, clock, day};
use crate::cli::sessions::owner_words;

/// How it is shown.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// NDJSON, one frozen session a line
    #[arg(long)]
    pub json: bool,
}

/// Says what waits for a person: who asks, for what, since when, and what happens when nobody decides.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let pending: Vec<Pending> = client.get("/v1/pending").await?;
    if args.json {
        json::write_all(output, &pending)?;
        return Ok(Exit::Done);
    }
    if pending.is_empty() {
        output.line("Nothing waits for a person.")?;
    }
    for (at, one) in pending.iter().enumerate() {
        if at > 0 {
            output.line("")?;
        }
        show(one, output)?;
    }
    Ok(Exit::Done)
}

fn show(one: &Pending, output: &mut Output<'_>) -> Result<(), CliError> {
    let zone = output.look.zone.clone();
    output.line(&format!(
        "{} ({}), for {}",
        escape(&one.session),
        escape(&one.agent),
        escape(&owner_words(&one.owner))
    ))?;
    let mut field = |name: &str, value: &str| output.line(&format!("  {name:<8}{value}"));
    if let Some(act) = &one.act {
        let process = one.process.as_deref().unwrap_or("?");
        field("asks", &format!("{} {}", escape(process), escape(act)))?;
    } else {
        field("frozen", &escape(&one.reason))?;
    }
    if let Some(rule) = &one.rule {
        let reason = one
            .rule_reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {}", escape(reason)));
        field("rule", &format!("{}{reason}", escape(rule)))?;
    }
    field(
        "since",
        &format!("{} {}", day(one.since, &zone), clock(one.since, &zone)),
    )?;
    field("then", &then_words(one, Timestamp::now()))?;
    if let Some(evidence) = &one.evidence {
        field("kept", &escape(evidence))?;
    }
    let session = escape(&one.session);
    match &one.grant_command {
        Some(command) => field("approve", &format!("{} --thaw", escape(command)))?,
        None => field("go on", &format!("scopeward thaw {session} --reason \"…\""))?,
    }
    field("end it", &format!("scopeward kill {session} --reason \"…\""))
}

/// What happens when nobody decides.
#[must_use]
pub fn then_words(one: &Pending, now: Timestamp) -> String {
    match one.until {
        None => "stays frozen until somebody decides".to_owned(),
        Some(until) if until <= now => format!("{} is due", one.then),
        Some(until) => format!("{} in {}", one.then, age(now, until)),
    }
}
