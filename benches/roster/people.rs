//! Invented people: names by real frequencies, everything else by chance, each made again from their number alone.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use postward::roster::{Address, Identifier, IdentifierKind, Patient, PersonName, Place};

/// One in so many is in the house.
const HOUSED: usize = 500;

/// Names with how often they are borne, summed up.
pub(crate) struct People {
    n: usize,
    given: Vec<(u64, &'static str)>,
    family: Vec<(u64, &'static str)>,
}

/// One of them.
pub(crate) struct Person {
    pub(crate) given: &'static str,
    pub(crate) family: &'static str,
    pub(crate) mrn: u64,
    pub(crate) phone: String,
    pub(crate) email: String,
    pub(crate) address: String,
    pub(crate) birth: Date,
    pub(crate) room: Option<u64>,
    admitted: Date,
}

/// A number from a number: each bit depends on all.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl People {
    pub(crate) fn new(n: usize) -> Self {
        let (mut given, mut family) = (Vec::new(), Vec::new());
        let (mut n_given, mut n_family) = (0, 0);
        let list = include_str!("../../rules/lexicons/names.tsv");
        for line in list.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap();
            let mut number = || fields.next().unwrap().parse::<u64>().unwrap();
            n_given += number();
            n_family += number();
            if given.last().is_none_or(|(last, _)| *last < n_given) {
                given.push((n_given, name));
            }
            if family.last().is_none_or(|(last, _)| *last < n_family) {
                family.push((n_family, name));
            }
        }
        Self { n, given, family }
    }

    pub(crate) fn len(&self) -> usize {
        self.n
    }

    pub(crate) fn person(&self, n: usize) -> Person {
        self.of_seed(n as u64, n.is_multiple_of(HOUSED))
    }

    pub(crate) fn in_house(&self) -> impl Iterator<Item = Person> {
        (0..self.n).step_by(HOUSED).map(|n| self.person(n))
    }

    /// Somebody who is on no roster, unless by chance of a name.
    pub(crate) fn stranger(&self, n: usize) -> Person {
        self.of_seed((1 << 40) + n as u64, false)
    }

    fn of_seed(&self, seed: u64, housed: bool) -> Person {
        let draw = |nth: u64| mixed(seed.wrapping_mul(64).wrapping_add(nth));
        let pick = |names: &[(u64, &'static str)], nth: u64| {
            let all = names.last().unwrap().0;
            let at = draw(nth) % all;
            names[names.partition_point(|(sum, _)| *sum <= at)].1
        };
        let (given, family) = (pick(&self.given, 0), pick(&self.family, 1));
        let street = pick(&self.family, 2);
        let days = (draw(3) % 34_000) as i32;
        Person {
            given,
            family,
            mrn: 100_000_000 + draw(4) % 400_000_000,
            phone: format!("{}-555-{:04}", 200 + draw(5) % 800, draw(6) % 10_000),
            email: format!("{given}.{family}{}@mail.example", draw(7) % 1000),
            address: format!("{} {street} St", 1 + draw(8) % 9900),
            birth: date(1932, 1, 1) + days.days(),
            room: housed.then(|| 100 + draw(9) % 900),
            admitted: date(2026, 11, 1) + (draw(10) as i32 % 20).abs().days(),
        }
    }
}

impl Person {
    pub(crate) fn patient(&self) -> Patient {
        let left = date(2016, 1, 1) + i32::try_from(self.mrn % 3900).unwrap().days();
        let housed = self.room.is_some();
        Patient {
            names: vec![PersonName::new(self.given, self.family)],
            identifiers: vec![Identifier {
                kind: IdentifierKind::Record,
                value: self.mrn.to_string(),
            }],
            birth_date: Some(self.birth),
            phones: vec![self.phone.clone()],
            emails: vec![self.email.clone()],
            addresses: vec![Address { street: self.address.clone(), ..Address::default() }],
            place: Place {
                room: self.room.map(|room| room.to_string()).unwrap_or_default(),
                ..Place::default()
            },
            admitted: Some(if housed { self.admitted } else { left }),
            discharged: (!housed).then_some(left),
            ..Patient::default()
        }
    }
}
