//! What other resources say of patients: where they lie, when they came and left, who belongs to them.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::roster::fhir::patient::relative;
use crate::roster::fhir::resource::{Named, Numbered, Related, Resource, codes, day, many};
use crate::roster::{Identifier, IdentifierKind, Place, Relative, census};

/// What is known of one patient.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) admitted: Option<Date>,
    pub(super) discharged: Option<Date>,
    pub(super) place: Place,
    pub(super) visits: Vec<Identifier>,
    pub(super) relatives: Vec<Relative>,
}

/// What was read of encounters, locations and relatives, by the ids of patients.
#[derive(Default)]
pub struct Stays {
    told: HashMap<String, Told>,
    places: HashMap<String, Placed>,
}

/// A location: its name, what it is, and what it is part of.
struct Placed {
    name: String,
    kind: Kind,
    within: Option<String>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Ward,
    Room,
    Bed,
    Other,
}

/// Shows no text.
impl std::fmt::Debug for Stays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stays").field("n_told", &self.told.len()).finish_non_exhaustive()
    }
}

/// Visits and relatives that are kept of one patient.
const MOST: usize = 16;
/// A location stands within so many others at most.
const DEPTH: usize = 6;

/// The id that a reference leads to: the last part of `Patient/7`, of a URL, of `urn:uuid:..`.
fn id(reference: &str) -> &str {
    let reference = reference.split("/_history").next().unwrap_or_default();
    reference.rsplit(['/', ':']).next().unwrap_or_default()
}

impl Stays {
    pub(super) fn of(&self, patient: &str) -> Option<&Told> {
        self.told.get(patient)
    }

    /// Whether a resource is one of these, and was taken. Locations must be given before the encounters that name them.
    pub(super) fn take(&mut self, resource: Resource, today: Date) -> Option<Resource> {
        match resource.kind.as_str() {
            "Location" => self.location(resource),
            "Encounter" => self.encounter(resource, today),
            "RelatedPerson" => {
                let patient = resource.patient.and_then(|patient| patient.reference);
                let related = Related {
                    name: many::<Named>(resource.name).into_iter().next(),
                    telecom: resource.telecom,
                };
                if let (Some(patient), Some(relative)) = (patient, relative(related, today)) {
                    let told = self.told.entry(id(&patient).to_owned()).or_default();
                    if told.relatives.len() < MOST {
                        told.relatives.push(relative);
                    }
                }
            }
            _ => return Some(resource),
        }
        None
    }

    fn location(&mut self, resource: Resource) {
        let name =
            resource.name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        let said = [&resource.physical_type, &resource.form].into_iter().flatten().flat_map(codes);
        let kind = said.fold(Kind::Other, |kind, code| match code {
            "wa" | "wi" | "lvl" => Kind::Ward,
            "ro" => Kind::Room,
            "bd" => Kind::Bed,
            _ => kind,
        });
        let within = resource.part_of.and_then(|it| it.reference).map(|it| id(&it).to_owned());
        if let Some(own) = resource.id {
            self.places.insert(own, Placed { name, kind, within });
        }
    }

    fn encounter(&mut self, resource: Resource, today: Date) {
        let status = resource.status.as_deref().unwrap_or_default();
        if matches!(status, "planned" | "cancelled" | "entered-in-error" | "discontinued") {
            return;
        }
        let Some(patient) = resource.subject.as_ref().and_then(|it| it.reference.clone()) else {
            return;
        };
        let class = resource.class.as_ref().map(codes).unwrap_or_default();
        // Systems have classes of their own: only who is said to be elsewhere is not in the house.
        let stays = !class.iter().any(|code| matches!(*code, "AMB" | "VR" | "HH" | "FLD"));
        let period = if resource.period.start.is_some() || resource.period.end.is_some() {
            &resource.period
        } else {
            &resource.actual_period
        };
        let admitted = period.start.as_deref().and_then(day);
        let end = period.end.as_deref().and_then(day);
        let is_under_way =
            matches!(status, "in-progress" | "arrived" | "triaged" | "onleave" | "on-hold" | "")
                && stays;
        let discharged = if is_under_way { end } else { end.or(admitted) };
        let admitted = admitted.or(is_under_way.then_some(today));
        let visits: Vec<Identifier> = resource
            .identifier
            .into_iter()
            .filter_map(Numbered::identifier)
            .map(|it| Identifier { kind: IdentifierKind::Visit, ..it })
            .take(MOST)
            .collect();
        let left_long_ago = |day: Date| {
            crate::roster::Day::of(today).0 - crate::roster::Day::of(day).0 > census::KEPT
        };
        if discharged.is_some_and(left_long_ago) && visits.is_empty() {
            return;
        }
        let mut place = Place::default();
        for at in resource
            .location
            .iter()
            .filter(|at| at.status.as_deref().is_none_or(|status| status == "active"))
        {
            let Some(location) = &at.location else { continue };
            let known = location
                .reference
                .as_deref()
                .is_some_and(|reference| self.fill(id(reference), &mut place));
            if let Some(display) = location.display.as_deref().filter(|_| !known) {
                written(display, &mut place);
            }
        }
        let told = self.told.entry(id(&patient).to_owned()).or_default();
        for visit in visits {
            if told.visits.len() < MOST {
                told.visits.push(visit);
            }
        }
        // Who is in the house is in the house, whatever else was; else the last stay counts.
        let is_later = match (told.admitted, told.discharged) {
            (None, None) => true,
            (Some(_), None) => discharged.is_none() && admitted > told.admitted,
            (_, last) => discharged.is_none() || discharged > last,
        };
        if is_later {
            (told.admitted, told.discharged, told.place) = (admitted, discharged, place);
        }
    }

    /// Puts a location and what it stands in into a place. Whether it is known.
    fn fill(&self, location: &str, place: &mut Place) -> bool {
        let mut next = Some(location);
        let mut is_known = false;
        for _ in 0..DEPTH {
            let Some(placed) = next.and_then(|id| self.places.get(id)) else { break };
            is_known = true;
            let slot = match placed.kind {
                Kind::Ward => &mut place.ward,
                Kind::Room => &mut place.room,
                Kind::Bed => &mut place.bed,
                Kind::Other => {
                    if place.is_empty() {
                        written(&placed.name, place);
                    }
                    next = placed.within.as_deref();
                    continue;
                }
            };
            if slot.is_empty() {
                bare(&placed.name).clone_into(slot);
            }
            next = placed.within.as_deref();
        }
        is_known
    }
}

/// `Room 412` without the word.
fn bare(name: &str) -> &str {
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    for word in ["room ", "rm ", "rm. ", "bed ", "ward ", "unit "] {
        if lower.starts_with(word) {
            return name.get(word.len()..).unwrap_or_default().trim();
        }
    }
    name
}

/// A place as people write it: `4 West, Room 412, Bed B`.
fn written(text: &str, place: &mut Place) {
    for part in text.split([',', ';', '/']).map(str::trim).filter(|part| !part.is_empty()).take(4) {
        let lower = part.to_ascii_lowercase();
        let starts = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
        let slot = if starts(&["room", "rm"]) || part.bytes().all(|byte| byte.is_ascii_digit()) {
            &mut place.room
        } else if starts(&["bed"]) {
            &mut place.bed
        } else {
            &mut place.ward
        };
        if slot.is_empty() {
            bare(part).clone_into(slot);
        }
    }
}
