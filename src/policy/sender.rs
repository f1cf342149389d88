//! Who sent a post, as far as it is proved, and the patterns by which a group says whom it means.
//!
//! Nothing here is a claim: an address is the connection's own or one that a listed load balancer names, a certificate
//! was verified, an identity came from a listed peer. What is not proved is `None`, and no pattern matches it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::diagnostic::{Faults, Placed, shown};

/// The longest name that is compared, in bytes: of an identity, of a name in a certificate, of a pattern.
pub const MAX_NAME: usize = 256;

/// Who sent a post. It prints no name.
#[derive(Clone, Default)]
pub struct Sender {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The names in the certificate that it showed and that was verified.
    pub certificate: Option<Arc<[CertifiedName]>>,
    /// Whom a listed load balancer says it has signed in.
    pub identity: Option<Arc<str>>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("has_address", &self.address.is_some())
            .field("n_names", &self.certificate.as_ref().map_or(0, |names| names.len()))
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

impl Sender {
    /// One of whom the address alone is known.
    pub fn at(address: IpAddr) -> Self {
        Self { address: Some(address), ..Self::default() }
    }
}

/// One name that a certificate's CA vouches for. It does not print itself.
#[derive(Clone, Eq, PartialEq)]
pub struct CertifiedName {
    /// Where it stands in the certificate.
    pub kind: NameKind,
    /// What it says; no control character, never empty.
    pub value: Box<str>,
}

impl fmt::Debug for CertifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertifiedName").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Where a name stands in a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameKind {
    /// A common name of the subject.
    CommonName,
    /// An organisation of the subject.
    Organization,
    /// An organisational unit of the subject.
    Unit,
    /// The whole subject as RFC 4514 writes it, last part first; what is special within a value is `\` and two digits.
    Subject,
    /// An e-mail address among the alternative names.
    Email,
    /// A host among the alternative names.
    Dns,
    /// A URI among the alternative names.
    Uri,
    /// A principal of Active Directory among the alternative names, as smart cards have it.
    Principal,
}

impl NameKind {
    const PREFIXES: [(&'static str, Self); 8] = [
        ("CN=", Self::CommonName),
        ("OU=", Self::Unit),
        ("O=", Self::Organization),
        ("DN=", Self::Subject),
        ("san:email:", Self::Email),
        ("san:dns:", Self::Dns),
        ("san:uri:", Self::Uri),
        ("san:upn:", Self::Principal),
    ];

    /// Whether capitals make no difference.
    const fn folds(self) -> bool {
        matches!(self, Self::Email | Self::Dns | Self::Principal)
    }
}

/// Names that a group means: `*` stands for any run of characters.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    folds: bool,
}

/// The same for names of one kind in a certificate.
#[derive(Clone, Debug)]
pub(super) struct CertificatePattern {
    kind: NameKind,
    pattern: Pattern,
}

impl Pattern {
    /// Reads one of `identities`.
    pub(super) fn read(word: &Placed<String>, faults: &mut Faults) -> Option<Self> {
        let text = word.value.as_str();
        if !is_identity(text) {
            faults.error(
                word.span,
                format!("`{}` can be nobody's identity", shown(text)),
                format!("write a name as the load balancer sends it, or a part of it with `*`: `\"press-*\"`; at most {MAX_NAME} bytes on one line, without commas"),
            );
            return None;
        }
        Some(Self { text: text.into(), folds: false })
    }

    /// Whether a name is meant.
    pub(super) fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.text.as_bytes(), name.as_bytes());
        let is_same = |a: u8, b: u8| a == b || (self.folds && a.eq_ignore_ascii_case(&b));
        let (mut at, mut from) = (0, 0);
        // Where the last star stands, and up to where it has taken the name.
        let mut star: Option<(usize, usize)> = None;
        while let Some(letter) = name.get(from) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, from));
                    at += 1;
                }
                Some(wanted) if is_same(*wanted, *letter) => {
                    at += 1;
                    from += 1;
                }
                _ => {
                    let Some((starred, taken)) = star else { return false };
                    star = Some((starred, taken + 1));
                    (at, from) = (starred + 1, taken + 1);
                }
            }
        }
        pattern.iter().skip(at).all(|left| *left == b'*')
    }
}

