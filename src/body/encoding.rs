//! Content-Encoding: gzip, deflate, br and zstd, in and out again, within limits.
//!
//! Promise: what is decoded is all there is. A stream that ends early, or is followed by more bytes, is refused, since
//! another decoder might stop sooner or read on; and no more than the limit is ever held, however small the bomb.

use std::io::{Read, Write};

use brotli::enc::StandardAlloc;
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compression, Decompress, FlushDecompress, Status};

use crate::body::{Limits, Unreadable};

/// Bytes decoded at a time.
const CHUNK: usize = 16 * 1024;
/// More members than any packer writes into what we hold.
const MOST_MEMBERS: usize = 4096;

/// The codings of a `Content-Encoding` header, in the order they were applied.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Codings {
    layers: Vec<Coding>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Codings {
    /// Reads the header's value; an unknown coding is unreadable. (How many layers are too many, [`Codings::decode`] says.)
    pub fn parse(header: &str) -> Result<Self, Unreadable> {
        let mut layers = Vec::new();
        for name in header.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_lowercase().as_str() {
                "identity" => {}
                "gzip" | "x-gzip" => layers.push(Coding::Gzip),
                "deflate" => layers.push(Coding::Deflate),
                "br" => layers.push(Coding::Brotli),
                "zstd" => layers.push(Coding::Zstd),
                _ => return Err(Unreadable::UnknownCoding),
            }
        }
        Ok(Self { layers })
    }

    /// Whether the body is as it is.
    pub fn is_identity(&self) -> bool {
        self.layers.is_empty()
    }

    /// Undoes the codings. Truncated input, bytes after the end and output over the limit are unreadable.
    pub fn decode(&self, body: &Bytes, limits: &Limits) -> Result<Bytes, Unreadable> {
        if self.layers.len() > limits.max_codings {
            return Err(Unreadable::TooManyCodings);
        }
        let most = limits.most_unpacked(body.len());
        let mut body = body.clone();
        // A request without a body may still carry the header.
        if !body.is_empty() {
            for coding in self.layers.iter().rev() {
                body = Bytes::from(coding.decode(&body, most)?);
            }
        }
        if body.len() > limits.max_decoded { Err(Unreadable::TooLarge) } else { Ok(body) }
    }

    /// Applies the codings again.
    pub fn encode(&self, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        for coding in &self.layers {
            body = coding.encode(&body);
        }
        body
    }
}

impl Coding {
    fn decode(self, body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
        match self {
            // No client of ours names the file that a body was, and nobody would read the name.
            Self::Gzip => match gunzip(body, limit)? {
                Unpacked { inside, names } if names.iter().all(Vec::is_empty) => Ok(inside),
                _ => Err(Unreadable::DamagedCoding),
            },
            Self::Deflate => inflate(body, limit),
            Self::Brotli => unbrotli(body, limit),
            Self::Zstd => unzstd(body, limit),
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "writing to memory does not fail; were it to, a panic is a block, an empty body is not"
    )]
    fn encode(self, body: &[u8]) -> Vec<u8> {
        let written = match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body).and_then(|()| encoder.finish())
            }
            // RFC 9110, section 8.4.1.2: `deflate` means zlib, though some clients send it raw.
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body).and_then(|()| encoder.finish())
            }
            Self::Brotli => {
                let mut out = Vec::new();
                let params = brotli::enc::BrotliEncoderParams {
                    quality: 5,
                    lgwin: 20,
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*body, &mut out, &params).map(|_| out)
            }
            Self::Zstd => zstd::encode_all(body, 3),
        };
        written.expect("memory takes what is written")
    }
}

/// Whether bytes begin as packed ones do that [`unpack`] can undo.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    packing(bytes).is_some() || is_zlib(bytes)
}

/// What a packed file holds, and what its heads say of it: names, comments and other fields.
#[derive(Default)]
pub(super) struct Unpacked {
    pub(super) inside: Vec<u8>,
    pub(super) names: Vec<Vec<u8>>,
}

