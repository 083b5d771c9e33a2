//! The named sets of endpoints, from `endpoints.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::scope::endpoint::{Endpoint, NamedSet};

/// One named set.
#[derive(Clone, Debug)]
pub struct EndpointSet {
    /// Which.
    pub set: NamedSet,
    /// For people.
    pub title: String,
    /// What it stands for; empty for the one that the daemon fills.
    pub to: Vec<Endpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    set: Vec<SetData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetData {
    name: String,
    title: String,
    to: Vec<String>,
}

static SETS: LazyLock<Vec<EndpointSet>> = LazyLock::new(|| {
    read(include_str!("endpoints.toml")).expect("a test reads the file that the binary carries")
});

fn read(source: &str) -> Result<Vec<EndpointSet>, String> {
    let data: Data = toml::from_str(source).map_err(|error| error.to_string())?;
    let one = |entry: SetData| {
        let set = NamedSet::from_word(&entry.name).ok_or_else(|| format!("unknown set {}", entry.name))?;
        let to = entry
            .to
            .iter()
            .map(|text| text.parse().map_err(|error| format!("{text}: {error}")));
        Ok(EndpointSet {
            set,
            title: entry.title,
            to: to.collect::<Result<_, String>>()?,
        })
    };
    data.set.into_iter().map(one).collect()
}

/// Every set, in the order of the file.
#[must_use]
pub fn sets() -> &'static [EndpointSet] {
    &SETS
}

/// What `endpoint` stands for: the members of its set, each with the endpoint's ports and protocol; itself where it
/// names no set, or one that only the daemon can fill.
#[must_use]
pub fn expand(endpoint: &Endpoint) -> Vec<Endpoint> {
    let crate::scope::endpoint::Host::Set(wanted) = endpoint.host else {
        return vec![endpoint.clone()];
    };
    let members = sets()
        .iter()
        .find(|set| set.set == wanted)
        .map_or(&[][..], |set| &set.to);
    if members.is_empty() {
        return vec![endpoint.clone()];
    }
    let with_ports = |member: &Endpoint| Endpoint {
        host: member.host.clone(),
        ..endpoint.clone()
    };
    members.iter().map(with_ports).collect()
}

#[cfg(test)]
mod tests {
    use super::{expand, read, sets};
    use crate::scope::endpoint::NamedSet;

    #[test]
    fn every_set_has_its_data() {
        assert!(read(include_str!("endpoints.toml")).is_ok());
        for set in NamedSet::ALL {
            assert!(sets().iter().any(|known| known.set == set), "{}", set.word());
        }
    }

    #[test]
    fn a_set_keeps_the_ports_written_with_it() {
        let expanded: Vec<String> = expand(&"@loopback:80/tcp".parse().unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(expanded, ["127.0.0.0/8:80/tcp", "[::1]:80/tcp"]);
        assert_eq!(expand(&"@package-registries".parse().unwrap()).len(), 1);
    }
}
