//! permessage-deflate (RFC 7692): which offers pass, and how a client's message is inflated to be read.
//!
//! A client is always told to begin each message anew (`client_no_context_takeover`), whatever the platform allows. So a
//! message that is blocked leaves no trace in what later messages refer to, and what is clean goes on in its own bytes: a
//! platform that keeps its window reads it all the same. What a client compresses against earlier messages in spite of
//! that cannot be read, and ends the connection.

use std::fmt::Write as _;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use crate::body::Unreadable;

/// What a client leaves out behind each message, and what makes the stream a whole one: an empty last block.
const TAIL: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];

/// Inflates a message. The bytes may name nothing that stands before it, and no more than `most` come out.
pub(super) fn inflate(payload: &[u8], most: usize) -> Result<Vec<u8>, Unreadable> {
    // Only this way of calling refuses what reaches back before the first byte; in a ring buffer it would read zeros there.
    const FLAGS: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let whole = [payload, &TAIL].concat();
    let mut inflater = Box::<DecompressorOxide>::default();
    let mut out = vec![0; most.min(whole.len().saturating_mul(3).max(256))];
    let (mut rest, mut n_out) = (&whole[..], 0);
    loop {
        let (status, n_read, n_written) = decompress(&mut inflater, rest, &mut out, n_out, FLAGS);
        n_out += n_written;
        rest = rest.get(n_read..).ok_or(Unreadable::DamagedCoding)?;
        match status {
            // A last block before the end: one server reads on behind it, and another stops.
            TINFLStatus::Done if !rest.is_empty() => return Err(Unreadable::DamagedCoding),
            TINFLStatus::Done => {
                out.truncate(n_out);
                return Ok(out);
            }
            TINFLStatus::HasMoreOutput if out.len() < most => {
                let longer = out.len().saturating_mul(2).min(most);
                out.resize(longer, 0);
            }
            TINFLStatus::HasMoreOutput => return Err(Unreadable::TooLarge),
            _ => return Err(Unreadable::DamagedCoding),
        }
    }
}

/// The only extension that passes.
const NAME: &str = "permessage-deflate";
const SERVER_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// One offer of permessage-deflate, or the answer to one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Terms {
    server_anew: bool,
    client_anew: bool,
    server_bits: Option<u8>,
    client_bits: Option<ClientBits>,
}

/// In an offer, the parameter may stand alone: the client can do with whatever it is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ClientBits {
    Any,
    Most(u8),
}

/// Most offers that are looked at: browsers make one.
const MOST_OFFERS: usize = 8;

/// The offers of a client that we understand, in its own order, each with the demand that messages begin anew. Anything
/// else it offers is left out, and so is an offer with a parameter that is malformed or unknown.
pub(super) fn offers<'h>(headers: impl Iterator<Item = &'h str>) -> Vec<Terms> {
    let all = headers.flat_map(|header| split(header, ','));
    all.take(MOST_OFFERS).filter_map(parse).collect()
}

/// The terms that a platform answered with, if it answered at all: one extension, offered, with parameters that the
/// offer allows. `Err` if it answered anything else.
pub(super) fn agreed<'h>(
    headers: impl Iterator<Item = &'h str>,
    offers: &[Terms],
) -> Result<Option<Terms>, ()> {
    let mut all = headers.flat_map(|header| split(header, ','));
    let Some(first) = all.next() else { return Ok(None) };
    let terms = parse(first).ok_or(())?;
    let fits = |offer: &Terms| {
        let bits = match (offer.client_bits, terms.client_bits) {
            (_, None) | (Some(ClientBits::Any), Some(ClientBits::Most(_))) => true,
            (Some(ClientBits::Most(most)), Some(ClientBits::Most(bits))) => bits <= most,
            _ => false,
        };
        let server_bits = match (offer.server_bits, terms.server_bits) {
            (Some(most), Some(bits)) => bits <= most,
            (Some(_), None) => false,
            (None, _) => true,
        };
        bits && server_bits && (terms.server_anew || !offer.server_anew)
    };
    if all.next().is_some() || !offers.iter().any(fits) {
        return Err(());
    }
    Ok(Some(terms))
}

impl Terms {
    /// As a header says it. The client's messages always begin anew.
    pub(super) fn write(self) -> String {
        let mut text = format!("{NAME}; {CLIENT_TAKEOVER}");
        if self.server_anew {
            text.push_str("; ");
            text.push_str(SERVER_TAKEOVER);
        }
        if let Some(bits) = self.server_bits {
            let _ = write!(text, "; {SERVER_BITS}={bits}");
        }
        match self.client_bits {
            None => {}
            Some(ClientBits::Any) => {
                let _ = write!(text, "; {CLIENT_BITS}");
            }
            Some(ClientBits::Most(bits)) => {
                let _ = write!(text, "; {CLIENT_BITS}={bits}");
            }
        }
        text
    }
}

fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    text.split(at).map(str::trim).filter(|piece| !piece.is_empty())
}

fn parse(extension: &str) -> Option<Terms> {
    let mut pieces = extension.split(';').map(str::trim);
    if !pieces.next()?.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let mut terms = Terms::default();
    for piece in pieces {
        let (name, value) = match piece.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (piece, None),
        };
        let is_new = match (name.to_ascii_lowercase().as_str(), value) {
            (SERVER_TAKEOVER, None) => !std::mem::replace(&mut terms.server_anew, true),
            (CLIENT_TAKEOVER, None) => !std::mem::replace(&mut terms.client_anew, true),
            (SERVER_BITS, Some(value)) => terms.server_bits.replace(bits(value)?).is_none(),
            (CLIENT_BITS, None) => terms.client_bits.replace(ClientBits::Any).is_none(),
            (CLIENT_BITS, Some(value)) => {
                terms.client_bits.replace(ClientBits::Most(bits(value)?)).is_none()
            }
            _ => return None,
        };
        if !is_new {
            return None;
        }
    }
    Some(terms)
}