impl From<Vec<u8>> for Unpacked {
    fn from(inside: Vec<u8>) -> Self {
        Self { inside, names: Vec::new() }
    }
}

/// What a packed file holds; `None` where it is none. Two bytes of zlib stand at the start of other files as well: what
/// begins so and is not packed is none.
pub(super) fn unpack(bytes: &[u8], limit: usize) -> Result<Option<Unpacked>, Unreadable> {
    match packing(bytes) {
        Some(Coding::Gzip) => gunzip(bytes, limit).map(Some),
        Some(coding) => coding.decode(bytes, limit).map(|inside| Some(inside.into())),
        None if is_zlib(bytes) => match inflate(bytes, limit) {
            Err(Unreadable::DamagedCoding) => Ok(None),
            other => other.map(|inside| Some(inside.into())),
        },
        None => Ok(None),
    }
}

/// Members follow one another; anything else is a broken member.
fn gunzip(bytes: &[u8], limit: usize) -> Result<Unpacked, Unreadable> {
    let mut all = Unpacked::default();
    let mut rest = bytes;
    for _ in 0..MOST_MEMBERS {
        let mut decoder = GzDecoder::new(rest);
        let most = limit.saturating_sub(all.inside.len()).saturating_add(1);
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let read = decoder.by_ref().take(most).read_to_end(&mut all.inside);
        read.map_err(|_| Unreadable::DamagedCoding)?;
        if all.inside.len() > limit {
            return Err(Unreadable::TooLarge);
        }
        let header = decoder.header().ok_or(Unreadable::DamagedCoding)?;
        let names = [header.filename(), header.comment(), header.extra()];
        all.names.extend(names.into_iter().flatten().map(<[u8]>::to_vec));
        rest = decoder.into_inner();
        if rest.is_empty() {
            return Ok(all);
        }
    }
    Err(Unreadable::DamagedCoding)
}

fn packing(bytes: &[u8]) -> Option<Coding> {
    match bytes {
        [0x1F, 0x8B, 8, ..] => Some(Coding::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Coding::Zstd),
        _ => None,
    }
}

/// Reads a decoder to its end, and never holds more than a chunk over the limit.
fn read_all(decoder: impl Read, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut out).map_err(|_| Unreadable::DamagedCoding)?;
    if out.len() > limit { Err(Unreadable::TooLarge) } else { Ok(out) }
}

/// zlib or, as some clients send it, raw deflate. (The readers of `flate2` take a truncated stream for its end.)
fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut decoder = Decompress::new(is_zlib(body));
    let mut out = Vec::new();
    let mut rest = body;
    loop {
        out.reserve(CHUNK);
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|_| Unreadable::DamagedCoding)?;
        if out.len() > limit {
            return Err(Unreadable::TooLarge);
        }
        let n_read =
            usize::try_from(decoder.total_in() - read).map_err(|_| Unreadable::TooLarge)?;
        rest = rest.get(n_read..).ok_or(Unreadable::DamagedCoding)?;
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(out),
            Status::StreamEnd => return Err(Unreadable::DamagedCoding),
            _ if n_read == 0 && decoder.total_out() == written => {
                return Err(Unreadable::DamagedCoding);
            }
            _ => {}
        }
    }
}

/// Whether the two bytes of a zlib header stand first (RFC 1950, section 2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0f == 8 && method >> 4 <= 7 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// Without the large windows that are no part of the `br` coding: they would let a few bytes ask for a gigabyte.
fn unbrotli(body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let alloc = StandardAlloc::default;
    let mut state = brotli_state(alloc(), alloc(), alloc());
    let mut out = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let (mut left, mut at, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut written) = (chunk.len(), 0);
        let result = brotli::BrotliDecompressStream(
            &mut left,
            &mut at,
            body,
            &mut room,
            &mut written,
            &mut chunk,
            &mut total,
            &mut state,
        );
        out.extend_from_slice(chunk.get(..written).unwrap_or_default());
        if out.len() > limit {
            return Err(Unreadable::TooLarge);
        }
        match result {
            brotli::BrotliResult::ResultSuccess if left == 0 => return Ok(out),
            brotli::BrotliResult::NeedsMoreOutput if written > 0 => {}
            _ => return Err(Unreadable::DamagedCoding),
        }
    }
}

