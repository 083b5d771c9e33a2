//! Names in `allow`: resolved here and kept fresh, so that a scope with names holds from the first day. The addresses
//! of a name are allowed for as long as this host's resolver gives them, and a grace after.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use crate::{pipeline::Monitor, scope::registries};

/// How long an address stays after the resolver last gave it: connections of a balanced service outlive one answer.
const GRACE: Duration = Duration::from_secs(600);

/// Addresses with the moment when they were last given.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<String, BTreeMap<IpAddr, Instant>>);

impl Monitor {
    /// Resolves what the policies name, now, where some name was never resolved. True where the addresses have changed.
    pub fn resolve_names(&self) -> bool {
        self.has_unresolved_names() && refresh(self, &mut self.known_names())
    }
}

/// Resolves every name that some policy has an endpoint for. True where the addresses have changed.
pub fn refresh(monitor: &Monitor, known: &mut Known) -> bool {
    let (mut wanted, registries) = {
        let state = monitor.lock();
        let wanted = state.policies.names();
        let asks = state
            .policies
            .iter()
            .any(|(_, policy)| policy.asks_for_registries());
        (
            wanted,
            if asks {
                package_registries()
            } else {
                BTreeSet::new()
            },
        )
    };
    wanted.extend(registries.iter().cloned());
    known.0.retain(|name, _| wanted.contains(name));
    let now = Instant::now();
    let mut failed = Vec::new();
    for name in wanted {
        // The host's own resolver, as every program on it uses it: hosts file, nss, DNS.
        let answer = (name.as_str(), 0)
            .to_socket_addrs()
            .map(|found| found.map(|addr| addr.ip().to_canonical()));
        let addresses = known.0.entry(name.clone()).or_default();
        match answer {
            Ok(found) => addresses.extend(found.map(|addr| (addr, now))),
            Err(_) => failed.push(name),
        }
        addresses.retain(|_, seen| now.duration_since(*seen) < GRACE);
    }
    let resolved: BTreeMap<String, BTreeSet<IpAddr>> = known
        .0
        .iter()
        .map(|(name, found)| (name.clone(), found.keys().copied().collect()))
        .collect();
    let mut state = monitor.lock();
    let sentence = (!failed.is_empty()).then(|| {
        format!(
            "{} of the names in scopes could not be resolved just now: {}",
            failed.len(),
            failed.join(", ")
        )
    });
    state.set_degraded("names", sentence);
    let changed = state.names.resolved != resolved || state.names.registries != registries;
    state.names.resolved = resolved;
    state.names.registries = registries;
    changed
}

/// The package registries that this host's own package managers are set up for.
fn package_registries() -> BTreeSet<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mut found = registries::from_pip(&read("/etc/pip.conf"));
    found.extend(registries::from_npm(&read("/etc/npmrc")));
    found.extend(registries::from_cargo(&read("/etc/cargo/config.toml")));
    found.extend(registries::from_apt(&read("/etc/apt/sources.list")));
    let lists = std::fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    for entry in lists {
        found.extend(registries::from_apt(&read(&entry.path().to_string_lossy())));
    }
    found
}
