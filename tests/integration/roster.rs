//! The roster as a script meets it: built from tables, named in `postward.toml`, used by `scan`, refused when it is not what
//! it was. Every name and number is invented.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PATIENTS: &str = "MRN,First Name,last_name,DOB,phone,email,address,room,admitted,discharged\n\
    00731946,Zebulon,Quackenthorpe,1961-05-06,614-555-0142,zeb.q@mail.example,7301 Quillfeather Way,973,2026-11-20,\n\
    00731977,Philoxenia,Grimblehawk,1950-01-02,614-555-0188,,,,2019-03-01,2019-03-09\n\
    00731978,Nobody,Comes,soon,,,,,,\n";
const STAFF: &str = "first_name,last_name,role\nZebulon,Harkaway,RN\nIsolde,Fennimore,MD\n";

fn postward(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postward"))
        .current_dir(folder)
        .args(args)
        .env_remove("POSTWARD_LOG")
        .env_remove("POSTWARD_ROSTER_KEY")
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap()
}

/// A folder with key, tables, a roster and a configuration.
fn house() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("patients.csv"), PATIENTS).unwrap();
    fs::write(at.join("staff.csv"), STAFF).unwrap();
    let config = "[roster]\nfile = \"r.pwr\"\nkey-file = \"key\"\nstaff = \"staff.csv\"\n";
    fs::write(at.join("postward.toml"), config).unwrap();
    assert_eq!(postward(at, &["roster", "key", "key"]).status.code(), Some(0));
    let built = build(at);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert!(text(&built.stderr).contains("patients.csv:4: column 4 is no date"));
    for said in [&built.stdout, &built.stderr] {
        assert!(!text(said).contains("Nobody") && !text(said).contains("Zebulon"));
    }
    folder
}

