//! Where an existing file ends, so that its chain goes on there.
//!
//! A crash in the middle of a write leaves the beginning of a line. That is told apart from a line that somebody
//! changed: the first is closed and noted, the second is evidence, and nothing is added to it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::audit::chain::{self, Hash, Line, Link, MAX_LINE};

/// How far back from the end a whole line must stand.
const WINDOW: u64 = 4 * MAX_LINE as u64;

/// How a file ends.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Tail {
    /// With a line that is right, or with nothing at all.
    Whole {
        /// The newest line.
        link: Link,
        /// Whether its line end is missing.
        unended: bool,
    },
    /// With what a crash left of a line.
    Torn {
        /// The newest line before it.
        link: Link,
        /// How many bytes there are of it.
        n_bytes: u64,
        /// Their hash.
        hash: Hash,
        /// Whether its line end is missing.
        unended: bool,
    },
    /// With something that no crash leaves.
    Damaged,
}

/// Looks at the end of a file.
pub(super) fn examine(file: &File) -> io::Result<Tail> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(WINDOW);
    let mut window = vec![0; usize::try_from(length - start).unwrap_or(0)];
    file.read_exact_at(&mut window, start)?;
    Ok(examine_window(&window, start == 0))
}

fn examine_window(window: &[u8], is_whole_file: bool) -> Tail {
    if window.is_empty() {
        return Tail::Whole {
            link: if is_whole_file { Link::START } else { return Tail::Damaged },
            unended: false,
        };
    }
    let unended = window.last() != Some(&b'\n');
    let body = window.strip_suffix(b"\n").unwrap_or(window);
    let (rest, last) = last_line(body);
    match (chain::read(last), rest) {
        (Line::Sealed(sealed), _) => return Tail::Whole { link: sealed.link, unended },
        (Line::Changed, _) => return Tail::Damaged,
        (Line::Fragment, None) if !is_whole_file => return Tail::Damaged,
        (Line::Fragment, _) => {}
    }
    // A crash tears one line at most: what stands before it must be right.
    let before = match rest.map(|rest| chain::read(last_line(rest).1)) {
        None => None,
        Some(Line::Sealed(sealed)) => Some(sealed.link),
        Some(Line::Changed | Line::Fragment) => return Tail::Damaged,
    };
    if !chain::may_be_torn(last, before) {
        return Tail::Damaged;
    }
    Tail::Torn {
        link: before.unwrap_or(Link::START),
        n_bytes: last.len() as u64,
        hash: Hash::of(last),
        unended,
    }
}

/// What stands before the last line end, if there is one, and the line behind it.
fn last_line(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match memchr::memrchr(b'\n', text) {
        Some(at) => (text.get(..at), text.get(at + 1..).unwrap_or_default()),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Tail, examine_window};
    use crate::audit::chain::{Hash, Link, seal};

    fn line(before: Link) -> (Vec<u8>, Link) {
        let seq = before.seq + 1;
        let mut line = format!(
            "{{\"time\":\"2026\",\"node\":\"n\",\"seq\":{seq},\"prev\":\"{}\",\"event\":\"x\"",
            before.hash
        )
        .into_bytes();
        let hash = seal(&mut line, 0);
        (line, Link { seq, hash })
    }

    #[test]
    fn a_file_ends_whole_torn_or_damaged() {
        let (one, first) = line(Link::START);
        let (two, second) = line(first);
        let whole = [&one[..], &two].concat();
        let torn = |rest: &[u8], link, unended| Tail::Torn {
            link,
            n_bytes: rest.len() as u64,
            hash: Hash::of(rest),
            unended,
        };
        for (file, want) in [
            (Vec::new(), Tail::Whole { link: Link::START, unended: false }),
            (whole.clone(), Tail::Whole { link: second, unended: false }),
            (whole[..whole.len() - 1].to_vec(), Tail::Whole { link: second, unended: true }),
            (whole[..whole.len() - 2].to_vec(), torn(&two[..two.len() - 2], first, true)),
            (whole[..=one.len()].to_vec(), torn(b"{", first, true)),
            (one[..20].to_vec(), torn(&one[..20], Link::START, true)),
            ([&one[..], b"\0\0\0"].concat(), Tail::Damaged),
            ([&one[..], &two[..20], b"\0"].concat(), Tail::Damaged),
            ([&one[..], b"{\"time\n{\"time\":\"20"].concat(), Tail::Damaged),
            ([&one[..], b"\n"].concat(), Tail::Damaged),
            (b"\n".to_vec(), Tail::Damaged),
            ([&two[..two.len() - 1], b"\r\n"].concat(), Tail::Damaged),
            ([&one[..], &two[..two.len() - 1], b"x\n"].concat(), Tail::Damaged),
            // The beginning of a line of another place.
            ([&one[..], &one[..60]].concat(), Tail::Damaged),
            ([&one[..], b"{\"time\n"].concat(), torn(b"{\"time", first, false)),
            (b"a shopping list\n".to_vec(), Tail::Damaged),
            ([&one[..], b"note\n"].concat(), Tail::Damaged),
            (
                String::from_utf8(whole).unwrap().replace("\"seq\":2", "\"seq\":3").into_bytes(),
                Tail::Damaged,
            ),
        ] {
            assert_eq!(examine_window(&file, true), want, "{:?}", String::from_utf8(file.clone()));
        }
        assert_eq!(examine_window(b"{\"time", false), Tail::Damaged);
    }
}
