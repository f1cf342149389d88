//! What is read of a resource, as FHIR writes it: every field may be missing, and what is not named here is passed over.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::roster::{Identifier, IdentifierKind, NameUse, PersonName};

/// Things of one kind that are read of one resource.
const MOST: usize = 32;

/// Gives a struct of optional fields a `Debug` that shows none of them.
macro_rules! shows_nothing {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Resource {
    #[serde(rename = "resourceType")]
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) identifier: Vec<Numbered>,
    pub(super) active: Option<bool>,
    /// Of a patient names; of a location its one name.
    pub(super) name: Option<Value>,
    pub(super) telecom: Vec<Contact>,
    pub(super) birth_date: Option<String>,
    pub(super) deceased_boolean: Option<bool>,
    pub(super) deceased_date_time: Option<String>,
    pub(super) address: Option<Value>,
    pub(super) contact: Option<Value>,
    pub(super) link: Vec<Link>,
    // Of an encounter.
    pub(super) status: Option<String>,
    pub(super) class: Option<Value>,
    pub(super) subject: Option<Reference>,
    pub(super) period: Period,
    pub(super) actual_period: Period,
    pub(super) location: Vec<At>,
    // Of a location.
    pub(super) physical_type: Option<Value>,
    pub(super) form: Option<Value>,
    pub(super) part_of: Option<Reference>,
    // Of a relative.
    pub(super) patient: Option<Reference>,
    // Of a bundle.
    pub(super) entry: Vec<InBundle>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct InBundle {
    pub(super) resource: Option<Box<Resource>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Numbered {
    #[serde(rename = "type")]
    kind: Option<Concept>,
    system: Option<String>,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Concept {
    coding: Vec<Coding>,
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Coding {
    code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    #[serde(rename = "use")]
    used: Option<String>,
    text: Option<String>,
    family: Option<String>,
    given: Vec<Option<String>>,
    period: Period,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Contact {
    system: Option<String>,
    value: Option<String>,
    #[serde(rename = "use")]
    used: Option<String>,
    period: Period,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Home {
    text: Option<String>,
    line: Vec<Option<String>>,
    city: Option<String>,
    postal_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Related {
    pub(super) name: Option<Named>,
    pub(super) telecom: Vec<Contact>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference {
    pub(super) reference: Option<String>,
    pub(super) display: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct At {
    pub(super) location: Option<Reference>,
    pub(super) status: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Period {
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

shows_nothing!(
    Resource, InBundle, Numbered, Concept, Coding, Named, Contact, Home, Related, Link, Reference,
    At, Period
);

/// The day of a date or time; `None` of a year or month alone.
pub(super) fn day(text: &str) -> Option<Date> {
    let day = text.get(..10)?;
    let ends = text.get(10..)?.chars().next().is_none_or(|c| matches!(c, 'T' | 't' | ' '));
    if ends { day.parse().ok() } else { None }
}

/// Of a field that is one thing in some resources and many in others: all of them that can be read.
pub(super) fn many<T: serde::de::DeserializeOwned>(value: Option<Value>) -> Vec<T> {
    let values = match value {
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
        None => Vec::new(),
    };
    values.into_iter().take(MOST).filter_map(|value| serde_json::from_value(value).ok()).collect()
}

/// Whether all of a field is what it should be, so that nothing of it is lost.
pub(super) fn fits<T: serde::de::DeserializeOwned>(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().take(MOST).all(|value| T::deserialize(value).is_ok()),
        Value::Null => true,
        value => T::deserialize(value).is_ok(),
    }
}

/// Every code of a concept or coding, or of many.
pub(super) fn codes(value: &Value) -> Vec<&str> {
    let mut codes = Vec::new();
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(values) => left.extend(values.iter().take(MOST)),
            Value::Object(fields) => {
                codes.extend(fields.get("code").and_then(Value::as_str));
                left.extend(["coding", "concept"].into_iter().filter_map(|name| fields.get(name)));
            }
            _ => {}
        }
    }
    codes
}

impl Period {
    /// Whether it was over before a day.
    pub(super) fn is_over(&self, today: Date) -> bool {
        self.end.as_deref().and_then(day).is_some_and(|end| end < today)
    }
}

impl Numbered {
    /// The number, if there is one.
    pub(super) fn identifier(self) -> Option<Identifier> {
        let value = self.value.filter(|value| !value.trim().is_empty())?;
        let kind = self.kind.as_ref().and_then(Concept::kind);
        let kind = kind.or_else(|| self.system.as_deref().and_then(of_system));
        Some(Identifier { kind: kind.unwrap_or(IdentifierKind::Record), value })
    }
}

impl Concept {
    /// What a number of this type numbers, by table 0203; `None` where nothing is said.
    fn kind(&self) -> Option<IdentifierKind> {
        let mut said = None;
        for coding in &self.coding {
            let Some(code) = coding.code.as_deref().filter(|code| !code.is_empty()) else {
                continue;
            };
            let kind = match code.to_ascii_uppercase().as_str() {
                "MR" | "MRN" | "PI" | "PT" | "EPI" | "U" => IdentifierKind::Record,
                "VN" | "ACSN" => IdentifierKind::Visit,
                "AN" | "ANC" | "AND" | "ANT" => IdentifierKind::Account,
                "SS" | "SB" => IdentifierKind::Ssn,
                "DL" | "PPN" => IdentifierKind::License,
                "MB" | "MC" | "MA" | "MI" | "HC" | "MCD" | "MCR" | "SN" | "NH" => {
                    IdentifierKind::HealthPlan
                }
                _ => IdentifierKind::Other,
            };
            if kind != IdentifierKind::Other {
                return Some(kind);
            }
            said = Some(kind);
        }
        let text = self.text.as_deref().unwrap_or_default().to_lowercase();
        let by_words = [
            (["medical record", "mrn", "chart"], IdentifierKind::Record),
            (["social security", "ssn", "soc sec"], IdentifierKind::Ssn),
            (["driver", "passport", "licen"], IdentifierKind::License),
            (["member", "subscriber", "medic"], IdentifierKind::HealthPlan),
            (["visit", "encounter", "csn"], IdentifierKind::Visit),
            (["account", "acct", "billing"], IdentifierKind::Account),
        ];
        let by_word =
            by_words.into_iter().find(|(words, _)| words.iter().any(|word| text.contains(word)));
        by_word.map(|(_, kind)| kind).or(said)
    }
}

/// What a number of a well-known system numbers.
fn of_system(system: &str) -> Option<IdentifierKind> {
    let system = system.to_ascii_lowercase();
    let has = |part: &str| system.contains(part);
    if has("us-ssn") || system.ends_with("2.16.840.1.113883.4.1") {
        Some(IdentifierKind::Ssn)
    } else if has("us-medicare")
        || has("us-mbi")
        || has("medicaid")
        || has("2.16.840.1.113883.4.927")
    {
        Some(IdentifierKind::HealthPlan)
    } else if has("2.16.840.1.113883.4.3.") || has("passport") {
        Some(IdentifierKind::License)
    } else {
        None
    }
}

impl Named {
    /// The name; `None` of one that says nobody.
    pub(super) fn name(self, today: Date) -> Option<PersonName> {
        let used = match self.used.as_deref() {
            Some("anonymous") => return None,
            Some("official") => NameUse::Official,
            Some("nickname") => NameUse::Nickname,
            Some("maiden") => NameUse::Maiden,
            Some("old") => NameUse::Former,
            _ if self.period.is_over(today) => NameUse::Former,
            _ => NameUse::Usual,
        };
        let given: Vec<String> = self.given.into_iter().take(MOST).flatten().collect();
        let name =
            PersonName { used, given: given.join(" "), family: self.family.unwrap_or_default() };
        if !name.is_empty() {
            return Some(name);
        }
        let whole = PersonName::whole(&self.text?);
        (!whole.is_empty()).then_some(PersonName { used, ..whole })
    }
}

/// Telephone numbers and e-mail addresses that are still in use.
pub(super) fn reach(contacts: Vec<Contact>, today: Date) -> (Vec<String>, Vec<String>) {
    let (mut phones, mut emails) = (Vec::new(), Vec::new());
    for contact in contacts.into_iter().take(MOST) {
        let Some(value) = contact.value.filter(|value| !value.trim().is_empty()) else { continue };
        // Somebody else has the number by now.
        if contact.used.as_deref() == Some("old") || contact.period.is_over(today) {
            continue;
        }
        match contact.system.as_deref() {
            Some("email") => emails.push(value),
            Some("url") => {}
            _ if value.contains('@') => emails.push(value),
            _ => phones.push(value),
        }
    }
    (phones, emails)
}

impl Home {
    pub(super) fn address(self) -> Option<crate::roster::Address> {
        let line = self
            .line
            .into_iter()
            .flatten()
            .find(|line| line.contains(|c: char| c.is_ascii_digit()));
        let street = line.or_else(|| {
            let text = self.text?;
            Some(text.split([',', '\n']).next()?.trim().to_owned())
        })?;
        let (city, zip) = (self.city.unwrap_or_default(), self.postal_code.unwrap_or_default());
        Some(crate::roster::Address { street, city, zip })
    }
}
