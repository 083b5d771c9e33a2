//! What a recorded act lets a scope decide about: the record of an act, as facts. Pure.

use super::act_facts::{ActFacts, ConnectFacts, ExecFacts, FileFacts, SocketFacts};
use crate::{
    record::event::{ActRecord, ProcessRef},
    scope::{
        endpoint::Proto,
        words::{Access, Kind},
    },
};

/// A record that lacks what its kind is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decide {}: the record has no `{field}`", kind.word())]
pub struct Lacking {
    /// The kind of act.
    pub kind: Kind,
    /// The field of the act.
    pub field: &'static str,
}

const READS: &[Access] = &[Access::Read];
const WRITES: &[Access] = &[Access::Write];

/// Everything that a scope says something about in one act; the strongest answer is the act's. Empty for kinds that
/// no scope names (`process.exit`, `dns.answer` and the like). `above` has the real paths of the programs above the
/// process in its session.
///
/// An exec reads its program as well; a rename and a link are about both of their names.
///
/// # Errors
/// [`Lacking`] where the record does not say enough.
pub fn facts<'a>(
    act: &'a ActRecord,
    process: &'a ProcessRef,
    above: &'a [String],
) -> Result<Vec<ActFacts<'a>>, Lacking> {
    let of = |path: &'a str, access: &'a [Access]| {
        ActFacts::File(FileFacts {
            path,
            guarded_as: act.guarded_as.as_deref(),
            access,
            exe: process.exe.as_deref().unwrap_or_default(),
            lineage: above,
        })
    };
    let named = || {
        act.path.as_deref().ok_or(Lacking {
            kind: act.kind,
            field: "path",
        })
    };
    Ok(match act.kind {
        Kind::ProcessExec => {
            let path = act.path.as_deref().or(process.exe.as_deref());
            let path = path.ok_or(Lacking {
                kind: act.kind,
                field: "path",
            })?;
            vec![ActFacts::Exec(program(path, &process.argv)), of(path, READS)]
        }
        Kind::FileOpen | Kind::FileMap | Kind::FileReceive => {
            vec![of(named()?, &act.access)]
        }
        Kind::FileCreate
        | Kind::FileRename
        | Kind::FileLink
        | Kind::FileUnlink
        | Kind::FileTruncate
        | Kind::FileAttributes => {
            let access = if act.access.is_empty() {
                WRITES
            } else {
                act.access.as_slice()
            };
            let mut found = vec![of(named()?, access)];
            found.extend(act.to.as_deref().map(|to| of(to, access)));
            found
        }
        Kind::NetConnect | Kind::NetSend => vec![ActFacts::Connect(ConnectFacts {
            addr: act.address.ok_or(Lacking {
                kind: act.kind,
                field: "address",
            })?,
            port: act.port.ok_or(Lacking {
                kind: act.kind,
                field: "port",
            })?,
            proto: act.protocol.as_deref().and_then(protocol),
            names: act.name.as_slice(),
            borrowed: act.borrowed.is_some(),
        })],
        Kind::SocketCreate => vec![ActFacts::Socket(socket(act)?)],
        Kind::UnixConnect | Kind::UnixSend => vec![ActFacts::Unix { path: named()? }],
        Kind::ProcessTrace => vec![ActFacts::Trace],
        Kind::ProcessSignal => vec![ActFacts::Signal],
        Kind::ProcessRequested => vec![ActFacts::RequestedStart],
        // A namespace of one's own only shows things under other names.
        Kind::NamespaceChange if matches!(act.call.as_deref(), Some("unshare" | "clone")) => {
            vec![ActFacts::Mount]
        }
        Kind::NamespaceChange | Kind::CgroupMove => vec![ActFacts::Leave],
        Kind::FileMount => vec![ActFacts::Mount],
        Kind::ProcessExit
        | Kind::ProcessIdentity
        | Kind::NetListen
        | Kind::NetAccept
        | Kind::DnsQuery
        | Kind::DnsAnswer
        | Kind::MonitorTamper
        | Kind::SessionOwner
        | Kind::SessionFreeze
        | Kind::SessionThaw
        | Kind::SessionKill
        | Kind::GrantGive
        | Kind::GrantExpire
        | Kind::GrantRevoke => Vec::new(),
    })
}

/// A program by its path as the kernel shows it: `/memfd:NAME (deleted)` where it runs from memory.
fn program<'a>(path: &'a str, argv: &'a [String]) -> ExecFacts<'a> {
    let gone = path.strip_suffix(" (deleted)");
    let memfd = path
        .strip_prefix("/memfd:")
        .or_else(|| path.strip_prefix("memfd:"));
    ExecFacts {
        path,
        memfd: memfd.map(|name| name.strip_suffix(" (deleted)").unwrap_or(name)),
        deleted: gone.is_some(),
        argv,
    }
}

