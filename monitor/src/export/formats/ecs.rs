//! Elastic Common Schema 8.17: the fields that it has, and what it has none for below `scopeward`.

use serde_json::{Value, json};

use crate::export::formats::ocsf::objects::{name_of, object};
use crate::export::formats::{cef, techniques, words};
use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response, When};

/// The version of the schema.
pub const VERSION: &str = "8.17.0";

/// `event` as one JSON object.
#[must_use]
pub fn record(event: &EventRecord) -> Value {
    let (act, process, session) = (&event.act, &event.process, &event.session);
    object(json!({
        "@timestamp": event.time.to_string(),
        "ecs": {"version": VERSION},
        "message": words::sentence(event),
        "event": about(event),
        "host": object(json!({
            "name": event.host.name,
            "hostname": event.host.name,
            "id": event.host.machine_id,
            "boot": {"id": event.host.boot_id},
            "os": {"type": "linux", "family": "linux"},
        })),
        "user": object(json!({"id": session.owner.uid.to_string(), "name": session.owner.name})),
        "process": object(json!({
            "pid": process.pid,
            "thread": {"id": process.tid},
            "parent": (process.ppid != 0).then(|| json!({"pid": process.ppid})),
            "executable": process.exe,
            "name": process.exe.as_deref().map(name_of),
            "args": process.argv,
            "args_count": process.argv.len(),
            "command_line": process.argv.join(" "),
            "working_directory": process.cwd,
            "start": process.started.map(|started| started.to_string()),
            "exit_code": act.status,
            "user": {"id": process.uid.to_string()},
        })),
        "file": file(event),
        "destination": destination(event),
        "network": network(event),
        "dns": dns(event),
        "rule": event.verdict.rule.as_ref().map(|rule| object(json!({
            "id": format!("{}/{rule}", event.verdict.scope),
            "name": rule,
            "ruleset": event.verdict.scope,
            "description": event.verdict.reason,
            "version": event.generation.to_string(),
        }))),
        "threat": threat(event),
        "scopeward": object(json!({
            "session": {"id": session.id, "agent": session.agent, "root_pid": session.root_pid},
            "agent_session": session.agent_session,
            "called_for": event.verdict.called_for,
            "applied": event.verdict.applied,
            "when": event.verdict.when,
            "tier": event.verdict.tier,
            "grant": event.verdict.grant,
            "weight": event.weight,
            "count": event.count,
            "lineage": process.lineage,
            "script": process.script,
            "guarded_as": act.guarded_as,
            "borrowed": act.borrowed,
            "access": act.access,
            "device": act.dev,
            "family": act.family,
        })),
    }))
}

fn about(event: &EventRecord) -> Value {
    let verdict = &event.verdict;
    let cut = verdict.called_for != Response::Allow;
    let (category, types): (&str, &[&str]) = match event.act.kind {
        Kind::ProcessExec | Kind::ProcessRequested => ("process", &["start"]),
        Kind::ProcessExit => ("process", &["end"]),
        Kind::ProcessTrace => ("process", &["access"]),
        Kind::ProcessSignal | Kind::ProcessIdentity | Kind::NamespaceChange | Kind::CgroupMove => {
            ("process", &["change"])
        }
        Kind::FileOpen | Kind::FileMap | Kind::FileReceive => ("file", &["access"]),
        Kind::FileCreate | Kind::FileLink => ("file", &["creation"]),
        Kind::FileUnlink => ("file", &["deletion"]),
        Kind::FileRename | Kind::FileTruncate | Kind::FileAttributes | Kind::FileMount => {
            ("file", &["change"])
        }
        Kind::NetConnect | Kind::NetAccept | Kind::UnixConnect | Kind::NetSend | Kind::UnixSend => {
            ("network", &["connection"])
        }
        Kind::NetListen | Kind::SocketCreate => ("network", &["info"]),
        Kind::DnsQuery | Kind::DnsAnswer => ("network", &["protocol"]),
        Kind::MonitorTamper => ("intrusion_detection", &["info"]),
        Kind::SessionOwner | Kind::SessionFreeze | Kind::SessionThaw | Kind::SessionKill => {
            ("session", &["info"])
        }
        Kind::GrantGive | Kind::GrantExpire | Kind::GrantRevoke => ("configuration", &["change"]),
    };
    let mut categories = vec![category];
    if cut && category != "intrusion_detection" {
        categories.push("intrusion_detection");
    }
    let prevented = verdict.applied >= Response::Deny && verdict.when == When::BeforeAct;
    let mut types = types.to_vec();
    // Only these two categories have words for the answer.
    if matches!(category, "network" | "intrusion_detection") {
        types.push(if prevented { "denied" } else { "allowed" });
    }
    json!({
        "id": event.id,
        "kind": if cut || event.act.kind == Kind::MonitorTamper { "alert" } else { "event" },
        "category": categories,
        "type": types,
        "action": event.act.kind.word(),
        "outcome": if prevented { "failure" } else { "unknown" },
        "severity": cef::severity(event),
        "risk_score": event.weight,
        "reason": verdict.reason.clone().unwrap_or_default(),
        "module": "scopeward",
        "dataset": "scopeward.event",
        "provider": "scopeward",
    })
}

