//! One thread opens; seven spin on the descriptor that it will get.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::accomplice::linger;
use super::target::{FileTarget, next_descriptor};
use crate::attack::slot::Slot;

const SPINNERS: i32 = 7;

/// Starts the spinning threads, waits until all spin, opens, and gives them time.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let guess = next_descriptor()?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..SPINNERS {
            scope.spawn(|| {
                slot.report_ready();
                while !stop.load(Ordering::Relaxed) && !slot.pread(guess).is_ok_and(|bytes| bytes > 0) {
                    std::hint::spin_loop();
                }
            });
        }
        let opened = slot.await_ready(SPINNERS).and_then(|()| File::open(&target.path));
        linger(opened.is_ok(), slot);
        stop.store(true, Ordering::Relaxed);
        opened.map(drop)
    })
}
