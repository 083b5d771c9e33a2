//! One record of the ring.

use std::net::{IpAddr, Ipv6Addr};

use scopeward_abi::{
    ABI_VERSION,
    event::{call, flag, kind, when},
    policy::response,
};

use super::reader::{Reader, Short, arguments, ends, path};
use crate::scope::words::{Kind, Response, When};

/// What is wrong with a record. It is counted, and the next one is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends too early.
    #[error("decode a record that ends too early")]
    Short,
    /// It is of another version of the programs.
    #[error("decode a record of version {0}")]
    Version(u8),
    /// Its kind is not known.
    #[error("decode a record of kind {0}")]
    Kind(u8),
}

impl From<Short> for DecodeError {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

/// What every record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// `event::hook::*`.
    pub hook: u8,
    /// What the scope called for.
    pub called_for: Response,
    /// What was done.
    pub applied: Response,
    /// When.
    pub when: When,
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Boot clock, ns.
    pub time: u64,
    /// The session's key; 0 outside.
    pub session: u64,
    /// The process's cookie.
    pub cookie: u64,
    /// The policy.
    pub policy: u32,
    /// Its generation.
    pub generation: u32,
    /// The entry that decided; 0 for the default that allows.
    pub entry: u32,
    /// `event::flag::*`.
    pub flags: u32,
}

impl Head {
    /// Whether all bits of `flag` are set.
    #[must_use]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag == flag
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// What every record says.
    pub head: Head,
    /// What its kind says.
    pub body: Body,
}

/// What the kinds say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The process forked.
    Fork {
        /// The child's process id.
        pid: u32,
        /// The child's cookie.
        cookie: u64,
    },
    /// The process executes a program now.
    Exec(ExecFacts),
    /// The last thread of the process ended.
    Exit {
        /// As a shell shows it.
        status: u32,
    },
    /// The process got a descriptor of a file.
    Open(OpenFacts),
    /// It reaches an address.
    Connect(NetFacts),
    /// It sends to an address.
    Send(NetFacts),
    /// It makes a socket.
    Socket(NetFacts),
    /// It maps a program to run it without executing it.
    Map(OpenFacts),
    /// It changes a name, or what is said of a file.
    Change(ChangeFacts),
    /// It connects to a unix socket.
    UnixConnect(OpenFacts),
    /// It sends to one.
    UnixSend(OpenFacts),
    /// It acts on a process outside the session, on the session itself, or on the monitor.
    Other(OtherFacts),
    /// No act: what the daemon asked for, to see that records arrive.
    Heartbeat,
}

/// An exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecFacts {
    /// The program's path; `None` where it could not be seen.
    pub path: Option<String>,
    /// Working directory.
    pub cwd: Option<String>,
    /// The file name given to the call: a script's, where the program is its interpreter.
    pub file: String,
    /// The arguments, as far as they fit.
    pub argv: Vec<String>,
    /// The parent's process id.
    pub ppid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Device (kernel encoding) of the program.
    pub dev: u32,
    /// Inode number of the program.
    pub inode: u64,
}

/// An open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFacts {
    /// The path; `None` where the file could not be seen.
    pub path: Option<String>,
    /// Device (kernel encoding).
    pub dev: u32,
    /// Inode number.
    pub inode: u64,
}

/// A change to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Which.
    pub kind: Kind,
    /// The file.
    pub file: OpenFacts,
    /// The path that it is to have.
    pub to: Option<String>,
}

/// An act that one key of the scope answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherFacts {
    /// Which kind.
    pub kind: Kind,
    /// The other process; `None` where there is none.
    pub pid: Option<u32>,
    /// By which call.
    pub call: &'static str,
    /// The signal, the namespaces, the number of the system call, or the command of `bpf`.
    pub detail: u64,
    /// The cgroup's path, for a move.
    pub path: Option<String>,
}

/// A network act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetFacts {
    /// The remote address, v4-mapped as v4.
    pub addr: IpAddr,
    /// The remote port.
    pub port: u16,
    /// `AF_*`.
    pub family: u16,
    /// `SOCK_*`.
    pub kind: u16,
    /// `IPPROTO_*`.
    pub protocol: u16,
}

