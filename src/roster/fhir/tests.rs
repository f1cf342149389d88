//! FHIR's own published examples, recreated with invented people, and every subset of their fields.

use std::sync::Arc;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::roster::fhir::{FhirSource, Stays};
use crate::roster::{Entry, IdentifierKind, NameUse, Patient, Source as _};

fn read(text: &str) -> (Vec<Patient>, Vec<String>) {
    read_with(text, Stays::default())
}

fn read_with(text: &str, stays: Stays) -> (Vec<Patient>, Vec<String>) {
    let mut source = FhirSource::new(text.as_bytes(), Arc::new(stays), date(2026, 11, 23));
    let (mut patients, mut bad) = (Vec::new(), Vec::new());
    while let Some(entry) = source.next_entry().unwrap() {
        match entry {
            Entry::Patient(patient) => patients.push(*patient),
            Entry::Bad(row) => bad.push(format!("{}: {}", row.line, row.why)),
            Entry::Passed => {}
        }
    }
    (patients, bad)
}

/// As `patient-example` of the standard.
fn example() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "example",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-20T10:00:00Z"},
        "text": {"status": "generated", "div": "<div>somebody</div>"},
        "extension": [{"url": "http://example.org/race", "valueString": "x"}],
        "identifier": [
            {"use": "usual", "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
             "system": "urn:oid:1.2.36.146.595.217.0.1", "value": "00731946", "period": {"start": "2001-05-06"},
             "assigner": {"display": "Acme"}},
            {"type": {"coding": [{"code": "SS"}]}, "system": "http://hl7.org/fhir/sid/us-ssn", "value": "900-55-0731"},
            {"system": "urn:oid:2.16.840.1.113883.4.3.39", "value": "QZ5550731"},
            {"type": {"text": "Insurance member number"}, "value": "QHP-9055507"},
            {"type": {"coding": [{"code": "XX"}]}, "value": "STUDY-55507"}
        ],
        "active": true,
        "name": [
            {"use": "official", "family": "Quackenthorpe", "given": ["Zebulon", "James"]},
            {"use": "usual", "given": ["Zeb"]},
            {"use": "maiden", "family": "Windsor", "_family": {"extension": []}, "given": ["Zebulon"], "period": {"end": "2002"}},
            {"use": "old", "text": "Zebulon Grimble"},
            {"use": "anonymous", "text": "Patient X"}
        ],
        "telecom": [
            {"use": "home"},
            {"system": "phone", "value": "(614) 555-0142", "use": "work", "rank": 1},
            {"system": "phone", "value": "(614) 555-0199", "use": "old", "period": {"end": "2014"}},
            {"system": "email", "value": "zeb.q@mail.example"},
            {"system": "url", "value": "http://example.org"}
        ],
        "gender": "male",
        "birthDate": "1961-05-06",
        "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1961-05-06T14:35:45-05:00"}]},
        "deceasedBoolean": false,
        "address": [{"use": "home", "type": "both", "text": "7301 Quillfeather Way, Ohm 43004", "line": ["7301 Quillfeather Way"],
                     "city": "Ohm", "district": "Rainbow", "state": "OH", "postalCode": "43004", "period": {"start": "1974-12-25"}}],
        "contact": [{"relationship": [{"coding": [{"code": "N"}]}],
                     "name": {"family": "du Quackenthorpe", "given": ["Wilhelmena"]},
                     "telecom": [{"system": "phone", "value": "+1 614 555 0143"}],
                     "gender": "female", "period": {"start": "2012"}}],
        "managingOrganization": {"reference": "Organization/1"},
        "photo": [{"contentType": "image/gif", "data": "R0lGODlhEwARAPcAAA=="}],
        "communication": [{"language": {"text": "English"}}],
        "link": [{"other": {"reference": "Patient/pat2"}, "type": "seealso"}]
    })
}

#[test]
fn everything_by_which_a_patient_may_be_named_is_read() {
    let (patients, bad) = read(&example().to_string());
    assert!(bad.is_empty(), "{bad:?}");
    let patient = patients.first().unwrap();
    let kinds: Vec<(IdentifierKind, &str)> =
        patient.identifiers.iter().map(|it| (it.kind, it.value.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (IdentifierKind::Record, "00731946"),
            (IdentifierKind::Ssn, "900-55-0731"),
            (IdentifierKind::License, "QZ5550731"),
            (IdentifierKind::HealthPlan, "QHP-9055507"),
            (IdentifierKind::Other, "STUDY-55507"),
        ]
    );
    let names: Vec<(NameUse, &str, &str)> =
        patient.names.iter().map(|it| (it.used, it.given.as_str(), it.family.as_str())).collect();
    assert_eq!(
        names,
        [
            (NameUse::Official, "Zebulon James", "Quackenthorpe"),
            (NameUse::Usual, "Zeb", ""),
            (NameUse::Maiden, "Zebulon", "Windsor"),
            (NameUse::Former, "Zebulon", "Grimble"),
        ]
    );
    assert_eq!(patient.phones, ["(614) 555-0142"]);
    assert_eq!(patient.emails, ["zeb.q@mail.example"]);
    assert_eq!(patient.birth_date, Some(date(1961, 5, 6)));
    assert_eq!(patient.addresses.first().unwrap().street, "7301 Quillfeather Way");
    let kin = patient.relatives.first().unwrap();
    assert_eq!((kin.name.given.as_str(), kin.phones.len()), ("Wilhelmena", 1));
    assert!(!patient.deceased && patient.admitted.is_none());
}

