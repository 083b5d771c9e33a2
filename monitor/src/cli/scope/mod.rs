//! `scopeward scope check|show|diff`.

mod args;
mod check;
mod diff;
mod fit;
mod host;
pub mod report;
mod setting;
mod show;
#[cfg(test)]
mod tests;

pub use args::{ScopeArgs, ScopeCommand, run};
pub use host::capabilities;
pub use setting::Setting;