/// 8 to 15, without leading noughts (RFC 7692, section 7.1.2), perhaps in quotes.
fn bits(value: &str) -> Option<u8> {
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (8..=15).find(|bits: &u8| bits.to_string() == bare)
}

#[cfg(test)]
pub(super) mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::{agreed, inflate, offers};
    use crate::body::Unreadable;

    /// What a client of RFC 7692 sends for each of these messages; `takeover`: each refers to those before it.
    pub(crate) fn deflate(messages: &[&[u8]], takeover: bool) -> Vec<Vec<u8>> {
        let mut deflater = Compress::new(Compression::best(), false);
        let sent = messages.iter().map(|message| {
            if !takeover {
                deflater.reset();
            }
            let mut out = Vec::with_capacity(message.len() + 1024);
            deflater.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
            out.strip_suffix(&[0, 0, 0xff, 0xff]).unwrap().to_vec()
        });
        sent.collect()
    }

    #[test]
    fn messages_are_inflated_each_by_itself() {
        let text = b"saw Jane Roe today, she is well".repeat(3);
        for message in [&b""[..], b"a", &text] {
            let [sent] = &deflate(&[message], false)[..] else { panic!("one") };
            assert_eq!(inflate(sent, 1000).as_deref(), Ok(message));
        }
        // The example of RFC 7692, section 7.2.3.1, and of 7.2.3.3: without compression.
        assert_eq!(inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 99).unwrap(), b"Hello");
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflate(&stored, 99).unwrap(), b"Hello");
        let sent = deflate(&[&text, &text], true);
        assert_eq!(inflate(&sent[0], 1000).as_deref(), Ok(&text[..]));
        assert_eq!(inflate(&sent[1], 1000), Err(Unreadable::DamagedCoding));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        // Section 7.2.3.4: a last block, and more behind it.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&last, 99), Err(Unreadable::DamagedCoding));
        let sent = &deflate(&[&b"saw Jane Roe today".repeat(9)], false)[0];
        for cut in 1..sent.len() - 1 {
            assert!(inflate(&sent[..cut], 9999).is_err(), "{cut}");
        }
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let sent = &deflate(&[&vec![b'a'; 8 << 20]], false)[0];
        assert!(sent.len() < 16 << 10);
        assert_eq!(inflate(sent, 1 << 20), Err(Unreadable::TooLarge));
        assert_eq!(inflate(sent, 8 << 20).map(|out| out.len()), Ok(8 << 20));
    }

    fn offered(header: &str) -> Vec<String> {
        offers(std::iter::once(header)).into_iter().map(super::Terms::write).collect()
    }

    #[test]
    fn offers_are_those_that_we_understand() {
        const ANEW: &str = "permessage-deflate; client_no_context_takeover";
        for (header, want) in [
            ("permessage-deflate", vec![ANEW.to_owned()]),
            (
                "Permessage-Deflate ; Client_max_window_bits",
                vec![format!("{ANEW}; client_max_window_bits")],
            ),
            (
                "permessage-deflate; server_max_window_bits=\"10\"; server_no_context_takeover, permessage-deflate",
                vec![
                    format!("{ANEW}; server_no_context_takeover; server_max_window_bits=10"),
                    ANEW.to_owned(),
                ],
            ),
            ("x-webkit-deflate-frame, permessage-bzip2", vec![]),
            ("permessage-deflate; mux", vec![]),
            ("permessage-deflate; server_max_window_bits", vec![]),
            ("permessage-deflate; server_max_window_bits=16", vec![]),
            ("permessage-deflate; client_max_window_bits=08", vec![]),
            ("permessage-deflate; client_no_context_takeover=1", vec![]),
            ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(offered(header), want, "{header}");
        }
        let many = "permessage-deflate, ".repeat(99);
        assert_eq!(offered(&many).len(), 8);
    }

    #[test]
    fn a_platform_may_agree_to_what_was_offered_alone() {
        for (offer, answer, want) in [
            ("permessage-deflate", "", Ok(false)),
            ("", "permessage-deflate", Err(())),
            ("permessage-deflate", "permessage-deflate", Ok(true)),
            ("permessage-deflate", "permessage-deflate; client_no_context_takeover", Ok(true)),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover", Ok(true)),
            ("permessage-deflate", "permessage-deflate; client_max_window_bits=10", Err(())),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; client_max_window_bits=10",
                Ok(true),
            ),
            (
                "permessage-deflate; client_max_window_bits=9",
                "permessage-deflate; client_max_window_bits=10",
                Err(()),
            ),
            ("permessage-deflate; server_max_window_bits=9", "permessage-deflate", Err(())),
            ("permessage-deflate; server_no_context_takeover", "permessage-deflate", Err(())),
            ("permessage-deflate", "permessage-deflate, permessage-deflate", Err(())),
            ("permessage-deflate", "x-other", Err(())),
        ] {
            let offers = offers(std::iter::once(offer));
            let got = agreed(std::iter::once(answer), &offers).map(|terms| terms.is_some());
            assert_eq!(got, want, "{offer} / {answer}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = inflate(&bytes, 5000);
            let sent = deflate(&[&bytes], false);
            prop_assert_eq!(inflate(&sent[0], 400), Ok(bytes));
        }
    }
}