#[test]
fn a_bundle_and_a_single_resource_over_many_lines_are_read_like_lines() {
    let encounter = json!({
        "resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
        "identifier": [{"value": "V-55507"}],
        "subject": {"reference": "urn:uuid:example"}, "period": {"start": "2026-11-20T08:00:00-05:00"},
        "location": [{"location": {"reference": "Location/r"}, "status": "active"},
                     {"location": {"display": "ER 1"}, "status": "completed"}]
    });
    let room = json!({"resourceType": "Location", "id": "r", "name": "Room 973", "physicalType": {"coding": [{"code": "ro"}]},
                      "partOf": {"reference": "Location/w"}});
    let ward = json!({"resourceType": "Location", "id": "w", "name": "9 Quill", "physicalType": {"coding": [{"code": "wa"}]}});
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": example()}, {"resource": encounter}, {"resource": room}, {"resource": ward}, {}]});
    for text in [bundle.to_string(), serde_json::to_string_pretty(&bundle).unwrap()] {
        let (patients, bad) = read(&text);
        assert!(bad.is_empty(), "{bad:?}");
        let patient = patients.first().unwrap();
        assert_eq!((patient.place.ward.as_str(), patient.place.room.as_str()), ("9 Quill", "973"));
        assert_eq!((patient.admitted, patient.discharged), (Some(date(2026, 11, 20)), None));
        assert!(
            patient
                .identifiers
                .iter()
                .any(|it| it.kind == IdentifierKind::Visit && it.value == "V-55507")
        );
    }
    assert_eq!(read(&serde_json::to_string_pretty(&example()).unwrap()).0.len(), 1);
}

