//! `WebSocket`s, where a route allows them: every message of a client is read as a post, everything of the platform's streams
//! down as it comes.
//!
//! `handshake` and `open` begin one, `relay` carries it: `up` through `message` and `ruling`, `down` through `walk`.

pub mod check;
mod clock;
mod deflate;
mod down;
mod frame;
mod handshake;
mod message;
mod open;
mod relay;
mod ruling;
mod up;
mod walk;

pub(crate) use handshake::Asked;
pub(crate) use open::{Asking, open};
pub(crate) use relay::{Opened, relay};
