//! Everything that needs the whole program: one binary, a module a room.

mod answers;
mod audit;
mod cli;
mod diff;
mod disguise;
mod edge;
mod faults;
mod leaks;
mod lifecycle;
mod media;
mod proxy;
mod reload;
mod roster;
mod sandbox;
mod seeds;
mod session;
mod support;
mod tls;
mod watch;
mod websocket;
mod who;
