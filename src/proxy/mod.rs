//! The network: listeners, TLS, routes, the way of one post, the way to the platforms.

pub mod tls;
