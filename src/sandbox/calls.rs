//! System calls, by seccomp: a list of what serving takes, found by tracing every test and by what C libraries call
//! behind a socket, a file, a thread and a clock.
//!
//! A call that is not on the list answers `ENOSYS`, as an older kernel would. Libraries are written for that: a C library
//! of next year asks for a call that we have never heard of, is told that there is none, and takes the one that it
//! took before. `EPERM` would be an error to it, and ending the process would take everybody's posts with it. Ended, and
//! by the kernel's own word in its log, is only a process that calls what nothing but an intruder would: to run a
//! program, to look into another process, to load code into the kernel, to mount.

use std::collections::BTreeMap;

use libc as c;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// What this lock is for, in words of the log.
pub(super) const CALLS: &str = "system calls";

/// Called with any arguments.
const PLAIN: &[i64] = &[
    // Memory, threads, time.
    c::SYS_brk,
    c::SYS_clock_getres,
    c::SYS_clock_gettime,
    c::SYS_clock_nanosleep,
    c::SYS_exit,
    c::SYS_exit_group,
    c::SYS_futex,
    c::SYS_getpid,
    c::SYS_getpriority,
    c::SYS_getrandom,
    c::SYS_getrusage,
    c::SYS_gettid,
    c::SYS_gettimeofday,
    c::SYS_madvise,
    c::SYS_membarrier,
    c::SYS_mincore,
    c::SYS_mlock,
    c::SYS_mremap,
    c::SYS_msync,
    c::SYS_munlock,
    c::SYS_munmap,
    c::SYS_nanosleep,
    c::SYS_restart_syscall,
    c::SYS_rseq,
    c::SYS_rt_sigaction,
    c::SYS_rt_sigprocmask,
    c::SYS_rt_sigreturn,
    c::SYS_sched_getaffinity,
    c::SYS_sched_yield,
    c::SYS_set_robust_list,
    c::SYS_setpriority,
    c::SYS_sigaltstack,
    c::SYS_sysinfo,
    c::SYS_uname,
    // Who we are.
    c::SYS_capget,
    c::SYS_getegid,
    c::SYS_geteuid,
    c::SYS_getgid,
    c::SYS_getppid,
    c::SYS_getuid,
    c::SYS_umask,
    // Files: which ones is Landlock's matter.
    c::SYS_close,
    c::SYS_copy_file_range,
    c::SYS_dup,
    c::SYS_dup3,
    c::SYS_faccessat,
    c::SYS_faccessat2,
    c::SYS_fadvise64,
    c::SYS_fallocate,
    c::SYS_fchmod,
    c::SYS_fcntl,
    c::SYS_fdatasync,
    c::SYS_flock,
    c::SYS_fstat,
    c::SYS_fstatfs,
    c::SYS_fsync,
    c::SYS_ftruncate,
    c::SYS_getcwd,
    c::SYS_getdents64,
    c::SYS_inotify_add_watch,
    c::SYS_inotify_init1,
    c::SYS_inotify_rm_watch,
    c::SYS_linkat,
    c::SYS_lseek,
    c::SYS_newfstatat,
    c::SYS_openat,
    c::SYS_pread64,
    c::SYS_preadv,
    c::SYS_pwrite64,
    c::SYS_pwritev,
    c::SYS_read,
    c::SYS_readlinkat,
    c::SYS_readv,
    c::SYS_renameat2,
    c::SYS_sendfile,
    c::SYS_statfs,
    c::SYS_statx,
    c::SYS_unlinkat,
    c::SYS_utimensat,
    c::SYS_write,
    c::SYS_writev,
    // The network.
    c::SYS_accept4,
    c::SYS_bind,
    c::SYS_connect,
    c::SYS_epoll_create1,
    c::SYS_epoll_ctl,
    c::SYS_epoll_pwait,
    c::SYS_epoll_pwait2,
    c::SYS_eventfd2,
    c::SYS_getpeername,
    c::SYS_getsockname,
    c::SYS_getsockopt,
    c::SYS_listen,
    c::SYS_pipe2,
    c::SYS_ppoll,
    c::SYS_pselect6,
    c::SYS_recvfrom,
    c::SYS_recvmmsg,
    c::SYS_recvmsg,
    c::SYS_sendmmsg,
    c::SYS_sendmsg,
    c::SYS_sendto,
    c::SYS_setsockopt,
    c::SYS_shutdown,
    c::SYS_splice,
];

