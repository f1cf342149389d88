//! The policy language as a table of files and what becomes of them.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::detect::Finding;
use crate::diagnostic::{Diagnostic, Source};
use crate::policy::{
    Action, CertifiedName, DecidedBy, MediaAction, Mode, NameKind, OnFault, Policy, Question,
    Refused, Sender,
};
use crate::rules::{Category, Confidence, Matcher, Rule, RuleId, RuleSet};
use crate::span::Span;

const PLATFORMS: [&str; 4] = ["bluesky", "generic", "mastodon", "x"];

const TODAY: Date = date(2026, 11, 22);

/// The last clause of most cases, so that no category is forgotten.
const REST: &str = r#"
[[clause]]
name = "the-rest"
categories = ["name", "date", "age", "location", "zip", "phone", "fax", "email", "ssn", "mrn", "health-plan", "account", "license", "vehicle", "device", "url", "ip", "biometric", "photo", "other-id"]
action = "log"
min-confidence = "low"
"#;

fn rules() -> RuleSet {
    let source = Source::new("rules.toml", "");
    let rule = |id: &str, category| Rule {
        id: RuleId::try_from(id.to_owned()).unwrap(),
        category,
        matcher: Matcher::Terms(vec!["x".into()]),
        confidence: Some(Confidence::Medium),
        keywords: None,
        validator: None,
        why: String::new(),
        finds: Vec::new(),
        ignores: Vec::new(),
        source: Arc::clone(&source),
        span: Span::default(),
    };
    RuleSet {
        rules: vec![
            rule("us-ssn", Category::Ssn),
            rule("name-after-title", Category::Name),
            rule("name-kin", Category::Name),
            rule("phone-nanp", Category::Phone),
        ],
        disabled: vec![(RuleId::try_from("mrn-old".to_owned()).unwrap(), "not ours".into())],
        ..RuleSet::default()
    }
}

fn parse(text: &str) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
    Policy::parse(&Source::new("policy.toml", text), &rules(), &PLATFORMS)
}

#[track_caller]
fn policy(text: &str) -> Policy {
    parse(&format!("{text}{REST}")).unwrap_or_else(|faults| panic!("{}", faults[0])).0
}

fn finding(rule: &str, category: Category, confidence: Confidence) -> Finding {
    Finding {
        rule: RuleId::try_from(rule.to_owned()).unwrap(),
        category,
        span: Span::new(0, 3),
        confidence,
        standalone: false,
        generalized: None,
    }
}

fn question(finding: &Finding) -> Question<'_> {
    Question {
        finding,
        words: "x",
        care: true,
        platform: "mastodon",
        groups: &[],
        field: Some("status"),
        today: TODAY,
    }
}

#[test]
fn the_shipped_policies_are_fine() {
    for (name, text) in
        [("policy.toml", Policy::embedded()), ("policy-strict.toml", Policy::embedded_strict())]
    {
        let (policy, warnings) =
            parse(text).unwrap_or_else(|faults| panic!("{name}: {}", faults[0]));
        assert_eq!(warnings, [], "{name}");
        assert_eq!(policy.mode(), Mode::Enforce, "{name}");
        assert_eq!(policy.on_unreadable(), OnFault::Block, "{name}");
    }
}

#[test]
fn the_examples_in_comments_work_when_uncommented() {
    let text: String = Policy::embedded()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(bare)
                if bare.starts_with("[[")
                    || bare.split_once(" = ").is_some_and(|(key, _)| {
                        key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                    }) =>
            {
                bare
            }
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
        .replace("mastodon = \"block\"", "x = \"block\"");
    let (policy, warnings) = parse(&text).unwrap_or_else(|faults| panic!("{}", faults[0]));
    assert_eq!(warnings, []);
    let name = CertifiedName { kind: NameKind::CommonName, value: "press-anna".into() };
    let anna = Sender {
        address: "10.20.0.7".parse().ok(),
        certificate: Some([name].into()),
        identity: Some("alice".into()),
    };
    assert_eq!(policy.groups_of(&anna), ["press-office"]);
    assert_eq!(policy.groups_of(&Sender { identity: None, ..anna }), [] as [&str; 0]);
    assert_eq!(policy.media("x"), MediaAction::Block);
    assert_eq!(policy.strictest(), Some(Action::Block));
}

