//! The user's own rights: no new ones ever, no capability that is not used, and nothing written that others may read.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, Mode, accessat};
use rustix::io::Errno;
use rustix::process::umask;
use rustix::thread::{
    CapabilitySet, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

use crate::sandbox::Grants;

/// Ports below this need a capability, unless the system's `ip_unprivileged_port_start` says otherwise.
const FIRST_FREE_PORT: u16 = 1024;

/// Gives them up. What comes back says which capabilities are left.
pub(super) fn drop(grants: &Grants) -> Result<&'static str, Errno> {
    umask(Mode::RWXG | Mode::RWXO);
    set_no_new_privs(true)?;
    let held = capabilities(None)?;
    let mut kept = CapabilitySet::empty();
    if grants.bind.iter().any(|port| (1..FIRST_FREE_PORT).contains(port)) {
        kept |= CapabilitySet::NET_BIND_SERVICE;
    }
    kept &= held.permitted;
    let mut lowered = held;
    lowered.effective = kept;
    set_capabilities(None, lowered)?;
    // Root without this one is a user like any other: files of the service's user are then not its own.
    if held.permitted.contains(CapabilitySet::DAC_OVERRIDE) && !reaches_all(grants) {
        kept |= CapabilitySet::DAC_OVERRIDE;
    }
    if held.permitted.contains(CapabilitySet::SETPCAP) {
        lowered.effective = kept | CapabilitySet::SETPCAP;
        set_capabilities(None, lowered)?;
        for capability in (held.permitted & !kept).iter() {
            // A capability that this kernel does not know is not in the set.
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
    let _ = clear_ambient_capability_set();
    lowered.effective = kept;
    lowered.permitted = kept;
    lowered.inheritable = CapabilitySet::empty();
    set_capabilities(None, lowered)?;
    let has = |capability| kept.contains(capability);
    Ok(match (has(CapabilitySet::NET_BIND_SERVICE), has(CapabilitySet::DAC_OVERRIDE)) {
        (false, false) => "none",
        (true, false) => "net_bind_service",
        (false, true) => "dac_override",
        (true, true) => "net_bind_service, dac_override",
    })
}

/// Whether everything that is named can be read, and the folders that are written to can be, with the rights in force.
fn reaches_all(grants: &Grants) -> bool {
    let may = |path, access| accessat(CWD, path, access, AtFlags::EACCESS).is_ok();
    // What stands in a folder that may not be entered is not absent.
    let is_absent = |path: &Path| matches!(path.try_exists(), Ok(false));
    grants.named.iter().all(|path| is_absent(path) || may(path, Access::READ_OK))
        && grants.write.iter().all(|path| may(path, Access::WRITE_OK | Access::EXEC_OK))
        && grants.written.iter().all(|path| is_absent(path) || may(path, Access::WRITE_OK))
}
