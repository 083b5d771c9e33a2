//! What scopes are judged for: this host, as the daemon or a trial found it.

use std::time::Duration;

use crate::{
    api::{client::Client, types::Status},
    observe::probe,
    scope::{capability::Capabilities, words::Tier},
};

/// How long the daemon is waited for: it answers from memory.
const PATIENCE: Duration = Duration::from_secs(2);

/// What this host decides. Asks the daemon; where none answers, tries as root; else gives what every supported host
/// has, and `false`.
pub async fn capabilities(client: &Client) -> (Capabilities, bool) {
    let asked = tokio::time::timeout(PATIENCE, client.get::<Status>("/v1/status")).await;
    if let Ok(Ok(status)) = asked {
        return (told(&status), true);
    }
    match probe::strongest() {
        Some(found) => (found, true),
        None => (Capabilities::tracepoint(true), false),
    }
}

/// What the daemon says of itself.
fn told(status: &Status) -> Capabilities {
    let has = |tier: Tier| status.tiers.iter().any(|row| row.tiers.contains(&tier));
    let marks = has(Tier::Fanotify);
    match [Tier::Lsm, Tier::FmodRet].into_iter().find(|tier| has(*tier)) {
        Some(tier) => Capabilities::denying(tier, marks),
        None => Capabilities::tracepoint(marks),
    }
}