#[test]
fn stays_and_relatives_come_from_other_files() {
    let lines = [
        json!({"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, "subject": {"reference": "Patient/a"},
               "period": {"start": "2026-11-01", "end": "2026-11-05"}}),
        json!({"resourceType": "Encounter", "status": "in-progress", "class": [{"coding": [{"code": "IMP"}]}],
               "subject": {"reference": "https://fhir.example/Patient/b/_history/2"}, "actualPeriod": {"start": "2026-11-21"},
               "location": [{"location": {"display": "4 West, Room 412, Bed B"}}]}),
        json!({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"}, "subject": {"reference": "Patient/c"},
               "period": {"start": "2026-11-22"}}),
        json!({"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}, "subject": {"reference": "Patient/d"}}),
        json!({"resourceType": "RelatedPerson", "patient": {"reference": "Patient/d"}, "name": [{"family": "Roe", "given": ["Ulf"]}]}),
    ];
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let text = format!("{}\n", lines.join("\n"));
    let mut stays = Stays::default();
    assert_eq!(stays.read(format!("{text}nothing\n").as_bytes(), date(2026, 11, 23)).unwrap(), 1);
    let patients: String = ["a", "b", "c", "d"]
        .map(|id| {
            format!(
                "{}\n",
                json!({"resourceType": "Patient", "id": id, "name": [{"text": "Roe, Una"}]})
            )
        })
        .concat();
    let (patients, _) = read_with(&patients, stays);
    let shown: Vec<String> = patients
        .iter()
        .map(|it| {
            format!(
                "{:?} {:?} {}|{}|{} {}",
                it.admitted.is_some(),
                it.discharged.map(Date::day),
                it.place.ward,
                it.place.room,
                it.place.bed,
                it.relatives.len()
            )
        })
        .collect();
    assert_eq!(
        shown,
        ["true Some(5) || 0", "true None 4 West|412|B 0", "true Some(22) || 0", "false None || 1"]
    );
}

#[test]
fn bad_lines_are_named_by_number_and_never_by_what_they_hold() {
    let good = json!({"resourceType": "Patient", "name": [{"family": "Roe"}]});
    let text = format!(
        "{good}\n{{\"resourceType\":\"Patient\",\"name\":[{{\"family\":\"Secret\n\n[1]\n{{\"family\":\"Secret\"}}\n{}\n{}\n{}\n",
        json!({"resourceType": "Patient", "birthDate": 5, "name": [{"family": "Secret"}]}),
        json!({"resourceType": "Patient", "gender": "male"}),
        json!({"resourceType": "Observation", "valueString": "Secret"}),
    );
    let (patients, bad) = read(&text);
    assert_eq!(patients.len(), 1);
    assert_eq!(
        bad,
        [
            "2: it is cut off",
            "4: a field is of another type than FHIR has it",
            "5: it is no FHIR resource: it has no resourceType",
            "6: a field is of another type than FHIR has it",
            "7: it names nobody: no name and no number",
        ]
    );
    assert!(!bad.join("").contains("Secret"));
    let long = format!("{{\"photo\":\"{}\"}}\n{good}\n", "x".repeat(9 << 20));
    assert_eq!(read(&long).1, ["1: it is longer than 8 MiB"]);
}

#[test]
fn what_is_in_part_or_no_longer_in_use_is_read_as_what_it_is() {
    let one = |value: Value| {
        let mut value = value;
        value["resourceType"] = "Patient".into();
        read(&value.to_string()).0.remove(0)
    };
    for partial in ["1961", "1961-05"] {
        assert_eq!(
            one(json!({"birthDate": partial, "name": {"text": "Una Roe"}})).birth_date,
            None
        );
    }
    assert!(one(json!({"deceasedDateTime": "2026", "name": [{"text": "Una Roe"}]})).deceased);
    let replaced = one(json!({"id": "x", "active": false, "identifier": [{"value": "731946"}],
        "link": [{"other": {"reference": "Patient/y"}, "type": "replaced-by"}]}));
    assert_eq!(replaced.identifiers.len(), 1, "the old number still names somebody");
    let ended = one(
        json!({"name": [{"family": "Roe", "period": {"end": "2020-01-01"}}, {"family": "Doe"}]}),
    );
    assert_eq!(ended.names.iter().map(|it| it.family.as_str()).collect::<Vec<_>>(), ["Doe", "Roe"]);
}

/// Takes out of a resource, at any depth, what the bits say.
fn thinned(value: &Value, bits: &mut dyn Iterator<Item = bool>) -> Value {
    let mut keep = || bits.next().unwrap_or(true);
    match value {
        Value::Object(fields) => {
            let kept: Vec<_> =
                fields.iter().filter(|(name, _)| *name == "resourceType" || keep()).collect();
            Value::Object(
                kept.into_iter()
                    .map(|(name, value)| (name.clone(), thinned(value, bits)))
                    .collect(),
            )
        }
        Value::Array(values) => {
            let kept: Vec<_> = values.iter().filter(|_| keep()).collect();
            Value::Array(kept.into_iter().map(|value| thinned(value, bits)).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn every_field_may_be_missing(bits in proptest::collection::vec(any::<bool>(), 160)) {
        let thin = thinned(&example(), &mut bits.into_iter());
        let (patients, bad) = read(&thin.to_string());
        prop_assert_eq!(patients.len() + bad.len(), 1);
        prop_assert!(bad.iter().all(|why| why.contains("names nobody")), "{:?} of {}", bad, thin);
        let has_number = thin["identifier"].as_array().is_some_and(|all| all.iter().any(|it| it.get("value").is_some()));
        prop_assert!(!has_number || !patients.is_empty());
    }

    #[test]
    fn no_line_makes_it_panic(text in "\\PC{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("{{\"resourceType\":\"Patient\",{text}"));
    }
}

#[test]
fn what_stands_where_it_is_not_read_is_said() {
    let ida = json!({"resourceType": "Patient", "id": "a", "name": [{"family": "Doe", "given": ["Ida"]}]});
    let stay = json!({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "PRE"},
        "subject": {"reference": "Patient/a"}, "period": {"start": "2026-11-20"}});
    let (patients, bad) = read(&format!("{ida}\n{stay}\n{stay}\n"));
    assert_eq!((patients.len(), bad.len()), (1, 1), "said once");
    assert!(bad[0].starts_with("2: encounters stand behind"));
    let (patients, bad) = read(&format!("{stay}\n{ida}\n"));
    assert!(bad.is_empty() && patients[0].admitted.is_some() && patients[0].discharged.is_none());
    let mut stays = Stays::default();
    let n_bad = stays.read(format!("{stay}\n{ida}\n").as_bytes(), date(2026, 11, 23)).unwrap();
    assert_eq!(n_bad, 1, "a patient in a file of stays is counted");
    let odd =
        json!({"resourceType": "Patient", "name": [{"family": 7}, {"family": "Doe"}]}).to_string();
    let mut source = FhirSource::new(odd.as_bytes(), Arc::default(), date(2026, 11, 23));
    assert!(matches!(source.next_entry().unwrap(), Some(Entry::Patient(_))));
    assert_eq!(source.take_unread().len(), 1);
}
