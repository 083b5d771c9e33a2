//! `scopeward sessions`.

use crate::api::client::Client;
use crate::api::types::{SessionInfo, SessionState};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::origin::short;
use crate::cli::render::output::Output;
use crate::cli::render::time::local;
use crate::cli::render::{json, table};
use crate::record::event::Owner;
use crate::scope::words::Mode;

/// From this width on, everything is shown.
const WIDE: u16 = 120;

/// Which sessions.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Those that ended as well
    #[arg(long, short)]
    pub all: bool,
    /// NDJSON, one session a line
    #[arg(long)]
    pub json: bool,
}

/// Lists the sessions.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let mut sessions: Vec<SessionInfo> = client.get("/v1/sessions").await?;
    sessions.retain(|session| {
        args.all || matches!(session.status, SessionState::Running | SessionState::Frozen(_))
    });
    if args.json {
        json::write_all(output, &sessions)?;
        return Ok(Exit::Done);
    }
    let wide = output.look.width.is_none_or(|width| width >= WIDE);
    let narrow_heads = ["SESSION", "AGENT", "STATE", "FOR", "SINCE", "CUTS"];
    let heads = [
        "SESSION", "AGENT", "STATE", "FOR", "SINCE", "CUTS", "MODE", "ROOT", "PROCS", "ACTS", "LAST CUT",
    ];
    let mut rows = table::table(&output.look, if wide { &heads } else { &narrow_heads });
    for session in &sessions {
        let last_cut = session.last_cut.as_ref();
        let last_cut =
            last_cut.map_or_else(String::new, |cut| format!("{}: {}", cut.applied.word(), cut.act));
        let cells = [
            table::text(&session.id),
            table::text(&session.agent),
            table::text(&standing(session)),
            table::text(&if wide {
                from_words(session)
            } else {
                owner_words(&session.owner)
            }),
            table::text(&local(session.since, &output.look.zone)),
            table::number(session.cuts),
            table::text(mode_word(session.mode)),
            table::number(session.root_pid.into()),
            table::number(session.processes),
            table::number(session.acts),
            table::text(&last_cut),
        ];
        let shown = if wide { heads.len() } else { narrow_heads.len() };
        rows.add_row(cells.into_iter().take(shown));
    }
    table::keep_whole(&mut rows, if wide { &[0, 4, 6] } else { &[0] });
    table::fit(&mut rows);
    table::write(output, &rows)?;
    Ok(Exit::Done)
}

/// How a session stands; one that runs on with what it has used before alone is `tightened`.
fn standing(session: &SessionInfo) -> String {
    match (&session.status, &session.tightened) {
        (SessionState::Running, Some(reason)) => format!("tightened: {reason}"),
        (status, _) => state_words(status),
    }
}

/// How a session stands, with the reason.
#[must_use]
pub fn state_words(state: &SessionState) -> String {
    match state {
        SessionState::Running => "running".to_owned(),
        SessionState::Frozen(reason) => format!("frozen: {reason}"),
        SessionState::Ended => "ended".to_owned(),
        SessionState::Killed(reason) => format!("killed: {reason}"),
    }
}

/// The owner, and the way from their login to the agent where it is known, as `dev (ssh 192.0.2.7 > sudo)`.
fn from_words(session: &SessionInfo) -> String {
    let owner = owner_words(&session.owner);
    match short(&session.origin) {
        Some(from) => format!("{owner} ({from})"),
        None => owner,
    }
}

/// The owner's name, or their user id.
#[must_use]
pub fn owner_words(owner: &Owner) -> String {
    owner.name.clone().unwrap_or_else(|| format!("uid {}", owner.uid))
}

/// The word of a mode.
#[must_use]
pub const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}
