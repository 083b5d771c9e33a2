//! Attack programs and fixtures that the end-to-end tests share.

pub mod attack;
pub mod daemon;
pub mod expectation;
pub mod guest;
pub mod listener;
pub mod load;
pub mod netns;
pub mod patience;
pub mod process;
pub mod programs;
pub mod requirement;
pub mod scope;
pub mod scratch;
pub mod secret;
pub mod session;
pub mod table;
pub mod trial;
pub mod unix_service;
