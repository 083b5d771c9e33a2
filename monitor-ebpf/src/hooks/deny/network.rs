//! Sockets, before they reach anything. The cgroup hooks are asked next, and tell of what goes on.

use scopeward_abi::{
    event::{Net, flag, hook, kind, when},
    policy::response,
};

use super::actor::{Arguments, held};
use crate::{
    hooks::{connect, socket, unix},
    kernel::{
        offsets::{Address, of, read},
        socket as sockets,
    },
    maps::OWN_SOCKETS,
    respond::Power,
    session::{self, Actor, ids},
};

const UNSPEC: u16 = 0;
const INET: u16 = 2;
const INET6: u16 = 10;

/// `int security_socket_connect(struct socket *sock, struct sockaddr *address, int addrlen)`; the address is the
/// kernel's own copy. Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_socket_connect")]
extern "C" fn deny_connect(arguments: Arguments) -> i32 {
    held(hook::CONNECT, |actor| {
        // SAFETY: the three arguments.
        let (sock, address, len) = unsafe { (*arguments, *arguments.add(1), *arguments.add(2)) };
        let family = read::<u16>(address, 0).unwrap_or(UNSPEC);
        if family == UNSPEC {
            // Parts from the peer.
            return response::ALLOW;
        }
        reach(actor, sock, (address, len as u32, family), kind::CONNECT)
    })
}

/// `int security_socket_sendmsg(struct socket *sock, struct msghdr *msg, int size)`: sends that name an address, with
/// TCP Fast Open too, and all on connections that the session did not make. Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_socket_sendmsg")]
extern "C" fn deny_send(arguments: Arguments) -> i32 {
    held(hook::SEND, |actor| {
        // SAFETY: the first two arguments.
        let (sock, message) = unsafe { (*arguments, *arguments.add(1)) };
        let (Ok(address), Ok(len)) = (
            read::<Address>(message, of::MSG_NAME()),
            read::<u32>(message, of::MSG_NAMELEN()),
        ) else {
            return response::ALLOW;
        };
        if address == 0 || len == 0 {
            return on_connection(actor, sock);
        }
        // UDP takes an address without a family for one of IPv4.
        let family = match read::<u16>(address, 0) {
            Ok(UNSPEC) => INET,
            Ok(family) => family,
            Err(_) => return response::ALLOW,
        };
        reach(actor, sock, (address, len, family), kind::SEND)
    })
}

/// `int security_socket_create(int family, int type, int protocol, int kern)`. Of what goes
/// on for IP sockets the cgroup hook tells. Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_socket_create")]
extern "C" fn deny_socket(arguments: Arguments) -> i32 {
    held(hook::SOCKET, |actor| {
        // SAFETY: the first and the last argument.
        let (family, kernel) = unsafe { (*arguments, *arguments.add(3)) };
        if kernel as u32 != 0 {
            return response::ALLOW;
        }
        // SAFETY: the other two.
        let (of_kind, protocol) = unsafe { (*arguments.add(1) as u16, *arguments.add(2) as u16) };
        socket::made(actor, family & 0xffff_ffff, (of_kind, protocol), Power::Deny)
    })
}

/// `int security_socket_post_create(struct socket *sock, int family, int type, int protocol, int kern)`: sockets that the
/// session made are decided when they connect.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_socket_post_create")]
extern "C" fn own_socket(arguments: Arguments) -> i32 {
    // SAFETY: the first two arguments, and the last.
    let (sock, family, kernel) = unsafe { (*arguments, *arguments.add(1) as u16, *arguments.add(4)) };
    if kernel as u32 == 0 && (family == INET || family == INET6) {
        own(sock);
    }
    0
}

/// `int security_socket_accept(struct socket *sock, struct socket *newsock)`: who connects to the session is its peer.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_socket_accept")]
extern "C" fn own_accepted(arguments: Arguments) -> i32 {
    // SAFETY: the second argument.
    own(unsafe { *arguments.add(1) });
    0
}

/// Notes that the running session has this `struct socket` from itself.
#[inline(always)]
fn own(sock: Address) {
    if let Some(member) = session::member(ids().0)
        && let Ok(number) = socket_number(sock)
    {
        // One that cannot be stored is decided by its peer.
        let _ = OWN_SOCKETS.insert(&number, &member.session, 0);
    }
}