/// The same, under names that newer processors' kernels no longer have.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[
    c::SYS_accept,
    c::SYS_access,
    c::SYS_arch_prctl,
    c::SYS_dup2,
    c::SYS_epoll_create,
    c::SYS_epoll_wait,
    c::SYS_getrlimit,
    c::SYS_inotify_init,
    c::SYS_link,
    c::SYS_lstat,
    c::SYS_open,
    c::SYS_pipe,
    c::SYS_poll,
    c::SYS_readlink,
    c::SYS_rename,
    c::SYS_renameat,
    c::SYS_select,
    c::SYS_stat,
    c::SYS_time,
    c::SYS_unlink,
];
/// The last is `renameat`, which `libc` does not name here and the C library calls.
#[cfg(target_arch = "aarch64")]
const OLD: &[i64] = &[c::SYS_accept, 38];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLD: &[i64] = &[c::SYS_accept];

/// What nothing here ever calls, whatever library comes: a process that does is not ours any more.
const FATAL: &[i64] = &[
    c::SYS_bpf,
    c::SYS_chroot,
    c::SYS_delete_module,
    c::SYS_execve,
    c::SYS_execveat,
    c::SYS_finit_module,
    c::SYS_init_module,
    c::SYS_kexec_load,
    c::SYS_mount,
    c::SYS_open_by_handle_at,
    c::SYS_perf_event_open,
    c::SYS_pivot_root,
    c::SYS_process_vm_readv,
    c::SYS_process_vm_writev,
    c::SYS_ptrace,
    c::SYS_reboot,
    c::SYS_setns,
    c::SYS_swapon,
    c::SYS_umount2,
    c::SYS_unshare,
    c::SYS_userfaultfd,
];

/// Kinds of sockets without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const SOCKET_KIND: u64 = 0xf;

/// The bit by which `clone` begins a thread and not a process.
const CLONE_THREAD: u64 = 0x0001_0000;

/// `FIONBIO`, `FIONREAD`, `FIOCLEX`, and, of a terminal, `TCGETS` and `TIOCGWINSZ`: C libraries differ in their type.
const IOCTLS: [u64; 5] = [0x5421, 0x541b, 0x5451, 0x5401, 0x5413];

/// Names anonymous memory, which newer C libraries do (`PR_SET_VMA`).
const SET_VMA: u64 = 0x5356_4d41;

/// Limits this thread, and those that it starts. Says whether the kernel took it.
pub(super) fn limit() -> bool {
    // The list of what is fatal first: the other one leaves no way to add to itself.
    let programs = fatal().and_then(|fatal| Ok([fatal, listed()?]));
    let taken =
        programs.and_then(|programs| programs.iter().try_for_each(|program| apply_filter(program)));
    if let Err(error) = &taken {
        tracing::warn!(%error, "seccomp refused the limits on system calls");
    }
    taken.is_ok()
}

fn fatal() -> Result<BpfProgram, seccompiler::Error> {
    let rules = FATAL.iter().map(|call| (*call, Vec::new())).collect();
    program(rules, SeccompAction::Allow, SeccompAction::KillProcess)
}

fn listed() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        PLAIN.iter().chain(OLD).map(|call| (*call, Vec::new())).collect();
    rules.extend(conditional()?);
    // A value that fits is never negative.
    let unknown = u32::try_from(c::ENOSYS).unwrap_or(1);
    program(rules, SeccompAction::Errno(unknown), SeccompAction::Allow)
}

