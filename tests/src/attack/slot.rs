//! One attempt's part of the loot: how it went, and what it obtained.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::libc;

use super::loot::{DATA, DATA_AT, Loot};
use crate::patience::patient;

const STATE_AT: usize = 0;
const STATUS_AT: usize = 4;
const ERRNO_AT: usize = 8;
const READY_AT: usize = 12;

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Untried,
    /// Begun; stays here when the attacker is killed.
    Begun,
    /// The technique ran to its end.
    Done,
    /// The technique met an error, whose number is beside it.
    Refused,
}

impl State {
    const fn number(self) -> i32 {
        match self {
            Self::Untried => 0,
            Self::Begun => 1,
            Self::Done => 2,
            Self::Refused => 3,
        }
    }

    const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Begun,
            2 => Self::Done,
            3 => Self::Refused,
            _ => Self::Untried,
        }
    }
}

/// One attempt's part of the shared memory.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    loot: &'a Loot,
    at: usize,
}

impl<'a> Slot<'a> {
    /// The slot at byte `at` of the mapping.
    pub(super) const fn new(loot: &'a Loot, at: usize) -> Self {
        Self { loot, at }
    }

    fn word(&self, at: usize) -> &AtomicI32 {
        // SAFETY: slots are 256-byte aligned within a page-aligned mapping, and `at` is a multiple of 4 below
        // DATA_AT; the memory is only ever used as an atomic word.
        unsafe { AtomicI32::from_ptr(self.loot.base().add(self.at + at).cast()) }
    }

    /// Where the kernel or a copy may write this slot's data: [`DATA`] bytes, never read as Rust references.
    #[must_use]
    pub fn data_ptr(&self) -> *mut u8 {
        self.loot.base().wrapping_add(self.at + DATA_AT)
    }

    /// The data's offset in the loot file.
    #[must_use]
    pub fn data_offset(&self) -> i64 {
        i64::try_from(self.at + DATA_AT).unwrap_or(i64::MAX)
    }

    /// Reads from the descriptor `fd`, at its beginning, straight into the shared memory.
    ///
    /// # Errors
    /// Those of `pread`; with a guessed descriptor mostly `EBADF`.
    pub fn pread(&self, fd: RawFd) -> io::Result<usize> {
        // SAFETY: the buffer is this slot's data, DATA bytes of mapped memory.
        let read = unsafe { libc::pread(fd, self.data_ptr().cast(), DATA, 0) };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }

    /// Copies `bytes` (at most [`DATA`] of them) into the shared memory.
    pub fn put(&self, bytes: &[u8]) {
        let length = bytes.len().min(DATA);
        // SAFETY: `length` bytes fit into the slot's data; the source is another allocation.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_ptr(), length) }
    }

    /// The data, as it is now.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        let mut copy = vec![0; DATA];
        // SAFETY: DATA bytes of mapped memory into a vector of that size.
        unsafe { std::ptr::copy_nonoverlapping(self.data_ptr(), copy.as_mut_ptr(), DATA) }
        copy
    }

    /// A descriptor of the loot file that stands at this slot's data: what is written to it is obtained.
    ///
    /// # Errors
    /// Those of opening and seeking in a file.
    pub fn sink(&self) -> io::Result<OwnedFd> {
        use std::io::{Seek, SeekFrom};
        let mut file = OpenOptions::new().write(true).open(self.loot.path())?;
        file.seek(SeekFrom::Start(self.data_offset().unsigned_abs()))?;
        Ok(file.into())
    }

    /// Says where the attempt is.
    pub fn set_state(&self, state: State) {
        self.word(STATE_AT).store(state.number(), Ordering::SeqCst);
    }

    /// Where the attempt is.
    #[must_use]
    pub fn state(&self) -> State {
        State::from_number(self.word(STATE_AT).load(Ordering::SeqCst))
    }

    /// Keeps the attacker's wait status, as `waitpid` gives it.
    pub fn set_status(&self, status: i32) {
        self.word(STATUS_AT).store(status, Ordering::SeqCst);
    }

    /// The attacker's wait status, as `waitpid` gives it.
    #[must_use]
    pub fn status(&self) -> i32 {
        self.word(STATUS_AT).load(Ordering::SeqCst)
    }

    /// Records how the technique ended.
    pub fn end(&self, outcome: &io::Result<()>) {
        match outcome {
            Ok(()) => self.set_state(State::Done),
            Err(error) => {
                self.word(ERRNO_AT)
                    .store(error.raw_os_error().unwrap_or(-1), Ordering::SeqCst);
                self.set_state(State::Refused);
            }
        }
    }

    /// The number of the error that the technique met; -1 where it was none of the system's, 0 where it met none.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.word(ERRNO_AT).load(Ordering::SeqCst)
    }

    /// Counts one more accomplice that stands ready.
    pub fn report_ready(&self) {
        self.word(READY_AT).fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until `accomplices` of them are ready, for at most two seconds (times the machine's patience).
    ///
    /// # Errors
    /// `TimedOut`.
    pub fn await_ready(&self, accomplices: i32) -> io::Result<()> {
        let begun = Instant::now();
        while self.word(READY_AT).load(Ordering::SeqCst) < accomplices {
            if begun.elapsed() > patient(Duration::from_secs(2)) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}
