//! Datagrams: connected, by `sendto`, `sendmsg`, `sendmmsg`, v4-mapped, from a socket connected elsewhere.

use std::io::{self, IoSlice};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendmsg};

use super::target::{NetworkTarget, connect, family, mapped, send, send_to, socket};

/// `connect`, then `send`.
///
/// # Errors
/// Those of the calls.
pub fn connected(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_DGRAM, 0)?;
    connect(&socket, target.to)?;
    send(&socket, &target.payload)
}

/// `sendto` on a socket that was never connected.
///
/// # Errors
/// Those of the calls.
pub fn sendto(target: &NetworkTarget) -> io::Result<()> {
    let any = if target.to.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    UdpSocket::bind(any)?
        .send_to(&target.payload, target.to)
        .map(drop)
}

/// `sendto` to an IPv4 address from an IPv6 socket.
///
/// # Errors
/// Those of the calls.
pub fn v4_mapped(target: &NetworkTarget) -> io::Result<()> {
    send_to(
        &socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)?,
        &target.payload,
        mapped(target.to),
        0,
    )
}

/// `sendmsg` with the address in the message.
///
/// # Errors
/// Those of the calls.
pub fn by_sendmsg(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_DGRAM, 0)?;
    let to = SockaddrStorage::from(target.to);
    sendmsg(
        socket.as_raw_fd(),
        &[IoSlice::new(&target.payload)],
        &[],
        MsgFlags::empty(),
        Some(&to),
    )?;
    Ok(())
}

/// `sendmmsg` of two messages, the first to the allowed endpoint.
///
/// # Errors
/// Those of the calls; `EACCES` where only the first went out.
pub fn by_sendmmsg(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_DGRAM, 0)?;
    let mut headers = MultiHeaders::preallocate(2, None);
    let cover = *b"cover---00000000";
    let parts = [[IoSlice::new(&cover)], [IoSlice::new(&target.payload)]];
    let to = [
        Some(SockaddrStorage::from(target.allowed)),
        Some(SockaddrStorage::from(target.to)),
    ];
    let sent = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &parts,
        to,
        [],
        MsgFlags::empty(),
    )?
    .count();
    if sent == 2 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EACCES))
    }
}

/// `sendmsg` with `IP_PKTINFO` that chooses the source address.
///
/// # Errors
/// Those of the calls.
pub fn packet_info(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let info = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr {
            s_addr: u32::from_ne_bytes([127, 0, 0, 1]),
        },
        ipi_addr: libc::in_addr { s_addr: 0 },
    };
    let control = [ControlMessage::Ipv4PacketInfo(&info)];
    let to = SockaddrStorage::from(target.to);
    sendmsg(
        socket.as_raw_fd(),
        &[IoSlice::new(&target.payload)],
        &control,
        MsgFlags::empty(),
        Some(&to),
    )?;
    Ok(())
}

/// `connect` to the allowed endpoint, then `sendto` another.
///
/// # Errors
/// Those of the calls.
pub fn connected_elsewhere(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_DGRAM, 0)?;
    connect(&socket, target.allowed)?;
    send_to(&socket, &target.payload, target.to, 0)
}

/// UDP-Lite, whose protocol number is not UDP's.
///
/// # Errors
/// Those of the calls; `EPROTONOSUPPORT` on kernels without it.
pub fn lite(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE)?;
    connect(&socket, target.to)?;
    send(&socket, &target.payload)
}
