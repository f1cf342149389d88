//! The operators' own listener: health, readiness, metrics, status. Never the public one; nothing of a post is here.

mod listen;

pub use listen::Listening;

/// What there is to show. Implemented by `app`, which knows the parts.
pub trait Source: Send + Sync {
    /// Why no traffic should come, if so.
    fn unready(&self) -> Option<&'static str>;

    /// Prometheus text.
    fn metrics(&self) -> String;

    /// What runs, as JSON.
    fn status(&self) -> serde_json::Value;
}
