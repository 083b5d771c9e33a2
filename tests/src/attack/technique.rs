//! What a technique is: its name, what it goes for, what it gains.

use std::io;

use super::catalogue::TECHNIQUES;
use super::files::target::FileTarget;
use super::network::target::NetworkTarget;
use super::outsiders::target::OutsiderTarget;
use super::services::target::ServiceTarget;
use super::slot::Slot;

/// What is in the file that a technique goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A secret, to be read.
    Secret,
    /// A program that prints the secret when it is run.
    Program,
}

/// What a file technique gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gain {
    /// It obtains the content.
    Read,
    /// It destroys or changes the content, or the name.
    Destroy,
}

/// A technique on a file.
#[derive(Clone, Copy, Debug)]
pub struct FileTechnique {
    /// What the file holds.
    pub content: Content,
    /// What the technique gains.
    pub gain: Gain,
    /// Whether a successful attempt uses the file up, so that each attempt needs its own.
    pub consumes: bool,
    /// The attempt itself.
    pub attempt: fn(&FileTarget, Slot<'_>) -> io::Result<()>,
}

/// What listens at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP (a multipath listener takes it too).
    Tcp,
    /// Multipath TCP.
    Mptcp,
    /// UDP.
    Udp,
    /// UDP-Lite.
    UdpLite,
    /// ICMP echo requests.
    Icmp,
    /// SCTP.
    Sctp,
}

/// The address family of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A technique on an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct NetworkTechnique {
    /// What listens.
    pub transport: Transport,
    /// The endpoint's family.
    pub family: Family,
    /// Whether the technique makes a kind of socket that is itself outside a scope, whatever the endpoint.
    pub forbidden_socket: bool,
    /// The attempt itself.
    pub attempt: fn(&NetworkTarget) -> io::Result<()>,
}

/// A technique on a service behind a unix socket.
#[derive(Clone, Copy, Debug)]
pub struct ServiceTechnique {
    /// Whether the service has its bytes before the sender can be answered.
    pub delivered_first: bool,
    /// The attempt itself.
    pub attempt: fn(&ServiceTarget) -> io::Result<()>,
}

/// A technique on another process, or a way out of the session.
#[derive(Clone, Copy, Debug)]
pub struct OutsiderTechnique {
    /// The kind of event that answers it.
    pub kind: &'static str,
    /// Whether the act is done before it can be answered.
    pub done_first: bool,
    /// The attempt itself.
    pub attempt: fn(&OutsiderTarget) -> io::Result<()>,
    /// What resembles it and is nobody's business; `None` where that is the same on a process of the session.
    pub twin: Option<fn(&OutsiderTarget) -> io::Result<()>>,
}

/// Each sort of technique.
#[derive(Clone, Copy, Debug)]
pub enum Sort {
    /// Obtains or destroys a file.
    File(FileTechnique),
    /// Delivers bytes to an endpoint.
    Network(NetworkTechnique),
    /// Delivers bytes to a service on this host.
    Service(ServiceTechnique),
    /// Acts on another process, or leaves the session.
    Outsider(OutsiderTechnique),
}

/// A technique and its name.
#[derive(Clone, Copy, Debug)]
pub struct Technique {
    /// The word that names it.
    pub name: &'static str,
    /// What it does.
    pub sort: Sort,
}

impl Technique {
    /// The technique called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TECHNIQUES.iter().find(|technique| technique.name == name)
    }
}