#[test]
fn strict_redacts_every_finding_wherever_it_stands() {
    let (policy, _) = parse(Policy::embedded_strict()).unwrap();
    for category in Category::ALL {
        let finding = finding("us-ssn", category, Confidence::Low);
        let judgement = policy.judge(&Question { care: false, field: None, ..question(&finding) });
        assert_eq!(judgement.action, Action::Redact, "{category}");
    }
}

#[test]
fn the_default_blocks_numbers_anywhere_and_redacts_the_rest_in_care_only() {
    let (policy, _) = parse(Policy::embedded()).unwrap();
    for (category, confidence, care, want, by) in [
        (Category::Ssn, Confidence::Medium, false, Action::Block, Some("numbers")),
        (Category::Ssn, Confidence::Low, true, Action::Log, None),
        (Category::Name, Confidence::Medium, true, Action::Redact, Some("about-a-patient")),
        (Category::Name, Confidence::Certain, false, Action::Log, None),
    ] {
        let finding = finding("us-ssn", category, confidence);
        let judgement = policy.judge(&Question { care, ..question(&finding) });
        assert_eq!(judgement.action, want, "{category} {confidence:?} {care}");
        assert_eq!(
            judgement.by,
            by.map_or(DecidedBy::NoClause, |name| DecidedBy::Clause(name.into())),
            "{category}"
        );
    }
}

#[test]
fn a_clause_applies_only_where_all_it_names_holds() {
    let group = "[[group]]\nname = \"press\"\nclients = [\"10.0.0.0/8\"]\n";
    let clause = |conditions: &str| {
        policy(&format!("{group}[[clause]]\nname = \"c\"\n{conditions}\naction = \"block\"\n"))
    };
    let name = finding("name-kin", Category::Name, Confidence::Medium);
    let base = question(&name);
    let press = ["press".to_owned()];
    for (conditions, asked, want) in [
        ("categories = [\"name\"]", base, Action::Block),
        ("categories = [\"ssn\"]", base, Action::Log),
        ("rules = [\"name-*\"]", base, Action::Block),
        ("rules = [\"name-kin\"]", base, Action::Block),
        ("rules = [\"name-after-title\"]", base, Action::Log),
        ("rules = [\"us-*\", \"name-kin\"]", base, Action::Block),
        ("categories = [\"ssn\"]\nrules = [\"name-kin\"]", base, Action::Log),
        ("categories = [\"name\"]\nplatforms = [\"x\"]", base, Action::Log),
        ("categories = [\"name\"]\nplatforms = [\"x\", \"mastodon\"]", base, Action::Block),
        ("categories = [\"name\"]\ngroups = [\"press\"]", base, Action::Log),
        (
            "categories = [\"name\"]\ngroups = [\"press\"]",
            Question { groups: &press, ..base },
            Action::Block,
        ),
        ("categories = [\"name\"]\nfields = [\"status\"]", base, Action::Block),
        (
            "categories = [\"name\"]\nfields = [\"status\"]",
            Question { field: None, ..base },
            Action::Log,
        ),
        ("categories = [\"name\"]\ncontext = \"care\"", base, Action::Block),
        (
            "categories = [\"name\"]\ncontext = \"care\"",
            Question { care: false, ..base },
            Action::Log,
        ),
        (
            "categories = [\"name\"]\ncontext = \"any\"",
            Question { care: false, ..base },
            Action::Block,
        ),
        ("categories = [\"name\"]\nmin-confidence = \"high\"", base, Action::Log),
    ] {
        assert_eq!(clause(conditions).judge(&asked).action, want, "{conditions} {asked:?}");
    }
}

