//! The contact centre rules engine.
