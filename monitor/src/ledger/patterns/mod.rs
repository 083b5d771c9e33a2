//! Patterns of small acts that are a cut of their own: each act by itself may be inside the scope.

pub mod hunting;
pub mod identity;
pub mod retry;
pub mod watch;

#[cfg(test)]
mod tests;
