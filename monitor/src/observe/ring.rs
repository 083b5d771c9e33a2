//! Reading the ring.

use std::{
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd},
    time::Duration,
};

use aya::maps::{MapData, RingBuf};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The ring, for the one thread that reads it.
pub struct Ring(RingBuf<MapData>);

impl Ring {
    /// Takes the ring of a loaded kernel side.
    #[must_use]
    pub const fn new(ring: RingBuf<MapData>) -> Self {
        Self(ring)
    }

    /// Waits for records, at most `bound` (up to 60 s). An interrupted wait is a short one.
    pub fn wait(&self, bound: Duration) {
        let fd: BorrowedFd<'_> = self.0.as_fd();
        let timeout = PollTimeout::try_from(bound).unwrap_or(PollTimeout::from(1000u16));
        // Records are looked for whatever poll says.
        poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout).ok();
    }

    /// Hands up to `most` records to `visit`; returns how many there were.
    pub fn drain(&mut self, most: usize, mut visit: impl FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < most
            && let Some(record) = self.0.next()
        {
            visit(&record);
            count += 1;
        }
        count
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Ring({})", self.0.as_raw_fd())
    }
}
