//! Files and TCP ports, by Landlock: what was not granted cannot be opened, made, removed, run, bound or dialled.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, make_bitflags,
};

use crate::sandbox::Grants;

/// What this lock is for, in words of the log.
pub(super) const FILES: &str = "files";
/// The same, from Linux 6.7 on.
pub(super) const PORTS: &str = "TCP ports";
/// The same, from Linux 6.12 on.
pub(super) const SIGNALS: &str = "signals and abstract sockets";

/// The newest interface that this was tested on. A newer kernel is asked for no more.
const ABI_TESTED: ABI = ABI::V7;

/// What is on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limited {
    pub(super) files: bool,
    pub(super) ports: bool,
    pub(super) signals: bool,
    /// The kernel's interface; 0 is none.
    pub(super) abi: i32,
}

/// Limits this thread, and those that it starts, as far as the kernel can.
pub(super) fn limit(grants: &Grants) -> Limited {
    match restrict(grants) {
        Ok(limited) => limited,
        Err(error) => {
            tracing::warn!(%error, "Landlock refused the limits on files");
            Limited::default()
        }
    }
}

fn restrict(grants: &Grants) -> Result<Limited, RulesetError> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    // Audit files are renamed and removed when they are rotated; folders and links are never made.
    let write = read | make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | RemoveFile});
    let mut scopes = Scope::from_all(ABI_TESTED);
    // An init system may wait for word on such a socket.
    if std::env::var_os("NOTIFY_SOCKET")
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"@"))
    {
        scopes = BitFlags::from_flag(Scope::Signal);
    }
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_TESTED))?
        .handle_access(AccessNet::from_all(ABI_TESTED))?
        .scope(scopes)?
        .create()?;
    let sockets = write | AccessFs::MakeSock;
    for (paths, access) in
        [(&grants.read, read), (&grants.write, write), (&grants.sockets, sockets)]
    {
        for path in paths {
            // What is not there, or may not be looked at, needs no grant.
            let (Ok(fd), Ok(about)) = (PathFd::new(path), path.metadata()) else { continue };
            let access =
                if about.is_dir() { access } else { access & AccessFs::from_file(ABI_TESTED) };
            rules = rules.add_rule(PathBeneath::new(fd, access))?;
        }
    }
    for (ports, access) in
        [(&grants.bind, AccessNet::BindTcp), (&grants.connect, AccessNet::ConnectTcp)]
    {
        for port in ports {
            rules = rules.add_rule(NetPort::new(*port, access))?;
        }
    }
    let status = rules.restrict_self()?;
    let abi = match status.landlock {
        LandlockStatus::Available { kernel_abi, effective_abi } => {
            kernel_abi.unwrap_or(effective_abi as i32)
        }
        _ => 0,
    };
    let is_on = status.ruleset != RulesetStatus::NotEnforced;
    Ok(Limited {
        files: is_on,
        ports: is_on && abi >= ABI::V4 as i32,
        signals: is_on && abi >= ABI::V6 as i32,
        abi,
    })
}
