//! From the kernel to bytes: what this host gives, and what happens on it.

pub mod fanotify;
