//! Media that waits on the disk: its file has no name, and what stands in it is noise.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::canary::{Canary, Search};
use super::case::{MASTODON, request};
use super::house::{ENFORCE, House, Style};
use super::platforms::Platforms;
use crate::media::jpeg;

/// Enough for several chunks of the file.
const PIXELS: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_on_the_disk_cannot_be_read() {
    let platforms = Platforms::start().await;
    let routes = platforms.routes();
    let canary = Canary::new("spool", 0);
    let (words, sent) = (canary.clone(), platforms);
    tokio::task::spawn_blocking(move || {
        let house = House::start(Style { media: "allow", ..ENFORCE }, &routes);
        let files = upload(&house, &words);
        let left = house.end(Signal::TERM);
        let search = Search::new([&words]);
        if rustix::process::geteuid().is_root() {
            assert!(!files.is_empty(), "nothing was spooled");
            for file in &files {
                assert!(file.len() >= 256 * 1024, "{}", file.len());
                assert_eq!(search.search("the spool", file), []);
                // Of noise, no byte is much more frequent than another.
                let mut counts = [0_usize; 256];
                for &byte in file {
                    counts[usize::from(byte)] += 1;
                }
                let most = counts.iter().max().unwrap() * 256 / file.len();
                assert!(
                    most < 2,
                    "the commonest byte stands there {most} times as often as others"
                );
            }
        } else {
            eprintln!("skipped: only root sees the files of a process that cannot be dumped");
        }
        for (name, bytes) in left.written() {
            assert_eq!(search.search(&name, &bytes), []);
        }
    })
    .await
    .unwrap();
    // It did go on, whole: what was looked at was this picture's file.
    let seen = Search::new([&canary]).search("", &sent.received());
    assert!(seen.iter().any(|leak| leak.what == "secret, plain"), "the picture did not arrive");
}

/// Sends a form with a long picture, and stops before its end to look. Gives the unnamed files that were open.
fn upload(house: &House, canary: &Canary) -> Vec<Vec<u8>> {
    let mut picture = jpeg(&[], PIXELS);
    // Among the pixels, where nothing is taken out.
    let middle = picture.len() / 2;
    let pixels = canary.secret.repeat(1000);
    picture.splice(middle..middle, pixels.into_bytes());
    let body = [
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
        &picture[..],
        b"\r\n--b--\r\n",
    ]
    .concat();
    let bytes = request(
        "POST /api/v2/media",
        MASTODON,
        "Content-Type: multipart/form-data; boundary=b\r\n",
        body,
    );
    let mut tcp = TcpStream::connect(house.plain).unwrap();
    let (most, rest) = bytes.split_at(bytes.len() - 1000);
    tcp.write_all(most).unwrap();
    let began = Instant::now();
    let mut files = Vec::new();
    // As much as was sent is sealed in time, but for the last chunk.
    while files.iter().map(Vec::len).sum::<usize>() < PIXELS / 2
        && began.elapsed() < Duration::from_secs(2)
    {
        std::thread::sleep(Duration::from_millis(50));
        files = unnamed(house);
    }
    tcp.write_all(rest).unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
    files
}

/// What stands in the files that a process holds open and that have no name.
fn unnamed(house: &House) -> Vec<Vec<u8>> {
    let folder = format!("/proc/{}/fd", house.pid.as_raw_nonzero());
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let deleted = paths.filter(|path| {
        let link = fs::read_link(path).map(|link| link.display().to_string());
        link.is_ok_and(|link| link.ends_with(" (deleted)") && link.starts_with('/'))
    });
    deleted.filter_map(|path| fs::read(path).ok()).collect()
}
