//! The roster that readers ask now, and the next one put in its place while they ask.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::roster::follow::NewsStamp;
use crate::roster::{Index, Staff, example};

/// What is known of the hospital's own people at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    /// Its patients, latest first: what a later index says of a patient holds.
    pub indexes: Vec<Arc<Index>>,
    /// Its staff.
    pub staff: Arc<Staff>,
    /// Days after which somebody who left counts no more than any former patient.
    pub recent: i32,
    /// Which news were read, where there are any.
    pub news: Option<NewsStamp>,
}

/// How many patients there are, whichever index has them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct House {
    /// All of them.
    pub n_patients: u64,
    /// Of them in the house.
    pub n_in_house: u64,
    /// Of them left lately.
    pub n_left: u64,
}

impl Roster {
    /// How many patients there are.
    pub fn house(&self) -> House {
        let mut house = House::default();
        for about in self.indexes.iter().map(|index| index.about()) {
            house.n_patients += about.n_patients;
            house.n_in_house += about.n_in_house;
            house.n_left += about.n_left;
        }
        house
    }

    /// Whether an index was found altered, as [`Index::is_damaged`] says.
    pub fn is_damaged(&self) -> bool {
        self.indexes.iter().any(|index| index.is_damaged())
    }

    /// Invented patients, by whom the rules of the roster prove themselves.
    pub fn of_examples() -> Arc<Self> {
        static EXAMPLES: OnceLock<Arc<Roster>> = OnceLock::new();
        Arc::clone(EXAMPLES.get_or_init(|| {
            // A machine without random numbers or memory has no examples, and its rules fail their own.
            Arc::new(Self {
                indexes: example::index().into_iter().collect(),
                recent: 30,
                ..Self::default()
            })
        }))
    }
}

/// A roster that may be replaced while it is asked. Readers never wait for more than an exchange of pointers.
#[derive(Debug, Default)]
pub struct Live(RwLock<Arc<Roster>>);

impl Live {
    /// One to begin with.
    pub fn new(roster: Roster) -> Self {
        Self(RwLock::new(Arc::new(roster)))
    }

    /// The roster of this moment.
    pub fn now(&self) -> Arc<Roster> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place; posts under way end with the one they began with.
    pub fn replace(&self, roster: Roster) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roster);
    }
}
