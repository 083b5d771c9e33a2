//! `scopeward agents`.

use crate::api::client::Client;
use crate::api::types::AgentInfo;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::output::Output;
use crate::cli::render::time::local;
use crate::cli::render::{json, table};
use crate::cli::sessions::{mode_word, owner_words};

/// From this width on, the description is shown.
const WIDE: u16 = 110;

/// Nothing to choose but the form.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// NDJSON, one agent a line
    #[arg(long)]
    pub json: bool,
}

/// Lists the agents.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let agents: Vec<AgentInfo> = client.get("/v1/agents").await?;
    if args.json {
        json::write_all(output, &agents)?;
        return Ok(Exit::Done);
    }
    let heads = [
        "AGENT",
        "MODE",
        "SESSIONS",
        "FOR",
        "SINCE",
        "ACTS",
        "CUTS",
        "DESCRIPTION",
    ];
    let wide = output.look.width.is_none_or(|width| width >= WIDE);
    let shown = if wide { heads.len() } else { heads.len() - 1 };
    let mut rows = table::table(&output.look, &heads[..shown]);
    for agent in &agents {
        let owners: Vec<_> = agent.owners.iter().map(owner_words).collect();
        let since = agent
            .since
            .map_or_else(String::new, |since| local(since, &output.look.zone));
        let cells = [
            table::text(&agent.name),
            table::text(mode_word(agent.mode)),
            table::number(agent.sessions),
            table::text(&owners.join(", ")),
            table::text(&since),
            table::number(agent.acts),
            table::number(agent.cuts),
            table::text(agent.description.as_deref().unwrap_or_default()),
        ];
        rows.add_row(cells.into_iter().take(shown));
    }
    table::keep_whole(&mut rows, &[1]);
    table::fit(&mut rows);
    table::write(output, &rows)?;
    Ok(Exit::Done)
}
