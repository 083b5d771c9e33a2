//! The API over a real socket, with a pipeline that is made up.

mod changes;
mod curl;
pub(crate) mod fake;
mod fake_ledger;
mod following;
mod reading;
mod socket;
