//! `scopeward scope check|show|diff`.

mod args;
mod check;
mod diff;
mod fit;
pub mod report;
mod setting;
mod show;
#[cfg(test)]
mod tests;

pub use args::{ScopeArgs, ScopeCommand, run};
pub use setting::Setting;
