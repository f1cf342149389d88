//! The program's TOML: as written, and as meant. The only room of the lower half that reads files.

pub mod check;
mod edge;
mod files;
mod folders;
mod host;
mod keep;
mod load;
mod observe;
mod roster;
mod route;
mod settings;
mod sinks;
mod syntax;
mod syslog;
mod who;

pub use edge::Edge;
pub use files::{Digest, Print, Seen, files_are_limited, is_withheld};
pub use folders::{Way, is_common, spool_folder};
pub use host::check_host;
pub use load::{Loaded, load, load_policy, load_rules, load_seen};
pub use observe::{Log, LogFormat, Traces, admin_of, log_of};
pub use roster::{RECENT_DAYS, RosterFault, RosterFiles};
pub use settings::{
    ADMIN_NAME, Admin, Config, Listener, Reload, Route, Sandbox, Timeouts, TlsIdentity,
    UnknownRevocation, Upstream, UpstreamAddress, WebSocket,
};
pub use who::{ClientCertificates, IdentityHeaders, Who};

#[cfg(test)]
mod tests;