impl CertificatePattern {
    /// Reads one of `certificates`.
    pub(super) fn read(word: &Placed<String>, faults: &mut Faults) -> Option<Self> {
        let text = word.value.as_str();
        let found = NameKind::PREFIXES
            .iter()
            .find_map(|(prefix, kind)| Some((*kind, text.strip_prefix(prefix)?)));
        let Some((kind, rest)) = found.filter(|(_, rest)| is_name(rest)) else {
            faults.error(
                word.span,
                format!("`{}` says nothing of a certificate", shown(text)),
                "say where the name stands and what it is: `CN=press-*`, `OU=Press`, `O=..`, `DN=CN=anna,OU=Press`, `san:email:*@press.example`, `san:dns:..`, `san:uri:..` or `san:upn:..`",
            );
            return None;
        };
        let parts_with: &[char] = match kind {
            NameKind::Email | NameKind::Principal => &['@', '.'],
            NameKind::Dns => &['.'],
            NameKind::CommonName
            | NameKind::Organization
            | NameKind::Unit
            | NameKind::Subject
            | NameKind::Uri => &[],
        };
        if let Some(ending) = rest.strip_prefix('*')
            && !parts_with.is_empty()
            && !ending.is_empty()
            && !ending.starts_with(parts_with)
        {
            faults.warning(
                word.span,
                format!("`{}` also means longer names that end alike", shown(text)),
                format!(
                    "write `{}{}{ending}`",
                    text.strip_suffix(ending).unwrap_or(text),
                    parts_with.first().copied().unwrap_or('.')
                ),
            );
        }
        Some(Self { kind, pattern: Pattern { text: rest.into(), folds: kind.folds() } })
    }

    /// Whether a certificate has a name that is meant.
    pub(super) fn matches(&self, names: &[CertifiedName]) -> bool {
        names.iter().any(|name| name.kind == self.kind && self.pattern.matches(&name.value))
    }
}

/// Whether a text can be a name of a certificate: not empty, not too long, and one line.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.trim() == text
        && !text.chars().any(|letter| letter.is_control() || is_hidden(letter))
}

/// Whether a text can be an identity: a name without a comma, since one that has passed several programs would hold two.
pub fn is_identity(text: &str) -> bool {
    is_name(text) && !text.contains(',')
}

/// Letters that show nothing, or turn what follows: two names that look alike must not be two names.
fn is_hidden(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is_identity};

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, name, want) in [
            ("alice", "alice", true),
            ("alice", "Alice", false),
            ("alice", "alice2", false),
            ("alice", "", false),
            ("press-*", "press-anna", true),
            ("press-*", "press-", true),
            ("press-*", "xpress-anna", false),
            ("*@press.example", "anna@press.example", true),
            ("*@press.example", "anna@press.example.org", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "anybody", true),
            ("**", "anybody", true),
            ("*a*", "banana", true),
            ("*ana", "banana", true),
            ("*an", "banana", false),
        ] {
            let pattern_read = Pattern { text: pattern.into(), folds: false };
            assert_eq!(pattern_read.matches(name), want, "{pattern} {name}");
        }
        let folded = Pattern { text: "*@Press.example".into(), folds: true };
        assert!(folded.matches("Anna@PRESS.EXAMPLE"));
    }

    /// A pattern of stars over a name of one letter is the dear case of naive matching.
    #[test]
    fn many_stars_cost_little() {
        let pattern = Pattern { text: "a*".repeat(100).into(), folds: false };
        assert!(!pattern.matches(&"b".repeat(256)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(99))));
        assert!(pattern.matches(&"a".repeat(256)));
    }

    #[test]
    fn what_can_be_an_identity() {
        for (text, want) in [
            ("alice", true),
            ("HOSPITAL\\alice", true),
            ("alice@hospital.example", true),
            ("Anna Müller", true),
            ("", false),
            (" alice", false),
            ("alice ", false),
            ("alice,bob", false),
            ("ali\u{200b}ce", false),
            ("ali\u{202e}ce", false),
            ("ali\0ce", false),
            ("ali\nce", false),
        ] {
            assert_eq!(is_identity(text), want, "{text:?}");
        }
        assert!(is_identity(&"a".repeat(256)) && !is_identity(&"a".repeat(257)));
    }
}