/// Decodes a record.
///
/// # Errors
/// [`DecodeError`] for a record that is short, or of an unknown version or kind.
pub fn decode(bytes: &[u8]) -> Result<RawEvent, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if version != ABI_VERSION {
        return Err(DecodeError::Version(version));
    }
    let of_kind = reader.u8()?;
    let hook = reader.u8()?;
    let called_for = response_of(reader.u8()?);
    let applied = response_of(reader.u8()?);
    let when = match reader.u8()? {
        when::BEFORE_ACT => When::BeforeAct,
        when::BEFORE_USE => When::BeforeUse,
        _ => When::After,
    };
    let strings = usize::from(reader.u16()?);
    let (tid, pid) = (reader.u32()?, reader.u32()?);
    let head = Head {
        hook,
        called_for,
        applied,
        when,
        tid,
        pid,
        time: reader.u64()?,
        session: reader.u64()?,
        cookie: reader.u64()?,
        policy: reader.u32()?,
        generation: reader.u32()?,
        entry: reader.u32()?,
        flags: reader.u32()?,
    };
    let body = match of_kind {
        kind::FORK => {
            let cookie = reader.u64()?;
            Body::Fork {
                pid: reader.u32()?,
                cookie,
            }
        }
        kind::EXEC => Body::Exec(exec(&mut reader, &head)?),
        kind::EXIT => Body::Exit {
            status: status(reader.u32()?),
        },
        kind::OPEN => Body::Open(file(&mut reader, &head, strings)?),
        kind::MAP => Body::Map(file(&mut reader, &head, strings)?),
        kind::UNLINK => Body::Change(change(&mut reader, &head, Kind::FileUnlink, strings)?),
        kind::RENAME => Body::Change(change(&mut reader, &head, Kind::FileRename, strings)?),
        kind::LINK => Body::Change(change(&mut reader, &head, Kind::FileLink, strings)?),
        kind::TRUNCATE => Body::Change(change(&mut reader, &head, Kind::FileTruncate, strings)?),
        kind::ATTRIBUTES => Body::Change(change(&mut reader, &head, Kind::FileAttributes, strings)?),
        kind::UNIX_CONNECT => Body::UnixConnect(file(&mut reader, &head, strings)?),
        kind::UNIX_SEND => Body::UnixSend(file(&mut reader, &head, strings)?),
        kind::CONNECT => Body::Connect(net(&mut reader)?),
        kind::SEND => Body::Send(net(&mut reader)?),
        kind::SOCKET => Body::Socket(net(&mut reader)?),
        kind::TRACE => Body::Other(other(&mut reader, Kind::ProcessTrace)?),
        kind::SIGNAL => Body::Other(other(&mut reader, Kind::ProcessSignal)?),
        kind::TAMPER => Body::Other(other(&mut reader, Kind::MonitorTamper)?),
        kind::CGROUP => Body::Other(other(&mut reader, Kind::CgroupMove)?),
        kind::NAMESPACE => Body::Other(other(&mut reader, Kind::NamespaceChange)?),
        kind::MOUNT => Body::Other(other(&mut reader, Kind::FileMount)?),
        kind::HEARTBEAT => Body::Heartbeat,
        other => return Err(DecodeError::Kind(other)),
    };
    Ok(RawEvent { head, body })
}

/// A file, or the socket that is bound to one; an abstract name with `@` in front.
fn file(reader: &mut Reader<'_>, head: &Head, strings: usize) -> Result<OpenFacts, DecodeError> {
    let (inode, dev, _mode) = (reader.u64()?, reader.u32()?, reader.u32()?);
    let text = reader.take(strings)?;
    let cut = head.has(flag::TRUNCATED);
    let path = if head.has(flag::ABSTRACT) {
        Some(format!("@{}", String::from_utf8_lossy(text)))
    } else {
        (!text.is_empty() || !cut).then(|| path(text, cut))
    };
    Ok(OpenFacts { path, dev, inode })
}

