//! `[metrics]`: whether they are also served on a loopback address.

use std::net::SocketAddr;

use serde::Deserialize;

/// Where the metrics are served, besides the API's socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MetricsSettings {
    /// A loopback address and port; `None` for the socket alone.
    pub listen: Option<SocketAddr>,
}

impl MetricsSettings {
    /// What cannot be meant: the key, and what is wrong with its value.
    pub(super) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if let Some(listen) = self.listen
            && !listen.ip().is_loopback()
        {
            mistakes.push((
                "listen",
                format!(
                    "is {listen}, which others can reach: they name agents, rules and owners; write 127.0.0.1 or [::1], \
                     and let a collector on this host pass them on"
                ),
            ));
        }
        mistakes
    }
}
