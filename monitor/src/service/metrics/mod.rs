//! What the monitor counts about itself, as Prometheus reads it.

mod exporters;
mod exposure;
mod families;
mod figures;
mod text;

pub use figures::Figures;
