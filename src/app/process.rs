//! What the kernel says of this process: processor time, memory, files. Its own folder of `/proc` is all that is asked.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// How many of the kernel's ticks are a second, for whoever reads `/proc` (`USER_HZ`).
const TICKS: f64 = 100.0;

/// What the kernel says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Process {
    /// Seconds of processors, by us and by the kernel for us.
    pub(crate) cpu: f64,
    /// Bytes of memory in use.
    pub(crate) resident: u64,
    /// Bytes of addresses in use.
    pub(crate) virtual_memory: u64,
    /// Threads.
    pub(crate) n_threads: u64,
    /// Files and sockets open.
    pub(crate) n_files: u64,
    /// As many may be.
    pub(crate) most_files: u64,
}

impl Process {
    /// Asks. What the kernel does not say is 0.
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            cpu: cpu(&stat),
            resident: field(&status, "VmRSS:") * 1024,
            virtual_memory: field(&status, "VmSize:") * 1024,
            n_threads: field(&status, "Threads:"),
            n_files: n_files(),
            most_files: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        }
    }
}

/// The number after a name at the beginning of a line.
fn field(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Seconds of processors. The program's own name stands before, in brackets, and may hold anything.
fn cpu(stat: &str) -> f64 {
    let after = stat.rsplit_once(") ").map(|(_, after)| after).unwrap_or_default();
    // The 14th and 15th of all.
    let ticks = after.split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Newer kernels (6.2) say how many there are in the folder's size; on older ones they are counted.
fn n_files() -> u64 {
    const FOLDER: &str = "/proc/self/fd";
    match fs::metadata(FOLDER).map(|about| about.len()) {
        Ok(0) => fs::read_dir(FOLDER).map_or(0, |files| files.count() as u64),
        Ok(n) => n,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, cpu, field};

    #[test]
    fn the_kernel_says_it() {
        let process = Process::now();
        assert!(process.resident > 1 << 20 && process.virtual_memory >= process.resident);
        assert!(process.n_threads > 0 && process.n_files > 2 && process.most_files > 2);
    }

    #[test]
    fn numbers_are_found_whatever_the_program_is_called() {
        assert_eq!(field("Name:\tx\nVmRSS:\t  1024 kB\n", "VmRSS:"), 1024);
        assert_eq!(field("", "VmRSS:"), 0);
        let stat = "7 (a ) 9 b) S 1 1 1 0 -1 0 5 0 0 0 250 50 0 0 20 0 4 0 99 1 1";
        assert!((cpu(stat) - 3.0).abs() < 1e-9);
        assert!(cpu("nothing").abs() < 1e-9);
    }
}
