//! The names in a client's certificate that was verified: those that its CA has vouched for, each of its own kind, so that
//! none can be taken for another.
//!
//! A name that a person and a program could read differently (with a NUL, a line break, in a character set of the last
//! century) is no name: whoever has only such a one is in no group.

use std::fmt::Write as _;
use std::sync::Arc;

use x509_parser::der_parser::asn1_rs::{Any, FromDer as _, Tag};
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_DOMAIN_COMPONENT, OID_PKCS9_EMAIL_ADDRESS, OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME,
    OID_X509_LOCALITY_NAME, OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT,
    OID_X509_SERIALNUMBER, OID_X509_STATE_OR_PROVINCE_NAME, OID_X509_STREET_ADDRESS, Oid,
};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::policy::{CertifiedName, NameKind, is_name};

/// Most names that are kept of one certificate.
const MOST_NAMES: usize = 64;

/// A principal of Active Directory, 1.3.6.1.4.1.311.20.2.3, as it is encoded.
const PRINCIPAL: [u8; 10] = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];

/// The names of a certificate. One that cannot be parsed has none; it was verified by another parser, and is believed only
/// where both understand it.
pub(crate) fn names(certificate: &[u8]) -> Arc<[CertifiedName]> {
    let Ok(([], certificate)) = X509Certificate::from_der(certificate) else { return [].into() };
    let mut names = Vec::new();
    let mut add = |kind, value: &str| {
        if is_name(value) && names.len() < MOST_NAMES {
            names.push(CertifiedName { kind, value: value.into() });
        }
    };
    // Twice the same extension: which of them counts is anybody's guess.
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::RFC822Name(value) if value.is_ascii() => add(NameKind::Email, value),
                GeneralName::DNSName(value) if value.is_ascii() => add(NameKind::Dns, value),
                GeneralName::URI(value) if value.is_ascii() => add(NameKind::Uri, value),
                GeneralName::OtherName(oid, value) if oid.as_bytes() == PRINCIPAL => {
                    if let Some(value) = principal(value) {
                        add(NameKind::Principal, &value);
                    }
                }
                _ => {}
            }
        }
    }
    let subject = certificate.subject();
    for attribute in subject.iter_attributes() {
        let kind = match attribute.attr_type() {
            oid if *oid == OID_X509_COMMON_NAME => NameKind::CommonName,
            oid if *oid == OID_X509_ORGANIZATION_NAME => NameKind::Organization,
            oid if *oid == OID_X509_ORGANIZATIONAL_UNIT => NameKind::Unit,
            _ => continue,
        };
        if let Some(value) = text(attribute) {
            add(kind, value);
        }
    }
    if let Some(whole) = distinguished(subject) {
        add(NameKind::Subject, &whole);
    }
    names.into()
}

/// The text of an attribute, in one of the character sets that are still used.
fn text<'a>(attribute: &'a AttributeTypeAndValue<'_>) -> Option<&'a str> {
    let value = attribute.attr_value();
    let is_text = matches!(value.tag(), Tag::Utf8String)
        || (matches!(value.tag(), Tag::PrintableString | Tag::Ia5String) && value.data.is_ascii());
    if is_text { std::str::from_utf8(value.data).ok() } else { None }
}

/// `[0] EXPLICIT UTF8String`, to the last byte.
fn principal(value: &[u8]) -> Option<String> {
    let (rest, outer) = Any::from_der(value).ok()?;
    let (within, inner) = Any::from_der(outer.data).ok()?;
    let is_text = rest.is_empty() && within.is_empty() && inner.tag() == Tag::Utf8String;
    if is_text { String::from_utf8(inner.data.to_vec()).ok() } else { None }
}

/// A whole subject as RFC 4514 writes it. Whatever is special within a value becomes `\` and two digits, also where the
/// RFC has a shorter way: so a `,` is always one between two parts, and a pattern cannot be met by a value that looks
/// like several. `None` if any part of it cannot be written.
fn distinguished(subject: &X509Name<'_>) -> Option<String> {
    let mut written: Vec<String> = Vec::new();
    for part in subject.iter() {
        let mut one = String::new();
        for attribute in part.iter() {
            if !one.is_empty() {
                one.push('+');
            }
            one.push_str(&label(attribute.attr_type()));
            one.push('=');
            let value = text(attribute)?;
            let n_letters = value.chars().count();
            for (n, letter) in value.chars().enumerate() {
                let is_edge = n == 0 || n + 1 == n_letters;
                let is_special =
                    matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '*')
                        || (letter == '#' && n == 0)
                        || (letter == ' ' && is_edge)
                        || letter.is_ascii_control();
                if is_special {
                    // Writing to a String cannot fail.
                    let _ = write!(one, "\\{:02X}", u32::from(letter));
                } else {
                    one.push(letter);
                }
            }
        }
        written.push(one);
    }
    written.reverse();
    (!written.is_empty()).then(|| written.join(","))
}

