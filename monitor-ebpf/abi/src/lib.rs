//! The only types that both sides see.
#![no_std]
