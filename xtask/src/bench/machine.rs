//! On what the figures were taken, and what else went on there.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::usage;
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
        "cores": thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "load_average": load.split(' ').next().unwrap_or_default(),
    })
}

/// How many tracing programs are in the kernel that process `own` does not hold: with them, no time is one of this
/// monitor alone, or of none. `None` where there is no bpftool to ask.
pub fn tracers(own: Option<u32>) -> Option<usize> {
    let text = process::read(Command::new("bpftool").args(["--json", "prog", "show"])).ok()?;
    let programs: Value = serde_json::from_str(&text).ok()?;
    let held = own.map(usage::programs).unwrap_or_default();
    let kinds = ["tracing", "raw_tracepoint", "tracepoint", "kprobe", "lsm"];
    let traces = |program: &&Value| {
        let kind = program["type"].as_str().unwrap_or_default();
        let name = program["name"].as_str().unwrap_or_default();
        let id = program["id"].as_u64().unwrap_or_default();
        // The kernel loads iterators of its own with each mount of bpffs; nothing runs them.
        kinds.contains(&kind) && !name.starts_with("dump_bpf_") && !held.contains(&id)
    };
    Some(programs.as_array()?.iter().filter(traces).count())
}

/// Waits until nobody but process `own` traces the kernel, and takes the time from `patience`; false where that is used
/// up and others still do.
pub fn wait_until_untraced(own: Option<u32>, patience: &mut Duration) -> bool {
    let began = Instant::now();
    loop {
        let traced = tracers(own).is_some_and(|count| count > 0);
        if !traced || began.elapsed() >= *patience {
            *patience = patience.saturating_sub(began.elapsed());
            return !traced;
        }
        thread::sleep(Duration::from_millis(100));
    }
}
