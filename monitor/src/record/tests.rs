//! The store as its users meet it: exact records, filters, rotation, kill -9, full disks.

mod crash;
mod filters;
mod full_disk;
mod measure;
mod round_trip;
pub(crate) mod sample;
mod tailing;
mod tamper;