/// Called with these arguments only.
fn conditional() -> Result<Vec<(i64, Vec<SeccompRule>)>, seccompiler::Error> {
    let any_of = |argument: u8, values: &[u64]| {
        values.iter().map(|value| rule(&[is(argument, *value)])).collect::<Result<Vec<_>, _>>()
    };
    let families = [c::AF_UNIX, c::AF_INET, c::AF_INET6].map(unsigned);
    let kinds = [c::SOCK_STREAM, c::SOCK_DGRAM].map(unsigned);
    let mut sockets = Vec::new();
    for family in families {
        for kind in kinds {
            sockets.push(rule(&[is(0, family), masked(1, SOCKET_KIND, kind)])?);
        }
    }
    let me = u64::from(std::process::id());
    let run = unsigned(c::PROT_EXEC);
    Ok(vec![
        // No raw sockets, and none of the kernel's own families, where most of its faults are.
        (c::SYS_socket, sockets),
        (c::SYS_socketpair, any_of(0, &[unsigned(c::AF_UNIX)])?),
        // Threads, not processes. What asks by `clone3`, whose flags cannot be seen here, falls back to this.
        (c::SYS_clone, vec![rule(&[masked(0, CLONE_THREAD, CLONE_THREAD)])?]),
        // Memory is never both written and run, and what was written is never run afterwards.
        (
            c::SYS_mmap,
            vec![rule(&[masked(2, run, 0)])?, rule(&[masked(2, unsigned(c::PROT_WRITE), 0)])?],
        ),
        (c::SYS_mprotect, vec![rule(&[masked(2, run, 0)])?]),
        (c::SYS_ioctl, any_of(1, &IOCTLS)?),
        (
            c::SYS_prctl,
            any_of(
                0,
                &[
                    unsigned(c::PR_SET_NAME),
                    unsigned(c::PR_GET_NAME),
                    unsigned(c::PR_GET_DUMPABLE),
                    unsigned(c::PR_GET_NO_NEW_PRIVS),
                    unsigned(c::PR_GET_SECCOMP),
                    SET_VMA,
                ],
            )?
            .into_iter()
            .chain([rule(&[is(0, unsigned(c::PR_SET_DUMPABLE)), is(1, 0)])?])
            .collect(),
        ),
        // Ourselves only: an abort, and limits of our own.
        (c::SYS_tgkill, any_of(0, &[me])?),
        (c::SYS_prlimit64, any_of(0, &[0, me])?),
    ])
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()?)
}

fn rule(
    conditions: &[Result<SeccompCondition, seccompiler::Error>],
) -> Result<SeccompRule, seccompiler::Error> {
    let conditions = conditions.iter().map(|condition| match condition {
        Ok(condition) => Ok(condition.clone()),
        Err(_) => Err(seccompiler::Error::EmptyFilter),
    });
    Ok(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?)
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(mask),
        value,
    )?)
}

/// Flags of C are signed; the kernel reads their bits.
fn unsigned(flag: c::c_int) -> u64 {
    u64::from(flag.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FATAL, OLD, PLAIN, conditional, fatal, listed};

    #[test]
    fn the_lists_are_disjoint_and_make_programs() {
        let conditional: Vec<i64> =
            conditional().unwrap().into_iter().map(|(call, _)| call).collect();
        let all: Vec<i64> =
            PLAIN.iter().chain(OLD).chain(FATAL).chain(&conditional).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "a call is listed twice");
        assert!(!fatal().unwrap().is_empty());
        assert!(listed().unwrap().len() < 4096, "the kernel takes no longer one");
    }

    #[test]
    fn nothing_by_which_a_process_leaves_its_bounds_is_listed() {
        for call in [
            libc::SYS_execve,
            libc::SYS_clone3,
            libc::SYS_kill,
            libc::SYS_seccomp,
            libc::SYS_setuid,
            libc::SYS_io_uring_setup,
            libc::SYS_keyctl,
            libc::SYS_memfd_create,
            libc::SYS_mknodat,
            libc::SYS_symlinkat,
            libc::SYS_landlock_restrict_self,
        ] {
            assert!(!PLAIN.contains(&call) && !OLD.contains(&call), "call {call} is listed");
        }
    }
}
