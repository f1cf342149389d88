//! The operators' own listener: health, readiness, metrics, status. Never the public one; nothing of a post is here.

mod listen;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use listen::{Bound, Listening};

/// What came of reading the configuration anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reloaded {
    /// Whether what the files say is what runs now.
    pub is_in_force: bool,
    /// What changed, or what is wrong with the files and what to do about it.
    pub text: String,
}

/// A configuration being read.
pub type Reloading = Pin<Box<dyn Future<Output = Reloaded> + Send>>;

/// What there is to show, and what there is to do. Implemented by `app`, which knows the parts.
pub trait Source: Send + Sync {
    /// Why no traffic should come, if so.
    fn unready(&self) -> Option<&'static str>;

    /// The page of metrics and its content type, in the format that an `Accept` header asks for.
    fn metrics(&self, accept: &str) -> (&'static str, String);

    /// What runs, as JSON.
    fn status(&self) -> serde_json::Value;

    /// Reads the configuration anew.
    fn reload(self: Arc<Self>) -> Reloading;
}