#[test]
fn an_exception_passes_what_it_names_until_its_last_day() {
    let strict = "[[clause]]\nname = \"c\"\ncategories = [\"phone\"]\naction = \"block\"\n";
    let exception = "[[exception]]\nname = \"switchboard\"\ncategories = [\"phone\"]\ntexts = [\"Ext. 0100\"]\nreason = \"ours\"\nexpires = 2026-11-22\n";
    let policy = policy(&format!("{strict}{exception}"));
    let phone = finding("phone-nanp", Category::Phone, Confidence::High);
    let base = question(&phone);
    for (asked, want) in [
        (Question { words: "ext. 0100", ..base }, Action::Log),
        (Question { words: " EXT. \u{ff10}100", ..base }, Action::Log),
        (Question { words: "ext. 0101", ..base }, Action::Block),
        (Question { words: "ext. 01000", ..base }, Action::Block),
        (Question { words: "ext. 0100", today: date(2026, 11, 23), ..base }, Action::Block),
    ] {
        let judgement = policy.judge(&asked);
        assert_eq!(judgement.action, want, "{asked:?}");
        if want == Action::Log {
            assert_eq!(judgement.by, DecidedBy::Exception("switchboard".into()));
        }
    }
    assert_eq!(policy.expired(TODAY), []);
    assert_eq!(
        policy.expired(date(2026, 11, 23))[0].to_string(),
        "policy.toml:10:11: exception `switchboard` is over, so it excuses nothing any more"
    );
}

#[test]
fn groups_are_found_by_the_narrowest_network() {
    let policy = policy(
        "[[group]]\nname = \"site\"\nclients = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n[[group]]\nname = \"press\"\nclients = [\"10.20.0.0/24\", \"192.0.2.7\", \"::ffff:198.51.100.0/120\"]\n",
    );
    for (client, want) in [
        ("10.1.1.1", Some("site")),
        ("10.20.0.255", Some("press")),
        ("::ffff:10.20.0.9", Some("press")),
        ("192.0.2.7", Some("press")),
        ("192.0.2.8", None),
        ("198.51.100.3", Some("press")),
        ("2001:db8:1::1", Some("site")),
        ("2001:db9::1", None),
    ] {
        assert_eq!(
            policy
                .groups_of(&Sender::at(client.parse::<IpAddr>().unwrap()))
                .first()
                .map(String::as_str),
            want,
            "{client}"
        );
    }
}

#[test]
fn a_group_is_for_those_who_prove_all_it_asks() {
    let policy = policy(
        "[[group]]\nname = \"site\"\nclients = [\"10.0.0.0/8\"]\n\
         [[group]]\nname = \"press\"\nidentities = [\"press-*\", \"alice\"]\n\
         [[group]]\nname = \"desk\"\nclients = [\"10.20.0.0/24\"]\nidentities = [\"*\"]\n\
         [[group]]\nname = \"card\"\ncertificates = [\"san:email:*@press.example\", \"CN=anna\", \"DN=*,OU=Press,O=Hospital\"]\n",
    );
    let name = |kind, value: &str| CertifiedName { kind, value: value.into() };
    let sender = |address: &str, names: &[CertifiedName], identity: &str| Sender {
        address: address.parse().ok(),
        certificate: (!names.is_empty()).then(|| names.into()),
        identity: (!identity.is_empty()).then(|| identity.into()),
    };
    let email = |value| [name(NameKind::Email, value)];
    for (who, want) in [
        (sender("10.1.1.1", &[], ""), &["site"][..]),
        (sender("10.1.1.1", &[], "press-anna"), &["press", "site"]),
        (sender("10.20.0.9", &[], "bob"), &["desk", "site"]),
        (sender("10.20.0.9", &[], "alice"), &["desk", "press", "site"]),
        // Where the address is not established, no network matches.
        (sender("", &[], "alice"), &["press"]),
        (sender("", &[], "Alice"), &[]),
        (sender("192.0.2.1", &email("anna@press.example"), ""), &["card"]),
        (sender("192.0.2.1", &email("Anna@Press.Example"), ""), &["card"]),
        (sender("192.0.2.1", &email("anna@press.example.org"), ""), &[]),
        // The right words in another place of the certificate.
        (sender("192.0.2.1", &[name(NameKind::CommonName, "anna@press.example")], ""), &[]),
        (sender("192.0.2.1", &[name(NameKind::Unit, "anna")], ""), &[]),
        (sender("192.0.2.1", &[name(NameKind::CommonName, "anna")], ""), &["card"]),
        (sender("", &[name(NameKind::Subject, "CN=eve,OU=Press,O=Hospital")], ""), &["card"]),
        (sender("", &[name(NameKind::Subject, "CN=eve\\2COU=Press,O=Hospital")], ""), &[]),
        // An identity is no certificate.
        (sender("192.0.2.1", &[], "anna@press.example"), &[]),
        (Sender::default(), &[]),
    ] {
        assert_eq!(policy.groups_of(&who), want, "{who:?}");
    }
    assert_eq!(policy.asks_for(), (true, true));
}

