//! Events of the change group, decoded.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::libc;

use super::object::Handle;
use super::raw::{self, Head};

/// One event: what happened (possibly several things, merged), by whom, where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) mask: u64,
    pub(super) pid: i32,
    /// The directory and the name in it.
    pub(super) entry: Option<(Handle, OsString)>,
    /// The inode itself.
    pub(super) object: Option<Handle>,
}

/// Bytes of a record before its handle: header, filesystem id.
const FSID: usize = 4;
const LENGTH: usize = 12;
const HANDLE: usize = 20;

/// Decodes a buffer of events; stops at the first that is not whole.
pub(super) fn decode(mut bytes: &[u8]) -> Vec<Notice> {
    let mut notices = Vec::new();
    while let Some(head) = raw::head(bytes) {
        notices.push(notice(head, &bytes[head.body..head.len]));
        bytes = &bytes[head.len..];
    }
    notices
}

fn notice(head: Head, mut records: &[u8]) -> Notice {
    let mut notice = Notice {
        mask: head.mask,
        pid: head.pid,
        entry: None,
        object: None,
    };
    while let Some((kind, record, rest)) = split(records) {
        match (kind, handle(record)) {
            (libc::FAN_EVENT_INFO_TYPE_DFID_NAME, Some((handle, name))) => {
                let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                notice.entry = Some((handle, OsStr::from_bytes(name).to_owned()));
            }
            (libc::FAN_EVENT_INFO_TYPE_FID | libc::FAN_EVENT_INFO_TYPE_DFID, Some((handle, _))) => {
                notice.object = Some(handle);
            }
            _ => {}
        }
        records = rest;
    }
    notice
}

/// The first record: its type, its bytes, and what follows it.
fn split(records: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let kind = *records.first()?;
    let length = usize::from(u16::from_ne_bytes(records.get(2..4)?.try_into().ok()?));
    let (record, rest) = records.split_at_checked(length).filter(|_| length >= FSID)?;
    Some((kind, record, rest))
}

/// A record's handle, and what follows it.
fn handle(record: &[u8]) -> Option<(Handle, &[u8])> {
    let length = usize::try_from(raw::u32_at(record, LENGTH)?).ok()?;
    let end = HANDLE.checked_add(length)?;
    let mut bytes = record.get(FSID..LENGTH)?.to_vec();
    bytes.extend_from_slice(record.get(LENGTH + 4..end)?);
    Some((Handle(bytes.into()), &record[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Vec<u8> {
        let mut record = vec![libc::FAN_EVENT_INFO_TYPE_DFID_NAME, 0, 32, 0];
        record.extend([9; 8]);
        record.extend(4_u32.to_ne_bytes());
        record.extend(1_i32.to_ne_bytes());
        record.extend([7; 4]);
        record.extend(b"key\0\0\0\0\0");
        let mut bytes = Vec::new();
        bytes.extend((24_u32 + 32).to_ne_bytes());
        bytes.extend([libc::FANOTIFY_METADATA_VERSION, 0, 24, 0]);
        bytes.extend(libc::FAN_CREATE.to_ne_bytes());
        bytes.extend((-1_i32).to_ne_bytes());
        bytes.extend(42_i32.to_ne_bytes());
        bytes.extend(record);
        bytes
    }

    #[test]
    fn a_directory_record_gives_handle_and_name() {
        let notices = decode(&event());
        let mut handle = vec![9; 8];
        handle.extend(1_i32.to_ne_bytes());
        handle.extend([7; 4]);
        let entry = Some((Handle(handle.into()), OsString::from("key")));
        assert_eq!(
            notices,
            [Notice {
                mask: libc::FAN_CREATE,
                pid: 42,
                entry,
                object: None
            }]
        );
    }

    #[test]
    fn cut_events_are_not_read_past_their_end() {
        let whole = event();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_empty());
        }
    }
}
