//! Bodies go through the spool and come back; what is on the disk says nothing.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;

use super::{CHUNK, SpoolLimits, Spooled, Spooling};
use crate::body::{Elider, Unreadable};
use crate::proxy::body::Outgoing;

const LIMITS: SpoolLimits =
    SpoolLimits { most_kept: 64 * 1024, most: 4 << 20, idle: Duration::from_secs(1), rate: 1 };

fn body(n_files: usize, length: usize) -> Vec<u8> {
    let mut body =
        b"--b\r\ncontent-disposition: form-data; name=\"status\"\r\n\r\nhello\r\n".to_vec();
    for n in 0..n_files {
        body.extend_from_slice(
            format!(
                "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{n}.png\"\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(b"\x89PNG\r\n\x1a\n");
        body.extend((0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()));
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

async fn fill(body: &[u8], limits: SpoolLimits) -> Result<Spooled, Unreadable> {
    let mut spooling =
        Spooling::new(Elider::new("b", |_, lead| lead.starts_with(b"\x89PNG")), limits).unwrap();
    for chunk in body.chunks(10_007) {
        spooling.push(chunk).await?;
    }
    spooling.finish().await
}

async fn sent(spooled: Spooled, kept: &Bytes) -> Vec<u8> {
    let (refilled, _) = spooled.refill(kept).unwrap();
    let length = refilled.left();
    let sent = Outgoing::Refilled(Box::new(refilled)).collect().await.unwrap().to_bytes();
    assert_eq!(sent.len() as u64, length);
    sent.to_vec()
}

#[tokio::test]
async fn a_body_comes_back_as_it_was() {
    for (n_files, length) in [(0, 0), (1, 100), (1, 20_000), (2, CHUNK * 2 + 17)] {
        let original = body(n_files, length);
        let spooled = fill(&original, LIMITS).await.unwrap();
        assert!(spooled.kept.len() < 16 * 1024);
        assert_eq!(spooled.has_media(), length > 10_000);
        let kept = spooled.kept.clone();
        assert!(sent(spooled, &kept).await == original, "{n_files} files of {length}");
    }
}

#[tokio::test]
async fn edits_of_what_is_kept_go_along() {
    let original = body(1, 20_000);
    let spooled = fill(&original, LIMITS).await.unwrap();
    let edited = Bytes::from(
        memchr::memmem::find(&spooled.kept, b"hello")
            .map(|at| [&spooled.kept[..at], b"[name]", &spooled.kept[at + 5..]].concat())
            .unwrap(),
    );
    let arrived = sent(spooled, &edited).await;
    assert_eq!(arrived.len(), original.len() + 1);
    assert!(arrived.ends_with(&original[100..]));
}

#[tokio::test]
async fn what_is_kept_can_be_read() {
    use crate::body::{Document, Limits};

    let kind = Some("multipart/form-data; boundary=b");
    for (n_files, length) in [(0, 0), (1, 100), (1, 20_000), (2, 300_000)] {
        let original = body(n_files, length);
        assert!(Document::parse(kind, original.clone().into(), &Limits::default()).is_ok());
        let kept = fill(&original, LIMITS).await.unwrap().kept;
        assert!(Document::parse(kind, kept, &Limits::default()).is_ok(), "{n_files} {length}");
    }
}

#[tokio::test]
async fn lost_marks_send_nothing() {
    let spooled = fill(&body(1, 20_000), LIMITS).await.unwrap();
    assert!(spooled.refill(&Bytes::from_static(b"no marks")).is_none());
}

#[tokio::test]
async fn limits_hold() {
    let limits = SpoolLimits { most: 10_000, ..LIMITS };
    assert_eq!(fill(&body(1, 20_000), limits).await.unwrap_err(), Unreadable::TooLarge);
    let text = [
        b"--b\r\ncontent-disposition: form-data; name=\"status\"\r\n\r\n".to_vec(),
        vec![b'x'; 70_000],
    ]
    .concat();
    assert_eq!(fill(&text, LIMITS).await.unwrap_err(), Unreadable::TooLarge);
}

#[tokio::test]
async fn what_is_on_the_disk_is_sealed() {
    use std::os::unix::fs::FileExt;

    let spooled = fill(&body(1, 20_000), LIMITS).await.unwrap();
    let mut on_disk = vec![0; 4096];
    spooled.store.file.read_exact_at(&mut on_disk, 0).unwrap();
    let plain: Vec<u8> = (0..64_usize).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    assert!(memchr::memmem::find(&on_disk, &plain).is_none());
    spooled.store.file.write_all_at(b"changed", 100).unwrap();
    let kept = spooled.kept.clone();
    let (refilled, _) = spooled.refill(&kept).unwrap();
    assert!(Outgoing::Refilled(Box::new(refilled)).collect().await.is_err());
}
