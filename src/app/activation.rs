//! Sockets that systemd bound for us (`LISTEN_FDS`): which of them is which listener's.
//!
//! A socket belongs to the listener whose `name` it bears (`FileDescriptorName=`), or else to the one that is configured for
//! its address; `admin` is the operators' own. One that belongs to nobody is a fault: its clients would wait for ever.

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use socket2::SockRef;

use crate::config::{ADMIN_NAME, Config};
use crate::proxy::Given;

/// What systemd calls sockets that have no name.
const NAMELESS: &str = "unknown";

/// Why sockets that systemd passed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The variables make no sense.
    #[error("LISTEN_FDS says `{0}`, which is no number of sockets")]
    Count(String),
    /// A descriptor is something else.
    #[error("descriptor {fd}{} that systemd passed is no TCP socket that listens", called(name))]
    NoListener {
        /// Its number.
        fd: usize,
        /// Its name.
        name: String,
    },
    /// Nobody is configured for it.
    #[error(
        "no [[listener]] is configured for {address}, descriptor {fd}{} that systemd passed",
        called(name)
    )]
    Nobodys {
        /// Its number.
        fd: usize,
        /// Its name.
        name: String,
        /// Where it listens.
        address: SocketAddr,
    },
    /// Its name and its address are two listeners'.
    #[error(
        "the socket `{name}` that systemd passed listens on {address}, and the listener of that name is configured for {configured}"
    )]
    Elsewhere {
        /// Its name.
        name: String,
        /// Where it listens.
        address: SocketAddr,
        /// Where it should.
        configured: SocketAddr,
    },
    /// Two for one.
    #[error("systemd passed two sockets for {0}")]
    Twice(SocketAddr),
}

impl ActivationError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Count(_) => "start postward by its unit, or without LISTEN_FDS".to_owned(),
            Self::NoListener { .. } => "the socket unit takes ListenStream= with an address and a port".to_owned(),
            Self::Nobodys { .. } => {
                "make ListenStream= of the socket unit the `address` of a [[listener]] or of [admin], or take it out; or give both \
                 one name, by FileDescriptorName= and `name`"
                    .to_owned()
            }
            Self::Elsewhere { .. } => "make ListenStream= and `address` the same".to_owned(),
            Self::Twice(_) => "take one ListenStream= out of the socket unit".to_owned(),
        }
    }
}

fn called(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" (`{name}`)") }
}

/// A socket that systemd passed.
#[derive(Debug)]
struct Passed {
    fd: usize,
    name: String,
    address: SocketAddr,
    socket: TcpListener,
}

/// What systemd passed, by whom it is for. Takes it out of the environment, and may be asked once.
pub(crate) fn passed(
    config: &Config,
) -> Result<(Vec<Given>, Option<TcpListener>), ActivationError> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let (count, names) = (variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"));
    let is_ours =
        std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    if count.is_empty() || !is_ours {
        return Ok(Default::default());
    }
    let is_number = count.parse::<u16>().is_ok();
    if !is_number {
        return Err(ActivationError::Count(count));
    }
    let mut handed = ListenFd::from_env();
    let mut names = names.split(':');
    let mut sockets = Vec::new();
    for nth in 0..handed.len() {
        let name = names.next().filter(|name| *name != NAMELESS).unwrap_or_default().to_owned();
        // systemd's descriptors begin behind standard error.
        let fd = nth + 3;
        let socket = handed.take_tcp_listener(nth).ok().flatten();
        let listens = |socket: &TcpListener| socket_acceptconn(socket).unwrap_or(false);
        let Some(socket) = socket.filter(listens) else {
            return Err(ActivationError::NoListener { fd, name });
        };
        let prepared = socket.set_nonblocking(true).and_then(|()| socket.local_addr());
        let Ok(address) = prepared else { return Err(ActivationError::NoListener { fd, name }) };
        sockets.push(Passed { fd, name, address, socket });
    }
    assigned(config, sockets)
}

