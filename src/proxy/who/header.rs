//! Headers of the PROXY protocol, versions 1 and 2, as their specification has them (haproxy.org, proxy-protocol.txt):
//! which bytes of a connection are its header, and whom it names. Nothing is read leniently: what follows is another
//! protocol, and a byte more or less would be a way to begin it elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::policy::is_name;

/// The longest header of version 1, its end of line included.
const MOST_OF_V1: usize = 107;

/// The longest header of version 2 that is taken, with all that it says beside addresses: what every path of IPv4 carries
/// in one segment.
const MOST_OF_V2: usize = 536;

/// How a header of version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// How one of version 1 does.
const WORD: &[u8] = b"PROXY ";

/// The fixed part of version 2.
const FIXED: usize = 16;

/// Kinds of what version 2 says beside addresses.
const CHECKSUM: u8 = 0x03;
const TLS: u8 = 0x20;
const TLS_COMMON_NAME: u8 = 0x22;

/// The client came over TLS, and showed a certificate: on this connection or earlier in its session.
const OVER_TLS: u8 = 0x01;
const WITH_CERTIFICATE: u8 = 0x02 | 0x04;

/// Whom a header names.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Named {
    /// A client, and the common name of the certificate that the balancer verified.
    Client(IpAddr, Option<Box<str>>),
    /// The balancer itself: it looks whether we are there.
    Itself,
    /// A client that it cannot name.
    Nobody,
}

/// Shows no name.
impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(address, name) => {
                write!(f, "Client({address}, with name: {})", name.is_some())
            }
            Self::Itself => f.write_str("Itself"),
            Self::Nobody => f.write_str("Nobody"),
        }
    }
}

/// Why a connection that must begin with a header is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderFault {
    /// It begins with something else.
    Missing,
    /// The header breaks a rule of its version.
    Malformed,
    /// It is longer than it may be.
    TooLong,
    /// It did not come in time, or not whole.
    Late,
}

impl HeaderFault {
    pub(crate) const ALL: [Self; 4] = [Self::Missing, Self::Malformed, Self::TooLong, Self::Late];

    /// A word for the log and the metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::Late => "late",
        }
    }
}

/// How many of the bytes that have come are the header's, and whether that is all of it. Of bytes that are not enough to
/// tell, all are.
pub(super) fn extent(seen: &[u8]) -> Result<(usize, bool), HeaderFault> {
    if begins(seen, &SIGNATURE) {
        let Some([high, low]) = seen.get(FIXED - 2..FIXED) else { return Ok((seen.len(), false)) };
        let length = FIXED + usize::from(u16::from_be_bytes([*high, *low]));
        if length > MOST_OF_V2 {
            return Err(HeaderFault::TooLong);
        }
        return Ok((seen.len().min(length), seen.len() >= length));
    }
    if !begins(seen, WORD) {
        return Err(HeaderFault::Missing);
    }
    let line = seen.get(..MOST_OF_V1).unwrap_or(seen);
    match memchr::memchr(b'\n', line) {
        Some(end) => Ok((end + 1, true)),
        None if seen.len() >= MOST_OF_V1 => Err(HeaderFault::TooLong),
        None => Ok((seen.len(), false)),
    }
}

/// Whether bytes begin so, as far as they have come.
fn begins(seen: &[u8], with: &[u8]) -> bool {
    let n = seen.len().min(with.len());
    seen.get(..n) == with.get(..n)
}

/// Whom a whole header names.
pub(super) fn read(header: &[u8]) -> Result<Named, HeaderFault> {
    let named = match header.strip_prefix(&SIGNATURE) {
        Some(rest) => second(header, rest),
        None => first(header),
    };
    named.ok_or(HeaderFault::Malformed)
}