/// The number of a `struct socket`'s inode.
#[inline(always)]
fn socket_number(sock: Address) -> Result<u64, i32> {
    read(sock, of::SOCKET_INODE() + of::INODE_INO())
}

/// Answers the use of an IP socket by what it is connected to, where another than the session made it.
#[inline(never)]
pub fn connected(actor: &mut Actor, sk: Address, kind: u8) -> u8 {
    let (Ok(family), Ok(port), Ok(sock)) = (
        read::<u16>(sk, of::SOCK_FAMILY()),
        read::<u16>(sk, of::SOCK_DPORT()),
        read::<Address>(sk, of::SOCK_SOCKET()),
    ) else {
        return response::ALLOW;
    };
    if (family != INET && family != INET6) || port == 0 {
        return response::ALLOW;
    }
    let is_own = socket_number(sock).is_ok_and(|number| {
        // SAFETY: a value that is written whole.
        unsafe { OWN_SOCKETS.get(&number) }.is_some_and(|session| *session == actor.member.session)
    });
    if is_own {
        return response::ALLOW;
    }
    let mut net = Net {
        family,
        port: u16::from_be(port),
        kind: read(sk, of::SOCK_TYPE()).unwrap_or(0),
        protocol: read(sk, of::SOCK_PROTOCOL()).unwrap_or(0),
        ..Net::default()
    };
    if family == INET {
        net.addr[10] = 0xff;
        net.addr[11] = 0xff;
        let ip = read::<[u8; 4]>(sk, of::SOCK_DADDR()).unwrap_or_default();
        net.addr[12..16].copy_from_slice(&ip);
    } else {
        net.addr = read(sk, of::SOCK_V6_DADDR()).unwrap_or_default();
    }
    actor.flags |= flag::RECEIVED;
    connect::reach(actor, &net, kind, Power::Deny)
}

/// Bytes on a connection that the session did not make.
#[inline(always)]
fn on_connection(actor: &mut Actor, sock: Address) -> u8 {
    let Ok(sk) = read::<Address>(sock, of::SOCKET_SK()) else {
        return response::ALLOW;
    };
    if sockets::family(sk) != Ok(sockets::AF_UNIX) {
        return connected(actor, sk, kind::SEND);
    }
    // Datagrams are asked about by themselves.
    if sockets::kind(sk) == Ok(sockets::DGRAM) {
        return response::ALLOW;
    }
    match sockets::peer(sk) {
        Ok(peer) if peer != 0 && !unix::connected_inside(actor, peer) => {
            actor.hook = hook::UNIX;
            unix::judge(actor, peer, kind::UNIX_SEND, when::BEFORE_ACT)
        }
        _ => response::ALLOW,
    }
}

/// An address of `len` bytes in kernel memory.
#[inline(always)]
fn reach(actor: &mut Actor, sock: Address, (address, len, family): (Address, u32, u16), kind: u8) -> u8 {
    /// The smallest `sockaddr_in` and `sockaddr_in6` that the kernel takes.
    const SHORTEST: (u32, u32) = (16, 24);
    let mut net = Net {
        family,
        ..Net::default()
    };
    if family == INET && len >= SHORTEST.0 {
        net.addr[10] = 0xff;
        net.addr[11] = 0xff;
        let Ok(ip) = read::<[u8; 4]>(address, 4) else {
            return response::ALLOW;
        };
        net.addr[12..16].copy_from_slice(&ip);
    } else if family == INET6 && len >= SHORTEST.1 {
        let Ok(ip) = read::<[u8; 16]>(address, 8) else {
            return response::ALLOW;
        };
        net.addr = ip;
    } else {
        return response::ALLOW;
    }
    net.port = read::<u16>(address, 2).map_or(0, u16::from_be);
    if let Ok(sk) = read::<Address>(sock, of::SOCKET_SK()) {
        net.kind = read(sk, of::SOCK_TYPE()).unwrap_or(0);
        net.protocol = read(sk, of::SOCK_PROTOCOL()).unwrap_or(0);
    }
    connect::reach(actor, &net, kind, Power::Deny)
}
