//! What following a roster promises as a whole: readers see what was taken, nothing that was acknowledged is lost, and no
//! plain byte of it is on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::date;

use crate::roster::follow::{Follower, Overlay, Taken};
use crate::roster::{
    Day, FileBuilder, Identifier, IdentifierKind, Index, Key, OpenError, Patient, PersonName,
    Place, Roster, Stay,
};

fn key() -> Key {
    Key::of(&[3; 16]).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-23T10:00:00Z")
}

fn zebulon() -> Patient {
    Patient {
        names: vec![PersonName::new("Zebulon", "Quackenthorpe")],
        identifiers: vec![Identifier { kind: IdentifierKind::Record, value: "00731946".into() }],
        birth_date: Some(date(1961, 5, 6)),
        phones: vec!["614-555-0142".into()],
        place: Place { room: "973".into(), ..Place::default() },
        admitted: Some(date(2026, 11, 20)),
        ..Patient::default()
    }
}

/// A folder with a roster of one.
fn house() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("r.pwr");
    build(&roster, at("2026-11-23T00:00:00Z"));
    (folder, roster)
}

fn build(roster: &Path, built: Timestamp) {
    let mut builder = FileBuilder::create(roster, &key(), built).unwrap();
    builder.add(&zebulon()).unwrap();
    builder.finish_at(roster).unwrap();
}

fn message(event: &str, at: &str, rest: &str) -> Vec<u8> {
    format!("MSH|^~\\&|ADT|H|P|H|{at}||ADT^{event}|{event}{at}|P|2.5\rEVN|{event}|{at}\r{rest}")
        .into_bytes()
}

fn read(roster: &Path) -> Roster {
    let base = Index::open(roster, &key()).unwrap();
    let indexes = Overlay::open(roster, &key()).unwrap().unwrap().over(&base);
    Roster { indexes, recent: 30, ..Roster::default() }
}

/// Whom readers find by a full name, and how they stand with the house; by each index.
fn stays(roster: &Roster, given: &str, family: &str) -> Vec<Stay> {
    let today = Day::of(date(2026, 11, 23));
    let mut stays = Vec::new();
    for index in &roster.indexes {
        let (Some(given), Some(family)) = (index.word(given), index.word(family)) else { continue };
        for hit in index.pair(given.number, family.number) {
            stays.push(index.row(hit.row).unwrap().stay(today));
        }
    }
    stays
}

fn lies_in(roster: &Roster, given: &str, room: &str) -> bool {
    roster.indexes.iter().any(|index| {
        index.word(given).is_some_and(|word| !index.in_place(word.number, room).is_empty())
    })
}

#[test]
fn readers_see_what_was_taken_and_of_the_roster_what_still_holds() {
    let (folder, roster) = house();
    let (follower, n_torn) = Follower::open(&roster, key(), 48).unwrap();
    assert_eq!(n_torn, 0);
    let moved =
        message("A02", "20261122", "PID|||731946||Quackenthorpe^Zebulon||19610506\rPV1||I|9Q^975");
    let new = message("A01", "20261122", "PID|||731977||Grimblehawk^Philoxenia\rPV1||I|9Q^981");
    assert_eq!(
        follower.take(&[moved, new.clone(), new], now()),
        [Taken::Applied, Taken::Applied, Taken::Again]
    );
    assert!(follower.show(now()).unwrap() && !follower.show(now()).unwrap(), "nothing is new");
    let seen = read(&roster);
    assert_eq!(stays(&seen, "zebulon", "quackenthorpe"), [Stay::InHouse], "by one row, not by two");
    assert!(lies_in(&seen, "zebulon", "975") && !lies_in(&seen, "zebulon", "973"));
    assert!(lies_in(&seen, "philoxenia", "981"));
    // Nobody said anything of telephones: the roster's holds.
    assert!(seen.indexes.iter().any(|index| !index.phone("6145550142").is_empty()));

    let left = message("A03", "20261123", "PID|||731946||Quackenthorpe^Zebulon\rPV1||I|9Q^975");
    let out = message("A29", "20261123", "PID|||731977");
    assert_eq!(follower.take(&[left, out], now()), [Taken::Applied; 2]);
    follower.show(now()).unwrap();
    let seen = read(&roster);
    assert_eq!(stays(&seen, "zebulon", "quackenthorpe"), [Stay::Left(0)]);
    assert_eq!(stays(&seen, "philoxenia", "grimblehawk"), []);

    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for plain in ["Philoxenia", "Grimblehawk", "731977", "philoxenia"] {
            assert!(!bytes.windows(plain.len()).any(|at| at == plain.as_bytes()), "{plain}");
        }
    }
}