/// Whether a whole header says that the balancer spoke TLS with the client itself, with a certificate or without.
pub(super) fn ends_tls(header: &[u8]) -> bool {
    let addresses = match header.get(FIXED - 3) {
        Some(0x00) => 0,
        Some(0x11) => 12,
        Some(0x21) => 36,
        Some(0x31) => 216,
        _ => return false,
    };
    let values = header.strip_prefix(&SIGNATURE).and_then(|_| header.get(FIXED + addresses..));
    let mut values = values.unwrap_or_default();
    while let Some((kind, value, rest)) = one(values) {
        if kind == TLS {
            return value.first().is_some_and(|client| client & OVER_TLS != 0);
        }
        values = rest;
    }
    false
}

/// Version 1: one line.
fn first(header: &[u8]) -> Option<Named> {
    let line = std::str::from_utf8(header.strip_suffix(b"\r\n")?).ok()?;
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        // Whatever else stands there says nothing.
        return Some(Named::Nobody);
    }
    let [from, to, from_port, to_port] =
        [words.next()?, words.next()?, words.next()?, words.next()?];
    if words.next().is_some() || !is_port(from_port) || !is_port(to_port) {
        return None;
    }
    let from: IpAddr = match family {
        "TCP4" => {
            let _: Ipv4Addr = to.parse().ok()?;
            from.parse::<Ipv4Addr>().ok()?.into()
        }
        "TCP6" => {
            let _: Ipv6Addr = to.parse().ok()?;
            from.parse::<Ipv6Addr>().ok()?.into()
        }
        _ => return None,
    };
    Some(Named::Client(from.to_canonical(), None))
}

/// A port as it must be written: no sign, no noughts in front.
fn is_port(word: &str) -> bool {
    word.parse::<u16>().is_ok_and(|port| port.to_string() == word)
}

/// Version 2, `rest` being what follows its signature.
fn second(header: &[u8], rest: &[u8]) -> Option<Named> {
    let [version, family, high, low, said @ ..] = rest else { return None };
    if said.len() != usize::from(u16::from_be_bytes([*high, *low])) {
        return None;
    }
    match version {
        // Of a connection of the balancer's own, all else must be passed over.
        0x20 => return Some(Named::Itself),
        0x21 => {}
        _ => return None,
    }
    let (address, values): (Option<IpAddr>, &[u8]) = match family {
        0x00 => (None, said),
        0x11 => {
            let (addresses, values) = said.split_first_chunk::<12>()?;
            let from: [u8; 4] = addresses.first_chunk().copied()?;
            (Some(Ipv4Addr::from(from).into()), values)
        }
        0x21 => {
            let (addresses, values) = said.split_first_chunk::<36>()?;
            let from: [u8; 16] = addresses.first_chunk().copied()?;
            (Some(Ipv6Addr::from(from).into()), values)
        }
        // A socket of the balancer's own machine.
        0x31 => (None, said.get(216..)?),
        // Datagrams do not come here.
        _ => return None,
    };
    let name = values_of(header, values)?;
    Some(match address {
        Some(address) => Named::Client(address.to_canonical(), name),
        None => Named::Nobody,
    })
}

/// What stands behind the addresses: each value with its kind and length, to the last byte. Gives the common name of a
/// client's certificate, if there is one that the balancer has verified.
#[expect(clippy::option_option, reason = "malformed, and no name, are two things")]
fn values_of(header: &[u8], mut values: &[u8]) -> Option<Option<Box<str>>> {
    let (mut name, mut has_tls, mut has_checksum) = (None, false, false);
    while !values.is_empty() {
        let (kind, value, rest) = one(values)?;
        match kind {
            TLS if std::mem::replace(&mut has_tls, true) => return None,
            TLS => name = common_name(value)?,
            CHECKSUM if std::mem::replace(&mut has_checksum, true) => return None,
            CHECKSUM => {
                let at = header.len() - values.len() + 3;
                let said = u32::from_be_bytes(value.try_into().ok()?);
                if said != checksum(header, at) {
                    return None;
                }
            }
            _ => {}
        }
        values = rest;
    }
    Some(name)
}

/// One value: its kind, what it says, and what follows.
fn one(values: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [kind, high, low, rest @ ..] = values else { return None };
    let (value, rest) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into())?;
    Some((*kind, value, rest))
}

