//! `scopeward doctor`.

mod run;
#[cfg(test)]
mod tests;
mod why_not;

pub use run::{Args, run};
pub use why_not::why_not;
