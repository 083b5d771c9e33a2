//! Local servers that remember every byte that reached them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// A small HTTP server on loopback. Its thread ends with the process.
pub struct Listener {
    address: SocketAddr,
    /// One entry for each connection: what came over it.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Those of binding a socket.
    pub fn start() -> io::Result<Self> {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = server.local_addr()?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&heard);
        thread::spawn(move || {
            for connection in server.incoming().flatten() {
                let memory = Arc::clone(&memory);
                thread::spawn(move || {
                    let mut words = Vec::new();
                    let read = read_request(&connection, &mut words);
                    // Remembered before it is answered, so that whoever has the answer finds it here.
                    let heard = String::from_utf8_lossy(&words).into_owned();
                    memory.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
                    if read.is_ok() {
                        // A client that went away after its request was heard all the same.
                        drop((&connection).write_all(ANSWER));
                    }
                });
            }
        });
        Ok(Self { address, heard })
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What came over each connection that has ended.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request into `words`, which keep what came whatever the end.
fn read_request(connection: &TcpStream, words: &mut Vec<u8>) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(connection);
    let mut body = 0;
    loop {
        let before = words.len();
        reader.read_until(b'\n', words)?;
        let line = String::from_utf8_lossy(&words[before..])
            .trim()
            .to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            body = length.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.take(body).read_to_end(words)?;
    Ok(())
}