fn file(event: &EventRecord) -> Value {
    let act = &event.act;
    match &act.path {
        Some(path) if !matches!(act.kind, Kind::UnixConnect | Kind::UnixSend) => {
            // The second path of a rename is where the file is from then on.
            let at = act.to.as_ref().unwrap_or(path);
            let directory = at.rfind('/').map(|slash| &at[..slash.max(1)]);
            object(json!({
                "path": at,
                "name": name_of(at),
                "directory": directory,
                "inode": act.inode.map(|inode| inode.to_string()),
                "Ext": act.to.is_some().then(|| json!({"original": {"path": path}})),
            }))
        }
        _ => Value::Null,
    }
}

fn destination(event: &EventRecord) -> Value {
    let act = &event.act;
    let address = act.address.map(|address| address.to_string());
    let unix = act
        .path
        .clone()
        .filter(|_| matches!(act.kind, Kind::UnixConnect | Kind::UnixSend));
    let place = act.name.clone().or_else(|| address.clone()).or(unix);
    let looked_up = matches!(act.kind, Kind::DnsQuery | Kind::DnsAnswer);
    match place {
        Some(place) if !looked_up => object(json!({
            "address": place,
            "ip": address,
            "port": act.port,
            "domain": act.name,
        })),
        _ => Value::Null,
    }
}

fn network(event: &EventRecord) -> Value {
    let act = &event.act;
    let word = act.kind.word();
    if !["net.", "dns.", "unix.", "socket."]
        .iter()
        .any(|start| word.starts_with(start))
    {
        return Value::Null;
    }
    let direction = match act.kind {
        Kind::NetAccept | Kind::NetListen => "ingress",
        Kind::UnixConnect | Kind::UnixSend | Kind::SocketCreate => "internal",
        _ => "egress",
    };
    object(json!({
        "transport": act.protocol,
        "type": act.address.map(|address| if address.is_ipv4() { "ipv4" } else { "ipv6" }),
        "protocol": word.starts_with("dns.").then_some("dns"),
        "direction": direction,
    }))
}

fn dns(event: &EventRecord) -> Value {
    let act = &event.act;
    let kind = match act.kind {
        Kind::DnsQuery => "query",
        Kind::DnsAnswer => "answer",
        _ => return Value::Null,
    };
    object(json!({
        "type": kind,
        "question": act.name.as_ref().map(|name| json!({"name": name})),
        "resolved_ip": act.address.filter(|_| kind == "answer").map(|address| [address.to_string()]),
    }))
}

