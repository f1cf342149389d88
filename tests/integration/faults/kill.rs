//! The end without a word, in the middle of load.

use std::sync::Arc;

use rustix::process::Signal;

use super::house::{House, post};
use super::rulings;
use crate::support::Upstream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reached_the_platform_before_a_kill_is_in_the_audit() {
    let upstream = Arc::new(Upstream::start().await);
    let house = House::new(upstream.address, "");
    let mut n_posts = 0;
    for round in 1..=3 {
        let mut serving = house.serve("");
        let plain = serving.plain;
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let first = n_posts + sender;
                tokio::spawn(async move {
                    // Until nobody answers any more.
                    for number in (first..).step_by(8).take(500) {
                        if post(plain, number).await.is_none() {
                            return;
                        }
                    }
                })
            })
            .collect();
        n_posts += 8 * 500;
        let before = upstream.received().len();
        while upstream.received().len() < before + 20 * round {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        serving.signal(Signal::KILL);
        assert_eq!(serving.ended().code(), None);
        for sender in senders {
            sender.await.unwrap();
        }
        house.assert_audited(&upstream.received());
    }
    // Decisions without an outcome are those that the kill came between; the next start went on with the chain.
    let events = house.events();
    assert!(rulings(&events).len() >= upstream.received().len());
}
