//! `scopeward replay`: the pipeline from a recorded file.

mod decide;
mod lineage;
mod lines;
mod owners;
mod run;
mod summary;
#[cfg(test)]
mod tests;

pub use run::{Args, Show, run};
pub use summary::{Summary, UsedUp};
