//! `scopeward doctor`: what this kernel can enforce, found by trying.

use serde::Serialize;

use crate::cli::{
    exit::Exit,
    failure::CliError,
    render::{escape::escape, json, output::Output, table},
};
use crate::config::file::Config;
use crate::observe::probe::{Fact, Probe, State, look};
use crate::scope::words::{Tier, When};
use crate::service::installation;

/// What needs neither rights nor a kernel.
pub(super) const STILL: &str =
    "`scopeward replay` and `scopeward scope check`, `show` and `diff` work without";

/// The version tag of the answer.
pub(super) const SCHEMA: &str = "scopeward.doctor/1";

/// Nothing to choose but the form.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Answer<'p> {
    schema: &'static str,
    version: &'static str,
    summary: &'p str,
    service: &'p [Fact],
    #[serde(flatten)]
    probe: &'p Probe,
}

/// Looks, and says it. [`Exit::Done`] where agents can be held, [`Exit::Privileges`] where rights are lacking to find
/// out, [`Exit::Unsupported`] where the kernel lacks something.
///
/// # Errors
/// [`CliError`].
pub fn run(args: &Args, config: &Config, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let probe = look()?;
    show(&probe, &installation::look(config), args.json, output)?;
    Ok(exit(&probe))
}

pub(super) const fn exit(probe: &Probe) -> Exit {
    match (probe.holds, probe.privileged) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Unsupported,
        (false, false) => Exit::Privileges,
    }
}

/// Writes what was found.
pub(super) fn show(
    probe: &Probe,
    service: &[Fact],
    as_json: bool,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let summary = summary(probe);
    if as_json {
        let answer = Answer {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            summary: &summary,
            service,
            probe,
        };
        return json::write(output, &answer);
    }
    output.line(&escape(&summary))?;
    output.line("")?;
    show_facts("WHAT", &probe.facts, output)?;
    output.line("")?;
    show_facts("SERVICE", service, output)?;
    let changes: Vec<_> = probe
        .facts
        .iter()
        .chain(service)
        .filter_map(|fact| Some((fact.what, fact.change.as_ref()?)))
        .collect();
    if !changes.is_empty() {
        output.line("")?;
        output.line("What would change it:")?;
        for (what, change) in changes {
            output.line(&format!("  {what}: {}", escape(change)))?;
        }
    }
    if probe.acts.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let mut acts = table::table(&output.look, &["ACT", "TIER", "ANSWERED", "LIMIT"]);
    for act in &probe.acts {
        let tiers: Vec<_> = act.tiers.iter().map(|tier| tier_word(*tier)).collect();
        let tiers = if tiers.is_empty() {
            "-".to_owned()
        } else {
            tiers.join(" + ")
        };
        acts.add_row([act.act, tiers.as_str(), when_words(act.when), act.limit].map(table::text));
    }
    table::fit(&mut acts);
    table::keep_whole(&mut acts, &[2]);
    table::write(output, &acts)
}

fn show_facts(heading: &str, found: &[Fact], output: &mut Output<'_>) -> Result<(), CliError> {
    let mut facts = table::table(&output.look, &[heading, "STATE", "FOUND"]);
    for fact in found {
        facts.add_row([
            table::text(fact.what),
            table::text(fact.state.word()),
            table::text(&fact.found),
        ]);
    }
    table::fit(&mut facts);
    table::keep_whole(&mut facts, &[0, 1]);
    table::write(output, &facts)
}

/// One sentence: what this host gives, or what is missing and what would still work.
fn summary(probe: &Probe) -> String {
    let is_ok = |what: &str| {
        probe
            .facts
            .iter()
            .any(|fact| fact.what == what && fact.state == State::Ok)
    };
    if probe.holds && is_ok("fanotify") {
        return "This host can hold agents to their scopes: endpoints and guarded files are refused, the rest is answered \
                by stopping or killing."
            .to_owned();
    }
    if probe.holds {
        return "This host can hold agents to their scopes: endpoints are refused, files and programs are answered by \
                stopping or killing, and another thread can win the race for a file."
            .to_owned();
    }
    let blocks = |fact: &&Fact| {
        fact.state == State::Missing && !matches!(fact.what, "fanotify" | "tier lsm" | "tier fmod_ret")
    };
    let missing = probe.facts.iter().find(blocks).map_or_else(
        || "something is missing".to_owned(),
        |fact| format!("{}: {}", fact.what, fact.found),
    );
    if probe.privileged {
        format!("This host cannot hold agents ({missing}); {STILL}.")
    } else {
        format!(
            "Whether this host can hold agents is not known, because trying it needs root ({missing}); {STILL}."
        )
    }
}

/// The word of a tier, as events have it.
const fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Lsm => "lsm",
        Tier::FmodRet => "fmod_ret",
        Tier::Tracepoint => "tracepoint",
        Tier::Fanotify => "fanotify",
        Tier::Cgroup => "cgroup",
        Tier::Daemon => "daemon",
    }
}

const fn when_words(when: Option<When>) -> &'static str {
    match when {
        Some(When::BeforeAct) => "before_act",
        Some(When::BeforeUse) => "before_use",
        Some(When::After) => "after",
        None => "not seen",
    }
}