fn assigned(
    config: &Config,
    sockets: Vec<Passed>,
) -> Result<(Vec<Given>, Option<TcpListener>), ActivationError> {
    let (mut given, mut admin): (Vec<Given>, Option<TcpListener>) = Default::default();
    for Passed { fd, name, address, socket } in sockets {
        let of_admin = config.admin.as_ref().map(|admin| admin.address);
        let named = if name == ADMIN_NAME {
            of_admin
        } else {
            let listener = config
                .listeners
                .iter()
                .find(|listener| listener.name.as_deref() == Some(name.as_str()));
            listener.map(|listener| listener.address)
        };
        let all = config.listeners.iter().map(|listener| listener.address).chain(of_admin);
        let is_taken =
            |configured: SocketAddr| given.iter().any(|given| given.configured == configured);
        let configured = match named {
            Some(configured) if is_at(configured, address) => configured,
            Some(configured) => {
                return Err(ActivationError::Elsewhere { name, address, configured });
            }
            None => match all.into_iter().find(|configured| *configured == address) {
                Some(configured) => configured,
                None => return Err(ActivationError::Nobodys { fd, name, address }),
            },
        };
        if of_admin == Some(configured) && (named.is_none() || name == ADMIN_NAME) {
            if admin.replace(socket).is_some() {
                return Err(ActivationError::Twice(configured));
            }
            continue;
        }
        if configured.port() != 0 && is_taken(configured) {
            return Err(ActivationError::Twice(configured));
        }
        if address.is_ipv6()
            && address.ip().is_unspecified()
            && SockRef::from(&socket).only_v6().unwrap_or(false)
        {
            tracing::warn!(
                address = %address,
                help = "write BindIPv6Only=both into the socket unit, or add a socket for 0.0.0.0",
                "a socket that systemd passed takes IPv6 alone"
            );
        }
        // systemd goes on listening whatever we do: a reload that takes the listener out and puts it back needs it again.
        given.push(Given { configured, socket, stays: true });
    }
    Ok((given, admin))
}

/// Whether a socket listens where it is configured to; port 0 is any.
fn is_at(configured: SocketAddr, address: SocketAddr) -> bool {
    let mut wanted = configured;
    if wanted.port() == 0 {
        wanted.set_port(address.port());
    }
    wanted == address
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};

    use super::{ActivationError, Passed, assigned};
    use crate::config::{Config, load};

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postward.toml");
        std::fs::write(
            &file,
            format!("{text}\n[[route]]\nhosts = [\"a.example\"]\nplatform = \"mastodon\"\n"),
        )
        .unwrap();
        load(Some(&file)).unwrap().config
    }

    fn passed(names: &[&str]) -> Vec<Passed> {
        let one = |(nth, name): (usize, &&str)| {
            let socket = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = socket.local_addr().unwrap();
            Passed { fd: nth + 3, name: (*name).to_owned(), address, socket }
        };
        names.iter().enumerate().map(one).collect()
    }

    fn two(one: SocketAddr, admin: SocketAddr) -> Config {
        config(&format!(
            "[[listener]]\nname = \"staff\"\naddress = \"{one}\"\n[[listener]]\naddress = \"127.0.0.1:1\"\n[admin]\naddress = \"{admin}\""
        ))
    }

    #[test]
    fn sockets_go_to_whom_their_name_or_their_address_says() {
        for names in [["staff", "admin"], ["", ""], ["postward.socket", "postward.socket"]] {
            let sockets = passed(&names);
            let (one, other) = (sockets[0].address, sockets[1].address);
            let (given, admin) = assigned(&two(one, other), sockets).unwrap();
            assert_eq!(
                given.iter().map(|given| given.configured).collect::<Vec<_>>(),
                [one],
                "{names:?}"
            );
            assert_eq!(admin.unwrap().local_addr().unwrap(), other, "{names:?}");
        }
        let any = "127.0.0.1:0".parse().unwrap();
        let (given, admin) = assigned(&two(any, any), passed(&["staff", "admin"])).unwrap();
        assert_eq!((given.len(), admin.is_some()), (1, true));
    }

    #[test]
    fn a_socket_that_belongs_to_nobody_is_a_fault_with_its_name() {
        let sockets = passed(&["staff", "other"]);
        let fault = assigned(&two(sockets[0].address, "127.0.0.1:2".parse().unwrap()), sockets)
            .unwrap_err();
        assert!(matches!(&fault, ActivationError::Nobodys { fd: 4, .. }), "{fault}");
        assert!(
            fault.to_string().contains("`other`") && fault.remedy().contains("ListenStream="),
            "{fault}"
        );
        let sockets = passed(&["staff"]);
        let fault = assigned(&two("127.0.0.1:2".parse().unwrap(), sockets[0].address), sockets)
            .unwrap_err();
        assert!(matches!(fault, ActivationError::Elsewhere { .. }), "{fault}");
        let mut sockets = passed(&["staff", "staff"]);
        sockets[1].address = sockets[0].address;
        let fault = assigned(&two(sockets[0].address, "127.0.0.1:2".parse().unwrap()), sockets)
            .unwrap_err();
        assert!(matches!(fault, ActivationError::Twice(_)), "{fault}");
    }
}