#[test]
fn an_exception_for_a_group_needs_the_proof_and_a_clause_for_one_only_adds() {
    let policy = policy(
        "[[group]]\nname = \"press\"\nidentities = [\"press-*\"]\n\
         [[clause]]\nname = \"names\"\ncategories = [\"name\"]\naction = \"redact\"\n\
         [[clause]]\nname = \"press-names\"\ncategories = [\"name\"]\ngroups = [\"press\"]\naction = \"log\"\n\
         [[exception]]\nname = \"press\"\ncategories = [\"name\"]\nfields = [\"status\"]\ngroups = [\"press\"]\nreason = \"r\"\nexpires = 2099-01-01\n",
    );
    let name = finding("name-kin", Category::Name, Confidence::Medium);
    let press = ["night".to_owned(), "press".to_owned()];
    let base = question(&name);
    for (asked, want) in [
        (base, Action::Redact),
        (Question { groups: &press, ..base }, Action::Log),
        // Not excused: the clause that is milder for the group changes nothing.
        (Question { groups: &press, field: None, ..base }, Action::Redact),
    ] {
        assert_eq!(policy.judge(&asked).action, want);
    }
}

#[test]
fn a_finding_is_replaced_by_a_word_or_its_allowed_form() {
    let policy = policy(
        "[replacement]\nname = \"(someone)\"\ndate = \"year\"\nzip = \"zip3\"\nage = \"90+\"\n",
    );
    for (category, generalized, want) in [
        (Category::Name, None, "(someone)"),
        (Category::Date, Some("1987"), "1987"),
        (Category::Date, None, "[date]"),
        (Category::Zip, Some("021"), "021"),
        (Category::Age, Some("90+"), "90+"),
        (Category::Mrn, Some("x"), "[number]"),
    ] {
        let finding = Finding {
            generalized: generalized.map(str::to_owned),
            ..finding("us-ssn", category, Confidence::High)
        };
        assert_eq!(policy.replacement(&finding), want, "{category}");
    }
    for (category, word) in policy.replacement_words() {
        assert!(word.is_ascii() && !word.is_empty() && word.len() <= 40, "{category}: {word}");
    }
}

#[test]
fn the_sentence_is_one_line_of_ascii() {
    let policy = policy("message = \"This post has {kinds} (ref {ref}). Nothing was sent\"\n");
    for (kinds, want) in [
        (&[Category::Mrn, Category::Date][..], "a record number and a date"),
        (&[Category::Name, Category::Name], "a name"),
        (&[Category::Name, Category::Date, Category::Zip], "a name, a date and a ZIP code"),
        (&[], "something that may identify a patient"),
        (&Category::ALL, "a name, a date, an age over 89, a place and more"),
        (&[Category::Ssn, Category::Date, Category::Ssn], "a social security number and a date"),
    ] {
        assert_eq!(
            policy.sentence(kinds, "ABCD2345"),
            format!("This post has {want} (ref ABCD2345). Nothing was sent")
        );
    }
    for fault in REFUSED {
        let sentence = policy.fault_sentence(fault, "ABCD\n2345");
        assert!(
            sentence.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !sentence.contains('<'),
            "{sentence}"
        );
        assert!(sentence.contains("(ref ABCD2345)"), "{sentence}");
        for phrase in [
            "Abort",
            "Failed to fetch",
            "Upstream",
            "NotEnoughResources",
            "Bad token scope",
            "Load failed",
        ] {
            assert!(!sentence.contains(phrase), "{sentence}");
        }
    }
}

