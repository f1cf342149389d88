//! Every row of the table is fed whole, byte by byte and in odd pieces: what passes must not depend on how it came.

use super::{Caps, Machine, Step};
use crate::proxy::wire::fault::Fault;

const CAPS: Caps = Caps { head: 2048, target: 1024, headers: 20 };

/// What comes out: what hyper would read, and why it ends.
#[derive(Debug, Eq, PartialEq)]
struct Out {
    passed: Vec<u8>,
    end: Option<Fault>,
    n_heads: usize,
}

/// Feeds `input` in pieces of `step` bytes. Requests to upgrade are answered as told.
fn feed(input: &[u8], step: usize, upgrade: bool) -> Out {
    let mut machine = Machine::new(CAPS);
    let (mut held, mut taken) = (Vec::new(), 0);
    let mut out = Out { passed: Vec::new(), end: None, n_heads: 0 };
    let mut pieces = input.chunks(step);
    loop {
        match machine.step(&mut held[taken..]) {
            Step::Pass { consumed, written, is_head } => {
                assert!(written <= consumed, "written {written} of {consumed}");
                out.passed.extend_from_slice(&held[taken..taken + written]);
                out.n_heads += usize::from(is_head);
                taken += consumed;
            }
            Step::More => {
                let Some(piece) = pieces.next() else { return out };
                held.drain(..taken);
                taken = 0;
                let n = usize::try_from(machine.n_direct()).unwrap_or(usize::MAX).min(piece.len());
                if held.is_empty() && n > 0 {
                    out.passed.extend_from_slice(&piece[..n]);
                    held.extend_from_slice(&piece[n..]);
                    machine.passed(n as u64);
                } else {
                    held.extend_from_slice(piece);
                }
            }
            Step::Wait => machine.upgraded(upgrade),
            Step::Over => return out,
            Step::Refuse { fault, .. } => {
                out.end = Some(fault);
                return out;
            }
        }
    }
}

#[track_caller]
fn check(input: &[u8], passed: &[u8], end: Option<Fault>) {
    for step in [1, 2, 3, 5, 17, usize::MAX] {
        let out = feed(input, step, false);
        assert_eq!(out.end, end, "{} by {step}", input.escape_ascii());
        assert_eq!(
            out.passed.escape_ascii().to_string(),
            passed.escape_ascii().to_string(),
            "{} by {step}",
            input.escape_ascii()
        );
    }
}

#[test]
fn what_is_right_passes() {
    let cases: &[(&str, &str)] = &[
        ("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "GET /a HTTP/1.1\r\nHost:x\r\nA:  b\t \r\nC:\t\r\nD:\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost:x\r\nA:b\r\nC:\r\nD:\r\n\r\n",
        ),
        (
            "GET http://X:80/a HTTP/1.1\r\nA: b\r\nhost: x:80\r\n\r\n",
            "GET /a HTTP/1.1\r\nA: b\r\nhost: x:80\r\n\r\n",
        ),
        ("GET https://x HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("GET https://x?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET /?q HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("POST /a HTTP/1.1\r\nHost: x\r\n\r\n", "POST /a HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
            "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            "POST /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding:\tChunked \r\n\r\n3;x\r\nabc\r\n0\r\nt: u\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding:Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        // One protocol is asked for, and one only.
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket, h2c\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n",
        ),
        (
            "POST /a HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nxGET",
            "POST /a HTTP/1.0\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
        ),
        // What follows the last request is nobody's.
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\nGET /b",
            "GET /a HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n",
        ),
        ("GET /a HTTP/1.0\r\nHost: x\r\n\r\n\0", "GET /a HTTP/1.0\r\nHost: x\r\n\r\n"),
        (
            "GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\nHost: x\r\n\r\n",
            "GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\nHost: x\r\n\r\n",
        ),
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nA: \u{e9}\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: x\r\nA: \u{e9}\r\n\r\n",
        ),
    ];
    for (input, passed) in cases {
        check(input.as_bytes(), passed.as_bytes(), None);
    }
}