/// A change: the path, and behind a component of no bytes the other one.
fn change(
    reader: &mut Reader<'_>,
    head: &Head,
    kind: Kind,
    strings: usize,
) -> Result<ChangeFacts, DecodeError> {
    let (inode, dev, _mode) = (reader.u64()?, reader.u32()?, reader.u32()?);
    let text = reader.take(strings)?;
    let cut = head.has(flag::TRUNCATED);
    let shown = |text: &[u8]| (!text.is_empty() || !cut).then(|| path(text, cut));
    let (from, to) = ends(text);
    let (path, to) = (shown(from), to.and_then(shown));
    let file = OpenFacts { path, dev, inode };
    Ok(ChangeFacts { kind, file, to })
}

fn exec(reader: &mut Reader<'_>, head: &Head) -> Result<ExecFacts, DecodeError> {
    let inode = reader.u64()?;
    let (dev, ppid, uid) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let (program, cwd) = (reader.u16()?, reader.u16()?);
    let (file, argv) = (reader.u16()?, reader.u16()?);
    let _argv_total = reader.u32()?;
    let program = reader.take(usize::from(program))?;
    let cwd = reader.take(usize::from(cwd))?;
    let file = String::from_utf8_lossy(reader.take(usize::from(file))?).into_owned();
    let argv = arguments(reader.take(usize::from(argv))?);
    let cut = head.has(flag::TRUNCATED);
    Ok(ExecFacts {
        path: (!program.is_empty()).then(|| path(program, cut)),
        cwd: (!cut || !cwd.is_empty()).then(|| path(cwd, cut)),
        file,
        argv,
        ppid,
        uid,
        dev,
        inode,
    })
}

fn other(reader: &mut Reader<'_>, kind: Kind) -> Result<OtherFacts, DecodeError> {
    let (pid, by) = (reader.u32()?, reader.u32()?);
    let detail = reader.u64()?;
    let name = reader.take(64)?;
    let text = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(OtherFacts {
        kind,
        pid: (pid != 0).then_some(pid),
        call: call::NAMES.get(by as usize).copied().unwrap_or_default(),
        detail,
        path: (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned()),
    })
}

fn net(reader: &mut Reader<'_>) -> Result<NetFacts, DecodeError> {
    let addr: [u8; 16] = reader.take(16)?.try_into().map_err(|_| DecodeError::Short)?;
    let (port, family) = (reader.u16()?, reader.u16()?);
    let (kind, protocol) = (reader.u16()?, reader.u16()?);
    Ok(NetFacts {
        addr: Ipv6Addr::from(addr).to_canonical(),
        port,
        family,
        kind,
        protocol,
    })
}

/// A response by its code in the tables and records of the kernel side.
#[must_use]
pub const fn response_of(code: u8) -> Response {
    match code {
        response::ALLOW => Response::Allow,
        response::FLAG => Response::Flag,
        response::DENY => Response::Deny,
        response::FREEZE => Response::Freeze,
        _ => Response::Kill,
    }
}

/// `exit_code` of a task as a shell shows it.
const fn status(code: u32) -> u32 {
    if code & 0x7f != 0 {
        128 + (code & 0x7f)
    } else {
        code >> 8 & 0xff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_foreign_is_named() {
        assert_eq!(decode(&[]), Err(DecodeError::Short));
        assert_eq!(decode(&[200; 64]), Err(DecodeError::Version(200)));
        let mut record = [0; 56];
        record[0] = ABI_VERSION;
        record[1] = 99;
        assert_eq!(decode(&record), Err(DecodeError::Kind(99)));
        record[1] = kind::OPEN;
        assert_eq!(decode(&record), Err(DecodeError::Short));
    }

    #[test]
    fn a_signal_shows_as_a_shell_shows_it() {
        assert_eq!((status(9), status(3 << 8)), (137, 3));
        assert_eq!(status(0x80 | 11), 139);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_can_break_it(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..512)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = ABI_VERSION;
            }
            // Any answer will do; it must be one.
            drop(decode(&bytes));
        }
    }
}
