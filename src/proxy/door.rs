//! What the listeners' tasks are told from outside: to accept nobody for the time being, and to say that they are there.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

/// What is said last.
#[derive(Clone, Debug, Default)]
struct Word {
    is_held: bool,
    /// Whoever hears says so here.
    answers: Option<mpsc::UnboundedSender<usize>>,
}

/// Speaks to every listener.
#[derive(Debug)]
pub(crate) struct Door(watch::Sender<Arc<Word>>);

/// A listener's own ear.
#[derive(Debug)]
pub(crate) struct Ear {
    words: watch::Receiver<Arc<Word>>,
    is_held: bool,
}

impl Door {
    /// Through which everybody may come.
    pub(crate) fn open() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }

    pub(crate) fn ear(&self) -> Ear {
        let mut words = self.0.subscribe();
        // A listener that begins while all are held is held as well.
        words.mark_changed();
        Ear { words, is_held: false }
    }

    /// Has every listener accept nobody, or accept again. Once this is over, these have heard.
    pub(crate) async fn hold(&self, is_held: bool, ids: &[usize]) {
        self.say(Some(is_held), ids).await;
    }

    /// Waits until each of these listeners has answered.
    pub(crate) async fn knock(&self, ids: &[usize]) {
        self.say(None, ids).await;
    }

    async fn say(&self, is_held: Option<bool>, ids: &[usize]) {
        let (tell, mut answers) = mpsc::unbounded_channel();
        self.0.send_modify(|word| {
            let is_held = is_held.unwrap_or(word.is_held);
            *word = Arc::new(Word { is_held, answers: Some(tell) });
        });
        let mut silent = ids.to_vec();
        while !silent.is_empty() {
            match answers.recv().await {
                Some(id) => silent.retain(|one| *one != id),
                // Another word was said meanwhile, or a listener is no more.
                None => return pending().await,
            }
        }
    }
}

impl Ear {
    /// Waits for a word, and answers it.
    pub(crate) async fn heard(&mut self, id: usize) {
        if self.words.changed().await.is_err() {
            return pending().await;
        }
        let word = Arc::clone(&self.words.borrow_and_update());
        self.is_held = word.is_held;
        if let Some(answers) = &word.answers {
            let _ = answers.send(id);
        }
    }

    /// Whether nobody may be accepted, by the last word that was heard.
    pub(crate) const fn is_held(&self) -> bool {
        self.is_held
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Door;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn listeners_answer_whether_they_are_held_or_not() {
        let door = Door::open();
        let mut ear = door.ear();
        ear.heard(7).await;
        assert!(!ear.is_held());
        let listener = tokio::spawn(async move {
            let mut held = Vec::new();
            while held.len() < 5 {
                ear.heard(7).await;
                held.push(ear.is_held());
            }
            held
        });
        door.knock(&[7]).await;
        door.hold(true, &[7]).await;
        door.knock(&[7]).await;
        assert!(timeout(SOON, door.knock(&[7, 8])).await.is_err(), "nobody is 8");
        door.hold(false, &[7]).await;
        assert_eq!(listener.await.unwrap(), [false, true, true, true, false]);
        assert!(timeout(SOON, door.knock(&[7])).await.is_err(), "it is gone");
        timeout(SOON, door.hold(true, &[])).await.unwrap();
        let mut late = door.ear();
        late.heard(9).await;
        assert!(late.is_held(), "one that begins while all are held");
    }
}
