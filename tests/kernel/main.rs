//! What the kernel side follows and counts, seen from what processes can really do.

mod adoption;
mod agreement;
mod connect;
mod counting;
mod exec;
mod fault;
mod file_change;
mod file_open;
mod inherited;
mod refusal;
mod tracking;
