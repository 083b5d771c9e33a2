//! On what the figures were taken, and what else went on there.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process;

/// How long others get to take their programs out of the kernel.
const PATIENCE: Duration = Duration::from_secs(60);

/// The machine in a few words.
pub fn describe() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let processor = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned());
    let load = read("/proc/loadavg");
    json!({
        "kernel": read("/proc/sys/kernel/osrelease"),
        "processor": processor,
        "cores": thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "load_average": load.split(' ').next().unwrap_or_default(),
    })
}

/// How many programs of others are attached to tracepoints and functions of the kernel now: with them, no time is one
/// without a monitor. `None` where there is no bpftool to ask.
pub fn tracers() -> Option<usize> {
    let text = process::read(Command::new("bpftool").args(["--json", "prog", "show"])).ok()?;
    let programs: Value = serde_json::from_str(&text).ok()?;
    let kinds = ["tracing", "raw_tracepoint", "tracepoint", "kprobe", "lsm"];
    let traces = |program: &&Value| {
        let kind = program["type"].as_str().unwrap_or_default();
        let name = program["name"].as_str().unwrap_or_default();
        // The kernel loads iterators of its own with each mount of bpffs; nothing runs them.
        kinds.contains(&kind) && !name.starts_with("dump_bpf_")
    };
    Some(programs.as_array()?.iter().filter(traces).count())
}

/// Waits until nobody traces the kernel, and gives up after a minute.
pub fn wait_until_untraced() {
    let began = Instant::now();
    while tracers().is_some_and(|count| count > 0) {
        if began.elapsed() > PATIENCE {
            eprintln!("bench: others trace the kernel, and go on doing it");
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}
