//! `scopeward doctor`: what this kernel can enforce, found by trying.

use serde::Serialize;

use crate::cli::{
    exit::Exit,
    failure::CliError,
    render::{
        escape::escape,
        json,
        output::Output,
        table,
    },
};
use crate::observe::{
    btf::BtfError,
    load::LoadError,
    probe::{Fact, Probe, Rights, State, look},
};
use crate::scope::words::{Tier, When};

/// What needs neither rights nor a kernel.
const STILL: &str = "`scopeward replay` and `scopeward scope check`, `show` and `diff` work without";

/// The version tag of the answer.
const SCHEMA: &str = "scopeward.doctor/1";

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
    #[serde(flatten)]
    probe: &'p Probe,
}

/// Looks, and says it. [`Exit::Done`] where agents can be held, [`Exit::Privileges`] where rights are lacking to find
/// out, [`Exit::Unsupported`] where the kernel lacks something.
///
/// # Errors
/// [`CliError`].
pub fn run(args: &Args, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let probe = look()?;
    show(&probe, args.json, output)?;
    Ok(exit(&probe))
}

const fn exit(probe: &Probe) -> Exit {
    match (probe.holds, probe.privileged) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Unsupported,
        (false, false) => Exit::Privileges,
    }
}

/// Writes what was found.
pub(super) fn show(probe: &Probe, as_json: bool, output: &mut Output<'_>) -> Result<(), CliError> {
    let summary = summary(probe);
    if as_json {
        let answer = Answer { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), summary: &summary, probe };
        return json::write(output, &answer);
    }
    output.line(&escape(&summary))?;
    output.line("")?;
    let mut facts = table::table(&output.look, &["WHAT", "STATE", "FOUND"]);
    for fact in &probe.facts {
        facts.add_row([table::text(fact.what), table::text(fact.state.word()), table::text(&fact.found)]);
    }
    table::fit(&mut facts);
    table::keep_whole(&mut facts, &[0, 1]);
    table::write(output, &facts)?;
    let changes: Vec<_> = probe.facts.iter().filter_map(|fact| Some((fact.what, fact.change.as_ref()?))).collect();
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
        let tiers = if tiers.is_empty() { "-".to_owned() } else { tiers.join(" + ") };
        acts.add_row([act.act, tiers.as_str(), when_words(act.when), act.limit].map(table::text));
    }
    table::fit(&mut acts);
    table::keep_whole(&mut acts, &[2]);
    table::write(output, &acts)
}

