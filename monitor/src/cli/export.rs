//! `scopeward export status|test`.

use clap::Subcommand;

use crate::api::client::Client;
use crate::api::question::encode;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::output::Output;
use crate::cli::render::time::{age, local};
use crate::cli::render::words::{counted, size};
use crate::cli::render::{json, table};
use crate::export::status::{ExporterState, ExporterStatus, TestDelivery};

/// What to do with exporters.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What to do with exporters.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// What each exporter has delivered, what waits, what went wrong; exits 1 where one does not deliver
    Status {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Send a marked test event to an exporter's destination now; exits 1 where it is not taken
    Test {
        /// The exporter's name
        name: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Does it.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    match &args.what {
        What::Status { json } => status(*json, client, output).await,
        What::Test { name, json } => test(name, *json, client, output).await,
    }
}

async fn status(as_json: bool, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let exporters: Vec<ExporterStatus> = client.get("/v1/export").await?;
    if as_json {
        for exporter in &exporters {
            json::write(output, exporter)?;
        }
    } else {
        show(&exporters, output)?;
    }
    let failing = exporters.iter().any(|exporter| exporter.failing);
    Ok(if failing { Exit::No } else { Exit::Done })
}

fn show(exporters: &[ExporterStatus], output: &mut Output<'_>) -> Result<(), CliError> {
    if exporters.is_empty() {
        return output.line("There are no exporters; [[export]] in daemon.toml makes them.");
    }
    let mut rows = table::table(
        &output.look,
        &[
            "EXPORTER",
            "STATE",
            "DELIVERED",
            "WAITING",
            "BEHIND",
            "SPOOL",
            "TO",
        ],
    );
    for exporter in exporters {
        let behind = match exporter.lag_seconds {
            0 => "-".to_owned(),
            seconds => format!("{seconds} s"),
        };
        rows.add_row([
            table::text(&exporter.name),
            table::text(state_word(exporter)),
            table::text(&exporter.totals.delivered.to_string()),
            table::text(&exporter.lag_events.to_string()),
            table::text(&behind),
            table::text(&format!(
                "{} of {}",
                size(exporter.spool_bytes),
                size(exporter.spool_limit)
            )),
            table::text(&format!(
                "{} {} ({})",
                exporter.destination, exporter.place, exporter.format
            )),
        ]);
    }
    table::fit(&mut rows);
    table::write(output, &rows)?;
    for exporter in exporters {
        for line in notes(exporter, output) {
            output.line(&line)?;
        }
    }
    Ok(())
}

fn notes(exporter: &ExporterStatus, output: &Output<'_>) -> Vec<String> {
    let name = escape(&exporter.name);
    let mut lines = Vec::new();
    if let Some(last) = &exporter.last_error {
        let when = local(last.time, &output.look.zone);
        let ago = age(last.time, output.look.now);
        let over = if exporter.failing { "!" } else { "  (over)" };
        lines.push(format!(
            "{over} {name}, {when} ({ago} ago): {}",
            escape(&last.error)
        ));
    }
    let totals = &exporter.totals;
    if totals.given_up > 0 {
        let events = counted(totals.given_up, "event");
        lines.push(format!(
            "! {name}: {events} left the store before they were delivered; raise `spool`."
        ));
    }
    if totals.refused > 0 {
        let events = counted(totals.refused, "event");
        lines.push(format!(
            "! {name}: the destination refused {events} for good; the daemon's log names each."
        ));
    }
    lines
}

const fn state_word(exporter: &ExporterStatus) -> &'static str {
    match exporter.state {
        ExporterState::Starting => "starting",
        ExporterState::Idle => "idle",
        ExporterState::Delivering => "delivering",
        ExporterState::Waiting => "waiting",
        ExporterState::Misconfigured => "misconfigured",
    }
}

async fn test(name: &str, as_json: bool, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let target = format!("/v1/export/{}/test", encode(name));
    let delivery: TestDelivery = client
        .post(&target, &serde_json::json!({}))
        .await
        .map_err(|error| match error {
            // The daemon did what was asked; the answer is no.
            crate::api::client::ClientError::Refused { status, body }
                if status == hyper::StatusCode::UNPROCESSABLE_ENTITY =>
            {
                CliError::Stream(body)
            }
            error => error.into(),
        })?;
    if as_json {
        json::write(output, &delivery)?;
    } else {
        output.line(&format!(
            "{} took the test event {} in {} ms.",
            escape(&delivery.name),
            escape(&delivery.event),
            delivery.milliseconds
        ))?;
    }
    Ok(Exit::Done)
}
