//! Hosts engines for real: one loop for each tenant, a journal that is written before anything is acknowledged,
//! HTTP and WebSocket, telephones.

pub mod auth;
pub mod document;
pub mod host;
pub mod http;
pub mod storage;
pub mod tenant;
