//! `scopeward cuts`.

use std::time::Duration;

use crate::api::client::Client;
use crate::api::types::{CutsBy, Tally, Use};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::output::Output;
use crate::cli::render::words::counted;
use crate::cli::render::{json, table};

/// From this width on, everything is shown.
const WIDE: u16 = 110;
/// Lines that are shown of each account without --all.
const LINES: usize = 12;

/// By what the cuts are added up.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Whose cuts are added up, or `rule` for what each rule counted within a day
    #[arg(long, value_enum, default_value = "session")]
    pub by: CutsBy,
    /// Only this session, agent, owner or rule
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Every rule and object, not only the twelve heaviest
    #[arg(long, short)]
    pub all: bool,
    /// NDJSON, one account a line
    #[arg(long)]
    pub json: bool,
}

/// Shows how the cuts add up.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let mut tallies: Vec<Tally> = client.get(&format!("/v1/cuts?by={}", args.by.word())).await?;
    tallies.retain(|tally| args.name.as_ref().is_none_or(|name| *name == tally.name));
    if args.json {
        json::write_all(output, &tallies)?;
        return Ok(Exit::Done);
    }
    for (number, tally) in tallies.iter().enumerate() {
        if number > 0 {
            output.line("")?;
        }
        let lines = if args.all { usize::MAX } else { LINES };
        write(tally, lines, output)?;
    }
    Ok(Exit::Done)
}

/// One account, with its arithmetic.
///
/// # Errors
/// [`CliError::Output`].
pub fn write(tally: &Tally, most: usize, output: &mut Output<'_>) -> Result<(), CliError> {
    output.line(&format!(
        "{} {}: {}",
        tally.by,
        escape(&tally.name),
        counted(tally.cuts, "cut")
    ))?;
    for one in &tally.budgets {
        output.line(&format!("  {}", use_words(one)))?;
    }
    if tally.lines.is_empty() {
        return output.line(&format!(
            "  nothing counts any more within {}",
            length(tally.within)
        ));
    }
    let heads = ["", "COUNTS", "WEIGHT", "CUTS", "OBJECT", "RULE", "LATEST EVENT"];
    let wide = output.look.width.is_none_or(|width| width >= WIDE);
    let shown = if wide { heads.len() } else { heads.len() - 1 };
    let mut rows = table::table(&output.look, &heads[..shown]);
    for line in tally.lines.iter().take(most) {
        let cells = [
            table::text(""),
            table::number(line.counts),
            table::number(line.weight.into()),
            table::number(line.cuts),
            table::text(&line.object),
            table::text(&line.rule),
            table::text(&line.event),
        ];
        rows.add_row(cells.into_iter().take(shown));
    }
    table::keep_whole(&mut rows, if wide { &[1, 2, 3, 6] } else { &[1, 2, 3] });
    table::fit(&mut rows);
    table::write(output, &rows)?;
    let more = tally.lines.len().saturating_sub(most);
    if more > 0 {
        let counts: u64 = tally.lines.iter().skip(most).map(|line| line.counts).sum();
        output.line(&format!(
            "  … and {more} more that count {counts} (--all shows them)"
        ))?;
    }
    if tally.others > 0 {
        output.line(&format!(
            "  ! {} on more objects than are kept apart; they count as one object of their rule",
            counted(tally.others, "cut")
        ))?;
    }
    if tally.by == "rule" {
        return output.line(&format!("  {} within {}", tally.weight, length(tally.within)));
    }
    output.line(&format!(
        "  {} × {} % ({}) = {} within {}",
        tally.weight,
        tally.percent,
        counted(tally.kinds.into(), "kind of act").replace("kind of acts", "kinds of acts"),
        tally.sum,
        length(tally.within)
    ))
}

fn use_words(one: &Use) -> String {
    let state = if one.sum >= f64::from(one.weight) {
        "used up"
    } else {
        "left"
    };
    format!(
        "{} of {} within {}, then {}: {state}",
        one.sum,
        one.weight,
        length(one.within),
        one.response.word()
    )
}

fn length(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