/// MPTCP is TCP to whoever writes a scope.
fn protocol(word: &str) -> Option<Proto> {
    match word {
        "tcp" | "mptcp" | "6" | "262" => Some(Proto::Tcp),
        "udp" | "17" => Some(Proto::Udp),
        _ => None,
    }
}

/// Records name family and protocol; the kind follows from them. One that is neither TCP nor UDP reaches others
/// without connecting, of whichever kind it is.
fn socket(act: &ActRecord) -> Result<SocketFacts, Lacking> {
    const STREAM: u32 = 1;
    const DGRAM: u32 = 2;
    const RAW: u32 = 3;
    let word = act.family.as_deref().ok_or(Lacking {
        kind: act.kind,
        field: "family",
    })?;
    let (kind, number) = match act.protocol.as_deref() {
        Some("tcp") => (STREAM, 6),
        Some("mptcp") => (STREAM, 262),
        Some("udp") => (DGRAM, 17),
        other => (RAW, other.and_then(|number| number.parse().ok()).unwrap_or(0)),
    };
    Ok(SocketFacts {
        family: family(word),
        kind,
        protocol: number,
    })
}

/// `AF_…` by its name or number (`include/linux/socket.h`); what is unknown is as good as foreign.
fn family(word: &str) -> u32 {
    let lower = word.to_ascii_lowercase();
    match lower.strip_prefix("af_").unwrap_or(&lower) {
        "unix" | "local" => 1,
        "inet" => 2,
        "inet6" => 10,
        "netlink" => 16,
        "packet" => 17,
        "alg" => 38,
        "vsock" => 40,
        number => number.parse().unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> ProcessRef {
        ProcessRef {
            exe: Some("/usr/bin/cat".into()),
            argv: vec!["cat".into(), "x".into()],
            ..ProcessRef::default()
        }
    }

    #[test]
    fn an_exec_also_reads_its_program() {
        let mut act = ActRecord::new(Kind::ProcessExec);
        act.path = Some("/memfd:payload (deleted)".into());
        let process = process();
        let found = facts(&act, &process, &[]).unwrap();
        let ActFacts::Exec(exec) = found[0] else {
            panic!("{found:?}")
        };
        assert_eq!((exec.memfd, exec.deleted), (Some("payload"), true));
        assert!(matches!(found[1], ActFacts::File(file) if file.access == READS));
    }

    #[test]
    fn a_rename_is_about_both_names() {
        let mut act = ActRecord::new(Kind::FileRename);
        (act.path, act.to) = (Some("/a".into()), Some("/b".into()));
        let process = process();
        let found = facts(&act, &process, &[]).unwrap();
        let paths: Vec<_> = found
            .iter()
            .map(|one| match one {
                ActFacts::File(file) => (file.path, file.access),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(paths, [("/a", WRITES), ("/b", WRITES)]);
    }

    #[test]
    fn what_a_record_does_not_say_is_named() {
        let process = process();
        for (kind, field) in [
            (Kind::FileOpen, "path"),
            (Kind::NetConnect, "address"),
            (Kind::UnixConnect, "path"),
            (Kind::SocketCreate, "family"),
        ] {
            let act = ActRecord::new(kind);
            assert_eq!(facts(&act, &process, &[]), Err(Lacking { kind, field }));
        }
    }

    #[test]
    fn sockets_are_known_by_family_and_protocol() {
        let of = |family: &str, protocol: Option<&str>| {
            let mut act = ActRecord::new(Kind::SocketCreate);
            (act.family, act.protocol) = (Some(family.into()), protocol.map(str::to_owned));
            socket(&act).unwrap().is_judged_at_connect()
        };
        assert!(of("inet", Some("tcp")));
        assert!(of("AF_INET6", Some("udp")));
        assert!(of("unix", None));
        assert!(!of("inet", Some("raw")));
        assert!(!of("inet", Some("icmp")));
        assert!(!of("packet", None));
        assert!(!of("17", None));
        assert!(!of("no such family", None));
    }

    #[test]
    fn every_kind_has_an_answer() {
        let process = process();
        for kind in Kind::ALL {
            let act = ActRecord {
                path: Some("/a".into()),
                address: Some("203.0.113.7".parse().unwrap()),
                port: Some(443),
                family: Some("inet".into()),
                ..ActRecord::new(kind)
            };
            assert!(facts(&act, &process, &[]).is_ok(), "{}", kind.word());
        }
    }
}
