//! The objects of a record: device, actor, process, file, endpoint.

use serde_json::{Map, Value, json};

use crate::record::event::{ActRecord, EventRecord};
use crate::scope::words::Kind;

/// `fields` without those that are null.
#[must_use]
pub fn object(fields: Value) -> Value {
    match fields {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
            Value::Object(kept)
        }
        other => other,
    }
}

/// The last part of a path; the whole of it where it ends with a slash.
#[must_use]
pub fn name_of(path: &str) -> &str {
    match path.rsplit('/').next() {
        Some("") | None => path,
        Some(name) => name,
    }
}

/// The machine.
#[must_use]
pub fn device(event: &EventRecord) -> Value {
    let host = &event.host;
    object(json!({
        "hostname": host.name,
        "uid": host.machine_id,
        "boot_uid": host.boot_id,
        "type_id": 0,
        "type": "Unknown",
        "os": {"name": "Linux", "type": "Linux", "type_id": 200},
    }))
}

/// The agent.
#[must_use]
pub fn ai_agent(event: &EventRecord) -> Value {
    let session = &event.session;
    json!({"name": session.agent, "uid": session.agent, "instance_uid": session.id})
}

/// Who acted: the process, and the person for whom its session runs.
#[must_use]
pub fn actor(event: &EventRecord) -> Value {
    let owner = &event.session.owner;
    let login = (owner.login_session.is_some() || owner.tty.is_some()).then(|| {
        object(json!({
            "uid": owner.login_session.map(|session| session.to_string()),
            "terminal": owner.tty,
        }))
    });
    object(json!({
        "process": process(event),
        "user": object(json!({"uid": owner.uid.to_string(), "name": owner.name})),
        "session": login,
    }))
}

/// The process that acted.
#[must_use]
pub fn process(event: &EventRecord) -> Value {
    let process = &event.process;
    let exe = process.exe.as_deref();
    object(json!({
        "pid": process.pid,
        "ptid": process.tid,
        "name": exe.map(name_of),
        "path": exe,
        "cmd_line": (!process.argv.is_empty()).then(|| process.argv.join(" ")),
        "created_time": process.started.map(jiff::Timestamp::as_millisecond),
        "working_directory": process.cwd,
        "file": exe.map(|exe| json!({"name": name_of(exe), "path": exe, "type_id": 1, "type": "Regular File"})),
        "parent_process": (process.ppid != 0).then(|| json!({"pid": process.ppid})),
        "user": {"uid": process.uid.to_string()},
    }))
}

/// A file by its path.
#[must_use]
pub fn file(path: &str, inode: Option<u64>) -> Value {
    object(json!({
        "name": name_of(path),
        "path": path,
        "type_id": 0,
        "type": "Unknown",
        "uid": inode.map(|inode| inode.to_string()),
    }))
}

/// The remote end; `None` where the act has none.
#[must_use]
pub fn endpoint(act: &ActRecord) -> Option<Value> {
    let unix = matches!(act.kind, Kind::UnixConnect | Kind::UnixSend);
    let path = act.path.as_deref().filter(|_| unix);
    let some = act.address.is_some() || act.name.is_some() || path.is_some();
    some.then(|| {
        object(json!({
            "ip": act.address.map(|address| address.to_string()),
            "port": act.port,
            "hostname": act.name,
            "name": path,
        }))
    })
}

/// How a connection runs.
#[must_use]
pub fn connection(act: &ActRecord) -> Value {
    let (direction_id, direction) = match act.kind {
        Kind::NetAccept | Kind::NetListen | Kind::DnsAnswer => (1, "Inbound"),
        Kind::UnixConnect | Kind::UnixSend => (4, "Local"),
        Kind::SocketCreate => (0, "Unknown"),
        _ => (2, "Outbound"),
    };
    let protocol = act.protocol.as_deref();
    let number = protocol.and_then(|protocol| match protocol {
        "icmp" => Some(1),
        "tcp" => Some(6),
        "udp" => Some(17),
        other => other.parse::<u8>().ok().map(u32::from),
    });
    let version = act.address.map(|address| {
        if address.is_ipv4() {
            (4, "Internet Protocol version 4 (IPv4)")
        } else {
            (6, "Internet Protocol version 6 (IPv6)")
        }
    });
    object(json!({
        "direction_id": direction_id,
        "direction": direction,
        "protocol_name": protocol.or(act.family.as_deref()),
        "protocol_num": number,
        "protocol_ver_id": version.map(|(id, _)| id),
        "protocol_ver": version.map(|(_, name)| name),
    }))
}
