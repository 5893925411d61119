//! What is measured, and nothing else: see `benches/` and its README.

pub mod floor;
