//! The API over a real socket, with a pipeline that is made up.

mod changes;
mod exporters;
pub(crate) mod fake;
mod following;
mod reading;
mod socket;
