//! Audit files that take no lines, and spools that take no bytes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use http::StatusCode;
use postward::audit::{self, Event, Outcome, What};

use super::house::{House, PATIENCE, events};
use super::{HARMLESS, reasons, rulings};
use crate::media::{film, form, part};
use crate::support::proxy::HOST;
use crate::support::{Client, Proxy, Upstream};

const UNAUDITED: &str = "no record of posts can be written at the moment";

/// Some 4 to 8 KiB to a file, then it is full, half-way through a line. (Shells differ in the unit.)
const SMALL_DISK: &str = "ulimit -f 8";

#[tokio::test]
async fn a_full_disk_blocks() {
    let upstream = Upstream::start().await;
    let house = House::new(upstream.address, "");
    let mut serving = house.serve(SMALL_DISK);
    let (mut n_sent, mut n_refused) = (0, 0);
    // A shorter line may still fit where a longer one did not.
    while n_refused < 4 {
        let (status, text) = serving.post(n_sent + n_refused).await.unwrap();
        if status == 200 {
            n_sent += 1;
        } else {
            assert!(status == 422 && text.contains(UNAUDITED), "{status} {text}");
            n_refused += 1;
        }
        assert!(n_sent < 1000, "the file has no end");
    }
    assert!(n_sent > 0);
    assert_eq!(upstream.received().len(), n_sent);
    assert!(serving.admin("/readyz").await.contains("the audit file cannot be written"));
    assert!(serving.metric("postward_unaudited_total").await >= 2.0);
    serving.stop();
    house.assert_audited(&upstream.received());
    // With room again, the chain goes on.
    let mut serving = house.serve("");
    assert_eq!(serving.post(2000).await.unwrap().0, 200);
    serving.stop();
    house.assert_audited(&upstream.received());
}

