//! Which package registries this host's own package managers are set up for: pure readers of their settings.
//!
//! Nothing here knows the name of any registry. The daemon reads the files and environment, gives their text to these
//! functions, and puts the hosts it gets in the place of `@package-registries`.

use std::collections::BTreeSet;

use super::{
    effective::Effective,
    endpoint::{Endpoint, Host, NamedSet},
};

/// The hosts in the settings of pip (`pip.conf`, or the value of `PIP_INDEX_URL`, one a line).
#[must_use]
pub fn from_pip(text: &str) -> BTreeSet<String> {
    let keys = [
        "index-url",
        "extra-index-url",
        "index_url",
        "extra_index_url",
        "find-links",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
    ];
    let mut in_list = false;
    let mut hosts = BTreeSet::new();
    for line in text.lines() {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        // A value may go on in indented lines.
        in_list = key.map_or(in_list && line.starts_with([' ', '\t']), |key| {
            keys.contains(&key)
        });
        if in_list || (key.is_none() && line.contains("://")) {
            hosts.extend(urls(line));
        }
    }
    hosts
}

/// The hosts in the settings of npm, yarn, pnpm or bun (`.npmrc`, the output of `npm config list`, or a bare URL).
#[must_use]
pub fn from_npm(text: &str) -> BTreeSet<String> {
    let relevant = |line: &&str| {
        let key = line.split(['=', ':']).next().unwrap_or_default();
        !line.trim_start().starts_with([';', '#'])
            && (line.contains("registry") || key.trim_start().starts_with("http"))
    };
    text.lines().filter(relevant).flat_map(urls).collect()
}

/// The hosts in the settings of cargo (`config.toml`: registries, sources and their replacements).
#[must_use]
pub fn from_cargo(text: &str) -> BTreeSet<String> {
    let relevant = |line: &&str| {
        let key = line
            .split_once('=')
            .map(|(key, _)| key.trim())
            .unwrap_or_default();
        let key = key.rsplit('.').next().unwrap_or_default();
        ["index", "registry", "dl", "api", "git"].contains(&key)
            || line.contains("registry =")
            || line.contains("index =")
    };
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter(relevant)
        .flat_map(urls)
        .collect()
}

/// The hosts in the sources of apt, in either of its formats.
#[must_use]
pub fn from_apt(text: &str) -> BTreeSet<String> {
    let relevant = |line: &&str| {
        let line = line.trim_start();
        ["deb ", "deb\t", "deb-src", "URIs:"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    text.lines().filter(relevant).flat_map(urls).collect()
}

/// Hosts of the `http` and `https` URLs in a line, in lower case, without user, port and path.
fn urls(line: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let scheme = &rest[..at];
        rest = &rest[at + 3..];
        if !(scheme.ends_with("http") || scheme.ends_with("https")) {
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || "/?#\"'`,;]".contains(c))
            .unwrap_or(rest.len());
        let authority = rest[..end].rsplit('@').next().unwrap_or_default();
        let host = authority
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if matches!(
            host.parse::<Endpoint>(),
            Ok(Endpoint {
                host: Host::Name(_) | Host::Net(_),
                ..
            })
        ) {
            hosts.push(host);
        }
    }
    hosts
}

impl Effective {
    /// The same scope with `hosts` (names or addresses) in the place of `@package-registries`. Texts that are no hosts
    /// are left out.
    #[must_use]
    pub fn with_registries<'h>(&self, hosts: impl IntoIterator<Item = &'h str>) -> Self {
        let known: Vec<Host> = hosts
            .into_iter()
            .filter_map(|text| Some(text.parse::<Endpoint>().ok()?.host))
            .collect();
        let mut scope = self.clone();
        for rule in &mut scope.network.rules {
            let written = std::mem::take(&mut rule.to);
            rule.to = written
                .into_iter()
                .flat_map(|endpoint| fill(endpoint, &known))
                .collect();
        }
        scope
    }
}

fn fill(endpoint: Endpoint, known: &[Host]) -> Vec<Endpoint> {
    if endpoint.host != Host::Set(NamedSet::PackageRegistries) {
        return vec![endpoint];
    }
    known
        .iter()
        .map(|host| Endpoint {
            host: host.clone(),
            ..endpoint.clone()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{from_apt, from_cargo, from_npm, from_pip};
    use crate::scope::tests::effective_of;

    fn list(hosts: &std::collections::BTreeSet<String>) -> Vec<&str> {
        hosts.iter().map(String::as_str).collect()
    }

    #[test]
    fn settings_name_their_hosts() {
        let pip = "[global]\nindex-url = https://user:pw@pip.example.org/simple\nextra-index-url =\n    https://two.example.org/x\n\
                   trusted-host = other.example.org\n[x]\nproxy = http://proxy.example.org";
        assert_eq!(list(&from_pip(pip)), ["pip.example.org", "two.example.org"]);
        assert_eq!(
            list(&from_pip("https://pip.example.org:8443/simple")),
            ["pip.example.org"]
        );
        let npm = "registry=https://npm.example.org/\n@team:registry=http://10.0.0.5:4873\n; registry = https://no.example.org\n\
                   //npm.example.org/:_authToken=x\nproxy=http://proxy.example.org";
        assert_eq!(list(&from_npm(npm)), ["10.0.0.5", "npm.example.org"]);
        let cargo = "[source.main]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+https://crates.example.org/index/\"\n\
                     [registries.team]\nindex = \"https://team.example.org/git\"\n[http]\nproxy = \"http://proxy.example.org\"";
        assert_eq!(
            list(&from_cargo(cargo)),
            ["crates.example.org", "team.example.org"]
        );
        let apt = "deb [signed-by=/x] http://deb.example.org/debian bookworm main\n# deb http://no.example.org x\nURIs: https://a.example.org https://b.example.org/x";
        assert_eq!(
            list(&from_apt(apt)),
            ["a.example.org", "b.example.org", "deb.example.org"]
        );
    }

    #[test]
    fn hosts_take_the_place_of_the_set() {
        let scope = effective_of("[network]\nallow = [\"@package-registries:443\"]");
        let filled = scope.with_registries(["npm.example.org", "10.0.0.5", "no host"]);
        let shown: Vec<String> = filled.network.rules[0]
            .to
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["npm.example.org:443", "10.0.0.5:443"]);
        assert!(scope.with_registries([]).network.rules[0].to.is_empty());
    }
}
