//! `scopeward report`: one self-contained HTML page about a session or an incident.

mod chart;
mod file;
mod page;
mod run;
#[cfg(test)]
mod tests;
mod timeline;

pub use file::write_file;
pub use page::render;
pub use run::{Args, run};
