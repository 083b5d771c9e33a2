//! What a process did, as the record says it.

use std::net::IpAddr;

use scopeward_abi::event::flag;

use crate::{
    decode::{ExecFacts, Head, NetFacts, OpenFacts},
    record::event::ActRecord,
    scope::words::{Access, Kind},
};

/// An act in one line.
#[must_use]
pub fn act_line(act: &ActRecord) -> String {
    let object = match (&act.path, &act.address) {
        (Some(path), _) => path.clone(),
        (None, Some(address)) => endpoint_text(*address, act.port),
        _ => act.protocol.clone().unwrap_or_default(),
    };
    format!("{} {object}", act.kind.word()).trim_end().to_owned()
}

fn endpoint_text(address: IpAddr, port: Option<u16>) -> String {
    match (address, port) {
        (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
        (address, Some(port)) => format!("{address}:{port}"),
        (address, None) => address.to_string(),
    }
}

pub(super) fn exec_act(facts: &ExecFacts) -> ActRecord {
    ActRecord {
        path: facts.path.clone(),
        dev: Some(device(facts.dev)),
        inode: Some(facts.inode),
        ..ActRecord::new(Kind::ProcessExec)
    }
}

pub(super) fn open_act(head: &Head, facts: &OpenFacts) -> ActRecord {
    let mut access = Vec::new();
    if head.has(flag::READ) {
        access.push(Access::Read);
    }
    if head.has(flag::WRITE) {
        access.push(Access::Write);
    }
    let created = head.has(flag::CREATED) && head.has(flag::WRITE);
    ActRecord {
        path: facts.path.clone(),
        access,
        dev: Some(device(facts.dev)),
        inode: Some(facts.inode),
        ..ActRecord::new(if created { Kind::FileCreate } else { Kind::FileOpen })
    }
}

/// A unix socket: the path it is bound to, or `@` and its abstract name.
pub(super) fn unix_act(kind: Kind, head: &Head, facts: &OpenFacts) -> ActRecord {
    let in_filesystem = !head.has(flag::ABSTRACT);
    ActRecord {
        path: facts.path.clone(),
        dev: in_filesystem.then(|| device(facts.dev)),
        inode: in_filesystem.then_some(facts.inode),
        ..ActRecord::new(kind)
    }
}

pub(super) fn unlink_act(facts: &OpenFacts) -> ActRecord {
    ActRecord {
        path: facts.path.clone(),
        access: vec![Access::Write],
        dev: Some(device(facts.dev)),
        ..ActRecord::new(Kind::FileUnlink)
    }
}

pub(super) fn net_act(kind: Kind, facts: &NetFacts) -> ActRecord {
    ActRecord {
        address: Some(facts.addr),
        port: Some(facts.port),
        protocol: Some(protocol(facts.protocol)),
        ..ActRecord::new(kind)
    }
}

pub(super) fn socket_act(facts: &NetFacts) -> ActRecord {
    const RAW: u16 = 3;
    ActRecord {
        family: Some(match facts.family {
            2 => "inet".to_owned(),
            10 => "inet6".to_owned(),
            17 => "packet".to_owned(),
            40 => "vsock".to_owned(),
            44 => "xdp".to_owned(),
            other => other.to_string(),
        }),
        protocol: Some(if facts.kind == RAW {
            "raw".to_owned()
        } else {
            protocol(facts.protocol)
        }),
        ..ActRecord::new(Kind::SocketCreate)
    }
}

/// `IPPROTO_*` by name.
fn protocol(number: u16) -> String {
    match number {
        1 | 58 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        132 => "sctp".to_owned(),
        136 => "udplite".to_owned(),
        262 => "mptcp".to_owned(),
        255 => "raw".to_owned(),
        other => other.to_string(),
    }
}

/// The kernel's encoding of a device as `major:minor`.
#[must_use]
pub fn device(dev: u32) -> String {
    format!("{}:{}", dev >> 20, dev & 0xf_ffff)
}