/// One sentence: what this host gives, or what is missing and what would still work.
fn summary(probe: &Probe) -> String {
    let is_ok = |what: &str| probe.facts.iter().any(|fact| fact.what == what && fact.state == State::Ok);
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
    let blocks = |fact: &&Fact| fact.state == State::Missing && !matches!(fact.what, "fanotify" | "tier lsm" | "tier fmod_ret");
    let missing = probe.facts.iter().find(blocks).map_or_else(
        || "something is missing".to_owned(),
        |fact| format!("{}: {}", fact.what, fact.found),
    );
    if probe.privileged {
        format!("This host cannot hold agents ({missing}); {STILL}.")
    } else {
        format!("Whether this host can hold agents is not known, because trying it needs root ({missing}); {STILL}.")
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

/// One sentence for a kernel side that could not be brought up, and the exit code: what is missing, and what would
/// still work. Without the rights to load anything, that is what is said: the kernel was not asked.
#[must_use]
pub fn why_not(error: &LoadError) -> (String, Exit) {
    explained(error, &Rights::of_this_process())
}

fn explained(error: &LoadError, rights: &Rights) -> (String, Exit) {
    if !rights.suffice() {
        let who = if rights.root { "root has not" } else { "this user has not" };
        let lacking = rights.lacking.join(", ");
        let sentence = format!("loading programs into the kernel needs root, and {who} {lacking}; {STILL}");
        return (sentence, Exit::Privileges);
    }
    let missing = match error {
        LoadError::Btf(BtfError::Read { path, error }) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("this kernel shows no BTF at {path} (it is built without CONFIG_DEBUG_INFO_BTF)")
        }
        LoadError::Btf(_) | LoadError::LoaderBtf(_) => format!("this kernel's BTF cannot be used (failed to {error})"),
        LoadError::Field(_) => format!("this kernel's structs are not known to this version (failed to {error})"),
        LoadError::Mount(_) => format!("cgroup v2 or bpffs cannot be had (failed to {error})"),
        LoadError::Maps(_) | LoadError::Object(_) | LoadError::Attach(_) => {
            format!("this kernel does not take the programs (failed to {error})")
        }
        LoadError::Directory { .. } => format!("the directory for the kernel side cannot be used (failed to {error})"),
    };
    (format!("{missing}; `scopeward doctor` says more, and {STILL}"), Exit::Unsupported)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::cli::render::output::Look;
    use crate::observe::{
        mounts::MountError,
        offsets::MissingField,
        probe::{Held, acts},
    };
    use crate::scope::capability::Capabilities;

    fn fact(what: &'static str, state: State, found: &str, change: Option<&str>) -> Fact {
        Fact { what, state, found: found.into(), change: change.map(Into::into) }
    }

    fn probe(holds: bool, privileged: bool) -> Probe {
        let held =
            Held { sessions: holds, opens: holds, programs: holds, io_uring: holds, network: holds, fanotify: holds };
        let state = |there| if there { State::Ok } else { State::Missing };
        Probe {
            kernel: "6.18.0-test".into(),
            holds,
            privileged,
            facts: vec![
                fact("kernel", State::Ok, "6.18.0-test", None),
                fact("rights", state(privileged), "as the test says", None),
                fact("BTF", state(holds), "/sys/kernel/btf/vmlinux\x1b[2J", None),
                fact("fanotify", state(holds), "tried", None),
                fact("tier lsm", State::Limited, "never runs", Some("boot parameter lsm=capability,landlock,bpf")),
            ],
            acts: if privileged { acts(held) } else { Vec::new() },
            capabilities: Capabilities::tracepoint(holds),
        }
    }

    fn shown(probe: &Probe, as_json: bool, width: Option<u16>) -> String {
        let mut out = Vec::new();
        let look = Look { width, colours: false, zone: TimeZone::UTC, now: jiff::Timestamp::UNIX_EPOCH };
        show(probe, as_json, &mut Output::new(&mut out, look)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_shown() {
        insta::assert_snapshot!("holds-100", shown(&probe(true, true), false, Some(100)));
        insta::assert_snapshot!("holds-pipe", shown(&probe(true, true), false, None));
        insta::assert_snapshot!("cannot-100", shown(&probe(false, true), false, Some(100)));
        insta::assert_snapshot!("not-root", shown(&probe(false, false), false, None));
        let json: serde_json::Value = serde_json::from_str(&shown(&probe(true, true), true, None)).unwrap();
        assert_eq!((&json["schema"], &json["holds"]), (&SCHEMA.into(), &true.into()));
        assert_eq!(json["acts"][0]["when"], "before_act");
        assert_eq!(json["facts"][4]["state"], "limited");
    }

    #[test]
    fn exit_codes() {
        assert_eq!(exit(&probe(true, true)), Exit::Done);
        assert_eq!(exit(&probe(false, true)), Exit::Unsupported);
        assert_eq!(exit(&probe(false, false)), Exit::Privileges);
    }

    #[test]
    fn each_failure_is_one_sentence_with_what_still_works() {
        let root = Rights { root: true, lacking: Vec::new() };
        let not_found = || std::io::ErrorKind::NotFound.into();
        let errors = [
            LoadError::Btf(BtfError::Read { path: "/sys/kernel/btf/vmlinux".into(), error: not_found() }),
            LoadError::Btf(BtfError::Malformed("it has no BTF magic")),
            LoadError::Field(MissingField { of: "file", field: "f_path" }),
            LoadError::Mount(MountError::Mount { kind: "cgroup2", at: "/run/x".into(), error: not_found() }),
            LoadError::Directory { path: "/run/x".into(), error: not_found() },
        ];
        let mut said = Vec::new();
        for error in &errors {
            let (sentence, exit) = explained(error, &root);
            assert_eq!(exit, Exit::Unsupported);
            said.push(sentence);
            let user = Rights { root: false, lacking: vec!["CAP_BPF"] };
            assert_eq!(explained(error, &user).1, Exit::Privileges);
        }
        said.push(explained(&errors[0], &Rights { root: false, lacking: vec!["CAP_BPF"] }).0);
        assert!(said.iter().all(|sentence| !sentence.contains('\n') && sentence.contains("scopeward replay")));
        insta::assert_snapshot!("why-not", said.join("\n"));
    }
}
