//! Scopeward holds AI agents on Linux to their declared scope.
//!
//! The modules stand in the order of the data's way; `pipeline` names every stage.

pub mod api;
pub mod attribute;
pub mod cli;
pub mod config;
pub mod decide;
pub mod decode;
pub mod export;
pub mod ledger;
pub mod observe;
pub mod pipeline;
pub mod record;
pub mod respond;
pub mod scope;
pub mod service;
