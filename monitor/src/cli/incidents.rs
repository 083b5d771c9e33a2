//! `scopeward incidents`.

use jiff::Timestamp;

use crate::api::client::Client;
use crate::api::types::{Answer, Incident};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::output::Output;
use crate::cli::render::time::local;
use crate::cli::render::words::size;
use crate::cli::render::{json, table};

/// From this width on, everything is shown.
const WIDE: u16 = 130;

/// Which incidents.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Only those that are not contained and whose session goes on
    #[arg(long)]
    pub open: bool,
    /// Only those of this session
    #[arg(long, value_name = "SESSION")]
    pub session: Option<String>,
    /// Only those of this agent
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// NDJSON, one incident a line
    #[arg(long)]
    pub json: bool,
}

/// Lists the incidents.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let mut incidents: Vec<Incident> = client.get("/v1/incidents").await?;
    incidents.retain(|incident| {
        (!args.open || incident.closed().is_none())
            && args.session.as_ref().is_none_or(|id| *id == incident.session)
            && args.agent.as_ref().is_none_or(|name| *name == incident.agent)
    });
    if args.json {
        json::write_all(output, &incidents)?;
        return Ok(Exit::Done);
    }
    let heads = [
        "BEGAN",
        "AGENT",
        "FOR",
        "CUTS",
        "EXPOSED",
        "CONTAINED",
        "DETECTED",
        "BYTES OUT",
        "SECRETS",
        "FIRST CUT",
        "INCIDENT",
    ];
    let wide = output.look.width.is_none_or(|width| width >= WIDE);
    let shown = if wide { heads.len() } else { 6 };
    let mut rows = table::table(&output.look, &heads[..shown]);
    for incident in &incidents {
        let cells = [
            table::text(&local(incident.began, &output.look.zone)),
            table::text(&incident.agent),
            table::text(&incident.owner),
            table::number(incident.cuts),
            table::text(&exposed(incident, output.look.now)),
            table::text(&contained(incident)),
            table::text(&after(incident.to_detect())),
            table::text(&incident.bytes_out.map_or_else(|| "unknown".to_owned(), size)),
            table::number(incident.credentials.len() as u64),
            table::text(&incident.first),
            table::text(&incident.id),
        ];
        rows.add_row(cells.into_iter().take(shown));
    }
    table::keep_whole(&mut rows, &[0, 3]);
    table::fit(&mut rows);
    table::write(output, &rows)?;
    Ok(Exit::Done)
}

/// How long the exposure window is, or has been open.
#[must_use]
pub fn exposed(incident: &Incident, now: Timestamp) -> String {
    match incident.closed() {
        Some(closed) => milliseconds(closed.duration_since(incident.began).as_millis()),
        None => format!(
            "{} so far",
            milliseconds(now.duration_since(incident.began).as_millis())
        ),
    }
}

/// What ended it.
#[must_use]
pub fn contained(incident: &Incident) -> String {
    match (&incident.contained, incident.ended) {
        (Some(answer), _) => answer_words(answer),
        (None, Some(_)) => "no: the session ended".to_owned(),
        (None, None) => "not yet".to_owned(),
    }
}

/// An answer in words.
#[must_use]
pub fn answer_words(answer: &Answer) -> String {
    match &answer.event {
        Some(_) => format!("{} by {}", answer.response.word(), answer.ground),
        None => format!("{}: {}", answer.response.word(), answer.ground),
    }
}

/// How long something took, where it happened.
#[must_use]
pub fn after(took: Option<i64>) -> String {
    took.map_or_else(
        || "no".to_owned(),
        |took| format!("after {}", milliseconds(took.into())),
    )
}

/// Bytes that left, where that is known, and where most of them went.
#[must_use]
pub fn bytes(incident: &Incident) -> String {
    const NAMED: usize = 4;
    let Some(all) = incident.bytes_out else {
        return "unknown".to_owned();
    };
    let mut to: Vec<String> = incident
        .sent
        .iter()
        .take(NAMED)
        .map(|sent| format!("{} to {} ({})", size(sent.bytes), sent.endpoint, sent.protocol))
        .collect();
    if incident.sent.len() > NAMED {
        to.push(format!("and {} more", incident.sent.len() - NAMED));
    }
    if to.is_empty() {
        size(all)
    } else {
        format!("{}: {}", size(all), to.join(", "))
    }
}

/// A length of time, to the millisecond where it is short.
#[must_use]
pub fn milliseconds(took: i128) -> String {
    let took = i64::try_from(took.max(0)).unwrap_or(i64::MAX);
    match took {
        0 => "under 0.001s".to_owned(),
        1..60_000 => format!("{}.{:03}s", took / 1_000, took % 1_000),
        _ => crate::cli::render::time::length(took / 1_000),
    }
}
