//! What would have allowed an act: what a person can write into the scope.

use crate::{
    decide::act_facts::{ConnectFacts, ExecFacts, FileFacts},
    scope::{
        effective::{DefaultResponse, Rule},
        endpoint::{Endpoint, Host},
        ports::{PortRange, Ports},
        rule_id::RulePlace,
    },
};

pub(super) fn file(rule: Option<&Rule>, act: &FileFacts<'_>) -> String {
    let path = act.guarded_as.unwrap_or(act.path);
    match rule {
        Some(rule) if rule.id.fragment.is_none() => {
            format!(
                "a [[files.rule.unless]] of {} with exe = {:?} and paths = [{path:?}]",
                rule.id, act.exe
            )
        }
        _ => format!("a [[files.rule]] with paths = [{path:?}] and response = \"allow\""),
    }
}

pub(super) fn write(act: &FileFacts<'_>) -> String {
    let dir = act.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    format!("{:?} in `write` of [files]", format!("{dir}/**"))
}

pub(super) fn connect(act: &ConnectFacts<'_>) -> String {
    let host = act.names.first().map_or_else(
        || Host::Net(crate::scope::endpoint::canonical(act.addr).into()),
        |name| Host::Name(name.clone()),
    );
    let ports = PortRange::new(act.port, act.port).map_or(Ports::ANY, |port| Ports::of(vec![port]));
    let endpoint = Endpoint {
        host,
        ports,
        proto: act.proto,
    };
    format!("{:?} in `allow` of [network]", endpoint.to_string())
}

pub(super) fn borrowed(act: &ConnectFacts<'_>) -> String {
    let to = std::net::SocketAddr::new(crate::scope::endpoint::canonical(act.addr), act.port);
    format!("a [[files.rule.unless]] of the credential's rule with then-to = [\"{to}\"]")
}

pub(super) fn socket() -> String {
    "`default = \"allow\"` in [network]; no endpoint stands for such a socket".into()
}

pub(super) fn exec(act: &ExecFacts<'_>) -> String {
    let path = match act.memfd {
        Some(name) => format!("memfd:{name}"),
        None => act.path.to_owned(),
    };
    format!("an [[exec.rule]] with exe = [{path:?}] and response = \"allow\"")
}

/// Rules about arguments only add, so there is none that allows.
pub(super) fn arguments(rule: &Rule) -> String {
    format!("a narrower `argv` in {}", rule.id)
}

pub(super) fn unix(path: &str) -> String {
    format!("a [[sockets.rule]] with path = [{path:?}] and response = \"allow\"")
}

pub(super) fn key(key: &DefaultResponse) -> String {
    let (table, name) = match key.id.place {
        RulePlace::Trace => ("processes", "trace"),
        RulePlace::Signal => ("processes", "signal"),
        RulePlace::RequestedStart => ("session", "requested-start"),
        RulePlace::Leave => ("session", "leave"),
        _ => ("session", "mount"),
    };
    format!("`{name} = \"allow\"` in [{table}]")
}
