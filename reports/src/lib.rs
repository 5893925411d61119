//! Results to documents; computes no metric.