type BrotliState = brotli::BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

fn brotli_state(bytes: StandardAlloc, words: StandardAlloc, codes: StandardAlloc) -> BrotliState {
    BrotliState::new_strict(bytes, words, codes)
}

/// Frames follow one another. A window larger than what may come out is a frame that asks for more memory than it needs;
/// one that decoders skip holds what nobody would read.
fn unzstd(body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut rest = body;
    while !rest.is_empty() {
        if matches!(rest, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]) {
            return Err(Unreadable::DamagedCoding);
        }
        let length = zstd::zstd_safe::find_frame_compressed_size(rest).ok().filter(|n| *n > 0);
        let length = length.ok_or(Unreadable::DamagedCoding)?;
        rest = rest.get(length..).ok_or(Unreadable::DamagedCoding)?;
    }
    let window_log = limit.next_power_of_two().trailing_zeros().clamp(23, 27);
    let mut decoder = zstd::Decoder::with_buffer(body).map_err(|_| Unreadable::DamagedCoding)?;
    decoder.window_log_max(window_log).map_err(|_| Unreadable::DamagedCoding)?;
    read_all(decoder, limit)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::Codings;
    use crate::body::{Limits, Unreadable};

    const ALL: [&str; 5] = ["gzip", "deflate", "br", "zstd", "gzip, br"];

    fn codings(header: &str) -> Codings {
        Codings::parse(header).unwrap()
    }

    fn decode(header: &str, body: Vec<u8>) -> Result<Bytes, Unreadable> {
        codings(header)
            .decode(&Bytes::from(body), &Limits { max_decoded: 1 << 20, ..Limits::default() })
    }

    #[test]
    fn headers_are_read() {
        for identity in ["", "identity", " Identity , ", ","] {
            assert!(codings(identity).is_identity(), "{identity:?}");
        }
        assert_eq!(codings("GZIP"), codings(" x-gzip "));
        assert_eq!(codings("gzip,identity,br"), codings("gzip , br"));
        for unknown in ["compress", "gzip;q=1", "gzip br", "aws-chunked"] {
            assert_eq!(Codings::parse(unknown), Err(Unreadable::UnknownCoding), "{unknown}");
        }
        assert_eq!(decode("gzip, gzip, gzip", vec![1]), Err(Unreadable::TooManyCodings));
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for header in ALL {
            for text in ["", "x", &"saw Jane Roe today ".repeat(5000)] {
                let encoded = codings(header).encode(text.as_bytes());
                assert_eq!(decode(header, encoded).as_deref(), Ok(text.as_bytes()), "{header}");
            }
            assert_eq!(decode(header, Vec::new()).as_deref(), Ok(&b""[..]), "{header}");
        }
    }

    #[test]
    fn damaged_streams_are_refused() {
        let text = "saw Jane Roe today, she is well ".repeat(40);
        for header in ["gzip", "deflate", "br", "zstd"] {
            let encoded = codings(header).encode(text.as_bytes());
            for cut in 1..encoded.len() {
                assert_eq!(
                    decode(header, encoded[..cut].to_vec()),
                    Err(Unreadable::DamagedCoding),
                    "{header} cut at {cut}"
                );
            }
            for garbage in [&b"x"[..], b"\0", b"\0\0\0\0\0\0\0\0", b"{\"a\":1}", b"\x1f\x8b"] {
                let longer = [&encoded[..], garbage].concat();
                assert_eq!(
                    decode(header, longer),
                    Err(Unreadable::DamagedCoding),
                    "{header} then {garbage:?}"
                );
            }
            assert_eq!(
                decode(header, text.clone().into_bytes()),
                Err(Unreadable::DamagedCoding),
                "{header} plain"
            );
        }
    }

    #[test]
    fn members_and_frames_are_all_read() {
        for header in ["gzip", "zstd"] {
            let body =
                [codings(header).encode(b"saw "), codings(header).encode(b"Jane Roe")].concat();
            assert_eq!(decode(header, body).as_deref(), Ok(&b"saw Jane Roe"[..]), "{header}");
        }
    }

    #[test]
    fn what_decoders_skip_is_refused_or_read() {
        let (text, words) = (b"all well", b"MRN 00412345");
        let skipped = [&b"\x50\x2a\x4d\x18\x0c\0\0\0"[..], words].concat();
        let frame = codings("zstd").encode(text);
        for body in [[&skipped[..], &frame].concat(), [&frame[..], &skipped].concat()] {
            assert_eq!(decode("zstd", body), Err(Unreadable::DamagedCoding));
        }
        let named = |builder: flate2::GzBuilder| {
            let mut encoder = builder.write(Vec::new(), flate2::Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let plain = codings("gzip").encode(text);
        for builder in [
            flate2::GzBuilder::new().filename(&words[..]),
            flate2::GzBuilder::new().comment(&words[..]),
            flate2::GzBuilder::new().extra(&words[..]),
        ] {
            let body = [&plain[..], &named(builder)].concat();
            let read = super::unpack(&body, 1000).unwrap().unwrap();
            assert_eq!(read.inside, text.repeat(2));
            assert_eq!(read.names, [words]);
            assert_eq!(decode("gzip", body), Err(Unreadable::DamagedCoding));
        }
    }

    #[test]
    fn raw_deflate_is_read_too() {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"saw Jane Roe today").unwrap();
        let raw = encoder.finish().unwrap();
        assert_eq!(decode("deflate", raw.clone()).as_deref(), Ok(&b"saw Jane Roe today"[..]));
        assert_eq!(
            decode("deflate", raw[..raw.len() - 1].to_vec()),
            Err(Unreadable::DamagedCoding)
        );
        assert_eq!(decode("deflate", [&raw[..], b"x"].concat()), Err(Unreadable::DamagedCoding));
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let bomb = vec![0u8; 32 << 20];
        for header in ["gzip", "deflate", "br", "zstd"] {
            let encoded = codings(header).encode(&bomb);
            assert!(encoded.len() < 64 << 10, "{header}: {}", encoded.len());
            assert_eq!(decode(header, encoded), Err(Unreadable::TooLarge), "{header}");
        }
    }

    #[test]
    fn what_swells_beyond_its_ratio_is_refused() {
        let limits = Limits { max_ratio: 10, ..Limits::default() };
        for header in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
            for (n, fine) in [(Limits::UNPACKED, true), (Limits::UNPACKED + 1, false)] {
                let body = codings(header).encode(&vec![b'a'; n]);
                let decoded = codings(header).decode(&body.into(), &limits);
                assert_eq!(
                    decoded.map_err(|why| why == Unreadable::TooLarge).is_ok(),
                    fine,
                    "{header}"
                );
            }
        }
        assert_eq!(limits.most_unpacked(1 << 20), 10 << 20);
        assert_eq!(limits.most_unpacked(usize::MAX), limits.max_decoded);
    }

    #[test]
    fn large_brotli_windows_are_refused() {
        // A stream of the large-window extension: window code 0x11, then 30 bits of window.
        assert_eq!(decode("br", vec![0x11, 0x1e, 0x03]), Err(Unreadable::DamagedCoding));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400), which in 0..ALL.len()) {
            let _ = decode(ALL[which], bytes.clone());
            let encoded = codings(ALL[which]).encode(&bytes);
            prop_assert_eq!(decode(ALL[which], encoded).unwrap(), bytes);
        }
    }
}
