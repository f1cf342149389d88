//! What the process gives up for good before it serves: whoever takes it over by a fault in a parser gets little else.
//!
//! Four locks, each of which holds without the others: capabilities and new privileges; files and TCP ports (Landlock);
//! system calls (seccomp); new programs, which three of them refuse. They are put on by the first thread before any
//! other exists, so that all inherit them, and before anything is opened, so that a start shows that what was kept is
//! enough. What the kernel cannot do is said in one line of the log; only `require-sandbox = true` makes it fatal.
//!
//! What is opened after the start, a reload's files above all, must lie within [`Grants`], or the process must be
//! started anew: nothing that was given up can be had back.

mod calls;
mod files;
mod grants;
mod rights;

use std::sync::OnceLock;

use crate::config::{self, Loaded, Sandbox};

use files::Limited;

pub use grants::Grants;

/// Why the process must not serve.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It is required, and the kernel cannot do it.
    #[error("the sandbox is required (`require-sandbox = true`), and this kernel cannot limit {}", .0.join(" and "))]
    Lacking(Vec<&'static str>),
    /// The user's own rights could not be lowered.
    #[error(
        "the sandbox is required (`require-sandbox = true`), and the process cannot give up its capabilities"
    )]
    Rights(#[source] rustix::io::Errno),
}

impl SandboxError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Lacking(lacking) => {
                let mut help = Vec::new();
                if lacking.contains(&files::FILES) {
                    help.push("files need Landlock: Linux 5.13 or later with `landlock` among the names after `lsm=` (see /sys/kernel/security/lsm)");
                }
                if lacking.contains(&calls::CALLS) {
                    help.push("system calls need seccomp: CONFIG_SECCOMP_FILTER, on x86_64, aarch64 or riscv64");
                }
                help.push("a container's own seccomp profile must let both through; or take `require-sandbox` out, and what is lacking is a warning");
                help.join("; ")
            }
            Self::Rights(_) => {
                "start it as a user without rights, as the shipped unit file and image do"
                    .to_owned()
            }
        }
    }
}

/// What this process may still open and reach, and whether that goes for ports as well; not set where nothing holds it to that. The kernel's limits are the
/// process's, so this is too.
static KEPT: OnceLock<(Grants, bool)> = OnceLock::new();

/// What is on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entered {
    /// Whether files are limited to [`Grants`].
    pub files: bool,
    /// Whether TCP ports are.
    pub ports: bool,
    /// Whether system calls are limited.
    pub calls: bool,
}

/// Gives up what `serve` does not need, as far as the kernel lets it. Must be called by the first thread, before any
/// other is started: only threads that are started afterwards are bound as well.
pub fn enter(loaded: &Loaded) -> Result<Entered, SandboxError> {
    enter_with(loaded.config.sandbox, Grants::of(loaded))
}

/// The same for a process that needs these and no configuration.
pub fn enter_with(wanted: Sandbox, grants: Grants) -> Result<Entered, SandboxError> {
    let is_required = match wanted {
        Sandbox::Off => {
            tracing::warn!("the sandbox is turned off (`sandbox = false`)");
            return Ok(Entered::default());
        }
        Sandbox::Wanted => false,
        Sandbox::Required => true,
    };
    let rights = match rights::drop(&grants) {
        Ok(rights) => rights,
        Err(errno) if is_required => return Err(SandboxError::Rights(errno)),
        Err(_) => "not given up",
    };
    let files = files::limit(&grants);
    let calls = calls::limit();
    config::files_are_limited(files.files);
    let mut lacking: Vec<&'static str> = Vec::new();
    for (is_on, what) in [(files.files, files::FILES), (calls, calls::CALLS)] {
        if !is_on {
            lacking.push(what);
        }
    }
    if is_required && !lacking.is_empty() {
        return Err(SandboxError::Lacking(lacking));
    }
    for (is_on, what) in [(files.ports, files::PORTS), (files.signals, files::SIGNALS)] {
        if !is_on {
            lacking.push(what);
        }
    }
    let on = |is_on| if is_on { "limited" } else { "not limited" };
    let (files_are, ports_are, calls_are) = (on(files.files), on(files.ports), on(calls));
    if lacking.is_empty() {
        tracing::info!(
            files = files_are,
            ports = ports_are,
            system_calls = calls_are,
            capabilities = rights,
            landlock_abi = files.abi,
            "sandboxed"
        );
    } else {
        let lacking = lacking.join(", ");
        tracing::warn!(files = files_are, ports = ports_are, system_calls = calls_are, capabilities = rights, landlock_abi = files.abi, %lacking, "sandboxed as far as this kernel can");
    }
    let Limited { files, ports, .. } = files;
    if files {
        // A process enters once.
        let _ = KEPT.set((grants, ports));
    }
    Ok(Entered { files, ports, calls })
}

/// What a configuration that is to take over needs, and this process gave up when it started: each a sentence for an
/// operator, who must restart to have it. Empty where there is no sandbox.
pub fn lacks(loaded: &Loaded) -> Vec<String> {
    let Some((kept, limits_ports)) = KEPT.get() else { return Vec::new() };
    let mut asked = Grants::of(loaded);
    if !limits_ports {
        asked.bind.clear();
        asked.connect.clear();
    }
    kept.lacks(&asked, config::is_withheld)
}