/// The short name of an attribute, else its numbers.
fn label(oid: &Oid<'_>) -> String {
    for (known, short) in [
        (OID_X509_COMMON_NAME, "CN"),
        (OID_X509_ORGANIZATIONAL_UNIT, "OU"),
        (OID_X509_ORGANIZATION_NAME, "O"),
        (OID_X509_LOCALITY_NAME, "L"),
        (OID_X509_STATE_OR_PROVINCE_NAME, "ST"),
        (OID_X509_COUNTRY_NAME, "C"),
        (OID_X509_STREET_ADDRESS, "STREET"),
        (OID_DOMAIN_COMPONENT, "DC"),
        (OID_X509_SERIALNUMBER, "serialNumber"),
        (OID_PKCS9_EMAIL_ADDRESS, "emailAddress"),
    ] {
        if *oid == known {
            return short.to_owned();
        }
    }
    oid.to_id_string()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, KeyPair, SanType,
    };

    use super::names;
    use crate::policy::NameKind;

    fn shown(change: impl FnOnce(&mut CertificateParams)) -> Vec<(NameKind, String)> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        change(&mut params);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        names(certificate.der()).iter().map(|name| (name.kind, name.value.to_string())).collect()
    }

    fn said(names: &[(NameKind, String)]) -> Vec<(NameKind, &str)> {
        names.iter().map(|(kind, value)| (*kind, value.as_str())).collect()
    }

    #[test]
    fn each_name_keeps_its_kind() {
        let names = shown(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "Hospital");
            params.distinguished_name.push(DnType::OrganizationalUnitName, "Press");
            params.distinguished_name.push(DnType::CommonName, "Anna Müller");
            params.subject_alt_names = vec![
                SanType::Rfc822Name("anna@press.example".try_into().unwrap()),
                SanType::DnsName("desk-7.press.example".try_into().unwrap()),
                SanType::URI("spiffe://hospital.example/press/anna".try_into().unwrap()),
                SanType::OtherName((
                    vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3],
                    "anna@ad.example".to_owned().into(),
                )),
                SanType::OtherName((vec![1, 2, 3, 4], "eve@ad.example".to_owned().into())),
            ];
        });
        assert_eq!(
            said(&names),
            [
                (NameKind::Email, "anna@press.example"),
                (NameKind::Dns, "desk-7.press.example"),
                (NameKind::Uri, "spiffe://hospital.example/press/anna"),
                (NameKind::Principal, "anna@ad.example"),
                (NameKind::Organization, "Hospital"),
                (NameKind::Unit, "Press"),
                (NameKind::CommonName, "Anna Müller"),
                (NameKind::Subject, "CN=Anna Müller,OU=Press,O=Hospital"),
            ]
        );
    }

    #[test]
    fn a_value_cannot_look_like_several_parts() {
        for (value, want) in [
            ("eve,OU=Press", "CN=eve\\2COU\\3DPress"),
            ("eve+OU=Press", "CN=eve\\2BOU\\3DPress"),
            ("eve\\,OU", "CN=eve\\5C\\2COU"),
            ("#eve*", "CN=\\23eve\\2A"),
            (" eve ", "CN=\\20eve\\20"),
            ("\"eve\";<>", "CN=\\22eve\\22\\3B\\3C\\3E"),
        ] {
            let names = shown(|params| params.distinguished_name.push(DnType::CommonName, value));
            assert_eq!(names.last().unwrap(), &(NameKind::Subject, want.to_owned()), "{value}");
        }
    }

    #[test]
    fn what_reads_two_ways_is_no_name() {
        // Control characters, an old character set, and nothing at all.
        for value in [
            DnValue::Utf8String("anna\0eve".into()),
            DnValue::Utf8String("anna\neve".into()),
            DnValue::Utf8String("an\u{202e}na".into()),
            DnValue::Utf8String(String::new()),
            DnValue::BmpString("anna".try_into().unwrap()),
            DnValue::TeletexString("anna".try_into().unwrap()),
        ] {
            let names =
                shown(|params| params.distinguished_name.push(DnType::CommonName, value.clone()));
            assert!(!names.iter().any(|(kind, _)| *kind == NameKind::CommonName), "{names:?}");
        }
        // An e-mail address and a host with a NUL, by hand: the library writes none.
        for tag in [0x81, 0x82, 0x86] {
            let mut content = vec![0x30, 13, tag, 11];
            content.extend_from_slice(b"a@b.c\0x.com");
            let names = shown(|params| {
                let name = CustomExtension::from_oid_content(&[2, 5, 29, 17], content.clone());
                params.custom_extensions = vec![name];
            });
            assert_eq!(names, [], "{tag:x}");
        }
        assert!(names(b"no certificate").is_empty() && names(b"").is_empty());
    }
}
