//! What the kernel side follows and counts, seen from what processes can really do.

mod adoption;
mod counting;
mod tracking;