const REFUSED: [Refused; 11] = [
    Refused::Unreadable,
    Refused::TooLarge,
    Refused::Encrypted,
    Refused::Incomplete,
    Refused::Unchecked,
    Refused::Media,
    Refused::Uncleaned,
    Refused::Unstripped,
    Refused::Piece,
    Refused::Document,
    Refused::Unaudited,
];

/// Apps show it in one small box, whatever was found.
#[test]
fn the_shipped_sentences_are_short() {
    let policy = policy("");
    let mut longest = Category::ALL;
    longest.sort_by_key(|kind| std::cmp::Reverse(kind.phrase().len()));
    for sentence in (0..=longest.len())
        .map(|n| policy.sentence(&longest[..n], "k3f7q2ma"))
        .chain(REFUSED.map(|refused| policy.fault_sentence(refused, "k3f7q2ma")))
    {
        assert!(sentence.len() <= 200, "{} letters: {sentence}", sentence.len());
        assert!(sentence.starts_with("Blocked by hospital policy: "), "{sentence}");
        assert!(sentence.ends_with(". Nothing was sent. (ref k3f7q2ma)"), "{sentence}");
    }
}

#[test]
fn a_hospital_words_both_messages() {
    let policy = policy(
        "message = \"Held: {kinds}. Ask 4400 ({ref})\"\nfault-message = \"Held: {why}. Ask 4400 ({ref})\"\n",
    );
    assert_eq!(policy.sentence(&[Category::Mrn], "a2"), "Held: a record number. Ask 4400 (a2)");
    assert_eq!(
        policy.fault_sentence(Refused::TooLarge, "a2"),
        "Held: this post is too long to be checked. Ask 4400 (a2)"
    );
}

#[test]
fn media_is_by_platform_or_default() {
    let policy = policy("[media]\ndefault = \"block\"\nx = \"allow\"\n");
    assert_eq!(policy.media("x"), MediaAction::Allow);
    assert_eq!(policy.media("mastodon"), MediaAction::Block);
    assert_eq!(self::policy("").media("x"), MediaAction::Allow);
    assert!(!policy.documents() && !policy.pieces());
    let policy = self::policy(
        "[media]\ndefault = \"strip-metadata\"\ndocuments = \"allow\"\npieces = \"allow\"\n",
    );
    assert_eq!(policy.media("x"), MediaAction::StripMetadata);
    assert!(policy.documents() && policy.pieces());
}

