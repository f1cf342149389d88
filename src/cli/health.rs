//! `health`: asks a running proxy on this machine how it is, for containers without a shell.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;
use crate::config;

/// More than any answer has.
const MOST: u64 = 64 * 1024;

/// What came in the answer's place, or what it says.
#[derive(Debug)]
struct Unwell(String);

impl fmt::Display for Unwell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwell {}

pub(crate) fn run(args: &args::Health) -> Result<Exit, Failure> {
    let address = match (&args.config, args.address) {
        (Some(file), _) => config::admin_of(file).ok_or_else(|| {
            let what = format!("{} names no [admin] address that can be asked", file.display());
            Failure::new(Unwell(what), "add `[admin]` with `address = \"127.0.0.1:9464\"`")
        })?,
        (None, Some(address)) => address,
        (None, None) => SocketAddr::from(([127, 0, 0, 1], 9464)),
    };
    let path = if args.live { "/livez" } else { "/readyz" };
    let limit = Duration::from_secs(args.timeout);
    let answer = ask(address, path, limit).map_err(|source| {
        let what = format!("no answer from http://{address}{path}");
        Failure::plain(Context { what, source })
    })?;
    let is_well = answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.0 200 ");
    let said = answer.split_once("\r\n\r\n").map(|(_, body)| body.trim()).unwrap_or_default();
    if is_well {
        style::to_stdout(said)?;
        return Ok(Exit::Fine);
    }
    Err(Failure::plain(Unwell(format!("http://{address}{path} says: {said}"))))
}

/// The whole answer, within this time.
fn ask(address: SocketAddr, path: &str, limit: Duration) -> std::io::Result<String> {
    let began = Instant::now();
    let mut tcp = TcpStream::connect_timeout(&address, limit)?;
    let left = || limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero());
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    tcp.set_write_timeout(Some(left().ok_or_else(late)?))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        tcp.set_read_timeout(Some(left().ok_or_else(late)?))?;
        match tcp.read(&mut piece)? {
            0 => break,
            n => answer.extend_from_slice(piece.get(..n).unwrap_or_default()),
        }
        if answer.len() as u64 > MOST {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    String::from_utf8(answer).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::{ask, run};
    use crate::cli::args::Health;
    use crate::cli::exit::Exit;

    /// Answers one request with these bytes, and gives where.
    fn answering(answer: &'static str) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            let mut head = [0; 1024];
            let n = tcp.read(&mut head).unwrap();
            assert!(head[..n].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            tcp.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn who_is_ready_is_well() {
        for (answer, want) in [
            ("HTTP/1.1 200 OK\r\n\r\n{\"ready\":true}\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"ready\":false}\n", false),
            ("HTTP/1.1 2000 What\r\n\r\n", false),
            ("", false),
        ] {
            let address = Some(answering(answer));
            let args = Health { config: None, address, live: false, timeout: 5 };
            assert_eq!(matches!(run(&args), Ok(Exit::Fine)), want, "{answer}");
        }
    }

    #[test]
    fn who_does_not_answer_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = listener.local_addr().unwrap();
        assert!(ask(silent, "/livez", Duration::from_millis(50)).is_err());
    }
}