#[test]
fn another_patient_of_the_same_number_is_left_as_they_are() {
    let (_folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    let other =
        message("A03", "20261122", "PID|||731946^^^ELSEWHERE^MR||Roe^Una||19500102\rPV1||I|1");
    follower.take(&[other], now());
    follower.show(now()).unwrap();
    assert_eq!(stays(&read(&roster), "zebulon", "quackenthorpe"), [Stay::InHouse]);
}

#[test]
fn a_record_that_is_taken_out_is_not_a_strangers_of_the_same_number() {
    let (_folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    let out = |at: &str, rest: &str| message("A29", at, &format!("PID|||731946^^^X^MR||{rest}"));
    follower.take(&[out("20261122", "Roe^Una||19500102")], now());
    follower.show(now()).unwrap();
    assert_eq!(stays(&read(&roster), "zebulon", "quackenthorpe"), [Stay::InHouse]);
    let own = message("A29", "20261123", "PID|||731946^^^H^MR||Quackenthorpe^Zebulon||19610506");
    follower.take(&[own], now());
    follower.show(now()).unwrap();
    assert_eq!(stays(&read(&roster), "zebulon", "quackenthorpe"), []);
}

#[test]
fn what_a_message_does_not_give_is_as_the_roster_has_it() {
    let (_folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    // A name without a birth date, and a day of admission without a room.
    let few = message(
        "A01",
        "20261122",
        &format!("PID|||731946||Quackenthorpe^Zebulon||1961\rPV1||I|{}20261121", "|".repeat(41)),
    );
    assert_eq!(follower.take(&[few], now()), [Taken::Applied]);
    follower.show(now()).unwrap();
    let seen = read(&roster);
    assert!(lies_in(&seen, "zebulon", "973"), "no other room was given");
    let day = Day::of(date(1961, 5, 6));
    let born = seen.indexes.iter().any(|index| {
        index.word("zebulon").is_some_and(|word| !index.born(word.number, day).is_empty())
    });
    assert!(born, "no other day was given");
}

#[test]
fn a_clock_that_is_wrong_by_years_does_not_hold_for_years() {
    let (_folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    let pid = "PID|||731977||Grimblehawk^Philoxenia\rPV1||I|9Q^98";
    let wrong = message("A01", "20991122", &format!("{pid}1"));
    follower.take(&[wrong], now());
    let later = message("A02", "20261125", &format!("{pid}2"));
    follower.take(&[later], at("2026-11-25T10:00:00Z"));
    follower.show(at("2026-11-25T10:00:00Z")).unwrap();
    assert!(lies_in(&read(&roster), "philoxenia", "982"));
}

#[test]
fn what_was_acknowledged_is_there_after_a_start_and_after_a_new_roster() {
    let (_folder, roster) = house();
    let new = message("A01", "20261122", "PID|||731977||Grimblehawk^Philoxenia\rPV1||I|9Q^981");
    {
        let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
        assert!(Follower::open(&roster, key(), 48).is_err(), "two would write over each other");
        follower.take(std::slice::from_ref(&new), now());
    }
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    assert_eq!(
        follower.take(std::slice::from_ref(&new), now()),
        [Taken::Again],
        "it is known again"
    );
    follower.show(now()).unwrap();
    assert!(lies_in(&read(&roster), "philoxenia", "981"));

    // Built an hour later, of an export that may be older than the message.
    build(&roster, at("2026-11-23T11:00:00Z"));
    assert!(lies_in(&read(&roster), "philoxenia", "981"), "before anybody has looked at it");
    assert!(follower.show(at("2026-11-23T11:00:01Z")).unwrap());
    assert!(lies_in(&read(&roster), "philoxenia", "981"));
    assert_eq!(follower.n_patients(), 1);
    // Days later the export has them.
    build(&roster, at("2026-11-26T00:00:00Z"));
    assert!(follower.show(at("2026-11-26T00:00:01Z")).unwrap());
    assert_eq!(follower.n_patients(), 0);
    assert!(!lies_in(&read(&roster), "philoxenia", "981"));
}

#[test]
fn many_patients_are_shown_in_two_rosters_of_which_each_is_in_one() {
    let (_folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    let of = |n: usize, room: usize| {
        let at = format!("20261122{room:06}");
        message("A01", &at, &format!("PID|||9{n:05}||Hawk{}^Phil{n}\rPV1||I|9Q^{room}", n % 7))
    };
    let all: Vec<Vec<u8>> = (0..2100).map(|n| of(n, 100)).collect();
    assert!(follower.take(&all, now()).iter().all(|taken| *taken == Taken::Applied));
    follower.show(now()).unwrap();
    follower.take(&[of(5, 105), of(2099, 106)], now());
    follower.show(now()).unwrap();
    let seen = read(&roster);
    assert_eq!(seen.indexes.len(), 3);
    for (n, room) in [(5, "105"), (6, "100"), (2099, "106"), (2098, "100")] {
        let given = format!("phil{n}");
        assert_eq!(stays(&seen, &given, &format!("hawk{}", n % 7)), [Stay::InHouse], "{given}");
        assert!(lies_in(&seen, &given, room));
        assert_eq!(lies_in(&seen, &given, "100"), room == "100");
    }
    assert_eq!(seen.house().n_in_house, 2 + 2100 + 1, "counted by row");
}

#[test]
fn an_overlay_that_was_altered_or_is_of_another_key_is_refused() {
    let (folder, roster) = house();
    let (follower, _) = Follower::open(&roster, key(), 48).unwrap();
    follower.take(&[message("A28", "20261122", "PID|||7||Roe^Una")], now());
    follower.show(now()).unwrap();
    let path = folder.path().join("r.pwr.overlay");
    let whole = fs::read(&path).unwrap();
    assert!(matches!(
        Overlay::open(&roster, &Key::of(&[4; 16]).unwrap()),
        Err(OpenError::OtherKey { .. })
    ));
    for at in (0..whole.len()).step_by(997).chain([20, 40, 50]) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        assert!(Overlay::open(&roster, &key()).is_err(), "byte {at}");
    }
    for cut in [0, 10, 48, 60, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(Overlay::open(&roster, &key()).is_err(), "cut at {cut}");
    }
    fs::remove_file(&path).unwrap();
    assert!(Overlay::open(&roster, &key()).unwrap().is_none());
}