#[test]
fn what_is_not_is_refused() {
    let post = |headers: &str| format!("POST /a HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n");
    let cases: Vec<(String, Fault)> = vec![
        (post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), Fault::TwoFramings),
        (post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), Fault::TwoFramings),
        (post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Fault::Coding),
        (post("Transfer-Encoding: chunked, chunked\r\n"), Fault::Coding),
        (post("Transfer-Encoding: gzip, chunked\r\n"), Fault::UnknownCoding),
        (post("Transfer-Encoding: ,chunked\r\n"), Fault::Coding),
        (post("Transfer-Encoding: chunked,\r\n"), Fault::Coding),
        (post("Transfer-Encoding: chunked, identity\r\n"), Fault::Coding),
        (post("Transfer-Encoding: identity\r\n"), Fault::Coding),
        (post("Transfer-Encoding: identity, chunked\r\n"), Fault::UnknownCoding),
        (post("Transfer-Encoding: gzip\r\n"), Fault::Coding),
        (post("Transfer-Encoding: \"chunked\"\r\n"), Fault::Coding),
        (post("Transfer-Encoding: chunked;q=1\r\n"), Fault::Coding),
        (post("Transfer-Encoding: xchunked\r\n"), Fault::Coding),
        (post("Transfer-Encoding:\r\n"), Fault::Coding),
        (post("Transfer-Encoding: \x0bchunked\r\n"), Fault::HeaderValue),
        (post("Transfer-Encoding : chunked\r\n"), Fault::HeaderName),
        (post("Transfer-Encoding\t: chunked\r\n"), Fault::HeaderName),
        (post("Transfer-Encoding:\r\n chunked\r\n"), Fault::Coding),
        (post("A: b\r\n Transfer-Encoding: chunked\r\n"), Fault::Fold),
        (post(" A: b\r\n"), Fault::Fold),
        (post("A: b\r\n\tc\r\n"), Fault::Fold),
        (post("Content-Length: 3\r\nContent-Length: 3\r\n"), Fault::Length),
        (post("Content-Length: 3, 3\r\n"), Fault::Length),
        (post("Content-Length: +3\r\n"), Fault::Length),
        (post("Content-Length: -3\r\n"), Fault::Length),
        (post("Content-Length: 0x3\r\n"), Fault::Length),
        (post("Content-Length: 3 3\r\n"), Fault::Length),
        (post("Content-Length:\r\n"), Fault::Length),
        (post("Content-Length: 99999999999999999999\r\n"), Fault::Length),
        (post("Content-Length: \u{663}\r\n"), Fault::Length),
        (post("A: b\nC: d\r\n"), Fault::LineEnd),
        (post("A: b\rC: d\r\n"), Fault::LineEnd),
        (post("A: b\r\r\n"), Fault::LineEnd),
        (post("A: b\0c\r\n"), Fault::HeaderValue),
        (post("A: b\x7fc\r\n"), Fault::HeaderValue),
        (post("A\0: b\r\n"), Fault::HeaderName),
        (post("A b: c\r\n"), Fault::HeaderName),
        (post(": c\r\n"), Fault::HeaderName),
        (post("A\r\n"), Fault::HeaderName),
        (post("A\u{e9}: b\r\n"), Fault::HeaderName),
        (post("Host: x\r\n"), Fault::Host),
        (post("Expect: 200-ok\r\n"), Fault::Expectation),
        (post("Expect: 100-continue, x\r\n"), Fault::Expectation),
        (post("Upgrade: websocket\r\nContent-Length: 3\r\n"), Fault::Upgrade),
        (post("Upgrade: websocket\r\nUpgrade: h2c\r\n"), Fault::Upgrade),
        (post(&"A: b\r\n".repeat(20)), Fault::TooManyHeaders),
        (post(&format!("A: {}\r\n", "b".repeat(2100))), Fault::TooLong),
        (post(&format!("{}: b\r\n", "b".repeat(300))), Fault::TooLong),
        ("GET / HTTP/1.1\r\n\r\n".into(), Fault::Host),
        ("GET / HTTP/1.0\r\n\r\n".into(), Fault::Host),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n".into(), Fault::Host),
        ("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::Host),
        ("GET http://x:443/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::Host),
        ("GET http://x/ HTTP/1.1\r\n\r\n".into(), Fault::Host),
        ("POST / HTTP/1.0\r\nHost: x\r\n\r\nabc".into(), Fault::NoLength),
        (
            "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(),
            Fault::TwoFramings,
        ),
        ("GET /\r\n\r\n".into(), Fault::RequestLine),
        ("GET / HTTP/1.1\nHost: x\n\n".into(), Fault::LineEnd),
        ("GET / HTTP/1.1\r\r\nHost: x\r\n\r\n".into(), Fault::LineEnd),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n".into(), Fault::Version),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), Fault::Version),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::RequestLine),
        ("GET / HTTP/1.1\rHost: x\r\r".into(), Fault::LineEnd),
        ("GET / HTTP/1.1\r\nHost: x\rA: b".into(), Fault::LineEnd),
        ("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::LineEnd),
        ("\rGET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::LineEnd),
        ("garbage\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), Fault::RequestLine),
        ("\x16\x03\x01\x02".into(), Fault::RequestLine),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1100)), Fault::TargetTooLong),
        (format!("GET /{}", "a".repeat(4000)), Fault::TargetTooLong),
    ];
    for (input, fault) in cases {
        // An error in the first line is not always the same one when seen early, but always one.
        for step in [1, 2, 3, 5, 17, usize::MAX] {
            let out = feed(input.as_bytes(), step, false);
            let early = matches!(fault, Fault::Method | Fault::RequestLine | Fault::LineEnd)
                && matches!(out.end, Some(Fault::Method | Fault::RequestLine | Fault::LineEnd));
            assert!(early || out.end == Some(fault), "{input:?} by {step}: {out:?}");
            assert_eq!(out.n_heads, 0, "{input:?}");
            assert!(out.passed.is_empty(), "{input:?}");
        }
    }
}

