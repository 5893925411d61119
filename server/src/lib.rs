//! Hosts engines for real: one loop for each tenant, a journal that is written before anything is acknowledged,
//! HTTP and WebSocket, telephones.

pub mod audit;
pub mod auth;
pub mod callbacks;
pub mod certificates;
pub mod chat;
pub mod config;
mod console;
pub mod customers;
pub mod demo;
pub mod dialling;
pub mod document;
pub mod estimate;
pub mod floor;
pub mod host;
pub mod http;
pub mod issues;
mod listen;
pub mod open_api;
pub mod organisations;
pub mod phone;
pub mod planning;
pub mod records;
pub mod secrets;
pub mod server;
pub mod stats;
pub mod storage;
pub mod surveys;
pub mod tenant;
pub mod tickets;
pub mod wire;
mod words;

/// Documents that follow the engine, in the order in which they see its outputs.
fn projections() -> Vec<Box<dyn host::Projection>> {
    vec![
        Box::new(stats::Measures::default()),
        Box::new(records::Records::default()),
        Box::new(customers::LastServed),
        Box::new(tickets::Histories),
        Box::new(callbacks::CallbackHistory::default()),
        Box::new(chat::ChatHistory::default()),
        Box::new(dialling::Dials),
        Box::new(audit::Supervisions),
    ]
}
