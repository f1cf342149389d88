//! After a post has ended, nothing of it is left in the process's memory: every writable page is searched.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::canary::{Canary, Leak, Search};
use super::case::{MASTODON, toot};
use super::house::{ENFORCE, House};
use super::platforms::Platforms;
use super::run::{Door, Ways};
use super::{posts, secrets};
use crate::edge::raw_h2::{DATA, END_HEADERS, END_STREAM, HEADERS, block, frame};

#[test]
fn nothing_is_left_in_memory_once_posts_have_ended() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root may look into the memory of a process that cannot be dumped");
        return;
    }
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let (clients, theirs) = (runtime().unwrap(), runtime().unwrap());
    let platforms = theirs.block_on(Platforms::start());
    let house = House::start(ENFORCE, &platforms.routes());
    let ways = Ways::to(&house);
    let cases: Vec<_> = posts::cases().into_iter().chain(secrets::cases()).collect();
    let mut canaries = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let canary = Canary::new(case.name, n);
        clients.block_on(ways.act((case.send)(&canary)));
        canaries.push(canary);
    }
    held_open(&house, &ways, &clients);
    // The control: a post that is under way is seen.
    let under_way = Canary::new("under way", cases.len());
    let mut post = toot(&under_way.numbered());
    post.truncate(post.len() - 4);
    let mut client = TcpStream::connect(house.plain).unwrap();
    client.write_all(&post).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!standing(&house, &Search::plainly([&under_way])).is_empty(), "memory is not read");
    drop(client);
    canaries.push(under_way);

    let search = Search::plainly(&canaries);
    // Connections to platforms are kept for the next post, and with them the buffer that the HTTP library wrote the last
    // request's head from. No words of a post stand in it.
    let kept = leftovers(&house, &search, |_| false);
    let kept: Vec<_> = kept.into_iter().filter(is_ours).collect();
    let of_posts: Vec<_> = kept.iter().filter(|(leak, _)| leak.what != "secret").collect();
    assert!(of_posts.is_empty(), "{of_posts:#?}");
    assert!(
        kept.iter().all(|(_, context)| context.contains(" HTTP/1.1\\r\\n")),
        "only heads are kept: {kept:#?}"
    );
    // The platforms hang up, and the connections' memory is given back.
    theirs.shutdown_background();
    let left = leftovers(&house, &search, |left| !left.iter().any(is_ours));
    let left: Vec<_> = left.into_iter().filter(is_ours).collect();
    println!("{} heads kept with connections, {} copies left after them", kept.len(), left.len());
    assert!(left.is_empty(), "{left:#?}");
    house.end(Signal::TERM);
}

/// zstd's working memory is C's, which nobody overwrites; every other copy is for us to answer for.
fn is_ours((leak, _): &Standing) -> bool {
    !leak.path.ends_with("zstd")
}

/// A client's connection that is kept holds what its buffers last read, in the libraries that own them, until that is overwritten
/// or the connection ends: one copy in TLS, and one more in HTTP. This counts them, so that there are never more.
fn held_open(house: &House, ways: &Ways, clients: &Runtime) {
    // The last number is for the token: it may stand in each buffer, and in HPACK's table, for the client to refer to.
    let doors = [(Door::Plain, 1, 1), (Door::Tls, 2, 2), (Door::H2, 2, 3)];
    let (mut canaries, mut kept) = (Vec::new(), Vec::new());
    for (n, (door, ..)) in doors.into_iter().enumerate() {
        // Blocked, so that no connection to a platform has any of it.
        let canary = Canary::new(&format!("held open, {door:?}"), 900 + n);
        let body = serde_json::json!({ "status": canary.numbered() }).to_string();
        let bearer = format!("Bearer {}", canary.secret);
        let bytes = if matches!(door, Door::H2) {
            let head = block(&[
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", MASTODON),
                (":path", "/api/v1/statuses"),
                ("content-type", "application/json"),
                ("authorization", &bearer),
            ]);
            let head = frame(HEADERS, END_HEADERS, 1, &head);
            [head, frame(DATA, END_STREAM, 1, body.as_bytes())].concat()
        } else {
            format!(
                "POST /api/v1/statuses HTTP/1.1\r\nHost: {MASTODON}\r\nAuthorization: {bearer}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        };
        kept.push(clients.block_on(ways.keep(door, MASTODON, &bytes)));
        canaries.push(canary);
    }
    let search = Search::plainly(&canaries);
    let found = standing(house, &search);
    for ((_, most_words, most_tokens), canary) in doors.into_iter().zip(&canaries) {
        let count = |what: &str| {
            found.iter().filter(|(leak, _)| leak.path == canary.path && leak.what == what).count()
        };
        let (n_words, n_tokens) = (count("ssn"), count("secret"));
        println!("held open: {n_words} copies of words, {n_tokens} of the token");
        assert!(n_words <= most_words && n_tokens <= most_tokens, "{found:#?}");
    }
    clients.block_on(async move { drop(kept) });
    let left = leftovers(house, &search, <[_]>::is_empty);
    assert!(left.is_empty(), "{left:#?}");
}

/// What was found, and what stands around it.
type Standing = (Leak, String);

/// Looks again and again until it is as wished, or for three seconds: clients hear the end of an answer before the proxy
/// has let go of the post. Gives what stands there at last, each with its surroundings.
fn leftovers(house: &House, search: &Search, enough: fn(&[Standing]) -> bool) -> Vec<Standing> {
    let began = Instant::now();
    loop {
        // What is let go of is let go of soon.
        std::thread::sleep(Duration::from_secs(1));
        let left = standing(house, search);
        if enough(&left) || began.elapsed() > Duration::from_secs(3) {
            return left;
        }
    }
}

/// What stands in the writable memory of a process.
fn standing(house: &House, search: &Search) -> Vec<Standing> {
    let folder = format!("/proc/{}", house.pid.as_raw_nonzero());
    let memory = File::open(format!("{folder}/mem")).unwrap();
    let maps = fs::read_to_string(format!("{folder}/maps")).unwrap();
    let mut left = Vec::new();
    let mut n_read = 0;
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words[1].starts_with("rw") {
            continue;
        }
        let (start, end) = words[0].split_once('-').unwrap();
        let start = u64::from_str_radix(start, 16).unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        let mut bytes = vec![0; (end - start) as usize];
        // Some pages are the kernel's own.
        if memory.read_exact_at(&mut bytes, start).is_err() {
            continue;
        }
        n_read += bytes.len();
        let name = words.get(5).unwrap_or(&"anonymous");
        for leak in search.search(name, &bytes) {
            let from = leak.at.saturating_sub(96);
            let to = (leak.at + 96).min(bytes.len());
            left.push((leak, bytes[from..to].escape_ascii().to_string()));
        }
    }
    assert!(n_read > 1 << 20, "the memory was not read");
    left
}
