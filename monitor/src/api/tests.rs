//! The API over a real socket, with a pipeline that is made up.

pub(crate) mod approvals;
mod changes;
pub(crate) mod curl;
mod exporters;
pub(crate) mod fake;
mod fake_ledger;
mod following;
mod reading;
pub(crate) mod served;
mod socket;
