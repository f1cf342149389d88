//! The roster that readers ask now, and the next one put in its place while they ask.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::roster::{Index, RowNumber, Staff, example};

/// What is known of the hospital's own people at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    /// Its patients, latest first: what a later index says of a patient holds.
    pub indexes: Vec<Arc<Index>>,
    /// Its staff.
    pub staff: Arc<Staff>,
    /// Days after which somebody who left counts no more than any former patient.
    pub recent: i32,
    /// Rows of the last index that an earlier one replaces.
    pub replaced: HashSet<RowNumber>,
}

impl Roster {
    /// Whether what a row of an index says holds no more.
    pub fn is_replaced(&self, nth: usize, row: RowNumber) -> bool {
        nth + 1 == self.indexes.len() && self.replaced.contains(&row)
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
