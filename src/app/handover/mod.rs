//! Hand-over: a new process takes the place of the one that serves, and no client notices.
//!
//! The new one is started beside the old one (`serve --take-over`), because the old one has given up for good what it takes
//! to start a program. It asks over a Unix socket beside the audit, is given the listening sockets themselves, and accepts
//! from the very queues that the old one accepted from: whoever connects in between waits there for a moment. (With
//! `SO_REUSEPORT` each process would have queues of its own, and what waits in the old one's would be lost.)
//!
//! The audit has one chain and one writer at any time: the old one lets go of the file before the new one opens it, and what
//! the old one's last posts have yet to say goes into the same chain, through the new one.

mod giving;
mod taking;
mod wire;

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

pub(crate) use giving::given_away;
pub(crate) use taking::Leaving;
pub use taking::Predecessor;
pub use wire::TalkError;

/// Why no other process takes over, or this one does not.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The two did not agree.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// Another user's process.
    #[error("the process at the other end is another user's")]
    Stranger,
    /// Another chain.
    #[error("the process that serves keeps its audit in {theirs}")]
    OtherAudit {
        /// Its file.
        theirs: String,
    },
    /// Listeners or audit did not come to rest in time.
    #[error("listeners and audit did not come to rest in time")]
    Busy,
    /// Another configuration came into force between the offer and its acceptance.
    #[error("the configuration has changed meanwhile")]
    Changed,
    /// The audit's path cannot be said to another process.
    #[error("the audit's path is no text")]
    Path,
}

impl HandoverError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Talk(_) | Self::Busy | Self::Changed => {
                "the process that serves goes on, and its log says why; try again, or restart it"
                    .to_owned()
            }
            Self::Stranger => {
                "start postward as the user that the one that serves runs as".to_owned()
            }
            Self::OtherAudit { .. } | Self::Path => {
                "another audit takes a restart: stop the one that serves first".to_owned()
            }
        }
    }
}

/// Where the process that writes this audit is asked for its sockets.
pub(crate) fn socket_of(audit: &Path) -> PathBuf {
    let name = audit.file_name().unwrap_or_default().to_string_lossy();
    audit.with_file_name(format!(".{name}.handover"))
}

fn reach(audit: &Path) -> Result<String, HandoverError> {
    audit.to_str().map(str::to_owned).ok_or(HandoverError::Path)
}

