//! The discrete-event simulator around the engine.
