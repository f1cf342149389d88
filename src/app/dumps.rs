//! No core dumps: one would be a file of every post in memory, and of every key.
//!
//! Two locks. The limit of size forbids the kernel to write a file, and the programs started from here inherit it. The
//! process is undumpable besides: a handler that the kernel pipes a dump to (`systemd-coredump`) heeds no such limit, and
//! nobody but root may then read this process's memory, or trace it.

use std::io;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit,
};

/// Turns core dumps off for good: the limit can be raised again by nobody but root. May be called more than once.
///
/// # Errors
///
/// What the kernel said where it refused, or where it agreed and it is not so.
pub fn forbid_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let is_off = getrlimit(Resource::Core).current == Some(0)
        && dumpable_behavior()? == DumpableBehavior::NotDumpable;
    if is_off { Ok(()) } else { Err(io::Error::other("the kernel took it and did not do it")) }
}
