//! Postward reads what hospital staff post to social platforms, finds what identifies a patient, and forwards,
//! redacts, blocks or logs each post by a policy.
//!
//! The rooms, in the order in which they may import each other (`tests/architecture.rs` keeps it):
//!
//! `span`, `phi`, `diagnostic` <- `media` <- `normalize`, `rules`, `redact`, `body` <- `roster` <-
//! `detect`, `platform` <- `policy` <- `inspect` <- `audit` <- `config` <- `proxy`, `admin` <- `app` <- `cli`
//!
//! Up to `inspect` everything is pure: no sockets, no files (but the roster's own), no clock, no tokio. `ARCHITECTURE.md` says where a change
//! belongs.

pub mod diagnostic;
pub mod phi;
pub mod span;

pub mod media;

pub mod body;
pub mod normalize;
pub mod redact;
pub mod rules;
pub mod sandbox;

pub mod roster;

pub mod detect;
pub mod platform;

pub mod policy;

pub mod inspect;

pub mod audit;

pub mod config;
pub mod report;

pub mod admin;
pub mod proxy;

pub mod app;

pub mod cli;
