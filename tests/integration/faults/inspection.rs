//! Inspections that panic, that never end, and rules that cannot be used at all.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use http::StatusCode;

use super::house::House;
use super::{HARMLESS, reasons, rulings};
use crate::support::client::raw;
use crate::support::proxy::HOST;
use crate::support::{Client, Proxy, Upstream};

#[tokio::test]
async fn a_panic_is_a_block() {
    for on_unreadable in ["block", "forward"] {
        let upstream = Upstream::start().await;
        let panics = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&panics);
        let proxy = Proxy::to(&upstream)
            .policy(r#"on-unreadable = "block""#, &format!("on-unreadable = \"{on_unreadable}\""))
            .rehearsing(move || assert!(!told.load(SeqCst), "her SSN is 078-05-1120"))
            .start()
            .await;
        let mut h1 = Client::plain(proxy.plain).await;
        let mut h2 = Client::h2(proxy.tls, &proxy.authority, HOST).await;
        let long = "the lobby is open ".repeat(1000);
        for client in [&mut h1, &mut h2] {
            for text in [HARMLESS, &long] {
                let reply = client.toot(HOST, text).await;
                assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
                let error =
                    "{\"error\":\"Blocked by hospital policy: this post could not be checked";
                assert!(reply.text().starts_with(error), "{}", reply.text());
            }
        }
        assert_eq!(upstream.n_begun(), 0);
        // The same connections serve the next posts.
        panics.store(false, SeqCst);
        assert_eq!(h1.toot(HOST, HARMLESS).await.status, StatusCode::OK);
        assert_eq!(h2.toot(HOST, HARMLESS).await.status, StatusCode::OK);
        assert_eq!(upstream.received().len(), 2);
        let events = proxy.stop().await;
        let mut want = vec![("block", None); 4];
        want.extend([("forward", Some("answered")); 2]);
        assert_eq!(rulings(&events), want);
        assert_eq!(reasons(&events), ["inspection-failed"; 4]);
        assert!(!format!("{events:?}").contains("078-05"));
    }
}

/// Holds up whoever comes, until it is opened.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    n_waited: AtomicUsize,
}

impl Gate {
    fn wait(&self) {
        self.n_waited.fetch_add(1, SeqCst);
        drop(self.opened.wait_while(self.is_open.lock().unwrap(), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_inspection_without_end_is_a_block_and_stops_nobody_else() {
    let upstream = Upstream::start().await;
    let gate = Arc::new(Gate::default());
    let told = Arc::clone(&gate);
    let proxy = Proxy::to(&upstream)
        .config(|config| config.timeouts.inspect = Duration::from_millis(100))
        .rehearsing(move || told.wait())
        .start()
        .await;
    // Of three threads, two may inspect; what waits there has no deadline, and must leave the third alone.
    let posts: Vec<_> = (0..8)
        .map(|_| {
            let (plain, begun) = (proxy.plain, Arc::clone(&gate));
            tokio::spawn(async move {
                let mut client = Client::plain(plain).await;
                let reply = client.toot(HOST, HARMLESS).await;
                (reply.status, reply.text().to_owned(), begun.is_open.lock().unwrap().to_owned())
            })
        })
        .collect();
    let mut replies = Vec::new();
    let (mut late, mut waiting) = (0, posts);
    // Six of the eight are answered while nothing has ended yet.
    while late < 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (done, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(tokio::task::JoinHandle::is_finished);
        late += done.len();
        replies.extend(done);
        waiting = rest;
    }
    assert!(
        raw(proxy.admin, b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await
            .contains("\"live\":true")
    );
    assert_eq!(upstream.n_begun(), 0);
    assert_eq!(gate.n_waited.load(SeqCst), 8);
    gate.open();
    for reply in replies {
        let (status, text, was_open) = reply.await.unwrap();
        assert_eq!((status, was_open), (StatusCode::UNPROCESSABLE_ENTITY, false), "{text}");
        assert!(text.contains("this post could not be checked"), "{text}");
    }
    // The two others are read to their end after all, and only then sent.
    for reply in waiting {
        assert_eq!(reply.await.unwrap().0, StatusCode::OK);
    }
    assert_eq!(upstream.received().len(), 2);
    let events = proxy.stop().await;
    assert_eq!(reasons(&events), ["inspection-late"; 6]);
    assert_eq!(rulings(&events).iter().filter(|it| it.0 == "block").count(), 6);
}

#[test]
fn no_threads_are_left_and_nothing_goes_unread() {
    // One thread moves bytes, and the only other one is taken.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let gate = Arc::new(Gate::default());
    let told = Arc::clone(&gate);
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || told.wait());
        let upstream = Upstream::start().await;
        let proxy = Proxy::to(&upstream)
            .config(|config| config.timeouts.inspect = Duration::from_millis(50))
            .start()
            .await;
        let mut client = Client::plain(proxy.plain).await;
        let reply = client.toot(HOST, HARMLESS).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
        assert_eq!(upstream.n_begun(), 0);
        gate.open();
        assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::OK);
        let events = proxy.stop().await;
        assert_eq!(rulings(&events), [("block", None), ("forward", Some("answered"))]);
        assert_eq!(reasons(&events), ["inspection-late"]);
    });
}

#[test]
fn rules_that_cannot_be_used_start_nothing() {
    const PARTS: &str = "category = \"ssn\"\nconfidence = \"high\"\nwhy = \"45 CFR 164.514(b)(2)(i)(G)\"\n\
        finds = [\"a\", \"b\"]\nignores = [\"c\", \"d\"]\n";
    for pattern in ["(?:(?:a{1000}){1000}){1000}", "(", "(?:a|b)(?<!c)"] {
        let house = House::new("127.0.0.1:9".parse().unwrap(), "");
        let rule = format!("[[rule]]\nid = \"poison\"\npattern = '{pattern}'\n{PARTS}");
        house.add("rules.toml", &rule);
        house.put_first("rules = [\"embedded\", \"rules.toml\"]\n");
        let (code, said) = house.run();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("rules.toml:3"), "{said}");
        assert!(!house.audit_file().exists(), "nothing was begun");
    }
}
