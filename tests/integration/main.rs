//! Everything that needs the whole program: one binary, a module a room.

mod cli;
mod proxy;
mod support;
