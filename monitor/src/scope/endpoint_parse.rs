//! From the text of a scope file to an [`Endpoint`].

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;

use super::{
    endpoint::{Endpoint, Host, NamedSet, Proto, canonical_net},
    endpoint_error::EndpointError,
    ports::Ports,
};

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads `HOST[:PORTS][/tcp|/udp]`, where HOST is an address, a network, `[v6]/len`, a name, `*.name` or `@set`.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        if text.contains("://") {
            return Err(EndpointError::Url(text.into()));
        }
        let (rest, proto) = split_proto(text)?;
        let (host, ports) = split_ports(rest)?;
        let ports = ports.map_or(Ok(Ports::ANY), str::parse)?;
        Ok(Self {
            host: host_of(host)?,
            ports,
            proto,
        })
    }
}

/// Takes `/tcp` or `/udp` off the end.
fn split_proto(text: &str) -> Result<(&str, Option<Proto>), EndpointError> {
    let Some((rest, last)) = text.rsplit_once('/') else {
        return Ok((text, None));
    };
    match last {
        "tcp" => Ok((rest, Some(Proto::Tcp))),
        "udp" => Ok((rest, Some(Proto::Udp))),
        // A prefix length: `10.0.0.0/8`, `10.0.0.0/8:443`, `[::]/0:443`.
        _ if last.starts_with(|c: char| c.is_ascii_digit()) => Ok((text, None)),
        _ if [
            "icmp", "sctp", "http", "https", "quic", "ssh", "dns", "tls", "TCP", "UDP",
        ]
        .contains(&last) =>
        {
            Err(EndpointError::Protocol(last.into()))
        }
        _ => Err(EndpointError::Slash(text.into(), last.into())),
    }
}

/// Splits the host from the ports.
fn split_ports(text: &str) -> Result<(&str, Option<&str>), EndpointError> {
    if text.starts_with('[') {
        let end = text
            .find(']')
            .ok_or_else(|| EndpointError::Brackets(text.into()))?;
        let after = &text[end + 1..];
        return match after.split_once(':') {
            Some((length, ports)) => Ok((&text[..end + 1 + length.len()], Some(ports))),
            None => Ok((text, None)),
        };
    }
    match text.matches(':').count() {
        0 => Ok((text, None)),
        1 => Ok(text
            .split_once(':')
            .map_or((text, None), |(host, ports)| (host, Some(ports)))),
        // More than one colon without brackets is a v6 address, which then cannot have a port.
        _ => Ok((text, None)),
    }
}

fn host_of(text: &str) -> Result<Host, EndpointError> {
    if text.starts_with('@') {
        return NamedSet::from_word(text)
            .map(Host::Set)
            .ok_or_else(|| EndpointError::UnknownSet {
                given: text.into(),
                nearest: nearest_set(text),
            });
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    if let Some(inside) = address.strip_prefix('[') {
        let inside = inside
            .strip_suffix(']')
            .ok_or_else(|| EndpointError::Brackets(text.into()))?;
        let v6 = Ipv6Addr::from_str(inside).map_err(|_| EndpointError::Ipv6(inside.into()))?;
        return network(text, IpAddr::V6(v6), length);
    }
    if address.contains(':') {
        let v6 = Ipv6Addr::from_str(address).map_err(|_| {
            let bracketless = address
                .rsplit_once(':')
                .is_some_and(|(host, _)| Ipv6Addr::from_str(host).is_ok());
            if bracketless {
                EndpointError::Brackets(text.into())
            } else {
                EndpointError::Ipv6(address.into())
            }
        })?;
        return network(text, IpAddr::V6(v6), length);
    }
    if !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let v4 = Ipv4Addr::from_str(address).map_err(|_| EndpointError::Ipv4(address.into()))?;
        return network(text, IpAddr::V4(v4), length);
    }
    match length {
        Some(length) => Err(EndpointError::Slash(text.into(), length.into())),
        None => name(text),
    }
}

fn network(text: &str, address: IpAddr, length: Option<&str>) -> Result<Host, EndpointError> {
    let max: u8 = if address.is_ipv4() { 32 } else { 128 };
    let wrong = |given: &str| EndpointError::PrefixLength {
        text: text.into(),
        given: given.into(),
        max,
    };
    let prefix = match length {
        None => max,
        Some(given) if given.contains(':') => return Err(EndpointError::Brackets(text.into())),
        Some(given) => given
            .parse::<u8>()
            .ok()
            .filter(|p| *p <= max)
            .ok_or_else(|| wrong(given))?,
    };
    let net = IpNet::new(address, prefix).map_err(|_| wrong(length.unwrap_or_default()))?;
    if net.trunc() != net {
        return Err(EndpointError::HostBits {
            text: text.into(),
            network: net.trunc().to_string(),
        });
    }
    Ok(Host::Net(canonical_net(net)))
}

fn name(text: &str) -> Result<Host, EndpointError> {
    if text == "*" {
        return Err(EndpointError::Star);
    }
    let lower = text.trim_end_matches('.').to_ascii_lowercase();
    let (wild, bare) = match lower.strip_prefix("*.") {
        Some(bare) => (true, bare),
        None => (false, lower.as_str()),
    };
    if bare.contains('*') {
        return Err(EndpointError::Wildcard(text.into()));
    }
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if bare.len() > 253 || !bare.split('.').all(label_ok) {
        return Err(EndpointError::Name(text.into()));
    }
    Ok(if wild {
        Host::Below(bare.into())
    } else {
        Host::Name(bare.into())
    })
}

fn nearest_set(given: &str) -> Option<&'static str> {
    let words = NamedSet::ALL.map(NamedSet::word);
    super::suggest::nearest(given, &words)
}
