//! The new process: it finds the one that serves, is given its sockets, and begins when the other has let go.

use std::io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;

use crate::app::handover::wire::{self, PROTOCOL, TalkError, Whose, Word};
use crate::app::handover::{HandoverError, socket_of};
use crate::proxy::Given;

/// How long the one before may take to answer, and to end what keeps it from letting go: a reload, a slow disk.
const PATIENCE: Duration = Duration::from_secs(90);

/// The process that serves, while this one takes over from it.
#[derive(Debug)]
pub struct Predecessor {
    /// Outside a runtime.
    stream: std::os::unix::net::UnixStream,
    /// Sockets of listeners.
    pub(crate) given: Vec<Given>,
    /// The operators' own.
    pub(crate) admin: Option<(SocketAddr, TcpListener)>,
    /// Where the next one will ask.
    pub(crate) next: UnixListener,
}

/// The same, within a runtime, and with nothing but its word left to come.
#[derive(Debug)]
pub(crate) struct Leaving(UnixStream);

impl Predecessor {
    /// Asks the process that writes this audit for its sockets. `None` where there is no such process. Must be called before
    /// the sandbox is put on; starts no thread.
    pub fn find(audit: &Path) -> Result<Option<Self>, HandoverError> {
        let stream = match std::os::unix::net::UnixStream::connect(socket_of(audit)) {
            Ok(stream) => stream,
            // Nobody; or one that could not listen there either.
            Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput) => {
                return Ok(None);
            }
            Err(error) => return Err(TalkError::Silent(error).into()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(TalkError::Silent)?;
        let asked = runtime.block_on(Self::ask(stream, audit))?;
        Ok(Some(asked))
    }

    async fn ask(
        stream: std::os::unix::net::UnixStream,
        audit: &Path,
    ) -> Result<Self, HandoverError> {
        stream.set_nonblocking(true).map_err(TalkError::Silent)?;
        let mut stream = UnixStream::from_std(stream).map_err(TalkError::Silent)?;
        if !wire::is_ours(&stream) {
            return Err(HandoverError::Stranger);
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        wire::say(&mut stream, &Word::Hello { protocol: PROTOCOL, version }).await?;
        let Word::Offer { version, sockets, audit: theirs } =
            wire::hear(&mut stream, PATIENCE).await?
        else {
            return Err(TalkError::Strange.into());
        };
        if !wire::is_sane(&sockets) {
            return Err(TalkError::Strange.into());
        }
        let (mut given, mut admin, mut next) = (Vec::new(), None, None);
        for whose in sockets {
            let fd = wire::take(&stream).await?;
            match whose {
                Whose::Listener(configured) => {
                    given.push(Given { configured, socket: TcpListener::from(fd), stays: false });
                }
                Whose::Admin(configured) => admin = Some((configured, TcpListener::from(fd))),
                Whose::Handover => next = Some(UnixListener::from(fd)),
            }
        }
        // One chain, one file: what the other one has yet to write goes into it through us.
        if Path::new(&theirs) != audit {
            let why = "its [audit] file is another: restart it instead".to_owned();
            let _ = wire::say(&mut stream, &Word::Failed { why }).await;
            return Err(HandoverError::OtherAudit { theirs });
        }
        let next = next.ok_or(TalkError::Strange)?;
        tracing::info!(
            version,
            n_listeners = given.len(),
            "a process serves already, and gives its sockets"
        );
        let stream = stream.into_std().map_err(TalkError::Silent)?;
        Ok(Self { stream, given, admin, next })
    }

    /// Goes on within a runtime. The sockets stay with the caller.
    pub(crate) fn enter(stream: std::os::unix::net::UnixStream) -> Result<Leaving, HandoverError> {
        Ok(Leaving(UnixStream::from_std(stream).map_err(TalkError::Silent)?))
    }

    /// Its parts.
    pub(crate) fn into_parts(
        self,
    ) -> (std::os::unix::net::UnixStream, Vec<Given>, Option<(SocketAddr, TcpListener)>, UnixListener)
    {
        (self.stream, self.given, self.admin, self.next)
    }
}

impl Leaving {
    /// Says that everything is read and proved; when this returns, nobody holds the audit's file.
    pub(crate) async fn let_go(&mut self) -> Result<(), HandoverError> {
        wire::say(&mut self.0, &Word::Ready).await?;
        Ok(wire::hear_plain(&mut self.0, &Word::Yours, PATIENCE).await?)
    }

    /// Says that the file is ours; when this returns, so are the clients.
    pub(crate) async fn opened(&mut self) -> Result<(), HandoverError> {
        wire::say(&mut self.0, &Word::Opened).await?;
        Ok(wire::hear_plain(&mut self.0, &Word::Go, PATIENCE).await?)
    }

    /// Says that we serve; what comes from now on is lines of the audit.
    pub(crate) async fn serving(mut self) -> Result<UnixStream, HandoverError> {
        wire::say(&mut self.0, &Word::Serving).await?;
        Ok(self.0)
    }

    /// Says why not.
    pub(crate) async fn failed(&mut self, why: String) {
        let _ = wire::say(&mut self.0, &Word::Failed { why }).await;
    }
}
