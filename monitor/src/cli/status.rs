//! `scopeward status`.

use crate::api::client::Client;
use crate::api::types::{ScopeInfo, ScopeState, Status};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::{escape, escape_lines};
use crate::cli::render::output::Output;
use crate::cli::render::time::{age, local};
use crate::cli::render::words::{counted, size};
use crate::cli::render::{json, table};
use crate::cli::sessions::mode_word;
use crate::record::health::{StoreHealth, StoreState};

/// Nothing to choose but the form.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Shows how the daemon is doing.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let status: Status = client.get("/v1/status").await?;
    if args.json {
        json::write(output, &status)?;
    } else {
        show(&status, output)?;
    }
    Ok(Exit::Done)
}

fn show(status: &Status, output: &mut Output<'_>) -> Result<(), CliError> {
    let Status {
        version,
        pid,
        sessions,
        generation,
        ..
    } = status;
    let since = local(status.since, &output.look.zone);
    let up = age(status.since, output.look.now);
    output.line(&format!(
        "scopeward {} runs as process {pid} since {since} ({up})",
        escape(version)
    ))?;
    let rate = status.events_per_second;
    output.line(&format!(
        "{}, {rate:.1} events a second, scopes of generation {generation}",
        counted(*sessions, "session")
    ))?;
    output.line("")?;
    if status.degraded.is_empty() {
        output.line("Nothing is degraded.")?;
    }
    for sentence in &status.degraded {
        output.line(&format!("! {}", escape(sentence)))?;
    }
    output.line("")?;
    let mut tiers = table::table(&output.look, &["ACTS", "TIER", "GUARANTEE"]);
    for tier in &status.tiers {
        let names: Vec<_> = tier.tiers.iter().map(|tier| tier_word(*tier)).collect();
        tiers.add_row([
            table::text(&tier.acts),
            table::text(&names.join(" + ")),
            table::text(&tier.guarantee),
        ]);
    }
    table::fit(&mut tiers);
    table::write(output, &tiers)?;
    output.line("")?;
    show_losses(status, output)?;
    for line in store_lines(&status.store, output) {
        output.line(&line)?;
    }
    show_scopes(&status.scopes, output)
}

/// The word of a tier, as events have it.
fn tier_word(tier: crate::scope::words::Tier) -> &'static str {
    use crate::scope::words::Tier::{Cgroup, Daemon, Fanotify, FmodRet, Lsm, Tracepoint};
    match tier {
        Lsm => "lsm",
        FmodRet => "fmod_ret",
        Tracepoint => "tracepoint",
        Fanotify => "fanotify",
        Cgroup => "cgroup",
        Daemon => "daemon",
    }
}

fn show_losses(status: &Status, output: &mut Output<'_>) -> Result<(), CliError> {
    let lost: Vec<_> = status.losses.iter().filter(|(_, count)| **count > 0).collect();
    if lost.is_empty() {
        return output.line("Losses: none; every event of every hook arrived.");
    }
    output.line(
        "Losses (acts that were answered in the kernel, and could not be handed over or seen whole):",
    )?;
    for (hook, count) in lost {
        output.line(&format!("  {}: {count}", escape(hook)))?;
    }
    Ok(())
}

fn store_lines(store: &StoreHealth, output: &Output<'_>) -> Vec<String> {
    let zone = &output.look.zone;
    let mut lines = Vec::new();
    let oldest = store
        .oldest
        .map_or_else(String::new, |time| format!(", back to {}", local(time, zone)));
    let StoreHealth {
        segments,
        written,
        backlog,
        ..
    } = store;
    lines.push(format!(
        "Store: {} in {}{oldest}; {} written, {backlog} waiting.",
        size(store.bytes),
        counted(*segments, "segment"),
        counted(*written, "event"),
    ));
    if let StoreState::Failing(reason) = &store.state {
        lines.push(format!(
            "! The store cannot write, events wait in memory: {}",
            escape(reason)
        ));
    }
    if store.lost > 0 {
        let (lost, cuts) = (counted(store.lost, "event"), counted(store.lost_cuts, "cut"));
        lines.push(format!(
            "! {lost} ({cuts} among them) found no room in memory and went unrecorded."
        ));
    }
    if let Some(gap) = &store.gap {
        let after = gap
            .after
            .map_or_else(|| "the beginning".to_owned(), |time| local(time, zone));
        lines.push(format!(
            "! The daemon was stopped without a shutdown. Between {after} and {} events are missing: at least {}, \
             and what the last moment brought.",
            local(gap.opened, zone),
            gap.lost
        ));
    }
    lines
}

fn show_scopes(scopes: &[ScopeInfo], output: &mut Output<'_>) -> Result<(), CliError> {
    if scopes.is_empty() {
        return output.line("No scopes are loaded.");
    }
    output.line("")?;
    let mut rows = table::table(&output.look, &["SCOPE", "MODE", "STATE", "FILE"]);
    for scope in scopes {
        let state = match scope.state {
            ScopeState::InForce => "in force",
            ScopeState::OldInForce => "errors; the old one is in force",
            ScopeState::NotLoaded => "errors; not loaded",
            ScopeState::Expired => "expired",
        };
        let file = scope.file.as_deref().unwrap_or("built in");
        rows.add_row([
            table::text(&scope.name),
            table::text(mode_word(scope.mode)),
            table::text(state),
            table::text(file),
        ]);
    }
    table::fit(&mut rows);
    table::write(output, &rows)?;
    for scope in scopes {
        if let Some(error) = &scope.error {
            output.line("")?;
            output.line(&format!("{}:", escape(&scope.name)))?;
            output.line(&escape_lines(error))?;
        }
    }
    Ok(())
}
