//! Every technique is tried: without Scopeward, where it must succeed, and in a session, where it must not.

mod control;
mod files;
mod network;
mod outsiders;
mod services;
