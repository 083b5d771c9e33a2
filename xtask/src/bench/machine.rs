//! On what the figures were taken, and what else went on there.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::process;

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
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "load_average": load.split(' ').next().unwrap_or_default(),
    })
}

/// How many programs of others are attached to tracepoints and functions of the kernel now: with them, no time is one
/// without a monitor. `None` where there is no bpftool to ask.
pub fn tracers() -> Option<usize> {
    let text = process::read(Command::new("bpftool").args(["--json", "prog", "show"])).ok()?;
    let programs: Value = serde_json::from_str(&text).ok()?;
    let kinds = ["tracing", "raw_tracepoint", "tracepoint", "kprobe", "lsm"];
    let traces = |program: &&Value| program["type"].as_str().is_some_and(|kind| kinds.contains(&kind));
    Some(programs.as_array()?.iter().filter(traces).count())
}
