//! Parse, dispatch, error → exit code.

fn main() {}
