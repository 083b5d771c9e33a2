//! How long a test waits: on a slow machine, such as an emulated one, longer.

use std::sync::OnceLock;
use std::time::Duration;

/// Environment variable: how many times as long everything may take (1 where unset).
pub const PATIENCE_ENV: &str = "SCOPEWARD_PATIENCE";

/// How many times as long as on a machine of usual speed.
#[must_use]
pub fn patience() -> u32 {
    static TIMES: OnceLock<u32> = OnceLock::new();
    *TIMES.get_or_init(|| {
        let set = std::env::var(PATIENCE_ENV).ok();
        set.and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
    })
}

/// `bound`, as long as this machine needs it.
#[must_use]
pub fn patient(bound: Duration) -> Duration {
    bound * patience()
}
