//! The API over a real socket, with a pipeline that is made up.

pub(crate) mod approvals;
mod changes;
pub(crate) mod curl;
pub(crate) mod fake;
mod following;
mod reading;
mod socket;
