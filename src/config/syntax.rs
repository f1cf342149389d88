//! `postward.toml` as written.
