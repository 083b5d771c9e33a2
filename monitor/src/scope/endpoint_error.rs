//! Why a text is not an endpoint, and what to write instead.

/// Why a text is not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing, or only white space.
    #[error("an empty endpoint")]
    Empty,
    /// `://` in it.
    #[error("`{0}` is a URL")]
    Url(String),
    /// A slash that is neither a prefix length nor a protocol.
    #[error("`{0}`: `/{1}` is neither a prefix length nor a protocol")]
    Slash(String, String),
    /// A prefix longer than the address.
    #[error("`{text}`: the prefix length {given} is larger than {max}")]
    PrefixLength {
        /// The endpoint.
        text: String,
        /// What was written.
        given: String,
        /// 32 or 128.
        max: u8,
    },
    /// Bits behind the prefix.
    #[error("`{text}` has bits set behind the prefix")]
    HostBits {
        /// The network as written.
        text: String,
        /// The network that was meant.
        network: String,
    },
    /// Looks like an IPv4 address and is none.
    #[error("`{0}` is not an IPv4 address")]
    Ipv4(String),
    /// Looks like an IPv6 address and is none.
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    /// An IPv6 address with a port but no brackets, or a bracket without its pair.
    #[error("`{0}`: the brackets of an IPv6 address are missing or do not pair")]
    Brackets(String),
    /// Not a number or a range.
    #[error("{}", not_a_port(.0))]
    Port(String),
    /// Port 0.
    #[error("port 0 cannot be reached")]
    PortZero,
    /// More than 65535.
    #[error("port {0} is larger than 65535")]
    PortTooLarge(String),
    /// A range that runs backwards.
    #[error("the port range {first}-{last} runs backwards")]
    PortOrder {
        /// What stands first.
        first: u16,
        /// What stands last.
        last: u16,
    },
    /// A protocol that is not `tcp` or `udp`.
    #[error("`{0}` is not a protocol that a scope can name")]
    Protocol(String),
    /// `@name` that is not a set.
    #[error("there is no endpoint set `{given}`")]
    UnknownSet {
        /// What was written.
        given: String,
        /// The nearest set's name.
        nearest: Option<&'static str>,
    },
    /// A `*` that is not the whole first label.
    #[error("`{0}`: `*` can only stand for everything before the first dot")]
    Wildcard(String),
    /// `*` alone.
    #[error("`*` is not an endpoint")]
    Star,
    /// Not a host name.
    #[error("`{0}` is not a host name")]
    Name(String),
}

impl EndpointError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty => "write `HOST`, `HOST:PORT`, `NETWORK/LENGTH:PORT/tcp` or `@set`".into(),
            Self::Url(text) => {
                let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let port = match scheme {
                    "https" | "wss" => ":443",
                    "http" | "ws" => ":80",
                    _ => "",
                };
                let port = if host.contains(':') { "" } else { port };
                format!("write `{host}{port}`; a scope names hosts and ports, not paths")
            }
            Self::Slash(..) => "write `/24` after an address, or `/tcp` or `/udp` at the end".into(),
            Self::PrefixLength { max, .. } => format!("use a prefix length from 0 to {max}"),
            Self::HostBits { network, text } => {
                let host = text.split('/').next().unwrap_or_default();
                format!("write `{network}` for the network, or `{host}` for the one address")
            }
            Self::Ipv4(_) => "write four numbers from 0 to 255, as `192.0.2.7`".into(),
            Self::Ipv6(_) | Self::Brackets(_) => "write `2001:db8::1`, or `[2001:db8::]/32:443` with a port".into(),
            Self::Port(_) => "write `443`, `22,443` or `8000-8999`".into(),
            Self::PortZero => "name a port from 1 to 65535, or leave the port out for every port".into(),
            Self::PortTooLarge(_) => "ports end at 65535".into(),
            Self::PortOrder { first, last } => format!("write `{last}-{first}`"),
            Self::Protocol(_) => "write `/tcp` or `/udp`, or leave it out for both".into(),
            Self::UnknownSet { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownSet { nearest: None, .. } => {
                "the sets are `@any`, `@loopback`, `@private`, `@link-local`, `@metadata` and `@package-registries`".into()
            }
            Self::Wildcard(text) => {
                let domain = text.rsplit('*').next().unwrap_or_default().trim_start_matches('.');
                format!("write `*.{domain}` for every name below that domain")
            }
            Self::Star => "write `@any` for every address, or set `default`".into(),
            Self::Name(_) => "write letters, digits, `-` and dots, as `api.example.org`".into(),
        }
    }
}

fn not_a_port(text: &str) -> String {
    if text.is_empty() {
        "a port is missing".into()
    } else {
        format!("`{text}` is not a port")
    }
}
