//! What a roster promises as a whole: what was put in is found, and nothing else tells.

use std::io::Cursor;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::date;

use crate::roster::{
    Address, Builder, Day, Identifier, IdentifierKind, Index, Key, OpenError, Patient, PersonName,
    Place, Relative, Stay,
};

fn key(last: u8) -> Key {
    Key::of(&[last; 16]).unwrap()
}

fn built() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn chidi() -> Patient {
    Patient {
        names: vec![PersonName::new("Chidi", "Okafor-Bright")],
        identifiers: vec![Identifier { kind: IdentifierKind::Record, value: "MR-00412345".into() }],
        birth_date: Some(date(1961, 5, 6)),
        phones: vec!["(614) 555-0123".into()],
        emails: vec!["Chidi.O@Mail.Example".into()],
        addresses: vec![Address { street: "221 N. Fescue Way".into(), ..Address::default() }],
        place: Place { ward: "4 West".into(), room: "412".into(), bed: "B".into() },
        admitted: Some(date(2026, 11, 20)),
        relatives: vec![Relative { name: PersonName::new("Lucille", "Bright"), phones: vec![] }],
        ..Patient::default()
    }
}

fn former() -> Patient {
    Patient {
        names: vec![PersonName::new("Hernando", "Quisenberry")],
        birth_date: Some(date(1950, 1, 2)),
        discharged: Some(date(2020, 1, 1)),
        ..Patient::default()
    }
}

fn bytes(patients: &[Patient]) -> Vec<u8> {
    let mut builder =
        Builder::new(Cursor::new(Vec::new()), PathBuf::from("."), &key(1), built()).unwrap();
    for patient in patients {
        builder.add(patient).unwrap();
    }
    builder.finish().unwrap().1.into_inner()
}

#[test]
fn what_was_put_in_is_found_by_every_column() {
    let index = Index::of_memory(bytes(&[former(), chidi()]), &key(1)).unwrap();
    let word = |word: &str| index.word(word).map(|known| known.number);
    let rows = |hits: Vec<super::Hit>| hits.into_iter().map(|hit| hit.row).collect::<Vec<_>>();
    let (chidi, bright) = (word("chidi").unwrap(), word("bright").unwrap());
    assert_eq!(index.word("chidi").map(|known| (known.given, known.family)), Some((1, 0)));
    assert_eq!(rows(index.pair(bright, chidi)), [1]);
    assert_eq!(rows(index.pair(word("okaforbright").unwrap(), chidi)), [1]);
    let lucille = index.pair(word("lucille").unwrap(), bright);
    assert!(lucille[0].is_relative() && lucille[0].row == 1);
    assert_eq!(rows(index.lone(chidi)), [1]);
    assert!(index.lone(bright)[0].is_family());
    assert_eq!(rows(index.first_and_initial(chidi, 'o')), [1]);
    assert_eq!(rows(index.initial_and_last('c', bright)), [1]);
    assert_eq!(rows(index.in_place(chidi, "412")), [1]);
    assert_eq!(rows(index.in_place(chidi, "4west")), [1]);
    assert_eq!(rows(index.number("412345")), [1]);
    assert!(rows(index.number("mr412345")).is_empty());
    assert_eq!(rows(index.phone("6145550123")), [1]);
    assert_eq!(rows(index.phone("5550123")), [1]);
    assert_eq!(rows(index.email("chidi.o@mail.example")), [1]);
    assert_eq!(rows(index.street("221 fescue")), [1]);
    assert_eq!(rows(index.born(chidi, Day::of(date(1961, 5, 6)))), [1]);
    assert!(rows(index.born(chidi, Day::of(date(1961, 5, 7)))).is_empty());
    let row = index.row(1).unwrap();
    assert!(row.has_word(chidi) && row.has_word(bright));
    assert!(index.is_born(1, &row, Day::of(date(1961, 5, 6))));
    assert_eq!(row.stay(Day::of(date(2026, 11, 23))), Stay::InHouse);
    // The former patient is found by what needs no census, and one typing error in a long name is forgiven.
    let hernando = word("hernando").unwrap();
    assert_eq!(index.lone(hernando), []);
    for wrong in ["hernnado", "hernado", "hernandoo", "hernanda"] {
        assert_eq!(index.nearly(wrong), [hernando], "{wrong}");
    }
    assert!(index.nearly("bernard").is_empty());
    assert_eq!(index.row(2), None);
}

