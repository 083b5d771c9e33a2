//! What the daemon itself uses: over a fixed workload in a session, and over a flood that is none of its business.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::daemon::Daemon;
use crate::bench::stage::Turn;
use crate::bench::targets::Target;
use crate::bench::{Bench, Found, load, report, scopes, usage};
use crate::process;

/// Files of one directory of the tree.
const A_DIRECTORY: usize = 100;
/// The most memory that is promised, MiB.
const MEMORY: f64 = 40.0;
/// What the daemon gets to finish what was begun.
const AFTERMATH: Duration = Duration::from_secs(1);

/// # Errors
/// A sentence, when the daemon or a session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let plan = &bench.plan;
    let [few, many] = plan.rules;
    let scope = scopes::rules(&bench.stage, few)?;
    let large = scopes::rules(&bench.stage, many)?;
    let tree = bench.stage.in_memory("tree")?;
    for number in 0..plan.files {
        let directory = tree.path().join((number / A_DIRECTORY).to_string());
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(directory.join(number.to_string()), [b'x'; 512]))
            .map_err(|error| format!("cannot make the tree: {error}"))?;
    }
    let _turn = Turn::take()?;
    let daemon = bench.daemon(Some(&scope))?;
    let family = usage::family(daemon.pid())?;
    let started = usage::processor_seconds(&family)?;
    let at_start: f64 = usage::peak_memory(&family)?.iter().sum();

    let began = Instant::now();
    process::read(daemon.inside(&scope, &bench.load).arg("read").arg(tree.path()))?;
    let mut execs = daemon.inside(&scope, &bench.load);
    process::read(execs.args(["spawn", "/bin/true", &plan.execs.to_string()]))?;
    let took = began.elapsed();
    thread::sleep(AFTERMATH);
    let worked = usage::processor_seconds(&family)? - started;
    let losses: u64 = daemon.losses()?.iter().map(|(_, count)| count).sum();

    // A session that does nothing: what is outside must not be mistaken for what is in one.
    let sessions = daemon.sessions(&scope, &bench.load, 1)?;
    thread::sleep(AFTERMATH);
    let before = usage::processor_seconds(&family)?;
    let (core, seconds) = (plan.core.to_string(), plan.flood.as_secs().to_string());
    let mut flood = bench.load.outside();
    let text = process::read(
        flood
            .args(["flood", &core, &seconds])
            .arg(bench.stage.path("files/plain")),
    )?;
    let flooded = usage::processor_seconds(&family)? - before;
    let opened = load::numbers(&text, "opened")?[0][0];
    sessions.end()?;

    let small = Memory::of(&daemon)?;
    daemon.end()?;
    let daemon = bench.daemon(Some(&large))?;
    let sessions = daemon.sessions(&large, &bench.load, 1)?;
    let big = Memory::of(&daemon)?;
    sessions.end()?;
    daemon.end()?;

    let (files, execs) = (plan.files, plan.execs);
    let rate = opened / plan.flood.as_secs().max(1);
    let text = format!(
        "## What the daemon uses\n\n{}",
        report::list(
            "daemon and watchdog",
            &[
                ("start", format!("{started:.2} CPU s, {at_start:.1} MiB")),
                (
                    "a session reads a tree and runs /bin/true",
                    format!(
                        "{worked:.2} CPU s over {:.1} s, {files} files, {execs} execs, {losses} events lost",
                        took.as_secs_f64()
                    )
                ),
                (
                    "open + close outside sessions",
                    format!("{flooded:.2} CPU s over {seconds} s, {rate} a second")
                ),
                ("memory after all that", small.text()),
                (
                    "memory with the large scope and one session in it",
                    format!("{}, {many} rules", big.text())
                ),
            ]
        )
    );
    Ok(Found {
        figures: json!({
            "start": { "cpu_seconds": started, "peak_mib": at_start },
            "workload": { "cpu_seconds": worked, "seconds": took.as_secs_f64(), "files": files, "execs": execs, "lost": losses },
            "flood": { "cpu_seconds": flooded, "seconds": plan.flood.as_secs(), "opened": opened },
            "memory": small.json(few),
            "memory_large": big.json(many),
        }),
        text,
        targets: vec![
            Target::at_most(
                "CPU seconds of the daemon over an unrelated flood",
                flooded,
                0.1,
                2,
                " s",
            ),
            Target::at_most(
                &format!("peak memory of daemon and watchdog over the workload, {few} rules"),
                small.peak(),
                MEMORY,
                1,
                " MiB",
            ),
            Target::at_most(
                &format!("peak memory of daemon and watchdog, {many} rules"),
                big.peak(),
                MEMORY,
                1,
                " MiB",
            ),
        ],
    })
}

/// What a daemon has had at most, MiB.
struct Memory {
    /// Of each of its processes.
    peaks: Vec<f64>,
    /// Of its maps, in the kernel.
    maps: f64,
}

impl Memory {
    fn of(daemon: &Daemon) -> Result<Self, String> {
        Ok(Self {
            peaks: usage::peak_memory(&usage::family(daemon.pid())?)?,
            maps: usage::map_memory(daemon.pid())?,
        })
    }

    fn peak(&self) -> f64 {
        self.peaks.iter().sum()
    }

    fn text(&self) -> String {
        let parts: Vec<String> = self
            .peaks
            .iter()
            .map(|mebibytes| format!("{mebibytes:.1}"))
            .collect();
        format!(
            "peak {:.1} MiB ({}), maps in the kernel {:.1} MiB",
            self.peak(),
            parts.join(" + "),
            self.maps
        )
    }

    fn json(&self, rules: usize) -> Value {
        json!({ "rules": rules, "peak_mib": self.peaks, "maps_mib": self.maps })
    }
}
