//! Packets that the attacker writes itself: raw, packet and ping sockets.

use std::io;
use std::mem::zeroed;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::libc;

use super::target::{NetworkTarget, connect, send, send_to, socket};

/// The source address that packets claim: one set aside for documentation, since loopback takes in no packet from
/// outside that claims to come from an address of its own.
const SOURCE: [u8; 4] = [192, 0, 2, 1];

fn v4(address: SocketAddr) -> io::Result<Ipv4Addr> {
    match address.ip() {
        IpAddr::V4(ip) => Ok(ip),
        IpAddr::V6(_) => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The Internet checksum of `bytes` (an even number of them).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// An IPv4 packet with a UDP datagram (no UDP checksum, which IPv4 permits) for the target.
fn udp_packet(target: &NetworkTarget) -> io::Result<Vec<u8>> {
    let to = v4(target.to)?.octets();
    let udp_length = u16::try_from(8 + target.payload.len()).map_err(io::Error::other)?;
    let mut packet = vec![0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(SOURCE);
    packet.extend(to);
    let sum = checksum(&packet).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    packet.extend(40000_u16.to_be_bytes());
    packet.extend(target.to.port().to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(&target.payload);
    Ok(packet)
}

/// A UDP datagram written by hand, through a raw socket.
///
/// # Errors
/// Those of the calls; `EPERM` without `CAP_NET_RAW`.
pub fn raw(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW)?;
    send_to(&socket, &udp_packet(target)?, target.to, 0)
}

/// A UDP datagram written by hand, through a packet socket on the loopback interface.
///
/// # Errors
/// Those of the calls; `EPERM` without `CAP_NET_RAW`.
pub fn packet(target: &NetworkTarget) -> io::Result<()> {
    let protocol = u16::try_from(libc::ETH_P_IP).map_err(io::Error::other)?.to_be();
    let socket = socket(libc::AF_PACKET, libc::SOCK_DGRAM, i32::from(protocol))?;
    // SAFETY: an address of zeros is a valid value of this plain struct.
    let mut link: libc::sockaddr_ll = unsafe { zeroed() };
    link.sll_family = u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
    link.sll_protocol = protocol;
    link.sll_ifindex = i32::try_from(nix::net::if_::if_nametoindex("lo")?).map_err(io::Error::other)?;
    link.sll_halen = 6;
    let packet = udp_packet(target)?;
    let length = u32::try_from(size_of_val(&link)).map_err(io::Error::other)?;
    // SAFETY: packet and address are live and of the lengths given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            packet.as_ptr().cast(),
            packet.len(),
            0,
            (&raw const link).cast(),
            length,
        )
    };
    if sent < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// An ICMP echo request that carries the payload, through a ping socket.
///
/// # Errors
/// Those of the calls; `EACCES` outside `net.ipv4.ping_group_range`.
pub fn ping(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP)?;
    let mut echo = vec![8, 0, 0, 0, 0, 0, 0, 1];
    echo.extend(&target.payload);
    connect(&socket, SocketAddr::new(target.to.ip(), 0))?;
    send(&socket, &echo)
}
