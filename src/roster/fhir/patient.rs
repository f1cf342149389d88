//! A Patient resource as the roster has one.

use jiff::civil::Date;

use crate::roster::fhir::resource::{Home, Named, Related, Resource, day, many, reach};
use crate::roster::fhir::stay::Told;
use crate::roster::{IdentifierKind, Patient, Relative};

/// The patient that a resource is, with what others say of the stay. Also one that is no longer in use, or that another
/// replaces: its names and numbers are still somebody's.
pub(super) fn patient(resource: Resource, told: Option<&Told>, today: Date) -> Patient {
    let mut patient = Patient::default();
    let is_replaced = resource.link.iter().any(|link| link.kind.as_deref() == Some("replaced-by"));
    if let Some(told) = told {
        if !is_replaced && resource.active != Some(false) {
            patient.admitted = told.admitted;
            patient.discharged = told.discharged;
            patient.place = told.place.clone();
        }
        patient.relatives.clone_from(&told.relatives);
        patient.identifiers.clone_from(&told.visits);
    }
    for numbered in resource.identifier.into_iter().take(64) {
        patient.identifiers.extend(numbered.identifier());
    }
    // What the hospital itself calls them comes first.
    patient.identifiers.sort_by_key(|it| it.kind != IdentifierKind::Record);
    let names = many::<Named>(resource.name).into_iter().filter_map(|named| named.name(today));
    patient.names = names.collect();
    // The name in use comes first: the row keeps its words.
    patient.names.sort_by_key(|name| name.used as u8 > 1);
    (patient.phones, patient.emails) = reach(resource.telecom, today);
    patient.birth_date = resource.birth_date.as_deref().and_then(day);
    patient.deceased =
        resource.deceased_boolean == Some(true) || resource.deceased_date_time.is_some();
    patient.addresses =
        many::<Home>(resource.address).into_iter().filter_map(Home::address).collect();
    for related in many::<Related>(resource.contact) {
        patient.relatives.extend(relative(related, today));
    }
    patient
}

/// Somebody who belongs to a patient; `None` of one without a name and a number.
pub(super) fn relative(related: Related, today: Date) -> Option<Relative> {
    let name = related.name.and_then(|named| named.name(today)).unwrap_or_default();
    let (phones, _) = reach(related.telecom, today);
    (!name.is_empty() || !phones.is_empty()).then_some(Relative { name, phones })
}
