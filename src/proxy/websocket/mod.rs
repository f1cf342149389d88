//! `WebSocket`s, where a route allows them: every message of a client is read as a post, everything of the platform's streams
//! down as it comes.
//!
//! `handshake` and `open` begin one, `relay` carries it: `up` through `message` and `ruling`, `down` through `walk`.

pub mod check;
mod clock;
mod deflate;
mod down;
mod frame;
mod handshake;
mod message;
mod open;
mod relay;
mod ruling;
mod up;
mod walk;

pub(crate) use handshake::Asked;
pub(crate) use open::{Asking, open};
pub(crate) use relay::{Opened, relay};

#[cfg(test)]
mod tests {
    use http::Request;

    use super::frame::{Opcode, write};
    use super::handshake::Asked;
    use super::message::Reader;
    use super::up::Pings;

    #[test]
    fn nothing_that_either_side_said_is_printed() {
        const CANARY: &str = "Canary";
        let key = Some([9, 8, 7, 6]);
        let mut said = Vec::new();
        for opcode in [Opcode::Ping, Opcode::Text] {
            let mut reader = Reader::new(1000, false);
            reader.buffer().extend_from_slice(&write(opcode, CANARY.as_bytes(), key));
            said.push(format!("{:?}", reader.next().unwrap().unwrap()));
        }
        let pings = Pings::default();
        pings.note(CANARY.into());
        said.push(format!("{pings:?}"));
        let request = Request::builder()
            .uri(format!("/{CANARY}"))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "CanaryNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", CANARY);
        let mut parts = request.body(()).unwrap().into_parts().0;
        said.push(format!("{:?}", Asked::take(&mut parts).unwrap().unwrap()));
        // As bytes it would be a list of numbers.
        let numbers = format!("{:?}", CANARY.as_bytes());
        let numbers = numbers.trim_matches(['[', ']']);
        for said in said {
            assert!(!said.contains(CANARY) && !said.contains(numbers), "{said}");
        }
    }
}
