//! How messages get there.
//!
//! Syslog over TCP and TLS has no acknowledgement, and bytes that the kernel took for sent are lost when the receiver
//! dies. So a delivery here is a connection: all its messages, then the end of our side; the receiver's own end, which
//! comes once it has read to ours, is the acknowledgement. (A receiver that dies before that leaves bytes unread, and its
//! kernel resets the connection; with TLS our own end is such bytes.) Anything else, and all of the delivery is sent
//! again: events can arrive twice then, with the same id.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};
use tokio_rustls::TlsConnector;

use crate::export::destinations::syslog::message;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::{SyslogSettings, SyslogTransport};
use crate::export::tls;

/// A receiver.
pub struct SyslogDestination {
    settings: SyslogSettings,
    tls: Option<TlsConnector>,
}

impl SyslogDestination {
    /// A receiver of `settings`. Connects with each delivery.
    ///
    /// # Errors
    /// [`Trouble`]: certificates that cannot be used.
    pub fn open(settings: &SyslogSettings) -> Result<Self, Trouble> {
        let tls = match settings.transport {
            SyslogTransport::Tls => Some(TlsConnector::from(Arc::new(tls::client(&settings.tls)?))),
            _ => None,
        };
        Ok(Self {
            settings: settings.clone(),
            tls,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let count = items.len();
        let messages = items
            .iter()
            .map(|item| message::write(item, self.settings.facility));
        let done = match self.settings.transport {
            SyslogTransport::Udp | SyslogTransport::Unix => self.datagrams(messages.collect()).await,
            SyslogTransport::Tcp | SyslogTransport::Tls => {
                let mut frames = Vec::new();
                for message in messages {
                    frames.extend_from_slice(message.len().to_string().as_bytes());
                    frames.push(b' ');
                    frames.extend_from_slice(&message);
                }
                self.stream(&frames).await.map_err(|trouble| (0, trouble))
            }
        };
        match done {
            Ok(()) => Outcome::all(count),
            Err((taken, trouble)) => Outcome::some(taken, count, trouble),
        }
    }

    async fn stream(&self, frames: &[u8]) -> Result<(), Trouble> {
        let address = &self.settings.address;
        let fail = |what: &str, error: std::io::Error| Trouble::new(format!("{what} {address}: {error}"));
        let socket = TcpStream::connect(address)
            .await
            .map_err(|error| fail("cannot connect to", error))?;
        socket
            .set_nodelay(true)
            .map_err(|error| fail("cannot use", error))?;
        let Some(tls) = &self.tls else {
            return through(socket, frames)
                .await
                .map_err(|error| fail("the delivery was cut off by", error));
        };
        let host = address
            .rsplit_once(':')
            .map_or(address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| Trouble::new(format!("{address} has no host name in it")))?;
        let socket = tls
            .connect(name, socket)
            .await
            .map_err(|error| fail("no TLS with", error))?;
        through(socket, frames)
            .await
            .map_err(|error| fail("the delivery was cut off by", error))
    }

    async fn datagrams(&self, messages: Vec<Vec<u8>>) -> Result<(), (usize, Trouble)> {
        let address = &self.settings.address;
        let fail = |taken: usize, error: &std::io::Error| {
            let why = format!("cannot send to {address}: {error}");
            let large = error.raw_os_error() == Some(nix::libc::EMSGSIZE);
            (
                taken,
                if large {
                    Trouble::content(why)
                } else {
                    Trouble::new(why)
                },
            )
        };
        if self.settings.transport == SyslogTransport::Unix {
            let socket = UnixDatagram::unbound().map_err(|error| fail(0, &error))?;
            socket.connect(address).map_err(|error| fail(0, &error))?;
            for (taken, message) in messages.iter().enumerate() {
                socket.send(message).await.map_err(|error| fail(taken, &error))?;
            }
            return Ok(());
        }
        let any = |six: bool| if six { "[::]:0" } else { "0.0.0.0:0" };
        let mut resolved = tokio::net::lookup_host(address)
            .await
            .map_err(|error| fail(0, &error))?;
        let target = resolved
            .next()
            .ok_or_else(|| (0, Trouble::new(format!("{address} has no address"))))?;
        let socket = UdpSocket::bind(any(target.is_ipv6()))
            .await
            .map_err(|error| fail(0, &error))?;
        socket.connect(target).await.map_err(|error| fail(0, &error))?;
        for (taken, message) in messages.iter().enumerate() {
            socket.send(message).await.map_err(|error| fail(taken, &error))?;
        }
        Ok(())
    }
}

/// Sends `frames`, ends our side, and waits for the other end's.
async fn through(socket: impl AsyncRead + AsyncWrite, frames: &[u8]) -> std::io::Result<()> {
    let (mut from, mut to) = tokio::io::split(socket);
    to.write_all(frames).await?;
    to.flush().await?;
    to.shutdown().await?;
    // A receiver has nothing to say; what one says all the same is passed over.
    let mut said = [0; 256];
    loop {
        match from.read(&mut said).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // rsyslog ends its side of TLS without the alert that RFC 5425 asks for.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
