//! `[network]`: networks by longest prefix, each with the port rules of all that contain it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use scopeward_abi::{
    MAX_PORTS,
    endpoint::{EndpointKey, PortRule, Ports},
    object::ns,
    policy::flag,
};

use super::{
    CompileError,
    entries::{EntryInfo, code},
    scope::{Names, Work},
};
use crate::decide::evaluate::among_equals;
use crate::scope::{
    effective::{Effective, NetworkRule},
    endpoint::{Endpoint, Host, NamedSet, Proto, is_below},
    ports::PortRange,
    words::Response,
};

/// A rule of one network: what decides between rules first, then what it says.
#[derive(Clone, Debug)]
struct Ruled<O> {
    order: O,
    ranges: Vec<PortRange>,
    proto: u8,
    entry: u32,
}

/// Networks of one table by prefix length and address.
type Nets<O> = BTreeMap<(u8, u128), Vec<Ruled<O>>>;

/// The compiled tables: bits of the address, key, rules.
pub(super) type Endpoints = BTreeMap<(u32, EndpointKey), Ports>;

/// Compiles the rules, the default, and the tables of `then-to`.
pub(super) fn compile(work: &mut Work, scope: &Effective, names: &Names) -> Result<(), CompileError> {
    let mut nets = Nets::new();
    let mut rules: Vec<&NetworkRule> = scope.network.rules.iter().collect();
    rules.sort_by(|a, b| among_equals(&a.rule, false, &b.rule, false));
    for rule in rules {
        for endpoint in &rule.to {
            add(work, &mut nets, rule, endpoint, names)?;
        }
    }
    tables(work, work.number, &nets)?;
    work.policy.net_default = work.entries.add_default(&scope.network.default)?;
    if work.policy.net_default != 0 {
        work.policy.flags |= flag::RAW_SOCKETS;
    }
    let then: Vec<(u32, Vec<Endpoint>)> = work.then.numbers().map(|(at, list)| (at, list.clone())).collect();
    for (number, list) in then {
        let mut nets = Nets::new();
        for endpoint in &list {
            for (net, _) in addresses(endpoint, names) {
                let ruled = Ruled {
                    order: endpoint.specificity(),
                    ranges: ranges(endpoint),
                    proto: protocol(endpoint),
                    entry: 0,
                };
                nets.entry(key_of(net)).or_default().push(ruled);
            }
        }
        tables(work, work.number | number << ns::THEN_SHIFT, &nets)?;
    }
    Ok(())
}

fn add(
    work: &mut Work,
    nets: &mut Nets<(crate::scope::endpoint::Specificity, u8, Response)>,
    rule: &NetworkRule,
    endpoint: &Endpoint,
    names: &Names,
) -> Result<(), CompileError> {
    let (specificity, nearness) = rule.precedence(endpoint);
    let mut by_name: BTreeMap<Option<String>, u32> = BTreeMap::new();
    for (net, name) in addresses(endpoint, names) {
        let entry = match by_name.get(&name) {
            Some(entry) => *entry,
            None => {
                let info = EntryInfo {
                    rule: Some(rule.rule.id.clone()),
                    pattern: endpoint.to_string(),
                    response: rule.rule.response,
                    weight: rule.rule.weight,
                    reason: rule.rule.reason.clone(),
                    class: None,
                    name: name.clone(),
                };
                let entry = work.entries.add(info, &[])?;
                by_name.insert(name, entry);
                entry
            }
        };
        let ruled = Ruled {
            order: (specificity, nearness, rule.rule.response),
            ranges: ranges(endpoint),
            proto: protocol(endpoint),
            entry,
        };
        nets.entry(key_of(net)).or_default().push(ruled);
    }
    Ok(())
}

/// The networks that an endpoint stands for now, each with the name that it was resolved from.
fn addresses(endpoint: &Endpoint, names: &Names) -> Vec<(Ipv6Net, Option<String>)> {
    let single = |addr: &IpAddr| mapped(IpNet::from(*addr));
    let resolved = |fits: &dyn Fn(&str) -> bool| {
        let mut found = Vec::new();
        for (name, addresses) in names.resolved.iter().filter(|(name, _)| fits(name)) {
            found.extend(addresses.iter().map(|addr| (single(addr), Some(name.clone()))));
        }
        found
    };
    match &endpoint.host {
        Host::Net(net) => vec![(mapped(*net), None)],
        Host::Name(wanted) => resolved(&|name| name == wanted),
        Host::Below(domain) => resolved(&|name| is_below(name, domain)),
        Host::Set(NamedSet::PackageRegistries) => resolved(&|name| names.registries.contains(name)),
        // Expanded before, when the scope was merged.
        Host::Set(_) => Vec::new(),
    }
}

/// A network as v4-mapped v6.
fn mapped(net: IpNet) -> Ipv6Net {
    match net {
        IpNet::V6(net) => net,
        IpNet::V4(net) => Ipv6Net::new_assert(net.addr().to_ipv6_mapped(), 96 + net.prefix_len()),
    }
    .trunc()
}

fn key_of(net: Ipv6Net) -> (u8, u128) {
    (net.prefix_len(), u128::from(net.network()))
}

fn ranges(endpoint: &Endpoint) -> Vec<PortRange> {
    endpoint.ports.ranges().to_vec()
}

const fn protocol(endpoint: &Endpoint) -> u8 {
    match endpoint.proto {
        None => 0,
        Some(Proto::Tcp) => 6,
        Some(Proto::Udp) => 17,
    }
}

/// Writes one table: for each network its own rules and those of every network that contains it, in order.
fn tables<O: Ord + Copy>(work: &mut Work, table: u32, nets: &Nets<O>) -> Result<(), CompileError> {
    let lengths: BTreeSet<u8> = nets.keys().map(|(length, _)| *length).collect();
    for &(length, addr) in nets.keys() {
        let mut rules: Vec<&Ruled<O>> = lengths
            .range(..=length)
            .filter_map(|&shorter| nets.get(&(shorter, addr & mask(shorter))))
            .flatten()
            .collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.order));
        let mut ports = Ports::default();
        let mut count = 0;
        for rule in rules {
            for (low, high) in spans(rule) {
                let Some(to) = ports.rules.get_mut(count) else {
                    let net = Ipv6Net::new_assert(addr.into(), length);
                    return Err(CompileError::Ports {
                        net: net.to_string(),
                        most: MAX_PORTS,
                    });
                };
                *to = PortRule {
                    low,
                    high,
                    protocol: rule.proto,
                    pad: [0; 3],
                    entry: rule.entry,
                };
                count += 1;
            }
            if rule.proto == 0 && rule.ranges.is_empty() {
                // What follows is never reached.
                break;
            }
        }
        ports.count = u32::try_from(count).unwrap_or(0);
        let key = EndpointKey {
            ns: table.to_be_bytes(),
            addr: addr.to_be_bytes(),
        };
        work.endpoints.insert((u32::from(length), key), ports);
    }
    Ok(())
}

fn spans<O>(rule: &Ruled<O>) -> Vec<(u16, u16)> {
    if rule.ranges.is_empty() {
        return vec![(0, u16::MAX)];
    }
    rule.ranges
        .iter()
        .map(|range| (range.first(), range.last()))
        .collect()
}

const fn mask(length: u8) -> u128 {
    if length == 0 {
        0
    } else {
        u128::MAX << (128 - length as u32)
    }
}

/// What `code` gives is the order of responses; asserted here because sorting by [`Response`] relies on it.
const _: () =
    assert!(code(Response::Allow) < code(Response::Flag) && code(Response::Freeze) < code(Response::Kill));
