//! `cargo xtask bench`: what the monitor costs and how fast it answers, on this machine, in one run.

mod alerts;
mod daemon;
mod deaths;
pub mod endurance;
mod load;
mod losses;
mod machine;
mod overhead;
mod plan;
mod ratios;
mod report;
mod resources;
mod scopes;
mod stage;
mod startup;
mod statistics;
mod targets;
mod usage;
mod violations;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use serde_json::{Map, Value, json};

use crate::bench::daemon::Daemon;
use crate::bench::load::Load;
use crate::bench::plan::{Plan, Wish};
use crate::bench::scopes::Scope;
use crate::bench::stage::Stage;
use crate::bench::targets::Target;
use crate::{build, process};

/// How the bench is called.
pub const USAGE: &str = "[--quick] [--keep] [--strict] [--only CHAPTER,…]";

/// One part of the bench: its words in `--only`, and what it finds.
type Chapter = (&'static str, fn(&Bench) -> Result<Found, String>);

/// In this order they are measured and shown.
const CHAPTERS: [Chapter; 7] = [
    ("overhead", overhead::measure),
    ("resources", resources::measure),
    ("losses", losses::measure),
    ("violations", violations::measure),
    ("deaths", deaths::measure),
    ("alerts", alerts::measure),
    ("startup", startup::measure),
];

/// What every chapter needs.
pub struct Bench {
    plan: Plan,
    stage: Stage,
    load: Load,
    binary: PathBuf,
}

/// What a chapter found.
pub struct Found {
    /// For machines.
    figures: Value,
    /// For people, as Markdown.
    text: String,
    /// Held against what the project promises.
    targets: Vec<Target>,
}

impl Bench {
    /// Starts a daemon that holds `scope`, or none.
    fn daemon(&self, scope: Option<&Scope>) -> Result<Daemon, String> {
        self.stage.declare(scope)?;
        Daemon::start(&self.binary, &self.stage)
    }
}

/// Runs the bench in the checkout at `root`; writes `target/bench/bench.{json,md}`, with `--keep` also `docs/bench.md`.
///
/// # Errors
/// A sentence, when something could not be measured; with `--strict` also when a target was missed.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let wish = Wish::parse(words)?;
    if !process::is_root()? {
        return Err("the bench loads programs into the kernel: run it as root".to_owned());
    }
    let binary = match env::var_os("SCOPEWARD_BIN") {
        Some(binary) => binary.into(),
        None => build::release(root)?,
    };
    let bench = Bench {
        plan: Plan::of(&wish),
        stage: Stage::build()?,
        load: Load::build(root)?,
        binary,
    };
    let mut found = Vec::new();
    for (name, measure) in CHAPTERS {
        if wish.wants(name) {
            let began = Instant::now();
            let result = measure(&bench).map_err(|reason| format!("{name}: {reason}"))?;
            eprintln!("bench: {name} took {} s", began.elapsed().as_secs());
            found.push((name, result));
        }
    }
    let figures: Map<String, Value> = found
        .iter()
        .map(|(name, found)| ((*name).to_owned(), found.figures.clone()))
        .collect();
    let targets: Vec<&Target> = found.iter().flat_map(|(_, found)| &found.targets).collect();
    let machine = machine::describe();
    let whole = json!({
        "schema": "scopeward.bench/1",
        "quick": wish.quick,
        "machine": machine,
        "figures": figures,
        "targets": targets.iter().map(|target| target.json()).collect::<Vec<_>>(),
    });
    let chapters: Vec<&str> = found.iter().map(|(_, found)| found.text.as_str()).collect();
    let text = report::markdown(&machine, wish.quick, &targets, &chapters);
    keep(root, &wish, &whole, &text)?;
    println!("{text}");
    let missed = targets.iter().filter(|target| !target.met).count();
    println!("{} targets met, {missed} not met", targets.len() - missed);
    if wish.strict && missed > 0 {
        return Err(format!("{missed} targets were missed"));
    }
    Ok(())
}

fn keep(root: &Path, wish: &Wish, whole: &Value, text: &str) -> Result<(), String> {
    let folder = build::target_directory(root).join("bench");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut files = vec![
        (folder.join("bench.json"), format!("{whole:#}\n")),
        (folder.join("bench.md"), text.to_owned()),
    ];
    if wish.keep {
        files.push((root.join("docs/bench.md"), text.to_owned()));
    }
    for (path, content) in files {
        fs::write(&path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
