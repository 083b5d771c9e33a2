//! The attack programs: what each technique does, and how attempts are made and recorded.

pub mod catalogue;
pub mod command;
pub mod files;
pub mod loot;
pub mod network;
pub mod outsiders;
pub mod services;
pub mod slot;
pub mod storm;
pub mod supervise;
pub mod technique;
