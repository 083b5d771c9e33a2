//! Runs in processes of their own, held by nobody: what a person at a shell, a script and a terminal see.

mod daemon;
mod held;
mod jobs;
mod passing;
mod shell;
mod status;
mod sudo;
mod supervised;