/// Each a way of getting it wrong: the text before [`REST`], the fault with its place, and a part of the remedy.
const FAULTS: &[(&str, &str, &str)] = &[
    ("mode = \"enforced\"", "1:8: `mode` cannot be `enforced`", "did you mean `enforce`?"),
    ("mode = true", "1:8: `mode` must be a text, not true or false", "double quotes"),
    (
        "on-unredable = \"block\"",
        "1:1: the file has no key `on-unredable`",
        "did you mean `on-unreadable`?",
    ),
    (
        "on-unaudited = \"allow\"",
        "1:16: `on-unaudited` cannot be `allow`",
        "use one of `block`, `forward`",
    ),
    (
        "message = \"no {kind} (ref {ref}) {kinds}\"",
        "1:11: the message cannot fill in `{kind}`",
        "did you mean `{kinds}`?",
    ),
    (
        "message = \"{kinds {ref}\"",
        "1:11: a brace of the message has no partner",
        "{kinds} and {ref}",
    ),
    (
        "message = \"{kinds} {ref} }\"",
        "1:11: a brace of the message has no partner",
        "{kinds} and {ref}",
    ),
    (
        "message = \"{kinds} caf\u{e9} {ref}\"",
        "1:11: some apps cannot show `\u{e9}` in an answer",
        "plain letters",
    ),
    (
        "message = \"a\\nb {kinds} {ref}\"",
        "1:11: some apps cannot show line ends and tabs in an answer",
        "one line",
    ),
    (
        "message = \"<b>{kinds}</b> {ref}\"",
        "1:11: some apps take `<` and `>` for markup",
        "without",
    ),
    (
        "fault-message = \"no {kinds} {why} {ref}\"",
        "1:17: the message cannot fill in `{kinds}`",
        "use one of `{why}`, `{ref}`",
    ),
    (
        "message = \" \"",
        "1:11: the message is empty, so nobody would know why a post is refused",
        "write one such as",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"nmae\"]\naction = \"log\"",
        "3:15: there is no category `nmae`",
        "did you mean `name`?",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = []\naction = \"log\"",
        "3:14: `categories` is an empty list, so nothing would ever match it",
        "name at least one",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = \"name\"\naction = \"log\"",
        "3:14: `categories` must be a list of texts, not a text",
        "`categories = [\"name\"]`",
    ),
    (
        "[[clause]]\nname = \"a\"\naction = \"log\"",
        "1:1: this clause does not say which findings it is about",
        "categories",
    ),
    (
        "[[clause]]\ncategories = [\"name\"]\naction = \"log\"",
        "1:1: [[clause]] has no `name`",
        "give it one",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]",
        "1:1: [[clause]] has no `action`",
        "`action = \"log\"`",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\naction = \"deny\"",
        "4:10: `action` cannot be `deny`",
        "use one of `log`, `redact`, `block`",
    ),
    (
        "[[clause]]\nname = \"\"\ncategories = [\"name\"]\naction = \"log\"",
        "2:8: this cannot be a name",
        "1 to 64 characters",
    ),
    (
        "[[clause]]\nname = \"the-rest\"\ncategories = [\"name\"]\naction = \"log\"",
        "7:8: there is clause `the-rest` already",
        "its own name",
    ),
    (
        "[[clause]]\nname = \"a\"\nrules = [\"us-snn\"]\naction = \"log\"",
        "3:10: there is no rule `us-snn`",
        "did you mean `us-ssn`?",
    ),
    (
        "[[clause]]\nname = \"a\"\nrules = [\"uk-*\"]\naction = \"log\"",
        "3:10: no rule's name starts with `uk-`",
        "`us-ssn`",
    ),
    (
        "[[clause]]\nname = \"a\"\nrules = [\"*\"]\naction = \"log\"",
        "3:10: `*` alone is every rule",
        "leave `rules` out",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\nplatforms = [\"mastadon\"]\naction = \"log\"",
        "4:14: there is no platform `mastadon`",
        "did you mean `mastodon`?",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\ngroups = [\"press\"]\naction = \"log\"",
        "4:11: no [[group]] is named `press`",
        "[[group]]",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\nfields = [\"\"]\naction = \"log\"",
        "4:11: a field without a name matches nothing",
        "poll.options[]",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\ncontext = \"patient\"\naction = \"log\"",
        "4:11: `context` cannot be `patient`",
        "use one of `any`, `care`",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategories = [\"name\"]\nmin-confidence = 0.5\naction = \"log\"",
        "4:18: `min-confidence` must be a text, not a number",
        "quotes",
    ),
    (
        "[[clause]]\nname = \"a\"\ncategory = [\"name\"]\nrules = [\"us-ssn\"]\naction = \"log\"",
        "3:1: [[clause]] has no key `category`",
        "did you mean `categories`?",
    ),
    ("[group]\nname = \"a\"", "1:1: `group` must be a list of tables, not a table", "[[group]]"),
    ("[[group]]\nname = \"a\"", "1:1: [[group]] has no `clients`", "10.20.0.0/24"),
    (
        "[[group]]\nname = \"a\"\ncertificates = [\"press-*\"]",
        "3:17: `press-*` says nothing of a certificate",
        "CN=press-*",
    ),
    (
        "[[group]]\nname = \"a\"\ncertificates = [\"CN=\"]",
        "3:17: `CN=` says nothing of a certificate",
        "CN=press-*",
    ),
    (
        "[[group]]\nname = \"a\"\nidentities = [\"alice, bob\"]",
        "3:15: `alice, bob` can be nobody's identity",
        "without commas",
    ),
    (
        "[[group]]\nname = \"a\"\nidentities = [\"alice\"]\nclients = [\"10.0.0.0/33\"]",
        "4:12: `10.0.0.0/33` is no network",
        "10.20.0.0/24",
    ),
    (
        "[[group]]\nname = \"a\"\nclients = [\"10.0.0.0/33\"]",
        "3:12: `10.0.0.0/33` is no network",
        "10.20.0.0/24",
    ),
    (
        "[[group]]\nname = \"a\"\nclients = [\"10.0.0.0/8\"]\n[[group]]\nname = \"b\"\nclients = [\"10.0.0.0/8\"]",
        "6:12: `10.0.0.0/8` is in group `a` already",
        "one group",
    ),
    (
        "[[group]]\nname = \"a\"\nclients = [\"10.0.0.0/8\"]\n[[group]]\nname = \"a\"\nclients = [\"11.0.0.0/8\"]",
        "5:8: there is a [[group]] named `a` already",
        "one `clients`",
    ),
    (
        "[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nexpires = 2027-01-01",
        "1:1: [[exception]] has no `reason`",
        "say why",
    ),
    (
        "[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nreason = \" \"\nexpires = 2027-01-01",
        "4:10: the reason is empty",
        "say why",
    ),
    (
        "[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nreason = \"r\"",
        "1:1: [[exception]] has no `expires`",
        "last day",
    ),
    (
        "[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nreason = \"r\"\nexpires = \"2027-01-01\"",
        "5:11: `expires` must be a day, not a text",
        "`expires = 2027-01-01`",
    ),
    (
        "[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nreason = \"r\"\nexpires = 2027-02-30",
        "5:11:",
        "without quotes",
    ),
    (
        "[[exception]]\nname = \"e\"\nreason = \"r\"\nexpires = 2027-01-01",
        "1:1: this exception does not say which findings it is about",
        "everything would pass",
    ),
    (
        "[[exception]]\nname = \"e\"\ntexts = [\" \"]\nreason = \"r\"\nexpires = 2027-01-01",
        "3:10: an empty text excuses nothing",
        "words",
    ),
    ("[replacement]\nnmae = \"x\"", "2:1: there is no category `nmae`", "did you mean `name`?"),
    ("[replacement]\nname = \"year\"", "2:8: `year` is a form of a date, not of a name", "[name]"),
    (
        "[replacement]\nname = \"\"",
        "2:8: an empty replacement hides that something was taken out",
        "[name]",
    ),
    (
        "[replacement]\nname = \"a\\nb\"",
        "2:8: a replacement must stay on its line and be visible",
        "letters",
    ),
    (
        "[replacement]\nname = \"@someone\"",
        "2:8: platforms would read this as a mention, a hashtag, a link or markup",
        "[name]",
    ),
    ("[replacement]\nname = 7", "2:8: `name` must be a text, not a number", "quotes"),
    ("[media]\ndefault = \"strip\"", "2:11: `default` cannot be `strip`", "`strip-metadata`"),
    ("[media]\nyoutub = \"allow\"", "2:1: there is no platform `youtub`", "`mastodon`"),
    (
        "[media]\ndocument = \"block\"",
        "2:1: there is no platform `document`",
        "did you mean `documents`?",
    ),
    ("[media]\nx = \"pass\"", "2:5: `pass` cannot be done with media", "`allow`"),
    ("[[clause]\nname = \"a\"", "1:", "each line is"),
];

#[test]
fn every_way_of_getting_it_wrong_has_its_line_and_remedy() {
    for (text, want, help) in FAULTS {
        let faults =
            parse(&format!("{text}\n{REST}")).err().unwrap_or_else(|| panic!("no fault in {text}"));
        assert_eq!(
            faults.len(),
            1,
            "{text}: {}",
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        );
        let fault = &faults[0];
        assert!(fault.to_string().starts_with(&format!("policy.toml:{want}")), "{text}: {fault}");
        let said = fault.help.clone().unwrap_or_default();
        assert!(said.contains(help), "{text}: {fault}: {said}");
    }
}

#[test]
fn a_long_message_or_word_is_refused() {
    let long = "y".repeat(300);
    let faults = parse(&format!(
        "message = \"{long} {{kinds}} {{ref}}\"\n{REST}\n[replacement]\nname = \"{long}\"\n"
    ))
    .unwrap_err();
    let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "a message may have 280 characters, this one has 314",
            "a replacement may have 40 characters, this one has 300"
        ]
    );
}

#[test]
fn what_is_odd_but_usable_is_a_warning() {
    for (text, want) in [
        ("message = \"no {kinds}\"", "1:11: the message has no {ref}"),
        ("message = \"no (ref {ref})\"", "1:11: the message has no {kinds}"),
        ("fault-message = \"no (ref {ref})\"", "1:17: the message has no {why}"),
        (
            "message = \"Aborted: {kinds} {ref}\"",
            "1:11: the Bluesky app shows a text of its own for a message with \"abort\"",
        ),
        (
            "fault-message = \"Load failed: {why} {ref}\"",
            "1:17: the Bluesky app shows a text of its own for a message with \"load failed\"",
        ),
        (
            "[[group]]\nname = \"a\"\nclients = [\"10.0.0.7/8\"]",
            "3:12: `10.0.0.7/8` names one address but means the whole network",
        ),
        (
            "[[clause]]\nname = \"a\"\nrules = [\"mrn-old\"]\naction = \"log\"",
            "3:10: rule `mrn-old` is turned off by a [[disable]], so this does nothing",
        ),
    ] {
        let (_, warnings) = parse(&format!("{text}\n{REST}"))
            .unwrap_or_else(|faults| panic!("{text}: {}", faults[0]));
        assert_eq!(
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [format!("policy.toml:{want}")],
            "{text}"
        );
    }
}

#[test]
fn no_category_is_forgotten() {
    assert_eq!(parse("").unwrap_err().len(), 1);
    for narrowed in ["platforms = [\"x\"]", "rules = [\"us-ssn\"]", "fields = [\"status\"]"] {
        let text = REST.replace("\"ssn\", ", "")
            + &format!(
                "[[clause]]\nname = \"n\"\ncategories = [\"ssn\"]\naction = \"block\"\n{narrowed}\n"
            );
        let faults = parse(&text).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "policy.toml:1:1: no clause for everybody names the category \"ssn\"",
            "{narrowed}"
        );
    }
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let faults = parse("mode = 1\nmsg = \"\"\n[[clause]]\nname = \"a\"\ncategories = [\"x\", \"y\"]\n[media]\ndefault = 1\n").unwrap_err();
    let lines: Vec<usize> =
        faults.iter().filter_map(Diagnostic::line_column).map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 2, 3, 5, 5, 7]);
}

