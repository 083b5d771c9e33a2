//! Parse, dispatch, error → exit code.

use scopeward::observe::fanotify::{WatchdogJob, watchdog_main};

fn main() {
    if let Some(job) = WatchdogJob::from_args(std::env::args_os()) {
        watchdog_main(&job);
    }
}
