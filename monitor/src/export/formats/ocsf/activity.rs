//! What a kind of act is in OCSF: class, activity, and the things it is about.

use serde_json::{Map, Value, json};

use crate::export::formats::ocsf::objects::{actor, ai_agent, connection, endpoint, file, object, process};
use crate::record::event::EventRecord;
use crate::scope::words::Kind;

/// A class of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// `class_uid`.
    pub uid: u64,
    /// `class_name`.
    pub caption: &'static str,
    /// `category_uid`.
    pub category: u64,
    /// `category_name`.
    pub category_caption: &'static str,
}

const fn class(uid: u64, caption: &'static str) -> Class {
    let category = uid / 1_000;
    let category_caption = match category {
        1 => "System Activity",
        2 => "Findings",
        _ => "Network Activity",
    };
    Class {
        uid,
        caption,
        category,
        category_caption,
    }
}

/// File System Activity.
pub const FILE: Class = class(1_001, "File System Activity");
/// Process Activity.
pub const PROCESS: Class = class(1_007, "Process Activity");
/// Detection Finding.
pub const FINDING: Class = class(2_004, "Detection Finding");
/// Network Activity.
pub const NETWORK: Class = class(4_001, "Network Activity");
/// DNS Activity.
pub const DNS: Class = class(4_003, "DNS Activity");

/// The class of `kind`, and its activity: id and caption. 99 is what the schema has no word for.
#[must_use]
pub const fn activity(kind: Kind) -> (Class, u64, &'static str) {
    match kind {
        Kind::ProcessExec | Kind::ProcessRequested => (PROCESS, 1, "Launch"),
        Kind::ProcessExit => (PROCESS, 2, "Terminate"),
        Kind::ProcessTrace => (PROCESS, 3, "Open"),
        Kind::ProcessIdentity => (PROCESS, 5, "Set User ID"),
        // The schema has no words for what people decide about a session.
        Kind::SessionOwner
        | Kind::SessionFreeze
        | Kind::SessionThaw
        | Kind::SessionKill
        | Kind::GrantGive
        | Kind::GrantExpire
        | Kind::GrantRevoke => (PROCESS, 99, kind.word()),
        Kind::ProcessSignal | Kind::NamespaceChange | Kind::CgroupMove | Kind::MonitorTamper => {
            (PROCESS, 99, kind.word())
        }
        Kind::FileOpen => (FILE, 14, "Open"),
        Kind::FileCreate => (FILE, 1, "Create"),
        Kind::FileRename => (FILE, 5, "Rename"),
        Kind::FileUnlink => (FILE, 4, "Delete"),
        Kind::FileTruncate => (FILE, 3, "Update"),
        Kind::FileAttributes => (FILE, 6, "Set Attributes"),
        Kind::FileMount => (FILE, 12, "Mount"),
        Kind::FileLink | Kind::FileMap | Kind::FileReceive => (FILE, 99, kind.word()),
        Kind::NetConnect | Kind::NetAccept | Kind::UnixConnect => (NETWORK, 1, "Open"),
        Kind::NetSend | Kind::UnixSend => (NETWORK, 6, "Traffic"),
        Kind::NetListen => (NETWORK, 7, "Listen"),
        Kind::SocketCreate => (NETWORK, 99, kind.word()),
        Kind::DnsQuery => (DNS, 1, "Query"),
        Kind::DnsAnswer => (DNS, 2, "Response"),
    }
}

/// The fields that an activity has beside those of every record.
#[must_use]
pub fn fields(event: &EventRecord) -> (Class, Map<String, Value>) {
    let (class, id, caption) = activity(event.act.kind);
    let mut fields = things(event, class);
    fields.insert("activity_id".to_owned(), json!(id));
    fields.insert("activity_name".to_owned(), json!(caption));
    fields.insert("actor".to_owned(), actor(event));
    fields.insert("ai_agent".to_owned(), ai_agent(event));
    (class, fields)
}

/// What the act is about, by the names that both activities and evidences have for it.
#[must_use]
pub fn things(event: &EventRecord, class: Class) -> Map<String, Value> {
    let act = &event.act;
    let things = match class {
        FILE => json!({
            "file": file(act.path.as_deref().unwrap_or_default(), act.inode),
            "file_result": act.to.as_deref().map(|to| file(to, None)),
        }),
        NETWORK | DNS => network(event),
        _ => {
            let mut target = process(event);
            if let (Kind::ProcessExec, Some(path)) = (act.kind, act.path.as_deref()) {
                target["path"] = json!(path);
                target["file"] = file(path, act.inode);
            }
            let launch = match act.kind {
                Kind::ProcessExec => Some((3, "Exec")),
                Kind::ProcessRequested => Some((99, "requested")),
                _ => None,
            };
            json!({
                "process": target,
                "exit_code": act.status,
                "launch_type_id": launch.map(|(id, _)| id),
                "launch_type": launch.map(|(_, caption)| caption),
            })
        }
    };
    match object(things) {
        Value::Object(things) => things,
        _ => Map::new(),
    }
}

fn network(event: &EventRecord) -> Value {
    let act = &event.act;
    let here = json!({"hostname": event.host.name});
    let remote = endpoint(act);
    // Who accepts or is answered is the other end's target.
    let inbound = matches!(act.kind, Kind::NetAccept | Kind::NetListen);
    let (source, target) = if inbound {
        (remote, Some(here))
    } else {
        (Some(here), remote)
    };
    let looked_up = matches!(act.kind, Kind::DnsQuery | Kind::DnsAnswer);
    let name = act.name.as_deref().filter(|_| looked_up);
    let answer = act.address.filter(|_| act.kind == Kind::DnsAnswer);
    json!({
        "src_endpoint": source,
        "dst_endpoint": if looked_up { None } else { target },
        "connection_info": connection(act),
        "query": name.map(|name| json!({"hostname": name})),
        "answers": answer.map(|address| json!([{
            "rdata": address.to_string(),
            "type": if address.is_ipv4() { "A" } else { "AAAA" },
        }])),
    })
}