#[tokio::test]
async fn a_full_disk_lets_pass_where_the_policy_says_so_and_counts() {
    let upstream = Upstream::start().await;
    let house = House::new(upstream.address, "")
        .policy(r#"on-unaudited = "block""#, r#"on-unaudited = "forward""#);
    let mut serving = house.serve(SMALL_DISK);
    let mut n_sent = 0;
    while serving.metric("postward_unaudited_total").await < 2.0 {
        assert_eq!(serving.post(n_sent).await.unwrap().0, 200);
        n_sent += 1;
        assert!(n_sent < 1000, "the file has no end");
    }
    assert_eq!(upstream.received().len(), n_sent);
    assert!(serving.said().contains("audit event not written"));
    // Load balancers are told to look elsewhere all the same.
    assert!(serving.admin("/readyz").await.contains("the audit file cannot be written"));
    serving.stop();
    assert_eq!(audit::verify(&[&house.audit_file()]).unwrap().broken, None);
}

#[tokio::test]
async fn a_file_that_is_removed_or_cut_blocks_and_one_that_is_renamed_goes_on() {
    for what in ["removed", "cut", "added to"] {
        let upstream = Upstream::start().await;
        let house = House::new(upstream.address, "");
        let mut serving = house.serve("");
        assert_eq!(serving.post(0).await.unwrap().0, 200);
        match what {
            "removed" => fs::remove_file(house.audit_file()).unwrap(),
            "cut" => fs::write(house.audit_file(), "").unwrap(),
            _ => {
                let text = fs::read_to_string(house.audit_file()).unwrap();
                fs::write(house.audit_file(), text + "seen, J.\n").unwrap();
            }
        }
        let (status, text) = serving.post(1).await.unwrap();
        assert!(status == 422 && text.contains(UNAUDITED), "{what}: {status} {text}");
        assert_eq!(upstream.received().len(), 1, "{what}");
        assert!(serving.admin("/readyz").await.contains("cannot be written"), "{what}");
        serving.stop();
    }
    let upstream = Upstream::start().await;
    let house = House::new(upstream.address, "");
    let old = house.path("audit/audit.jsonl.1");
    let mut serving = house.serve("");
    assert_eq!(serving.post(0).await.unwrap().0, 200);
    fs::rename(house.audit_file(), &old).unwrap();
    assert_eq!(serving.post(1).await.unwrap().0, 200);
    serving.stop();
    assert_eq!(rulings(&events(&old)), [("forward", Some("answered")); 2]);
    let mut serving = house.serve("");
    assert_eq!(serving.post(2).await.unwrap().0, 200);
    serving.stop();
    let report = audit::verify(&[&old, &house.audit_file()]).unwrap();
    assert_eq!((report.broken, report.n_lines), (None, 7));
}

#[test]
fn what_is_no_file_of_ours_starts_nothing() {
    let house = House::new("127.0.0.1:9".parse().unwrap(), "");
    let file = house.audit_file();
    let cases: [(&str, &dyn Fn()); 6] = [
        ("the audit file", &|| symlink("/dev/full", &file).unwrap()),
        ("the audit file", &|| {
            assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        }),
        ("is a folder", &|| fs::create_dir(&file).unwrap()),
        ("audit.jsonl", &|| symlink(&file, &file).unwrap()),
        ("audit.jsonl", &|| symlink("nowhere/audit.jsonl", &file).unwrap()),
        ("does not end as one does", &|| fs::write(&file, "a shopping list\n").unwrap()),
    ];
    for (want, make) in cases {
        make();
        let (code, said) = house.run();
        assert!(code.is_some_and(|code| code != 0), "{want}: {said}");
        assert!(said.contains(want), "{want}: {said}");
        if file.is_symlink() || !file.is_dir() {
            fs::remove_file(&file).unwrap();
        } else {
            fs::remove_dir(&file).unwrap();
        }
    }
}

#[tokio::test]
async fn a_disk_that_takes_too_long_blocks_and_says_later_that_nothing_went() {
    for (policy, status, n_sent) in
        [("block", StatusCode::UNPROCESSABLE_ENTITY, 0), ("forward", StatusCode::OK, 1)]
    {
        let upstream = Upstream::start().await;
        let proxy = Proxy::to(&upstream)
            .policy(r#"on-unaudited = "block""#, &format!("on-unaudited = \"{policy}\""))
            .config(|config| config.timeouts.audit = Duration::from_millis(10))
            .start()
            .await;
        // As slow as if it hung: so much is to be written first.
        for _ in 0..60_000 {
            proxy.running.audit().record_later(Event {
                id: "E".into(),
                client: None,
                group: None,
                identity: None,
                host: HOST.into(),
                platform: "mastodon".into(),
                method: "GET".into(),
                what: What::Outcome(Outcome::Sent),
            });
        }
        let mut client = Client::plain(proxy.plain).await;
        let reply = client.toot(HOST, HARMLESS).await;
        assert_eq!((reply.status, upstream.n_begun()), (status, n_sent), "{}", reply.text());
        let outcome = if n_sent == 0 { "failed" } else { "answered" };
        assert_eq!(rulings(&proxy.stop().await), [("forward", Some(outcome))]);
    }
}

#[tokio::test]
async fn a_spool_without_room_blocks() {
    for on_unreadable in ["block", "forward"] {
        for (limits, gone, want) in
            [("", false, true), (SMALL_DISK, false, false), ("", true, false)]
        {
            let upstream = Upstream::start().await;
            let house = House::new(upstream.address, "[limits]\nmax-body = \"64 KiB\"\n").policy(
                r#"on-unreadable = "block""#,
                &format!("on-unreadable = \"{on_unreadable}\""),
            );
            let mut serving = house.serve(limits);
            if gone {
                fs::remove_dir(house.path("spool")).unwrap();
            }
            let mut client = Client::plain(serving.plain).await;
            let body = form(&[part("a.mp4", &film(1 << 20))]);
            let request =
                client.post(HOST, "/api/v2/media", "multipart/form-data; boundary=b", body);
            let reply = tokio::time::timeout(PATIENCE, client.send(request)).await.unwrap();
            let case = format!("{limits} {gone} {}", reply.text());
            if want {
                assert_eq!((reply.status, upstream.n_begun()), (StatusCode::OK, 1), "{case}");
            } else {
                assert_eq!((reply.status.as_u16(), upstream.n_begun()), (422, 0), "{case}");
                assert!(reply.text().contains("this post could not be checked"), "{case}");
                assert!(
                    serving.said().contains("the folder for temporary files cannot be written")
                );
            }
            serving.stop();
            let events = house.events();
            let outcome = want.then_some("answered");
            assert_eq!(rulings(&events).first().map(|it| it.1), Some(outcome), "{case}");
            assert_eq!(reasons(&events), if want { vec![] } else { vec!["not-kept"] }, "{case}");
        }
    }
}