#[test]
fn a_broken_body_ends_after_what_was_right() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(
        format!("{head}3\r\nabc\r\n3\nabc\r\n").as_bytes(),
        format!("{head}3\r\nabc\r\n").as_bytes(),
        Some(Fault::ChunkLine),
    );
    check(
        format!("{head}3\r\nabcd\r\n").as_bytes(),
        format!("{head}3\r\nabc").as_bytes(),
        Some(Fault::ChunkEnd),
    );
}

#[test]
fn nothing_passes_before_an_upgrade_is_answered() {
    let ask = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
    let mut machine = Machine::new(CAPS);
    let mut held = [&ask[..], b"\x81\x00\r\nGET"].concat();
    let Step::Pass { consumed, written, is_head: true } = machine.step(&mut held) else {
        panic!("no head")
    };
    assert_eq!((consumed, written), (ask.len(), ask.len()));
    assert_eq!(machine.step(&mut held[consumed..]), Step::Wait);
    assert_eq!(machine.n_direct(), 0);
    for step in [1, 7, usize::MAX] {
        let frames = [&ask[..], b"\x81\x00\r\n\0"].concat();
        let accepted = feed(&frames, step, true);
        assert_eq!((accepted.passed, accepted.end), (frames.clone(), None));
        let refused = feed(&frames, step, false);
        assert_eq!((refused.passed.as_slice(), refused.end), (&ask[..], None));
        let next = [&ask[..], b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
        assert_eq!(feed(&next, step, false).passed, ask);
    }
}

proptest::proptest! {
    /// Whatever comes, in whatever pieces: the same passes, and no more of it than came.
    #[test]
    fn pieces_make_no_difference(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "GET ", "POST ", "/a", "http://x/", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: x\r\n", "Content-Length: 3\r\n",
                "Transfer-Encoding: chunked\r\n", "Upgrade: websocket\r\n", "Connection: close\r\n", "A:  b \r\n", "\r\n",
                "3\r\nabc\r\n", "0\r\n\r\n", "abc", "\n", "\r", ";x", "\0", "GET /a HTTP/1.1\r\nHost: x\r\n",
                "POST /a HTTP/1.1\r\nHost: x\r\n",
            ]),
            0..20,
        ),
        step in 1_usize..40,
    ) {
        let input = parts.concat().into_bytes();
        let whole = feed(&input, usize::MAX, false);
        let pieces = feed(&input, step, false);
        proptest::prop_assert_eq!(&whole.passed, &pieces.passed);
        proptest::prop_assert_eq!(whole.end.is_some(), pieces.end.is_some());
        proptest::prop_assert_eq!(whole.n_heads, pieces.n_heads);
        proptest::prop_assert!(whole.passed.len() <= input.len());
        // What has passed is read again to the same: it was canonical.
        let again = feed(&whole.passed, usize::MAX, false);
        proptest::prop_assert_eq!(again.passed, whole.passed);
        proptest::prop_assert_eq!(again.end, None);
    }

    #[test]
    fn no_bytes_are_a_panic(input: Vec<u8>, step in 1_usize..9) {
        let _ = feed(&input, step, true);
    }
}

#[test]
fn nothing_of_a_head_is_printed() {
    let mut machine = Machine::new(CAPS);
    let mut held = b"GET http://canary.example/ HTTP/1.1\r\nhost: canary.example\r\n".to_vec();
    assert!(matches!(machine.step(&mut held), Step::More));
    let said = format!("{machine:?}");
    // As bytes it would be a list of numbers.
    let numbers = format!("{:?}", b"canary");
    assert!(said.contains("has_authority: true"), "{said}");
    assert!(!said.contains("canary") && !said.contains(numbers.trim_matches(['[', ']'])), "{said}");
}
