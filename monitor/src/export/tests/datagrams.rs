//! The journal and syslog by datagrams, to sockets of our own.

use std::collections::BTreeMap;
use std::io::{IoSliceMut, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use crate::export::destinations::Destination;
use crate::export::destinations::syslog::message;
use crate::export::formats::Formatter;
use crate::export::item::Item;
use crate::export::outcome::{Fate, Outcome};
use crate::export::settings::{
    DestinationSettings, ExportSettings, Format, JournaldSettings, SyslogSettings, SyslogTransport,
    TlsSettings,
};
use crate::export::tests::{corpus, files};
use crate::record::event::EventRecord;
use crate::record::tail::Position;

fn settings(destination: DestinationSettings) -> ExportSettings {
    ExportSettings {
        destination,
        ..files::to_file(std::path::Path::new("/nowhere"))
    }
}

fn items(count: usize) -> Vec<Item> {
    let native = Formatter {
        format: Format::Native,
        chain: None,
    };
    let mut events = corpus::all();
    events.truncate(count);
    // One that no datagram holds.
    events[1].process.argv = vec!["x=\n\0".repeat(200_000)];
    events
        .into_iter()
        .map(|event| Item {
            body: native.write(&event, None).0,
            event,
            after: Position::default(),
            link: None,
        })
        .collect()
}

async fn deliver(settings: &ExportSettings, items: &[Item]) -> Outcome {
    let mut destination = Destination::open(settings).await.unwrap();
    destination.deliver(&items.iter().collect::<Vec<_>>()).await
}

/// A datagram, or the content of the file that came in place of one.
fn receive(socket: &UnixDatagram) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    let mut space = nix::cmsg_space!([i32; 1]);
    let (length, file) = {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let message = recvmsg::<()>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut space),
            MsgFlags::empty(),
        )
        .unwrap();
        let file = message.cmsgs().unwrap().find_map(|control| match control {
            // SAFETY: the kernel has just given us this descriptor.
            ControlMessageOwned::ScmRights(files) => Some(unsafe { OwnedFd::from_raw_fd(files[0]) }),
            _ => None,
        });
        (message.bytes, file)
    };
    bytes.truncate(length);
    if let Some(file) = file {
        use std::io::Seek;
        let mut file = std::fs::File::from(file);
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
    }
    bytes
}

/// The fields of an entry in the journal's own format.
fn fields(mut entry: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut fields = BTreeMap::new();
    while !entry.is_empty() {
        let end = entry.iter().position(|byte| *byte == b'\n').unwrap();
        let name = String::from_utf8(entry[..end].to_vec()).unwrap();
        let (length, rest) = entry[end + 1..].split_at(8);
        let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
        fields.insert(name, rest[..length].to_vec());
        assert_eq!(rest[length], b'\n');
        entry = &rest[length + 1..];
    }
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_journal_hold_anything_of_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let settings = settings(DestinationSettings::Journald(JournaldSettings { socket: path }));
    let items = items(5);
    let outcome = deliver(&settings, &items).await;
    assert_eq!(outcome, Outcome::all(5));
    for item in &items {
        let fields = fields(&receive(&socket));
        assert_eq!(fields["SCOPEWARD_EVENT_ID"], item.event.id.as_bytes());
        assert_eq!(fields["SYSLOG_IDENTIFIER"], b"scopeward");
        let event: EventRecord = serde_json::from_slice(&fields["SCOPEWARD_EVENT"]).unwrap();
        assert_eq!(event, item.event);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_by_datagrams_says_which_is_too_large() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let unix = UnixDatagram::bind(&path).unwrap();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for (transport, address) in [
        (SyslogTransport::Unix, path.display().to_string()),
        (SyslogTransport::Udp, udp.local_addr().unwrap().to_string()),
    ] {
        let settings = settings(DestinationSettings::Syslog(SyslogSettings {
            transport,
            address,
            facility: 1,
            tls: TlsSettings::default(),
        }));
        let items = items(3);
        let outcome = deliver(&settings, &items).await;
        assert_eq!(outcome.fates, [Fate::Accepted, Fate::Again, Fate::Again]);
        assert!(outcome.trouble.unwrap().content);
        let mut bytes = vec![0; 1 << 20];
        let length = match transport {
            SyslogTransport::Unix => unix.recv(&mut bytes),
            _ => udp.recv(&mut bytes),
        };
        let (_, fields, record) = message::parse(&bytes[..length.unwrap()]);
        assert_eq!(fields["id"], items[0].event.id);
        assert_eq!(
            serde_json::from_slice::<EventRecord>(&record).unwrap(),
            items[0].event
        );
    }
}
