//! `scopeward top`: what runs, what waits, and a key to decide.

mod draw;
mod keys;
mod live;
mod view;

pub use live::{Args, run};

#[cfg(test)]
mod tests;
