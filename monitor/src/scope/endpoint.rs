//! Endpoints: whom an agent may reach, on which ports, by which protocol.

use std::{cmp::Reverse, fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};

use super::ports::Ports;

/// TCP or UDP. MPTCP and Fast Open count as TCP, UDP-Lite as UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proto {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Proto {
    /// `tcp` or `udp`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The named sets of addresses; what each holds is in `sets/endpoints.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedSet {
    /// Every address.
    Any,
    /// This host.
    Loopback,
    /// Private networks.
    Private,
    /// Addresses of one link.
    LinkLocal,
    /// Where clouds hand out credentials.
    Metadata,
    /// The package registries that this host's own package managers are set up for; filled by the daemon.
    PackageRegistries,
}

impl NamedSet {
    /// Every set.
    pub const ALL: [Self; 6] = [
        Self::Any,
        Self::Loopback,
        Self::Private,
        Self::LinkLocal,
        Self::Metadata,
        Self::PackageRegistries,
    ];

    /// The name with its `@`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "@any",
            Self::Loopback => "@loopback",
            Self::Private => "@private",
            Self::LinkLocal => "@link-local",
            Self::Metadata => "@metadata",
            Self::PackageRegistries => "@package-registries",
        }
    }

    /// The set called `word`, which starts with `@`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.word() == word)
    }
}

/// The host part of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A network or, with the full prefix length, one address. Never v4-mapped.
    Net(IpNet),
    /// One name, in lower case, without the dot at the end.
    Name(String),
    /// `*.name`: every name below this one (kept without `*.`), the name itself not included.
    Below(String),
    /// A set that is not expanded yet.
    Set(NamedSet),
}

/// One endpoint: a host, ports, and a protocol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Which addresses.
    pub host: Host,
    /// Which ports; [`Ports::ANY`] where none is written.
    pub ports: Ports,
    /// Which protocol; both where none is written.
    pub proto: Option<Proto>,
}

/// What decides between endpoints that fit the same act: the greater value wins. In order: the longer prefix
/// (v4 counted as v4-mapped, 0 to 128; a name stands for single addresses, 128), an address before a name before a
/// wildcard, fewer ports, a named protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Specificity {
    prefix: u8,
    kind: u8,
    ports: Reverse<u32>,
    proto: bool,
}

impl Endpoint {
    /// How specific the endpoint is.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        let (prefix, kind) = match &self.host {
            Host::Net(net) => (mapped_prefix(net), 3),
            Host::Name(_) => (128, 2),
            Host::Below(_) => (128, 1),
            Host::Set(_) => (0, 0),
        };
        Specificity {
            prefix,
            kind,
            ports: Reverse(self.ports.count()),
            proto: self.proto.is_some(),
        }
    }

    /// Does the endpoint stand for `addr` (canonical: see [`canonical`]), of which `names` are known to be names?
    /// A set that is not expanded stands for nothing.
    #[must_use]
    pub fn matches(&self, addr: IpAddr, port: u16, proto: Option<Proto>, names: &[String]) -> bool {
        let host = match &self.host {
            Host::Net(net) => net.contains(&addr),
            Host::Name(name) => names.iter().any(|known| known == name),
            Host::Below(name) => names.iter().any(|known| is_below(known, name)),
            Host::Set(_) => false,
        };
        host && self.ports.contains(port) && (self.proto.is_none() || self.proto == proto)
    }

    /// Does every act that fits `other` surely fit this too?
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (Host::Net(mine), Host::Net(theirs)) => mine.contains(theirs),
            (Host::Below(mine), Host::Name(theirs) | Host::Below(theirs)) if self.host != other.host => {
                is_below(theirs, mine)
            }
            (mine, theirs) => mine == theirs,
        };
        let ports = self.ports.is_any()
            || (!other.ports.is_any()
                && other.ports.ranges().iter().all(|range| {
                    self.ports
                        .ranges()
                        .iter()
                        .any(|mine| mine.first() <= range.first() && range.last() <= mine.last())
                }));
        host && ports && (self.proto.is_none() || self.proto == other.proto)
    }
}

/// Is `name` a name below `domain`?
#[must_use]
pub fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// A v4-mapped v6 address as the v4 address it stands for; every other as it is.
#[must_use]
pub fn canonical(addr: IpAddr) -> IpAddr {
    addr.to_canonical()
}

/// A v4-mapped v6 network (prefix of at least 96) as the v4 network it stands for; every other as it is.
#[must_use]
pub fn canonical_net(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.addr().to_ipv4_mapped().filter(|_| v6.prefix_len() >= 96);
    mapped
        .and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - 96).ok())
        .map_or(net, IpNet::V4)
}

fn mapped_prefix(net: &IpNet) -> u8 {
    match net {
        IpNet::V4(v4) => v4.prefix_len() + 96,
        IpNet::V6(v6) => v6.prefix_len(),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => write!(f, "{}", net.addr()),
            Self::Net(net) => write!(f, "{net}"),
            Self::Name(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Set(set) => f.write_str(set.word()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Net(IpNet::V6(net)) if !self.ports.is_any() => {
                write!(f, "[{}]", net.addr())?;
                if net.prefix_len() < 128 {
                    write!(f, "/{}", net.prefix_len())?;
                }
            }
            host => write!(f, "{host}")?,
        }
        if !self.ports.is_any() {
            write!(f, ":{}", self.ports)?;
        }
        self.proto.map_or(Ok(()), |proto| write!(f, "/{}", proto.word()))
    }
}