#[test]
fn a_file_tells_nothing_without_its_key_and_no_byte_of_it_may_change() {
    let whole = bytes(&[former(), chidi()]);
    let text =
        String::from_utf8(whole.iter().map(u8::to_ascii_lowercase).filter(u8::is_ascii).collect())
            .unwrap();
    for plain in
        ["chidi", "okafor", "412345", "5550123", "fescue", "quisenberry", "1961", "lucille", "mail"]
    {
        assert!(!text.contains(plain), "{plain}");
    }
    assert!(matches!(Index::of_memory(whole.clone(), &key(2)), Err(OpenError::OtherKey { .. })));
    for at in (0..whole.len()).step_by(97) {
        let mut altered = whole.clone();
        altered[at] ^= 4;
        assert!(Index::of_memory(altered, &key(1)).is_err(), "byte {at}");
    }
    for cut in [0, 100, 8192, whole.len() - 1] {
        assert!(Index::of_memory(whole[..cut].to_vec(), &key(1)).is_err(), "{cut}");
    }
    // The same patients under the same key have nothing in common in two files.
    let other = bytes(&[former(), chidi()]);
    let same = whole.chunks_exact(8).skip(1024).zip(other.chunks_exact(8).skip(1024));
    assert_eq!(same.filter(|(a, b)| a == b && **a != [0; 8]).count(), 0);
}

/// Overwrites a file in place, as `r+b` does, from a byte on.
fn overwrite(path: &std::path::Path, at: u64, with: &[u8]) {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(with).unwrap();
}

#[test]
fn a_small_roster_is_ours_and_a_large_one_is_damaged_once_it_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.pwr");
    let whole = bytes(&[former(), chidi()]);
    let zeros = vec![0; whole.len() - 4096];
    std::fs::write(&path, &whole).unwrap();
    let held = Index::open(&path, &key(1)).unwrap();
    overwrite(&path, 4096, &zeros);
    assert!(held.check_whole() && !held.is_damaged());
    assert!(held.word("chidi").is_some() && held.number("412345").len() == 1);
    // Cut off as well: nothing of it is read from the file any more.
    std::fs::File::create(&path).unwrap();
    assert!(held.word("quisenberry").is_some() && !held.is_damaged());

    std::fs::write(&path, &whole).unwrap();
    let open = || Index::open_holding(&path, &key(1), 0).unwrap();
    let (mapped, unasked) = (open(), open());
    assert!(mapped.word("chidi").is_some() && !mapped.is_damaged());
    // Another takes its name, as it should: what is mapped holds.
    let next = folder.path().join("next.pwr");
    std::fs::write(&next, &whole).unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert!(!mapped.is_damaged() && mapped.word("chidi").is_some() && !unasked.is_damaged());
    let mapped = open();
    assert!(mapped.word("chidi").is_some());
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    overwrite(&path, 4096, &zeros);
    let told = open_time(&path, written + std::time::Duration::from_secs(1));
    assert!(told && mapped.is_damaged() && mapped.word("chidi").is_none());

    // Written to, and its time set back: the seals are asked again.
    std::fs::write(&path, &whole).unwrap();
    let mapped = open();
    assert!(mapped.check_whole());
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    overwrite(&path, 8192, &zeros[4096..]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(open_time(&path, written));
    let _ = mapped.is_damaged();
    assert!(mapped.word("chidi").is_none() && mapped.is_damaged());

    // Cut off: nothing of it is touched any more.
    std::fs::write(&path, &whole).unwrap();
    let mapped = open();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    assert!(mapped.is_damaged() && mapped.word("chidi").is_none());
}

fn open_time(path: &std::path::Path, time: std::time::SystemTime) -> bool {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(time).is_ok()
}

#[test]
fn a_pipe_or_a_folder_is_no_roster_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("r.pwr");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for path in [&pipe, &folder.path().to_owned()] {
        assert!(matches!(Index::open(path, &key(1)), Err(OpenError::NoRoster { .. })));
    }
}