fn build(at: &Path) -> Output {
    postward(at, &["roster", "build", "--out", "r.pwr", "--key-file", "key", "patients.csv"])
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The verdict on a post, and the rules and confidences of its findings.
fn scan(at: &Path, post: &str) -> (String, Vec<String>) {
    fs::write(at.join("post.txt"), format!("{post}\n")).unwrap();
    let ran = postward(
        at,
        &[
            "scan",
            "--config",
            "postward.toml",
            "--format",
            "jsonl",
            "--today",
            "2026-11-23",
            "post.txt",
        ],
    );
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let judged: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let findings = judged.pointer("/findings").unwrap().as_array().unwrap().iter();
    let findings = findings.map(|it| {
        format!("{} {}", it["rule"].as_str().unwrap(), it["confidence"].as_str().unwrap())
    });
    (judged.pointer("/verdict").unwrap().as_str().unwrap().to_owned(), findings.collect())
}

#[test]
fn a_patient_is_found_in_every_way_they_are_written_and_a_stranger_is_not() {
    let house = house();
    for (post, rule) in [
        ("Zebulon from 973 coded", "roster-room certain"),
        ("Zebulon from 973 coded", "roster-name certain"),
        ("QUACKENTHORPE, ZEBULON is back", "roster-name certain"),
        ("lunch with zebulon quackenthorpe", "roster-name certain"),
        ("Zebulon Quackenthrope is back", "roster-name certain"),
        ("#ZebulonQuackenthorpe", "roster-name certain"),
        ("#prayforzebulonquackenthorpe @zebulonquackenthorpe", "roster-name certain"),
        ("Philoxenia Grimblehawk baked a cake", "roster-name certain"),
        ("Grimblehawk, born January 2nd, 1950", "roster-birth-date certain"),
        ("who is 731-946", "roster-mrn certain"),
        ("MRN 00731946", "roster-mrn certain"),
        ("ring 614.555.0142", "roster-phone certain"),
        ("write to Zeb.Q@mail.example", "roster-email certain"),
        ("Zebulon of 7301 Quillfeather", "roster-address certain"),
    ] {
        let (verdict, findings) = scan(house.path(), post);
        assert!(findings.iter().any(|it| it == rule), "{post:?}: {findings:?}");
        assert_ne!(verdict, "forward", "{post:?}");
    }
    for post in [
        "Thanks to Philoxenia Brown for the talk",
        "Zebulon Harkaway gave a talk at the conference",
        "Dr. Isolde Fennimore won an award",
        "Ring 614-555-0143 for tickets",
        "The library is at 7301 Main Street",
    ] {
        let (verdict, findings) = scan(house.path(), post);
        assert_eq!(verdict, "forward", "{post:?}: {findings:?}");
    }
}

/// Names that are words, diseases or borne by thousands: two columns of one row say who is meant, a word alone says nothing.
#[test]
fn names_that_are_words_count_beside_another_column() {
    let house = house();
    let at = house.path();
    let rows = "mrn,first_name,last_name,dob,phone,room,admitted\n\
        5501946,Denea,Music,2000-04-27,+1 208 555 0163,412,2026-11-20\n5501947,Nellie,Holding,1980-04-27,,413,2026-11-20\n\
        5501948,Anna,Wright,1970-04-27,800-555-0163,414,2026-11-20\n5501949,Jack,Hardy,1987-10-12,,220,2026-11-20\n\
        5501950,Lotus,Chan,1987-10-13,,115,2026-11-20\n";
    fs::write(at.join("patients.csv"), rows).unwrap();
    assert_eq!(build(at).status.code(), Some(0));
    for (post, rule) in [
        ("My patient Denea Music coded", "roster-name certain"),
        ("#DeneaMusic is back", "roster-name certain"),
        ("for @nellie_holding we hoped", "roster-name certain"),
        ("A. Wright coded at 0300", "roster-name high"),
        ("Hardy, born 10/12/1987, wants to go home", "roster-name certain"),
        ("Hardy, born October 12, 1987, wants to go home", "roster-birth-date certain"),
        ("hardy, dob 10/12/1987", "roster-name certain"),
        ("Lotus in 115 needs ice", "roster-room certain"),
        ("Lotus in 115 needs ice", "roster-name certain"),
        ("ring +1 208 555 0163", "roster-phone certain"),
    ] {
        let (_, findings) = scan(at, post);
        assert!(findings.iter().any(|it| it == rule), "{post:?}: {findings:?}");
    }
    for post in [
        "Long day in 412 with Music and tea",
        "A lotus flower stands in 116 by the window",
        "A hardy team, 10/12/2026 was a long day",
        "Wright stain and other old tricks",
        "For employees: 1-800-555-0163",
    ] {
        let (_, findings) = scan(at, post);
        let certain =
            findings.iter().any(|it| it.starts_with("roster-") && it.ends_with("certain"));
        assert!(!certain, "{post:?}: {findings:?}");
    }
}

#[test]
fn the_file_has_no_plain_byte_and_is_refused_once_it_is_not_what_it_was() {
    let house = house();
    let at = house.path();
    let whole = fs::read(at.join("r.pwr")).unwrap();
    for plain in [
        "Zebulon",
        "zebulon",
        "quackenthorpe",
        "731946",
        "6145550142",
        "zeb.q",
        "quillfeather",
        "1961",
    ] {
        let found = whole.windows(plain.len()).any(|bytes| bytes == plain.as_bytes());
        assert!(!found, "{plain}");
    }
    assert_eq!(
        fs::read_dir(at).unwrap().count(),
        5,
        "nothing is left beside the files of the house"
    );
    let check = |why: &str, remedy: &str| {
        let ran = postward(at, &["check", "--config", "postward.toml"]);
        let said = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{why}: {said}");
        assert!(
            said.contains(why) && said.contains(remedy) && said.contains("postward.toml:"),
            "{said}"
        );
    };
    fs::write(at.join("r.pwr"), &whole[..whole.len() - 1]).unwrap();
    check("cut off", "build it again");
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    fs::write(at.join("r.pwr"), &altered).unwrap();
    check("altered or damaged", "build it again");
    fs::write(at.join("r.pwr"), "mrn,first_name\n").unwrap();
    check("is no roster", "postward roster build");
    fs::write(at.join("r.pwr"), &whole).unwrap();
    fs::rename(at.join("key"), at.join("old-key")).unwrap();
    check("cannot be read", "postward roster key");
    assert_eq!(postward(at, &["roster", "key", "key"]).status.code(), Some(0));
    check("another key", "build it again");
    // Rotated: built anew under the new key.
    assert_eq!(build(at).status.code(), Some(0));
    assert_eq!(scan(at, "Zebulon from 973 coded").0, "redact");
    fs::set_permissions(at.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    check("mode 644", "chmod 600");
    assert_eq!(build(at).status.code(), Some(1));
}

#[test]
fn a_roster_shows_counts_and_a_text_is_tried_against_it() {
    let house = house();
    let shown =
        postward(house.path(), &["roster", "show", "--whole", "--key-file", "key", "r.pwr"]);
    let said = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(0));
    for part in ["patients    3", "in house    1", "birth date 2", "phone 2", "key id"] {
        assert!(said.contains(part), "{said}");
    }
    let tried = postward(
        house.path(),
        &[
            "roster",
            "test",
            "--roster",
            "r.pwr",
            "--key-file",
            "key",
            "--text",
            "Zebulon from 973 coded",
        ],
    );
    let said = text(&tried.stdout);
    assert!(said.contains("roster-room") && said.contains("speaks of a patient's care"), "{said}");
    let config = house.path().join("postward.toml");
    fs::write(&config, "[roster]\nflie = \"r.pwr\"\n").unwrap();
    let ran = postward(house.path(), &["check", "--config", "postward.toml"]);
    assert_eq!(ran.status.code(), Some(3));
    assert!(text(&ran.stderr).contains("postward.toml:2"), "{}", text(&ran.stderr));
}

#[test]
fn patients_of_fhir_and_hl7_are_found_like_those_of_a_table() {
    let house = house();
    let at = house.path();
    fs::write(
        at.join("Patient.ndjson"),
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"identifier\":[{\"value\":\"00558812\"}],\"name\":[{\"family\":\"Grimblehawk\",\"given\":[\"Cosima\"]}]}\n{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Secret\n",
    )
    .unwrap();
    fs::write(
        at.join("Encounter.ndjson"),
        "{\"resourceType\":\"Encounter\",\"status\":\"in-progress\",\"class\":{\"code\":\"IMP\"},\"subject\":{\"reference\":\"Patient/p\"},\"location\":[{\"location\":{\"display\":\"9 Quill, Room 977\"}}]}\n",
    )
    .unwrap();
    fs::write(
        at.join("adt.hl7"),
        "MSH|^~\\&|ADT|H|P|H|20261120||ADT^A01|1|P|2.3\rPID|||00771946^^^H^MR||Nettlebed^Orsolya\rPV1||I|9 Quill^979\r",
    )
    .unwrap();
    let sources = ["Patient.ndjson", "adt.hl7", "Encounter.ndjson", "patients.csv"];
    let args = [&["roster", "build", "--out", "r.pwr", "--key-file", "key"][..], &sources].concat();
    let built = postward(at, &args);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert!(
        text(&built.stderr).contains("Patient.ndjson:2: it is cut off"),
        "{}",
        text(&built.stderr)
    );
    assert!(!text(&built.stderr).contains("Secret"));
    for post in ["Cosima from 977 coded", "Orsolya from 979 coded", "Zebulon from 973 coded"] {
        let (_, findings) = scan(at, post);
        assert!(findings.iter().any(|it| it == "roster-room certain"), "{post}: {findings:?}");
    }
}

#[test]
fn an_export_that_went_wrong_is_refused_and_the_roster_that_stands_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(postward(at, &["roster", "key", "key"]).status.code(), Some(0));
    let table = |n: usize, n_bad: usize| {
        let rows = (0..n).map(|n| format!("{},Ida,Roe{n}\n", 5_000_000 + n * 37));
        let bad = (0..n_bad).map(|_| "only one column\n".to_owned());
        let text: String = std::iter::once("mrn,first_name,last_name\n".to_owned())
            .chain(rows)
            .chain(bad)
            .collect();
        fs::write(at.join("patients.csv"), text).unwrap();
    };
    table(400, 10);
    assert_eq!(build(at).status.code(), Some(0), "a few are always bad");
    let stands = fs::read(at.join("r.pwr")).unwrap();
    for (n, n_bad, why) in [(400, 40, "40 rows of 440 cannot be used"), (150, 0, "has 400")] {
        table(n, n_bad);
        let refused = build(at);
        assert_ne!(refused.status.code(), Some(0));
        let said = text(&refused.stderr);
        assert!(said.contains(why) && said.contains("--force"), "{said}");
        assert_eq!(fs::read(at.join("r.pwr")).unwrap(), stands);
    }
    let args =
        ["roster", "build", "--force", "--out", "r.pwr", "--key-file", "key", "patients.csv"];
    assert_eq!(postward(at, &args).status.code(), Some(0));
    assert_eq!(
        fs::read_dir(at).unwrap().count(),
        3,
        "nothing is left beside key, table and roster"
    );
}

#[test]
fn listening_in_plain_text_for_others_must_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(postward(at, &["roster", "key", "key"]).status.code(), Some(0));
    let args =
        ["roster", "listen", "--listen", "192.0.2.1:2575", "--out", "r.pwr", "--key-file", "key"];
    let refused = postward(at, &args);
    assert_ne!(refused.status.code(), Some(0));
    assert!(text(&refused.stderr).contains("--tls-certificate"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_dir(at).unwrap().count(), 1, "nothing was begun");
}