fn threat(event: &EventRecord) -> Value {
    let techniques = techniques::of(event.act.kind);
    if event.verdict.called_for == Response::Allow || techniques.is_empty() {
        return Value::Null;
    }
    let parent = |uid: &'static str| uid.split('.').next().unwrap_or(uid);
    let below: Vec<_> = techniques.iter().filter(|one| one.uid.contains('.')).collect();
    let mut technique = json!({"id": techniques.iter().map(|one| parent(one.uid)).collect::<Vec<_>>()});
    if below.is_empty() {
        technique["name"] = techniques.iter().map(|one| one.name).collect();
    } else {
        technique["subtechnique"] = json!({
            "id": below.iter().map(|one| one.uid).collect::<Vec<_>>(),
            "name": below.iter().map(|one| one.name).collect::<Vec<_>>(),
        });
    }
    json!({
        "framework": "MITRE ATT&CK",
        "tactic": {
            "id": techniques.iter().map(|one| one.tactic_uid).collect::<Vec<_>>(),
            "name": techniques.iter().map(|one| one.tactic).collect::<Vec<_>>(),
        },
        "technique": technique,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::export::tests::corpus;

    /// The fields of ECS 8.17 that are used here, with their types (from its published field list).
    const FIELDS: &str = "
        @timestamp date; ecs.version keyword; message match_only_text; event.id keyword; event.kind keyword;
        event.category keyword; event.type keyword; event.action keyword; event.outcome keyword; event.severity long;
        event.risk_score float; event.reason keyword; event.module keyword; event.dataset keyword;
        event.provider keyword; host.name keyword; host.hostname keyword; host.id keyword; host.boot.id keyword;
        host.os.type keyword; host.os.family keyword; user.id keyword; user.name keyword; process.pid long;
        process.thread.id long; process.parent.pid long; process.executable keyword; process.name keyword;
        process.args keyword; process.args_count long; process.command_line wildcard; process.working_directory keyword;
        process.start date; process.exit_code long; process.user.id keyword; file.path keyword; file.name keyword;
        file.directory keyword; file.inode keyword; destination.address keyword; destination.ip ip;
        destination.port long; destination.domain keyword; network.transport keyword; network.type keyword;
        network.protocol keyword; network.direction keyword; dns.type keyword; dns.question.name keyword;
        dns.resolved_ip ip; rule.id keyword; rule.name keyword; rule.ruleset keyword; rule.description keyword;
        rule.version keyword; threat.framework keyword; threat.tactic.id keyword; threat.tactic.name keyword;
        threat.technique.id keyword; threat.technique.name keyword; threat.technique.subtechnique.id keyword;
        threat.technique.subtechnique.name keyword";

    /// The values that ECS lets these fields have.
    const ALLOWED: [(&str, &[&str]); 5] = [
        ("event.kind", &["alert", "event"]),
        (
            "event.category",
            &[
                "process",
                "file",
                "network",
                "intrusion_detection",
                "session",
                "configuration",
            ],
        ),
        (
            "event.type",
            &[
                "access",
                "allowed",
                "change",
                "connection",
                "creation",
                "deletion",
                "denied",
                "end",
                "info",
                "protocol",
                "start",
            ],
        ),
        ("event.outcome", &["failure", "success", "unknown"]),
        ("host.os.type", &["linux"]),
    ];

    fn leaves(at: &str, value: &Value, into: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                let at = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                leaves(&at, value, into);
            }),
            Value::Array(values) => values.iter().for_each(|value| leaves(at, value, into)),
            value => into.push((at.to_owned(), value.clone())),
        }
    }

    #[test]
    fn every_kind_and_verdict_has_fields_of_the_right_types() {
        let fields: BTreeMap<&str, &str> = FIELDS
            .split(';')
            .map(|field| field.trim().split_once(' ').unwrap())
            .collect();
        for event in corpus::all() {
            let mut all = Vec::new();
            leaves("", &record(&event), &mut all);
            for (name, value) in all {
                // What is not of ECS stands in names that it leaves free: our own, and capitals.
                if name.starts_with("scopeward.") || name.starts_with("file.Ext.") {
                    continue;
                }
                let kind = fields
                    .get(name.as_str())
                    .unwrap_or_else(|| panic!("{name} is no field"));
                let text = value.as_str().unwrap_or_default();
                let fits = match *kind {
                    "long" => value.is_i64() || value.is_u64(),
                    "float" => value.is_number(),
                    "date" => text.parse::<jiff::Timestamp>().is_ok(),
                    "ip" => text.parse::<std::net::IpAddr>().is_ok(),
                    _ => value.is_string(),
                };
                assert!(fits, "{name} is {value}, no {kind}");
                if let Some((_, allowed)) = ALLOWED.iter().find(|(field, _)| *field == name) {
                    assert!(allowed.contains(&text), "{name} is {value}");
                }
            }
        }
    }
}
