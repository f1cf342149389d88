//! What is said, and what is left, when the process dies in the middle of a post.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::canary::{Canary, Search};
use super::case::toot;
use super::house::{ENFORCE, House};
use super::platforms::Platforms;

/// Names the way to die, to a copy of this test.
const WAY: &str = "POSTWARD_TEST_CRASH";

/// Each with whether the process goes on.
const WAYS: [(&str, bool); 8] = [
    ("a slice inside a letter", true),
    ("an error unwrapped", true),
    ("words of its own", true),
    ("in another thread", true),
    ("on a runtime", true),
    ("a panic while unwinding", false),
    ("the stack is full", false),
    ("an abort", false),
];

#[test]
fn a_panic_says_where_and_never_what() {
    let canary = Canary::new("crash", 7);
    if let Ok(way) = std::env::var(WAY) {
        postward::app::hide_payloads();
        die(&way, &canary.numbered());
        return;
    }
    let search = Search::new([&canary]);
    for (way, goes_on) in WAYS {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "leaks::crash::a_panic_says_where_and_never_what", "--nocapture"])
            .env(WAY, way)
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        assert_eq!(output.status.success(), goes_on, "{way}: {output:?}");
        for (name, bytes) in [("output", &output.stdout), ("error", &output.stderr)] {
            assert_eq!(search.search(name, bytes), [], "{way}");
        }
        let said = String::from_utf8(output.stderr).unwrap();
        let is_panic = !matches!(way, "the stack is full" | "an abort");
        assert_eq!(said.contains("postward: panic at "), is_panic, "{way}: {said}");
    }
}

fn die(way: &str, text: &str) {
    let panics = |work: &(dyn Fn() + std::panic::RefUnwindSafe)| {
        assert!(std::panic::catch_unwind(work).is_err());
    };
    let owned = text.to_owned() + "\u{eb}";
    match way {
        "a slice inside a letter" => panics(&|| {
            std::hint::black_box(&owned[..owned.len() - 1]);
        }),
        "an error unwrapped" => {
            panics(&|| std::hint::black_box(Err::<(), _>(owned.clone())).unwrap());
        }
        "words of its own" => panics(&|| panic!("{owned}")),
        "in another thread" => {
            assert!(std::thread::spawn(move || panic!("{owned}")).join().is_err());
        }
        "on a runtime" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let task = runtime.spawn_blocking(move || panic!("{owned}"));
            let failed: Result<(), _> = runtime.block_on(task);
            // What a task ended with is quoted by its error.
            assert!(failed.is_err());
        }
        "a panic while unwinding" => {
            let _held = Panics(owned.clone());
            panic!("{owned}");
        }
        "the stack is full" => {
            println!("{}", sink_in(text, 0));
        }
        _ => std::process::abort(),
    }
}

/// Panics when it is dropped.
struct Panics(String);

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// Fills the stack with copies of a text.
#[expect(unconditional_recursion, reason = "that is its end")]
fn sink_in(text: &str, n: usize) -> usize {
    let mut copy = [0_u8; 4096];
    copy[..text.len()].copy_from_slice(text.as_bytes());
    std::hint::black_box(&copy);
    sink_in(text, n + 1) + usize::from(copy[n % 4096])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_in_the_middle_of_a_post_leaves_nothing() {
    let platforms = Platforms::start().await;
    let routes = platforms.routes();
    tokio::task::spawn_blocking(move || {
        for (n, signal) in [Signal::ABORT, Signal::QUIT, Signal::KILL].into_iter().enumerate() {
            let canary = Canary::new("killed", n);
            let house = House::start(ENFORCE, &routes);
            let mut client = TcpStream::connect(house.plain).unwrap();
            let post = toot(&canary.numbered());
            client.write_all(&post[..post.len() - 4]).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            let left = house.end(signal);
            assert_eq!(left.status.signal(), Some(signal.as_raw()));
            assert!(!left.status.core_dumped(), "{signal:?}");
            let search = Search::new([&canary]);
            let written = left.written();
            let known =
                ["stdout", "stderr", "audit.jsonl", "audit.db", "audit.db-wal", "audit.db-shm"];
            for (name, _) in &written {
                let name = name.rsplit('/').next().unwrap();
                assert!(known.contains(&name) || name == ".audit.jsonl.sqlite.cursor", "{name}");
            }
            assert!(written.len() >= 3, "its outputs and its audit");
            for (name, bytes) in written {
                assert_eq!(search.search(&name, &bytes), [], "{signal:?}");
            }
        }
    })
    .await
    .unwrap();
}
