//! Asked to stop: under load, twice, and while a platform keeps us waiting.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::house::{House, post};
use super::{HARMLESS, rulings};
use crate::support::proxy::{HOST, route};
use crate::support::{Client, Proxy, Upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_post_is_answered_or_never_sent() {
    let upstream = Arc::new(Upstream::start().await);
    let house = House::new(upstream.address, "");
    let mut serving = house.serve("");
    let plain = serving.plain;
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            tokio::spawn(async move {
                let mut n_answered = 0;
                for number in (sender..).step_by(8).take(2000) {
                    match post(plain, number).await {
                        Some((200, _)) => n_answered += 1,
                        None => break,
                        other => panic!("{other:?}"),
                    }
                }
                n_answered
            })
        })
        .collect();
    while upstream.received().len() < 60 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    serving.stop();
    let mut n_answered = 0;
    for sender in senders {
        n_answered += sender.await.unwrap();
    }
    assert_eq!(
        upstream.received().len(),
        n_answered,
        "no post was sent whose client heard nothing"
    );
    house.assert_audited(&upstream.received());
    let events = house.events();
    assert_eq!(rulings(&events), vec![("forward", Some("answered")); n_answered]);
}

/// A post that its platform has and does not answer.
async fn held(listener: &TcpListener) -> TcpStream {
    let (mut tcp, _) = listener.accept().await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        assert!(tcp.read_buf(&mut read).await.unwrap() > 0);
    }
    tcp
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_and_the_deadline_cut_off_and_say_so() {
    for (drain, signals) in [("200 ms", 1), ("1 h", 2)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let house = House::new(address, &format!("[timeouts]\ndrain = \"{drain}\"\n"));
        let mut serving = house.serve("");
        let plain = serving.plain;
        let posting = tokio::spawn(async move { post(plain, 0).await });
        let _platform = held(&listener).await;
        serving.signal(Signal::TERM);
        while TcpStream::connect(plain).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It waits for the answer: operators' tools can still see how it goes.
        if signals == 2 {
            assert!(serving.admin("/readyz").await.contains("stopping"));
            serving.signal(Signal::INT);
        }
        assert_eq!(serving.ended().code(), Some(0), "{}", serving.said());
        assert_eq!(posting.await.unwrap(), None, "no answer is made up");
        assert_eq!(rulings(&house.events()), [("forward", Some("stopped"))]);
    }
}

#[tokio::test]
async fn requests_of_http_2_hold_the_end_up_and_are_cut_off_like_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let platform = route(&[HOST], listener.local_addr().unwrap());
    let proxy = Proxy::with_routes(vec![platform])
        .config(|config| config.timeouts.drain = Duration::from_millis(100))
        .start()
        .await;
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let body = serde_json::json!({ "status": HARMLESS }).to_string();
    let request = client.post(HOST, "/api/v1/statuses", "application/json", body);
    let posting = tokio::spawn(async move { client.begin(request).await.map(drop) });
    let _platform = held(&listener).await;
    assert_eq!(rulings(&proxy.stop().await), [("forward", Some("stopped"))]);
    assert!(posting.await.unwrap().is_err());
}
