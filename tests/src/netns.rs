//! A network of the test's own: loopback with two addresses of each family, and nothing else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

use crate::attack::technique::Family;
use crate::process::wait_until;

/// The address that scopes of the tests allow.
#[must_use]
pub const fn allowed(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(10, 99, 0, 1)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 1)),
    }
}

/// The address that they do not allow.
#[must_use]
pub const fn forbidden(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(10, 99, 0, 2)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 2)),
    }
}

/// Settings of the new network: Fast Open without a first exchange of cookies, ping sockets for everybody.
const SETTINGS: &[(&str, &str)] = &[
    ("ipv4/tcp_fastopen", "1543"),
    ("ipv4/ping_group_range", "0 2147483647"),
    ("ipv4/tcp_fastopen_blackhole_timeout_sec", "0"),
];

/// Runs `body` in a thread whose network, like that of every process it starts, is new.
///
/// # Errors
/// Those of making the network: not root, no `ip`.
///
/// # Panics
/// Where `body` does.
pub fn in_new_network<T: Send>(body: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            prepare()?;
            Ok(body())
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn prepare() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    ip(&["link", "set", "lo", "up"])?;
    for family in [Family::V4, Family::V6] {
        for address in [allowed(family), forbidden(family)] {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            let place = format!("{address}/{prefix}");
            // Without `nodad` an IPv6 address cannot be bound for the first second.
            let options: &[&str] = if address.is_ipv6() { &["nodad"] } else { &[] };
            ip(&[&["addr", "add", &place, "dev", "lo"], options].concat())?;
        }
    }
    // The kernel makes the routes a moment after the addresses.
    let reachable = |address: IpAddr| {
        let server = TcpListener::bind((address, 0)).and_then(|server| server.local_addr());
        // The port is free again by now: to be refused there is to have reached it.
        let reached = server.and_then(TcpStream::connect);
        reached
            .err()
            .is_none_or(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    let addresses = [
        forbidden(Family::V4),
        allowed(Family::V4),
        forbidden(Family::V6),
        allowed(Family::V6),
    ];
    let mut in_a_row = 0;
    let settled = wait_until(Duration::from_secs(5), || {
        in_a_row = if addresses.into_iter().all(reachable) {
            in_a_row + 1
        } else {
            0
        };
        in_a_row == 10
    });
    if !settled {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the new network has no routes",
        ));
    }
    for (name, value) in SETTINGS {
        let path = format!("/proc/sys/net/{name}");
        std::fs::write(&path, value).map_err(|error| io::Error::other(format!("{path}: {error}")))?;
    }
    Ok(())
}

fn ip(arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// A counter of this thread's network, such as `TcpExt` `TCPFastOpenPassive`; 0 where there is none of that name.
///
/// # Errors
/// Those of reading `/proc`.
pub fn counter(group: &str, name: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/net/netstat")?;
    let prefix = format!("{group}:");
    let mut lines = text.lines().filter(|line| line.starts_with(&prefix));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
        return Ok(0);
    };
    let at = names.split_whitespace().position(|word| word == name);
    Ok(at
        .and_then(|at| values.split_whitespace().nth(at))
        .and_then(|word| word.parse().ok())
        .unwrap_or(0))
}