#[test]
fn the_hash_is_of_the_file() {
    let one = policy("");
    assert_eq!(one.hash().len(), 64);
    assert_ne!(one.hash(), policy("# a comment\n").hash());
}

const PIECES: [&str; 4] = [
    "[[clause]]\nname = \"a\"\ncategories = [\"name\", \"ssn\"]\naction = \"redact\"\nmin-confidence = \"low\"\n",
    "[[clause]]\nname = \"b\"\ncategories = [\"name\"]\naction = \"redact\"\nmin-confidence = \"low\"\n",
    "[[clause]]\nname = \"c\"\ncategories = [\"ssn\"]\naction = \"block\"\ncontext = \"care\"\n",
    "[[exception]]\nname = \"e\"\nrules = [\"name-kin\"]\nplatforms = [\"mastodon\"]\nreason = \"r\"\nexpires = 2027-01-01\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_the_file_never_matters(order in Just(PIECES.to_vec()).prop_shuffle(), care: bool, high: bool, x: bool) {
        let (one, other) = (policy(&PIECES.concat()), policy(&order.concat()));
        for (rule, category) in [("name-kin", Category::Name), ("us-ssn", Category::Ssn), ("phone-nanp", Category::Phone)] {
            let finding = finding(rule, category, if high { Confidence::High } else { Confidence::Low });
            let asked = Question { care, platform: if x { "x" } else { "mastodon" }, ..question(&finding) };
            prop_assert_eq!(one.judge(&asked), other.judge(&asked));
        }
    }

    #[test]
    fn no_text_panics(text in "(\\PC|\n){0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mangled_policy_panics(cut in 0usize..3000, insert in "(\\[|\\]|\"|=|\\.|\n|a|1|\u{e9}){0,6}") {
        let text = Policy::embedded();
        let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let _ = parse(&format!("{}{insert}{}", text.get(..at).unwrap(), text.get(at..).unwrap()));
    }
}
