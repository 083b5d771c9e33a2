//! The journal of systemd, by its native protocol: each event is an entry with fields of its own.

use std::os::fd::AsFd;
use std::path::PathBuf;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tokio::net::UnixDatagram;

use crate::export::formats::{cef, words};
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::JournaldSettings;

/// The journal.
#[derive(Debug)]
pub struct JournaldDestination {
    socket: UnixDatagram,
    path: PathBuf,
}

impl JournaldDestination {
    /// The journal of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &JournaldSettings) -> Result<Self, Trouble> {
        let fail = |error: std::io::Error| {
            Trouble::new(format!(
                "cannot connect to the journal at {}: {error}",
                settings.socket.display()
            ))
        };
        let socket = UnixDatagram::unbound().map_err(fail)?;
        socket.connect(&settings.socket).map_err(fail)?;
        Ok(Self {
            socket,
            path: settings.socket.clone(),
        })
    }

    /// Delivers `items`: an entry is taken once the journal has read it from its socket's queue.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        for (taken, item) in items.iter().enumerate() {
            if let Err(error) = self.send(&entry(item)).await {
                let why = format!("cannot write to the journal at {}: {error}", self.path.display());
                return Outcome::some(taken, items.len(), Trouble::new(why));
            }
        }
        Outcome::all(items.len())
    }

    async fn send(&self, entry: &[u8]) -> std::io::Result<()> {
        match self.socket.send(entry).await {
            Err(error) if error.raw_os_error() == Some(nix::libc::EMSGSIZE) => self.send_large(entry),
            sent => sent.map(drop),
        }
    }

    /// An entry that no datagram holds goes as a sealed file in memory.
    fn send_large(&self, entry: &[u8]) -> std::io::Result<()> {
        use std::io::{IoSlice, Write};
        let file = memfd_create(
            c"scopeward-entry",
            MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
        )?;
        let mut file = std::fs::File::from(file);
        file.write_all(entry)?;
        let seals =
            SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        let descriptors = [std::os::fd::AsRawFd::as_raw_fd(&file)];
        let control = [nix::sys::socket::ControlMessage::ScmRights(&descriptors)];
        let raw = std::os::fd::AsRawFd::as_raw_fd(&self.socket.as_fd());
        nix::sys::socket::sendmsg::<()>(
            raw,
            &[IoSlice::new(&[])],
            &control,
            nix::sys::socket::MsgFlags::empty(),
            None,
        )?;
        Ok(())
    }
}

/// An entry: fields with the length of their value, which may hold anything.
fn entry(item: &Item) -> Vec<u8> {
    let event = &item.event;
    let mut entry = Vec::new();
    let priority = match cef::severity(event) {
        0..=1 => "6",
        2..=4 => "5",
        5..=6 => "4",
        7..=8 => "3",
        _ => "2",
    };
    let sentence = words::sentence(event);
    let pid = event.process.pid.to_string();
    let nanoseconds = event.time.as_nanosecond().to_string();
    for (name, value) in [
        ("MESSAGE", sentence.as_bytes()),
        ("PRIORITY", priority.as_bytes()),
        ("SYSLOG_IDENTIFIER", b"scopeward"),
        ("SCOPEWARD_EVENT_ID", event.id.as_bytes()),
        ("SCOPEWARD_TIME", nanoseconds.as_bytes()),
        ("SCOPEWARD_SESSION", event.session.id.as_bytes()),
        ("SCOPEWARD_AGENT", event.session.agent.as_bytes()),
        ("SCOPEWARD_KIND", event.act.kind.word().as_bytes()),
        ("SCOPEWARD_VERDICT", event.verdict.applied.word().as_bytes()),
        ("SCOPEWARD_PID", pid.as_bytes()),
        ("SCOPEWARD_EVENT", item.body.as_slice()),
    ] {
        entry.extend_from_slice(name.as_bytes());
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        entry.extend_from_slice(value);
        entry.push(b'\n');
    }
    entry
}
