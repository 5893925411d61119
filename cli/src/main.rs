//! The `callfloor` command.
fn main() {}
