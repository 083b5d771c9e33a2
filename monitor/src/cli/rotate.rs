//! `scopeward rotate`.

use crate::api::client::Client;
use crate::api::types::{RotateRequest, Rotation};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::output::Output;
use crate::cli::render::time::local;
use crate::cli::render::words::counted;
use crate::cli::render::{json, table};

/// From this width on, everything is shown.
const WIDE: u16 = 130;

/// What to list, or to mark.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(after_help = "Exits with 1 where credentials wait to be rotated.")]
pub struct Args {
    /// Mark this one as rotated: its file, or its id
    #[arg(value_name = "CREDENTIAL", requires = "note")]
    pub credential: Option<String>,
    /// How it was replaced; recorded with who said so and when
    #[arg(long, requires = "credential", value_name = "TEXT")]
    pub note: Option<String>,
    /// Those that were rotated as well
    #[arg(long, short, conflicts_with = "credential")]
    pub all: bool,
    /// NDJSON, one credential a line
    #[arg(long)]
    pub json: bool,
}

/// Lists credentials that were read outside sanctioned use, or marks one as rotated.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    if let (Some(credential), Some(note)) = (&args.credential, &args.note) {
        let request = RotateRequest {
            credential: credential.clone(),
            note: note.clone(),
        };
        let rotated: Rotation = client.post("/v1/rotations", &request).await?;
        if args.json {
            json::write(output, &rotated)?;
        } else {
            output.line(&format!("{} is marked as rotated", escape(&rotated.path)))?;
        }
        return Ok(Exit::Done);
    }
    let mut rotations: Vec<Rotation> = client.get("/v1/rotations").await?;
    let open = rotations.iter().filter(|entry| entry.rotated.is_none()).count() as u64;
    rotations.retain(|entry| args.all || entry.rotated.is_none());
    if args.json {
        json::write_all(output, &rotations)?;
    } else {
        write(&rotations, output)?;
        if open > 0 {
            output.line("")?;
            output.line(&format!(
                "{} to rotate. When one is replaced: scopeward rotate CREDENTIAL --note …",
                counted(open, "credential")
            ))?;
        }
    }
    Ok(if open > 0 { Exit::No } else { Exit::Done })
}

fn write(rotations: &[Rotation], output: &mut Output<'_>) -> Result<(), CliError> {
    let heads = [
        "CREDENTIAL",
        "READ BY",
        "FIRST READ",
        "READS",
        "WENT AFTERWARDS TO",
        "ROTATED",
        "CLASS",
        "FOR",
        "ID",
    ];
    let wide = output.look.width.is_none_or(|width| width >= WIDE);
    let shown = if wide { heads.len() } else { 6 };
    let mut rows = table::table(&output.look, &heads[..shown]);
    for entry in rotations {
        let first = entry.reads.first();
        let reader = first.map_or_else(String::new, |read| {
            let program = read.reader.rsplit('/').next().unwrap_or(&read.reader);
            format!("{program}[{}] of {}", read.pid, read.agent)
        });
        let rotated = entry.rotated.as_ref().map_or_else(
            || "no".to_owned(),
            |rotated| format!("{} by {}", local(rotated.time, &output.look.zone), rotated.by),
        );
        let cells = [
            table::text(&entry.path),
            table::text(&reader),
            table::text(&first.map_or_else(String::new, |read| local(read.time, &output.look.zone))),
            table::number(entry.count),
            table::text(&reached(entry)),
            table::text(&rotated),
            table::text(&entry.class),
            table::text(&entry.owner),
            table::text(&entry.id),
        ];
        rows.add_row(cells.into_iter().take(shown));
    }
    table::keep_whole(&mut rows, &[3]);
    table::fit(&mut rows);
    table::write(output, &rows)
}

/// Where the readers' sessions went.
#[must_use]
pub fn reached(entry: &Rotation) -> String {
    if entry.reached.is_empty() {
        "nowhere that was seen".to_owned()
    } else {
        entry.reached.join(", ")
    }
}
