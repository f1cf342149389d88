//! The roster that readers ask now, and the next one put in its place while they ask.

use std::sync::{Arc, PoisonError, RwLock};

use crate::roster::{Index, Staff};

/// What is known of the hospital's own people at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    /// Its patients, latest first: what a later index says of a patient holds.
    pub indexes: Vec<Arc<Index>>,
    /// Its staff.
    pub staff: Arc<Staff>,
    /// Days after which somebody who left counts no more than any former patient.
    pub recent: i32,
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
