//! Scope and act to verdict: pure, no I/O, no clocks.

pub mod act_facts;
pub mod applied;
pub mod compile;
pub mod evaluate;
pub mod facts;
pub mod grants;
