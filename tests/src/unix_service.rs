//! A service on unix sockets that counts what reaches it: a stream and a datagram socket, each by path and by abstract
//! name.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Payloads by their first 8 bytes: how many times each whole payload came.
pub type Deliveries = BTreeMap<Vec<u8>, usize>;

/// The addresses of a service that lives in `directory`.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The stream socket's path.
    pub stream: PathBuf,
    /// The datagram socket's path.
    pub datagram: PathBuf,
    /// The stream socket's abstract name.
    pub abstract_stream: String,
    /// The datagram socket's abstract name.
    pub abstract_datagram: String,
}

impl Addresses {
    /// Those of the service in `directory`.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let name = |what: &str| format!("{}/{what}", directory.display());
        Self {
            stream: directory.join("stream.sock"),
            datagram: directory.join("datagram.sock"),
            abstract_stream: name("stream"),
            abstract_datagram: name("datagram"),
        }
    }

    /// As a scope names them.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        vec![
            self.stream.display().to_string(),
            self.datagram.display().to_string(),
            format!("@{}", self.abstract_stream),
            format!("@{}*", self.abstract_datagram),
        ]
    }
}

/// A running service; stopped when the value is dropped.
pub struct Service {
    /// Where it is.
    pub addresses: Addresses,
    deliveries: Arc<Mutex<Deliveries>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Service {
    /// Starts one in `directory`, which is made where it is missing.
    ///
    /// # Errors
    /// Those of binding sockets.
    pub fn start(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let addresses = Addresses::of(directory);
        let deliveries = Arc::new(Mutex::new(Deliveries::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let named = |name: &str| SocketAddr::from_abstract_name(name);
        let mut threads = Vec::new();
        for listener in [
            UnixListener::bind(&addresses.stream)?,
            UnixListener::bind_addr(&named(&addresses.abstract_stream)?)?,
        ] {
            let (deliveries, stop) = (Arc::clone(&deliveries), Arc::clone(&stop));
            threads.push(std::thread::spawn(move || streams(&listener, &deliveries, &stop)));
        }
        for socket in [
            UnixDatagram::bind(&addresses.datagram)?,
            UnixDatagram::bind_addr(&named(&addresses.abstract_datagram)?)?,
        ] {
            let (deliveries, stop) = (Arc::clone(&deliveries), Arc::clone(&stop));
            threads.push(std::thread::spawn(move || datagrams(&socket, &deliveries, &stop)));
        }
        Ok(Self {
            addresses,
            deliveries,
            stop,
            threads,
        })
    }

    /// How many different payloads under `tag` have come, once nothing has for 100 ms.
    #[must_use]
    pub fn delivered(&self, tag: &str) -> usize {
        let count = || {
            let all = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
            (
                all.values().sum::<usize>(),
                all.keys()
                    .filter(|payload| payload.starts_with(tag.as_bytes()))
                    .count(),
            )
        };
        let (mut last, mut changed) = (count(), Instant::now());
        while changed.elapsed() < Duration::from_millis(100) {
            std::thread::sleep(Duration::from_millis(10));
            let now = count();
            if now != last {
                (last, changed) = (now, Instant::now());
            }
        }
        last.1
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// Whether something has come on `socket` within 20 ms.
fn ready(socket: &impl std::os::fd::AsFd) -> bool {
    let mut wanted = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    poll(&mut wanted, PollTimeout::from(20u8)).is_ok_and(|ready| ready > 0)
}

fn took(deliveries: &Mutex<Deliveries>, payload: &[u8]) {
    if !payload.is_empty() {
        let mut all = deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(payload.to_vec()).or_default() += 1;
    }
}

fn streams(listener: &UnixListener, deliveries: &Mutex<Deliveries>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        if !ready(listener) {
            continue;
        }
        let Ok((mut stream, _)) = listener.accept() else {
            continue;
        };
        // Its descriptor closes with it; a client that says nothing is left after a second.
        debug_assert!(stream.as_raw_fd() >= 0);
        drop(stream.set_read_timeout(Some(Duration::from_secs(1))));
        let mut payload = Vec::new();
        drop(stream.read_to_end(&mut payload));
        took(deliveries, &payload);
    }
}

fn datagrams(socket: &UnixDatagram, deliveries: &Mutex<Deliveries>, stop: &AtomicBool) {
    let mut buffer = [0; 256];
    while !stop.load(Ordering::SeqCst) {
        if ready(socket)
            && let Ok(length) = socket.recv(&mut buffer)
        {
            took(deliveries, &buffer[..length]);
        }
    }
}
