//! Hosts engines for real: one loop for each tenant, a journal that is written before anything is acknowledged,
//! HTTP and WebSocket, telephones.

pub mod audit;
pub mod auth;
pub mod config;
pub mod demo;
pub mod document;
pub mod estimate;
pub mod floor;
pub mod host;
pub mod http;
pub mod phone;
pub mod server;
pub mod stats;
pub mod storage;
pub mod tenant;
pub mod wire;

/// Documents that follow the engine, in the order in which they see its outputs.
fn projections() -> Vec<Box<dyn host::Projection>> {
    vec![Box::new(stats::Measures::default())]
}
