//! What was heard of the rows of a roster since it was built: some of what they say holds no more, and some came or left.

use std::collections::HashMap;

use crate::roster::RowNumber;
use crate::roster::index::Hit;
use crate::roster::term::{Day, Kind};

/// What holds no more of a row: one bit for each kind of field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Dropped(pub(super) u8);

impl Dropped {
    pub(super) const NAMES: Self = Self(1);
    pub(super) const ROOM: Self = Self(2);
    pub(super) const RELATIVES: Self = Self(4);
    pub(super) const PHONES: Self = Self(8);
    pub(super) const ADDRESSES: Self = Self(16);
    /// All of it: the row is nobody's any more.
    pub(super) const ALL: Self = Self(32);
    /// The day of birth beside a name.
    pub(super) const BIRTH: Self = Self(64);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What is new of one row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct RowNews {
    pub(super) dropped: Dropped,
    /// When they came and left, if that is another time than the row says.
    pub(super) days: Option<[Option<Day>; 2]>,
}

/// What is new of all rows of an index.
#[derive(Debug, Default)]
pub(super) struct News(HashMap<RowNumber, RowNews>);

impl News {
    pub(super) fn new(rows: impl IntoIterator<Item = (RowNumber, RowNews)>) -> Self {
        Self(rows.into_iter().collect())
    }

    pub(super) fn of(&self, row: RowNumber) -> Option<&RowNews> {
        if self.0.is_empty() { None } else { self.0.get(&row) }
    }

    /// Whether what led to a row holds no more.
    pub(super) fn is_dropped(&self, kind: Kind, hit: Hit) -> bool {
        let Some(RowNews { dropped, .. }) = self.of(hit.row) else { return false };
        let of_kind = match kind {
            Kind::Pair
            | Kind::Lone
            | Kind::FirstInitial
            | Kind::InitialLast
            | Kind::Phone
            | Kind::LocalPhone
                if hit.is_relative() =>
            {
                Dropped::RELATIVES
            }
            Kind::Pair | Kind::Lone | Kind::FirstInitial | Kind::InitialLast => Dropped::NAMES,
            Kind::Birth => Dropped::BIRTH,
            Kind::Room => Dropped::ROOM,
            Kind::Phone | Kind::LocalPhone => Dropped::PHONES,
            Kind::Street => Dropped::ADDRESSES,
            // A number or an e-mail address that a patient once had is still theirs.
            Kind::Number | Kind::Token | Kind::Deletion | Kind::Email => Dropped::default(),
        };
        dropped.has(Dropped::ALL) || dropped.has(of_kind)
    }
}
