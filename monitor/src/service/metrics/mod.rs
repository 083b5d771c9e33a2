//! What the monitor counts about itself, as Prometheus reads it.

mod exporters;
mod families;
mod figures;
mod text;

pub use figures::Figures;
