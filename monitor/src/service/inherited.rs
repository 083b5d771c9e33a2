//! What the processes of a session had open before it began: settled when it begins, as if they opened it now.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use nix::libc;
use scopeward_abi::{
    grant::of,
    member::{Member, flag},
};

use crate::{
    attribute::clock::Clock,
    decide::grants::file_key,
    record::event::{ActRecord, EventRecord},
    scope::words::{Access, Kind, Mode, Response, Tier, When},
    service::{
        acts::device,
        events::{Actor, Answered},
        state::State,
    },
};

/// A file that a process has open.
struct Open {
    path: String,
    dev: u32,
    inode: u64,
    access: Vec<Access>,
}

impl State {
    /// Answers what every process of a session has open now. Called when it begins: what is opened later is answered then.
    /// One that is not `running` waits to be let go by whoever asks for the session: it is told of with the session's first event,
    /// which that one follows by then, and ends before its first instruction.
    pub(super) fn settle_open(&mut self, key: u64, running: bool) {
        let members = self.kernel.maps.all_members();
        for (pid, member) in members.into_iter().filter(|(_, member)| member.session == key) {
            for open in opens(pid) {
                let Some((record, actor, answered)) = self.settle_one(pid, &member, open) else {
                    continue;
                };
                if running || answered.applied == Response::Freeze {
                    self.answers.push(record);
                } else {
                    self.settled.entry(key).or_default().push(record);
                }
                match answered.applied {
                    Response::Kill if running => self.kill_process(pid, member.cookie),
                    Response::Kill => self.doom(pid, member),
                    Response::Freeze => self.respond(&actor, answered),
                    _ => {}
                }
            }
        }
    }

    /// Has the kernel end a process that waits, as soon as it goes on.
    fn doom(&mut self, pid: u32, member: Member) {
        let doomed = Member {
            flags: member.flags | flag::DOOMED,
            ..member
        };
        if self.kernel.maps.set_member(pid, doomed).is_err() {
            self.kill_process(pid, member.cookie);
        }
    }

    /// Only what a rule names: what the defaults answer is the place where whoever started the session sends its output.
    fn settle_one(
        &mut self,
        pid: u32,
        member: &Member,
        open: Open,
    ) -> Option<(EventRecord, Actor, Answered)> {
        let policy = self.policies.get(member.policy)?;
        let found = policy.compiled.at(open.dev, open.inode, Some(&open.path), false);
        let uses = open.access.iter().filter_map(|access| match access {
            Access::Read => policy.compiled.answer(member, &found),
            Access::Write => policy.compiled.answer_to_write(member, &found),
        });
        let (entry, called_for) = uses.max_by_key(|(_, response)| *response)?;
        let granted = file_key(member.session, open.inode, open.dev, of::FILE);
        if called_for == Response::Allow || self.grants.holding(&granted, Clock::boot_ns()).is_some() {
            return None;
        }
        let enforces = self
            .sessions
            .get(member.session)
            .is_some_and(|session| session.mode == Mode::Enforce);
        let answered = Answered {
            called_for,
            applied: match called_for {
                Response::Allow | Response::Flag => called_for,
                _ if !enforces => Response::Flag,
                // It is open: nobody but the process itself can close it.
                Response::Deny | Response::Kill => Response::Kill,
                Response::Freeze => Response::Freeze,
            },
            when: When::After,
            tier: Tier::Tracepoint,
        };
        let actor = Actor {
            pid,
            tid: pid,
            session: member.session,
            cookie: member.cookie,
            policy: member.policy,
            generation: policy.compiled.policy.generation,
            time: Clock::boot_ns(),
        };
        let act = ActRecord {
            path: Some(open.path),
            access: open.access,
            dev: Some(device(open.dev)),
            inode: Some(open.inode),
            call: Some("inherited".to_owned()),
            ..ActRecord::new(Kind::FileReceive)
        };
        let record = self.tell(&actor, act, answered, entry);
        if let Some(session) = self.sessions.get_mut(member.session) {
            session.own_cuts += 1;
        }
        Some((record, actor, answered))
    }
}

/// The files that a process has open to read or to write; pipes, sockets, terminals and the like are none.
fn opens(pid: u32) -> Vec<Open> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| open(&entry.path()))
        .collect()
}

/// What is behind a descriptor in `/proc/PID/fd`.
fn open(at: &Path) -> Option<Open> {
    let about = fs::metadata(at).ok()?;
    let kind = about.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return None;
    }
    let path = fs::read_link(at).ok()?.to_string_lossy().into_owned();
    let info = at.parent()?.with_file_name("fdinfo").join(at.file_name()?);
    Some(Open {
        path,
        dev: kernel_device(about.dev()),
        inode: about.ino(),
        access: access(flags(&fs::read_to_string(info).ok()?)?),
    })
}

/// A device as the kernel numbers it, from how `stat` does.
fn kernel_device(dev: u64) -> u32 {
    let part = |number: u64| u32::try_from(number).unwrap_or(0);
    part(libc::major(dev).into()) << 20 | part(libc::minor(dev).into())
}

/// The flags in a text of `/proc/PID/fdinfo`, where they are octal.
fn flags(info: &str) -> Option<i32> {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    i32::from_str_radix(flags.trim(), 8).ok()
}

/// What a descriptor with these flags can be used for.
fn access(flags: i32) -> Vec<Access> {
    if flags & libc::O_PATH != 0 {
        return Vec::new();
    }
    match flags & libc::O_ACCMODE {
        libc::O_WRONLY => vec![Access::Write],
        libc::O_RDWR => vec![Access::Read, Access::Write],
        _ => vec![Access::Read],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_tell_what_a_descriptor_is_for() {
        let of = |text: &str| flags(text).map(access);
        let table = [
            ("pos:\t0\nflags:\t0100000\nmnt_id:\t30\n", vec![Access::Read]),
            ("pos:\t0\nflags:\t0102001\n", vec![Access::Write]),
            ("pos:\t0\nflags:\t0100002\n", vec![Access::Read, Access::Write]),
            ("pos:\t0\nflags:\t010000000\n", vec![]),
        ];
        for (text, expected) in table {
            assert_eq!(of(text), Some(expected), "{text}");
        }
        assert_eq!(of("pos:\t0\n"), None);
    }

    #[test]
    fn a_file_of_this_process_is_found_with_its_device_and_inode() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let about = file.as_file().metadata().unwrap();
        let found = opens(std::process::id());
        let path = file.path().display().to_string();
        let open = found.iter().find(|open| open.path == path).unwrap();
        assert_eq!(open.inode, about.ino());
        assert_eq!(open.access, [Access::Read, Access::Write]);
    }
}
