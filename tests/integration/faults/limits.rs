//! Out of file descriptors, and out of memory.

use std::fs;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::house::House;
use crate::support::Upstream;
use crate::support::proxy::HOST;

/// Ticks of the processor that a process has used. (There are 100 in a second.)
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn out_of_file_descriptors_nothing_spins_and_nothing_ends() {
    let upstream = Upstream::start().await;
    let house = House::new(upstream.address, "");
    let mut serving = house.serve("ulimit -n 64");
    assert_eq!(serving.post(0).await.unwrap().0, 200);
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(serving.plain).await.unwrap());
    }
    while !serving.said().contains("connections cannot be accepted") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = ticks(serving.pid());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let used = ticks(serving.pid()) - before;
    assert!(used < 25, "{used} ticks of 50 in doing nothing");
    // A line says so, not one for each try.
    assert_eq!(serving.said().matches("connections cannot be accepted").count(), 1);
    drop(idle);
    assert_eq!(serving.post(1).await.unwrap().0, 200);
    assert!(serving.metric("postward_accept_failures_total").await >= 1.0);
    serving.stop();
    house.assert_audited(&upstream.received());
    assert_eq!(upstream.received().len(), 2);
}

/// A body of so many small strings that reading it takes far more than its own length.
fn heavy() -> Vec<u8> {
    let strings = "\"a\",".repeat(190_000);
    format!("{{\"status\":\"the lobby\",\"x\":[{strings}\"a\"]}}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_memory_nothing_goes_unread_or_unwritten() {
    let upstream = Upstream::start().await;
    let house = House::new(upstream.address, "");
    let serving = house.serve("");
    // What it has now, and a little more.
    let status = fs::read_to_string(format!("/proc/{}/status", serving.pid())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let size: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
    drop(serving);
    let mut serving = house.serve(&format!("ulimit -v {}", size + 40_000));
    assert_eq!(serving.post(0).await.unwrap().0, 200);
    let body = heavy();
    let posts: Vec<_> = (0..16)
        .map(|_| {
            let (plain, body) = (serving.plain, body.clone());
            tokio::spawn(async move {
                let mut tcp = TcpStream::connect(plain).await.ok()?;
                let head = format!(
                    "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                tcp.write_all(head.as_bytes()).await.ok()?;
                tcp.write_all(&body).await.ok()?;
                let mut answer = String::new();
                tcp.read_to_string(&mut answer).await.ok()?;
                answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse::<u16>().ok()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for post in posts {
        answers.push(post.await.unwrap());
    }
    // The process ends at the first piece of memory that it does not get, or gets by; a supervisor starts it anew. What
    // matters is that what reached the platform was decided and written down before.
    let n_sent = upstream.received().len();
    assert!(answers.contains(&None) || n_sent == 17, "{answers:?}");
    let _ = serving.said();
    serving.signal(rustix::process::Signal::KILL);
    serving.ended();
    house.assert_decided(n_sent);
}