/// Listens for the next process. Only who holds the audit's lock may call this: what stands there is of a process that ended.
pub(crate) fn listen(audit: &Path) -> io::Result<UnixListener> {
    let path = socket_of(audit);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixListener::bind(&path)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use tempfile::TempDir;
    use tokio::net::{TcpStream, UnixStream};
    use tokio::time::timeout;

    use super::wire::{self, PROTOCOL, TalkError, Whose, Word};
    use super::{Predecessor, listen, socket_of};
    use crate::app::start::{Arrival, Before, Options, Running, StartError, start_with};
    use crate::config::{self, Loaded};

    /// Generous: the machine may be busy.
    const SOON: Duration = Duration::from_secs(60);

    fn write(folder: &Path, more: &str, admin: &str) -> Loaded {
        let text = format!(
            "{more}\n[[listener]]\naddress = \"127.0.0.1:0\"\n[[route]]\nhosts = [\"mastodon.example\"]\n\
             platform = \"mastodon\"\nupstream = \"http://127.0.0.1:9\"\n[admin]\naddress = \"{admin}\"\n\
             [audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n[reload]\nwatch = false\n"
        );
        let file = folder.join("postward.toml");
        std::fs::write(&file, text).unwrap();
        config::load(Some(&file)).unwrap()
    }

    /// A process that takes over from the other end of the stream; where it can be asked in its turn.
    fn takes_over(loaded: &Loaded) -> (Arrival, UnixStream, PathBuf) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let audit = &loaded.config.audit.file;
        let next = listen(audit).unwrap();
        let before = Some(Before { leaving: Predecessor::enter(theirs).unwrap(), next });
        let asks_next = loaded.config.handover;
        let arrival = Arrival { before, asks_next, ..Arrival::default() };
        (arrival, UnixStream::from_std(ours).unwrap(), socket_of(audit))
    }

    async fn begun(loaded: Loaded, arrival: Arrival) -> Result<Running, StartError> {
        start_with(loaded, Options::default(), arrival).await
    }

    /// Asks for the sockets, takes them, and goes no further.
    async fn asked(path: &Path) -> UnixStream {
        let mut stream = UnixStream::connect(path).await.unwrap();
        let hello = Word::Hello { protocol: PROTOCOL, version: "test".to_owned() };
        wire::say(&mut stream, &hello).await.unwrap();
        let Word::Offer { sockets, .. } = wire::hear(&mut stream, SOON).await.unwrap() else {
            panic!("no offer")
        };
        assert!(sockets.contains(&Whose::Handover));
        for _ in &sockets {
            wire::take(&stream).await.unwrap();
        }
        stream
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_holds_the_audit_serves_though_the_one_before_goes_silent() {
        for said_go in [false, true] {
            let folder = TempDir::new().unwrap();
            let loaded = write(folder.path(), "", "127.0.0.1:0");
            let (arrival, mut before, path) = takes_over(&loaded);
            let silent = async move {
                wire::hear_plain(&mut before, &Word::Ready, SOON).await.unwrap();
                wire::say(&mut before, &Word::Yours).await.unwrap();
                wire::hear_plain(&mut before, &Word::Opened, SOON).await.unwrap();
                if said_go {
                    wire::say(&mut before, &Word::Go).await.unwrap();
                }
            };
            let (running, ()) = tokio::join!(begun(loaded, arrival), silent);
            let running = running.unwrap();
            TcpStream::connect(running.addresses()[0]).await.unwrap();
            TcpStream::connect(running.admin().unwrap()).await.unwrap();
            assert!(running.audit().is_writable());
            drop(asked(&path).await);
            running.shutdown().await;
            assert!(!path.exists(), "it goes with the last");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_had_is_said_before_anything_is_let_go_of() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = TempDir::new().unwrap();
        let loaded = write(folder.path(), "", &taken.local_addr().unwrap().to_string());
        let (arrival, mut before, path) = takes_over(&loaded);
        let told = async move { wire::hear_plain(&mut before, &Word::Ready, SOON).await };
        let (failed, told) = tokio::join!(begun(loaded, arrival), told);
        assert!(matches!(failed, Err(StartError::Admin { .. })));
        let Err(TalkError::Refused(why)) = told else { panic!("{told:?}") };
        assert!(why.contains("cannot listen on"), "{why}");
        assert!(path.exists() && !folder.path().join("audit.jsonl").exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_gives_nothing_away_cannot_be_asked() {
        let folder = TempDir::new().unwrap();
        let loaded = write(folder.path(), "handover = false", "127.0.0.1:0");
        let (arrival, mut before, path) = takes_over(&loaded);
        let gives = async move {
            wire::hear_plain(&mut before, &Word::Ready, SOON).await.unwrap();
            wire::say(&mut before, &Word::Yours).await.unwrap();
            wire::hear_plain(&mut before, &Word::Opened, SOON).await.unwrap();
            wire::say(&mut before, &Word::Go).await.unwrap();
            wire::hear_plain(&mut before, &Word::Serving, SOON).await.unwrap();
        };
        let (running, ()) = tokio::join!(begun(loaded, arrival), gives);
        assert!(!path.exists());
        running.unwrap().shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_only_asks_keeps_no_configuration_from_coming_into_force() {
        let folder = TempDir::new().unwrap();
        let loaded = write(folder.path(), "", "127.0.0.1:0");
        let path = socket_of(&loaded.config.audit.file);
        let arrival = Arrival { asks_next: true, ..Arrival::default() };
        let running = begun(loaded, arrival).await.unwrap();
        let mut stream = asked(&path).await;
        write(folder.path(), "[limits]\nmax-media = \"9 MiB\"", "127.0.0.1:0");
        let reloaded = timeout(SOON, running.reload()).await.unwrap();
        assert!(reloaded.is_in_force, "{}", reloaded.text);
        // What was offered holds no longer.
        wire::say(&mut stream, &Word::Ready).await.unwrap();
        let told = wire::hear_plain(&mut stream, &Word::Yours, SOON).await;
        let Err(TalkError::Refused(why)) = told else { panic!("{told:?}") };
        assert!(why.contains("changed"), "{why}");
        // The next one is offered what there is now, and may begin.
        let mut stream = asked(&path).await;
        wire::say(&mut stream, &Word::Ready).await.unwrap();
        wire::hear_plain(&mut stream, &Word::Yours, SOON).await.unwrap();
        drop(stream);
        running.shutdown().await;
    }
}