#[expect(clippy::option_option, reason = "malformed, and no name, are two things")]
fn common_name(value: &[u8]) -> Option<Option<Box<str>>> {
    let [client, verify @ ..] = value else { return None };
    let (verify, mut values) = verify.split_first_chunk::<4>()?;
    let mut name: Option<&[u8]> = None;
    while !values.is_empty() {
        let (kind, value, rest) = one(values)?;
        if kind == TLS_COMMON_NAME && name.replace(value).is_some() {
            return None;
        }
        values = rest;
    }
    let is_verified = client & OVER_TLS != 0 && client & WITH_CERTIFICATE != 0 && *verify == [0; 4];
    let name = name.filter(|_| is_verified).and_then(|name| std::str::from_utf8(name).ok());
    Some(name.filter(|name| is_name(name)).map(Into::into))
}

/// CRC-32C of a header whose own four bytes of it count as noughts. Headers are short: bit by bit.
fn checksum(header: &[u8], at: usize) -> u32 {
    let mut sum = u32::MAX;
    for (n, byte) in header.iter().enumerate() {
        let byte = if (at..at + 4).contains(&n) { 0 } else { *byte };
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HeaderFault, Named, SIGNATURE, checksum, ends_tls, extent, read};

    /// A header of version 2.
    fn v2(version: u8, family: u8, said: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE.to_vec();
        header.extend_from_slice(&[version, family]);
        header.extend_from_slice(&u16::try_from(said.len()).unwrap().to_be_bytes());
        header.extend_from_slice(said);
        header
    }

    fn value(kind: u8, said: &[u8]) -> Vec<u8> {
        let mut value = vec![kind];
        value.extend_from_slice(&u16::try_from(said.len()).unwrap().to_be_bytes());
        value.extend_from_slice(said);
        value
    }

    fn tls(client: u8, verify: u32, names: &[&[u8]]) -> Vec<u8> {
        let mut said = vec![client];
        said.extend_from_slice(&verify.to_be_bytes());
        said.extend(value(0x21, b"TLSv1.3"));
        for name in names {
            said.extend(value(0x22, name));
        }
        value(0x20, &said)
    }

    const FOUR: [u8; 12] = [10, 20, 0, 7, 10, 0, 0, 5, 0xd4, 0x31, 1, 187];

    #[expect(clippy::unnecessary_wraps, reason = "as the tables below have it")]
    fn client(address: &str) -> Option<Named> {
        Some(Named::Client(address.parse().unwrap(), None))
    }

    #[test]
    fn version_1_is_read_strictly() {
        let long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(107 - 16));
        for (header, want) in [
            ("PROXY TCP4 10.20.0.7 10.0.0.5 54321 443\r\n", client("10.20.0.7")),
            ("PROXY TCP6 2001:db8::7 2001:db8::5 54321 443\r\n", client("2001:db8::7")),
            ("PROXY TCP6 ::ffff:10.20.0.7 ::1 1 443\r\n", client("10.20.0.7")),
            ("PROXY UNKNOWN\r\n", Some(Named::Nobody)),
            ("PROXY UNKNOWN 10.20.0.7 10.0.0.5 1 2\r\n", Some(Named::Nobody)),
            (&long, Some(Named::Nobody)),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 54321 443\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 54321\r\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 54321 443 \r\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 54321 443 9\r\n", None),
            ("PROXY  TCP4 10.20.0.7 10.0.0.5 54321 443\r\n", None),
            ("PROXY TCP4 10.020.0.7 10.0.0.5 54321 443\r\n", None),
            ("PROXY TCP4 10.20.7 10.0.0.5 54321 443\r\n", None),
            ("PROXY TCP4 2001:db8::7 2001:db8::5 54321 443\r\n", None),
            ("PROXY TCP6 10.20.0.7 10.0.0.5 54321 443\r\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 65536 443\r\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 +1 443\r\n", None),
            ("PROXY TCP4 10.20.0.7 10.0.0.5 01 443\r\n", None),
            ("PROXY tcp4 10.20.0.7 10.0.0.5 1 443\r\n", None),
            ("PROXY UDP4 10.20.0.7 10.0.0.5 1 443\r\n", None),
            ("PROXY TCP4 10.20.0.7\0 10.0.0.5 1 443\r\n", None),
            ("PROXY \r\n", None),
        ] {
            assert_eq!(extent(header.as_bytes()), Ok((header.len(), true)), "{header}");
            assert_eq!(read(header.as_bytes()).ok(), want, "{header}");
        }
    }

    #[test]
    fn what_is_no_header_is_known_by_its_first_bytes() {
        use HeaderFault::{Missing, TooLong};
        let long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(108 - 16));
        for (bytes, want) in [
            (&b"GET / HTTP/1.1\r\n"[..], Err(Missing)),
            (b"POST / HTTP/1.1\r\n", Err(Missing)),
            (b"proxy TCP4", Err(Missing)),
            (b"PROXYTCP4 ", Err(Missing)),
            (b"PROXY\tTCP4 10.20.0.7 10.0.0.5 1 2\r\n", Err(Missing)),
            (b"\x16\x03\x01", Err(Missing)),
            (b"\r\n\r\nGET", Err(Missing)),
            (long.as_bytes(), Err(TooLong)),
            (b"", Ok((0, false))),
            (b"PRO", Ok((3, false))),
            (b"\r\n\r\n\0\r\nQUIT", Ok((11, false))),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x02\x09", Err(TooLong)),
        ] {
            assert_eq!(extent(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn version_2_is_read_to_its_last_byte() {
        let six = [[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 11], &[7], &[0; 20]].concat();
        let with = |values: &[u8]| [&FOUR[..], values].concat();
        for (what, header, want) in [
            ("four", v2(0x21, 0x11, &FOUR), client("10.20.0.7")),
            ("six", v2(0x21, 0x21, &six), client("2001:db8::7")),
            ("local", v2(0x20, 0x00, &[]), Some(Named::Itself)),
            ("local with addresses", v2(0x20, 0x11, &FOUR), Some(Named::Itself)),
            ("local with anything", v2(0x20, 0xff, b"x"), Some(Named::Itself)),
            ("unspecified", v2(0x21, 0x00, &[]), Some(Named::Nobody)),
            ("a socket", v2(0x21, 0x31, &[0; 216]), Some(Named::Nobody)),
            ("no operation", v2(0x21, 0x11, &with(&value(4, b"pad"))), client("10.20.0.7")),
            ("short address", v2(0x21, 0x11, &FOUR[..11]), None),
            ("short six", v2(0x21, 0x21, &FOUR), None),
            ("datagrams", v2(0x21, 0x12, &FOUR), None),
            ("another family", v2(0x21, 0x41, &FOUR), None),
            ("another version", v2(0x11, 0x11, &FOUR), None),
            ("another command", v2(0x22, 0x11, &FOUR), None),
            ("a value cut short", v2(0x21, 0x11, &with(&[4, 0, 9, 1])), None),
            ("a value without length", v2(0x21, 0x11, &with(&[4, 0])), None),
            ("a wrong checksum", v2(0x21, 0x11, &with(&value(3, &[1, 2, 3, 4]))), None),
            ("a short checksum", v2(0x21, 0x11, &with(&value(3, &[1, 2, 3]))), None),
            ("tls without fields", v2(0x21, 0x11, &with(&value(0x20, &[1]))), None),
            ("tls twice", v2(0x21, 0x11, &with(&[tls(7, 0, &[]), tls(7, 0, &[])].concat())), None),
            ("two names", v2(0x21, 0x11, &with(&tls(7, 0, &[b"anna", b"eve"]))), None),
        ] {
            assert_eq!(read(&header).ok(), want, "{what}");
        }
    }

    #[test]
    fn a_balancer_says_whether_it_ended_the_clients_tls() {
        for (said, want) in [
            (tls(0x01, 0, &[]), true),
            (tls(0x03, 0, &[b"anna"]), true),
            // HAProxy's, where it passes TCP on.
            (tls(0x00, 1, &[]), false),
            ([value(0x04, b""), tls(0x01, 0, &[])].concat(), true),
            (value(0x04, b"\x01"), false),
            (Vec::new(), false),
        ] {
            let header = v2(0x21, 0x11, &[&FOUR[..], &said].concat());
            assert_eq!(ends_tls(&header), want, "{said:?}");
            assert_eq!(ends_tls(&v2(0x21, 0x00, &said)), want, "{said:?}");
        }
        assert!(!ends_tls(b"PROXY TCP4 10.20.0.7 10.0.0.5 54321 443\r\n"));
    }

    #[test]
    fn a_name_counts_only_where_the_balancer_verified_its_certificate() {
        let named = |client: u8, verify: u32, name: &[u8]| {
            let header = v2(0x21, 0x11, &[&FOUR[..], &tls(client, verify, &[name])].concat());
            let Ok(Named::Client(_, name)) = read(&header) else { panic!("a client") };
            name
        };
        assert_eq!(named(7, 0, b"anna").as_deref(), Some("anna"));
        assert_eq!(named(3, 0, b"anna").as_deref(), Some("anna"));
        for (client, verify, name) in [
            (7, 1, &b"anna"[..]),
            (1, 0, b"anna"),
            (6, 0, b"anna"),
            (0, 0, b"anna"),
            (7, 0, b""),
            (7, 0, b"anna\0eve"),
            (7, 0, b"\xff"),
            (7, 0, b"anna\r\nX: y"),
        ] {
            assert_eq!(named(client, verify, name), None, "{client} {verify} {name:?}");
        }
    }

    #[test]
    fn a_checksum_is_that_of_rfc_3720() {
        // B.4: 32 bytes of noughts, of ones, and 0 to 31; behind the end nothing counts as noughts.
        let counting: Vec<u8> = (0..32).collect();
        for (bytes, want) in [
            (&[0_u8; 32][..], 0x8a91_36aa_u32),
            (&[0xff; 32], 0x62a8_ab43),
            (&counting, 0x46dd_794e),
        ] {
            assert_eq!(checksum(bytes, bytes.len()), want);
        }
        let mut header = v2(0x21, 0x11, &[&FOUR[..], &value(3, &[0; 4])].concat());
        let at = header.len() - 4;
        let sum = checksum(&header, at);
        header[at..].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(read(&header).ok(), client("10.20.0.7"));
        header[17] ^= 1;
        assert_eq!(read(&header), Err(HeaderFault::Malformed));
    }

    proptest! {
        /// Whatever comes: never a panic, never more than has come, and the same in whatever pieces it comes.
        #[test]
        fn any_bytes_have_one_reading(kind in 0..3, tail in prop::collection::vec(any::<u8>(), 0..600)) {
            let bytes = match kind {
                0 => [&b"PROXY "[..], &tail].concat(),
                1 => [&SIGNATURE[..], &[0x21, 0x11, 0, 40], &tail].concat(),
                _ => tail,
            };
            let whole = extent(&bytes);
            if let Ok((n, is_whole)) = whole {
                prop_assert!(n <= bytes.len() && n <= 536);
                if is_whole {
                    let _ = read(&bytes[..n]);
                    for cut in 0..n {
                        prop_assert_eq!(extent(&bytes[..cut]), Ok((cut, false)));
                    }
                    prop_assert_eq!(extent(&bytes[..n]), Ok((n, true)));
                }
            }
        }

        #[test]
        fn what_is_written_is_read(address: std::net::IpAddr, port: u16) {
            let (family, to) = if address.is_ipv4() { ("TCP4", "10.0.0.5") } else { ("TCP6", "2001:db8::5") };
            let line = format!("PROXY {family} {address} {to} {port} 443\r\n");
            prop_assert_eq!(read(line.as_bytes()), Ok(Named::Client(address.to_canonical(), None)));
        }
    }
}
