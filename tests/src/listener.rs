//! Servers that count what reaches them, by the tag that each payload bears.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::socket::{Backlog, SockaddrStorage, bind, listen};

use crate::attack::network::target::{PAYLOAD, family, set_option, socket};
use crate::attack::technique::Transport;
use crate::patience::{patience, patient};

/// A server reads at most this much of one connection.
const MOST: u64 = 64 * 1024;
/// How often a server looks whether to stop.
const BEAT: Duration = Duration::from_millis(50);

/// What has reached a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections accepted.
    pub connections: usize,
    /// All bytes.
    pub bytes: usize,
    /// Trials whose payload arrived, by tag.
    pub delivered: BTreeMap<String, BTreeSet<usize>>,
    /// Bytes that are no payload of any technique.
    pub foreign: usize,
}

impl Tally {
    /// How many trials delivered under `tag` (at most 8 characters; filled with `-`).
    #[must_use]
    pub fn delivered(&self, tag: &str) -> usize {
        self.delivered
            .get(&format!("{tag:-<8.8}"))
            .map_or(0, BTreeSet::len)
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        for part in bytes.chunks(PAYLOAD) {
            let text = std::str::from_utf8(part).unwrap_or_default();
            match text
                .split_at_checked(8)
                .map(|(tag, number)| (tag, number.parse()))
            {
                Some((tag, Ok(number))) => {
                    self.delivered.entry(tag.to_owned()).or_default().insert(number);
                }
                _ => self.foreign += part.len(),
            }
        }
    }
}

/// A running server; stopped when the value is dropped.
pub struct Listener {
    address: SocketAddr,
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts a server for `transport` at `at` (port 0: any).
    ///
    /// # Errors
    /// Those of making and binding a socket; `EPROTONOSUPPORT` where the kernel lacks the transport.
    pub fn start(transport: Transport, at: SocketAddr) -> io::Result<Self> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (kind, protocol) = match transport {
            Transport::Tcp => (libc::SOCK_STREAM, 0),
            Transport::Mptcp => (libc::SOCK_STREAM, libc::IPPROTO_MPTCP),
            Transport::Sctp => (libc::SOCK_STREAM, libc::IPPROTO_SCTP),
            Transport::Udp => (libc::SOCK_DGRAM, 0),
            Transport::UdpLite => (libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE),
            Transport::Icmp => (libc::SOCK_RAW, libc::IPPROTO_ICMP),
        };
        let socket = socket(family(&at), kind, protocol)?;
        bind(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            &SockaddrStorage::from(at),
        )?;
        let (address, thread) = match transport {
            Transport::Tcp | Transport::Mptcp | Transport::Sctp => {
                serve_stream(socket, transport, &tally, &stop)?
            }
            Transport::Udp | Transport::UdpLite | Transport::Icmp => {
                serve_datagrams(socket, transport, &tally, &stop)?
            }
        };
        Ok(Self {
            address,
            tally,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has reached it so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What has reached it when `enough` says so and nothing more has come for 100 ms, or after 10 s.
    #[must_use]
    pub fn settled(&self, enough: impl Fn(&Tally) -> bool) -> Tally {
        // What came late would have come by then: loopback delivers before the sender gets on.
        let quiet_for = Duration::from_millis(100) * patience().min(3);
        let (begun, mut last, mut changed) = (Instant::now(), self.tally(), Instant::now());
        loop {
            let quiet = changed.elapsed() > quiet_for;
            if quiet && enough(&last) || begun.elapsed() > patient(Duration::from_secs(10)) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(10));
            let now = self.tally();
            if now != last {
                (last, changed) = (now, Instant::now());
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            eprintln!("the server at {} panicked: {panic:?}", self.address);
        }
    }
}

type Serving = io::Result<(SocketAddr, JoinHandle<()>)>;

fn serve_stream(
    socket: OwnedFd,
    transport: Transport,
    tally: &Arc<Mutex<Tally>>,
    stop: &Arc<AtomicBool>,
) -> Serving {
    if transport != Transport::Sctp {
        set_option(&socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, 1024)?;
    }
    listen(&socket, Backlog::new(4096).map_err(io::Error::from)?)?;
    let server = TcpListener::from(socket);
    let address = server.local_addr()?;
    server.set_nonblocking(true)?;
    let (tally, stop) = (Arc::clone(tally), Arc::clone(stop));
    let thread = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let Ok((connection, _)) = server.accept() else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            let mut bytes = Vec::new();
            let patient = connection
                .set_nonblocking(false)
                .and_then(|()| connection.set_read_timeout(Some(BEAT * 10)));
            // What came before an error counts too.
            let ended = patient.and_then(|()| connection.take(MOST).read_to_end(&mut bytes));
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.connections += 1;
            tally.take_in(&bytes);
            drop(ended);
        }
    });
    Ok((address, thread))
}

fn serve_datagrams(
    socket: OwnedFd,
    transport: Transport,
    tally: &Arc<Mutex<Tally>>,
    stop: &Arc<AtomicBool>,
) -> Serving {
    set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, 8 << 20)
        .or_else(|_| set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, 8 << 20))?;
    let server = UdpSocket::from(socket);
    let address = server.local_addr()?;
    server.set_read_timeout(Some(BEAT))?;
    let (tally, stop) = (Arc::clone(tally), Arc::clone(stop));
    let thread = std::thread::spawn(move || {
        let mut packet = vec![0; 2048];
        while !stop.load(Ordering::Relaxed) {
            let Ok(length) = server.recv(&mut packet) else {
                continue;
            };
            let bytes = packet.get(..length).unwrap_or_default();
            let payload = if transport == Transport::Icmp {
                echo_payload(bytes)
            } else {
                Some(bytes)
            };
            if let Some(payload) = payload {
                tally
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take_in(payload);
            }
        }
    });
    Ok((address, thread))
}

/// The payload of an ICMP echo request, from a raw socket's packet with its IPv4 header.
fn echo_payload(packet: &[u8]) -> Option<&[u8]> {
    let header = usize::from(packet.first()? & 15) * 4;
    let message = packet.get(header..)?;
    if *message.first()? == 8 {
        message.get(8..)
    } else {
        None
    }
}
