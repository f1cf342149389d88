//! What systemd is told: that we are ready, read our files anew, stop, how we stand, and that we are alive.
//!
//! The words are `sd_notify(3)`'s. The socket is addressed here, because the crate that has the words knows no abstract ones.
//! Without `NOTIFY_SOCKET` nothing is said; what cannot be said is no reason to stop serving.

use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

/// Where systemd listens, if it does. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Notifier(Option<Arc<(UnixDatagram, SocketAddr)>>);

impl Notifier {
    /// As the environment says. An address that cannot be used is said in the log.
    pub fn of_environment() -> Self {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        Self::to(name.as_bytes()).unwrap_or_else(|error| {
            tracing::warn!(%error, "NOTIFY_SOCKET cannot be used: systemd will not hear from this process");
            Self::default()
        })
    }

    /// To a path, or, behind an `@`, to a name that is in no folder.
    fn to(name: &[u8]) -> io::Result<Self> {
        let address = match name {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(Path::new(std::ffi::OsStr::from_bytes(name)))?,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is neither a path nor an abstract name",
                ));
            }
        };
        let socket = UnixDatagram::unbound()?;
        // Whoever does not read must not hold us up.
        socket.set_nonblocking(true)?;
        Ok(Self(Some(Arc::new((socket, address)))))
    }

    /// Everything works: every listener accepts, and the audit can be written.
    pub(crate) fn ready(&self, status: &str) {
        self.say(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The files are being read anew; [`Self::ready`] ends that, whatever came of it.
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.say(&[
                NotifyState::Reloading,
                now,
                NotifyState::Status("reading the configuration anew"),
            ]),
            // Without the time systemd would take it for a fault.
            Err(_) => self.status("reading the configuration anew"),
        }
    }

    pub(crate) fn stopping(&self, status: &str) {
        self.say(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    pub(crate) fn status(&self, status: &str) {
        self.say(&[NotifyState::Status(status)]);
    }

    /// The data path was seen to work.
    pub(crate) fn alive(&self) {
        self.say(&[NotifyState::Watchdog]);
    }

    fn say(&self, states: &[NotifyState<'_>]) {
        let Some(to) = &self.0 else { return };
        let (socket, address) = &**to;
        let mut text = String::new();
        for state in states {
            // A status is one line, whatever went into it.
            let _ = match state {
                NotifyState::Status(line) => {
                    writeln!(text, "STATUS={}", line.replace(char::is_control, " "))
                }
                state => writeln!(text, "{state}"),
            };
        }
        // systemd may be busy, or be executing itself anew; what counts is said again.
        if let Err(error) = socket.send_to_addr(text.as_bytes(), address) {
            tracing::debug!(%error, "systemd did not take a notice");
        }
    }
}

/// How often systemd must hear that we are alive, if it asked for that; it ends us otherwise.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::Duration;

    use super::Notifier;

    fn heard(socket: &UnixDatagram) -> String {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut text = [0; 4096];
        let n = socket.recv(&mut text).unwrap();
        String::from_utf8(text[..n].to_vec()).unwrap()
    }

    #[test]
    fn systemd_hears_by_path_and_by_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("postward-test-{}", std::process::id());
        let abstracted = SocketAddr::from_abstract_name(&name).unwrap();
        for (socket, named) in [
            (UnixDatagram::bind(&path).unwrap(), path.display().to_string()),
            (UnixDatagram::bind_addr(&abstracted).unwrap(), format!("@{name}")),
        ] {
            let notifier = Notifier::to(named.as_bytes()).unwrap();
            notifier.ready("two\nlines");
            assert_eq!(heard(&socket), "READY=1\nSTATUS=two lines\n");
            notifier.reloading();
            let said = heard(&socket);
            let now: u128 = said
                .lines()
                .nth(1)
                .unwrap()
                .strip_prefix("MONOTONIC_USEC=")
                .unwrap()
                .parse()
                .unwrap();
            assert!(said.starts_with("RELOADING=1\n") && now > 0, "{said}");
            notifier.alive();
            assert_eq!(heard(&socket), "WATCHDOG=1\n");
            notifier.stopping("bye");
            assert_eq!(heard(&socket), "STOPPING=1\nSTATUS=bye\n");
        }
    }

    #[test]
    fn nobody_who_listens_is_no_fault() {
        Notifier::default().ready("fine");
        Notifier::to(b"/nowhere/at/all").unwrap().ready("fine");
        for name in [&b"vsock:2:1234"[..], b"", b"relative", &[b'/'; 200]] {
            assert!(Notifier::to(name).is_err());
        }
    }

    #[test]
    fn who_does_not_read_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::to(path.as_os_str().as_encoded_bytes()).unwrap();
        for _ in 0..5000 {
            notifier.alive();
        }
    }
}
