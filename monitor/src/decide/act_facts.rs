//! What a decision looks at: the facts of one act, borrowed from wherever they are.

use std::net::IpAddr;

use crate::scope::{endpoint::Proto, words::Access};

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActFacts<'a> {
    /// A file is opened, created, renamed, linked, removed or changed.
    File(FileFacts<'a>),
    /// A program is started.
    Exec(ExecFacts<'a>),
    /// A connection, or a datagram without one.
    Connect(ConnectFacts<'a>),
    /// A socket is made that can reach the network without connecting.
    Socket(SocketFacts),
    /// A unix socket is connected to, or sent to.
    Unix {
        /// Where it is bound: a path, or `@name` in the abstract name space.
        path: &'a str,
    },
    /// Another process outside the session is traced, or its memory read.
    Trace,
    /// A process outside the session is signalled.
    Signal,
    /// Another service is asked to start something.
    RequestedStart,
    /// A move to another cgroup, or into another's namespaces.
    Leave,
    /// A mount that gives things other names.
    Mount,
}

/// A file act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts<'a> {
    /// The object's absolute path, as the host sees it.
    pub path: &'a str,
    /// The pattern (as it displays, resolved) that guards this object whatever it is called: the one that decided for
    /// it under the name it was first known by. The act's own name can only add to it.
    pub guarded_as: Option<&'a str>,
    /// How it is used; creating, renaming, linking and removing are writing.
    pub access: &'a [Access],
    /// The program's real path.
    pub exe: &'a str,
    /// The real paths of the programs above it in the session, in any order.
    pub lineage: &'a [String],
}

/// An exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecFacts<'a> {
    /// The program's real path, as the kernel shows it.
    pub path: &'a str,
    /// The name given to `memfd_create`, where it runs from memory.
    pub memfd: Option<&'a str>,
    /// Is its file gone?
    pub deleted: bool,
    /// The arguments; empty where they are not known yet.
    pub argv: &'a [String],
}

/// A connect or a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectFacts<'a> {
    /// The remote address; v4-mapped ones count as v4.
    pub addr: IpAddr,
    /// The remote port.
    pub port: u16,
    /// The protocol; `None` for one that is neither, which no endpoint with a protocol fits.
    pub proto: Option<Proto>,
    /// The names that this address is known to stand for, in lower case.
    pub names: &'a [String],
    /// Was a person's credential read outside sanctioned use before?
    pub borrowed: bool,
}

/// A `socket` call, in the kernel's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    /// `AF_…`
    pub family: u32,
    /// `SOCK_…`, without its flags.
    pub kind: u32,
    /// `IPPROTO_…`, or what the family takes there.
    pub protocol: u32,
}

impl SocketFacts {
    /// Does every connection and datagram of such a socket pass the hooks that judge endpoints, or stay on this host?
    ///
    /// TCP, UDP and MPTCP do. Raw, packet, vsock, ping, SCTP, DCCP, UDP-Lite and SMC sockets reach others without.
    #[must_use]
    pub const fn is_judged_at_connect(self) -> bool {
        const UNIX: u32 = 1;
        const INET: u32 = 2;
        const INET6: u32 = 10;
        const NETLINK: u32 = 16;
        const ALG: u32 = 38;
        const STREAM: u32 = 1;
        const DGRAM: u32 = 2;
        const TCP: u32 = 6;
        const UDP: u32 = 17;
        const MPTCP: u32 = 262;
        match (self.family, self.kind) {
            (UNIX | NETLINK | ALG, _) => true,
            (INET | INET6, STREAM) => matches!(self.protocol, 0 | TCP | MPTCP),
            (INET | INET6, DGRAM) => matches!(self.protocol, 0 | UDP),
            _ => false,
        }
    }
}
