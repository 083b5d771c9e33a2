//! What a process did, as the record says it.

use scopeward_abi::event::flag;

use crate::{
    decode::{ChangeFacts, ExecFacts, Head, NetFacts, OpenFacts, OtherFacts},
    record::event::ActRecord,
    scope::words::{Access, Kind},
};

pub(super) fn exec_act(facts: &ExecFacts) -> ActRecord {
    ActRecord {
        path: facts.path.clone(),
        dev: Some(device(facts.dev)),
        inode: Some(facts.inode),
        ..ActRecord::new(Kind::ProcessExec)
    }
}

/// A program that is run without being executed.
pub(super) fn map_act(facts: &OpenFacts) -> ActRecord {
    ActRecord {
        path: facts.path.clone(),
        dev: Some(device(facts.dev)),
        inode: Some(facts.inode),
        call: Some("mmap".to_owned()),
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
        inode: (facts.inode != 0).then_some(facts.inode),
        call: head.has(flag::RECEIVED).then(|| "receive".to_owned()),
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

/// An act on another process, on the session, or on the monitor.
pub(super) fn other_act(facts: &OtherFacts) -> ActRecord {
    let call = match facts.call {
        "signal" => i32::try_from(facts.detail)
            .ok()
            .and_then(|number| nix::sys::signal::Signal::try_from(number).ok())
            .map_or_else(
                || format!("signal {}", facts.detail),
                |signal| signal.as_str().to_owned(),
            ),
        "mount" => mount_call(facts.detail).to_owned(),
        "bpf" => format!("bpf command {}", facts.detail),
        other => other.to_owned(),
    };
    ActRecord {
        path: facts.path.clone(),
        target_pid: facts.pid,
        call: Some(call),
        ..ActRecord::new(facts.kind)
    }
}

/// The call that mounts, or changes the root (`arch/x86/entry/syscalls/*.tbl`, 64 and 32 bit).
const fn mount_call(number: u64) -> &'static str {
    match number {
        155 | 217 => "pivot_root",
        161 | 61 => "chroot",
        429 => "move_mount",
        442 => "mount_setattr",
        432 => "fsmount",
        _ => "mount",
    }
}

/// A change to a name or to what is said of a file.
pub(super) fn change_act(facts: &ChangeFacts) -> ActRecord {
    ActRecord {
        path: facts.file.path.clone(),
        to: facts.to.clone(),
        access: vec![Access::Write],
        dev: Some(device(facts.file.dev)),
        inode: (facts.file.inode != 0).then_some(facts.file.inode),
        ..ActRecord::new(facts.kind)
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

/// `IPPROTO_*` of a name that [`protocol`] gives; TCP for MPTCP, as scopes have it.
#[must_use]
pub fn protocol_number(name: &str) -> Option<u8> {
    match name {
        "tcp" | "mptcp" => Some(6),
        "udp" => Some(17),
        "sctp" => Some(132),
        "udplite" => Some(136),
        other => other.parse().ok(),
    }
}

/// `IPPROTO_*` by name.
#[must_use]
pub fn protocol(number: u16) -> String {
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
