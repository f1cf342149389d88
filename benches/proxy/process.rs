//! A process under measurement: its processor time and memory with its children's, and its end with the value's.

use std::fmt::Display;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// One process (nginx: several), ended when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// What it said it listens on.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Process {
    /// Starts one that says nothing worth reading.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, addresses: Vec::new() }
    }

    /// Starts one that prints its addresses first.
    pub(crate) fn start_and_read(program: &Path, arguments: &[&dyn Display]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string);
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = line.split_whitespace().map(|address| address.parse().unwrap()).collect();
        Self { child, addresses }
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// User and system time so far, in microseconds. The kernel counts it in hundredths of a second.
    pub(crate) fn processor_us(&self) -> f64 {
        let ticks: u64 = self.ids().into_iter().map(processor_ticks).sum();
        ticks as f64 * 1e4
    }

    /// Resident memory.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.ids().into_iter().map(resident_kib).sum()
    }

    fn ids(&self) -> Vec<u32> {
        let id = self.child.id();
        let children =
            fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id)
            .chain(children.split_whitespace().map(|child| child.parse().unwrap()))
            .collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: a killed nginx leaves its workers behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..40 {
            if !self.is_running() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn processor_ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th words after it.
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

fn resident_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
