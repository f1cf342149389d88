//! A resolver that is dead, lost, or wrong. Nothing was sent, and the client is told so.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::StatusCode;
use postward::config::Route;
use tokio::net::UdpSocket;

use super::{HARMLESS, rulings};
use crate::support::proxy::{HOST, route};
use crate::support::{Client, Proxy, Upstream};

/// What a resolver says to every question.
#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    /// A code of RFC 1035: 2 is a failure of the server's, 3 that there is no such name, 5 that it refuses.
    Code(u8),
    Address(Ipv4Addr),
    Garbage,
}

async fn resolver(says: Says) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut packet).await {
            // The header, the question (a name, a type, a class), and what may follow it.
            let name = packet[12..length].iter().position(|byte| *byte == 0).unwrap();
            let question = &packet[12..12 + name + 5];
            let is_a = question[name + 1..name + 3] == [0, 1];
            let (code, found) = match says {
                Says::Nothing => continue,
                Says::Code(code) => (code, None),
                Says::Address(address) => (0, Some(address.octets()).filter(|_| is_a)),
                Says::Garbage => {
                    let _ = socket.send_to(&packet[..2], client).await;
                    continue;
                }
            };
            let mut answer = packet[..2].to_vec();
            answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
            answer.extend(question);
            if let Some(address) = found {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address);
            }
            let _ = socket.send_to(&answer, client).await;
        }
    });
    address
}

#[tokio::test]
async fn nothing_is_sent_where_a_name_leads_nowhere_or_back() {
    const REACHED: &str = "The platform cannot be reached. Nothing was sent";
    const LOOP: &str = "The platform's name leads back into this network. Nothing was sent";
    let (ours, private) = (Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 1, 2, 3));
    for (says, want) in [
        (Says::Nothing, REACHED),
        (Says::Code(2), REACHED),
        (Says::Code(3), REACHED),
        (Says::Code(5), REACHED),
        (Says::Garbage, REACHED),
        (Says::Address(ours), LOOP),
        (Says::Address(private), LOOP),
        (Says::Address(Ipv4Addr::UNSPECIFIED), LOOP),
    ] {
        let (dns, upstream) = (resolver(says).await, Upstream::start().await);
        let public = Route { upstream: None, ..route(&[HOST], upstream.address) };
        // Its own certificates, so that the test needs none of the system's.
        let scratch = tempfile::tempdir().unwrap();
        let roots = scratch.path().join("roots.pem");
        let authority = postward::proxy::tls::Authority::generate("Roots", &[]).unwrap();
        std::fs::write(&roots, authority.certificate_pem()).unwrap();
        let proxy = Proxy::with_routes(vec![public])
            .config(|config| {
                config.upstream.resolver = vec![dns];
                config.upstream.extra_roots = Some(roots.clone());
                config.timeouts.connect = Duration::from_millis(300);
            })
            .start()
            .await;
        let mut client = Client::plain(proxy.plain).await;
        let reply = client.toot(HOST, HARMLESS).await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{says:?}");
        assert!(reply.text().contains(want), "{says:?}: {}", reply.text());
        assert_eq!(rulings(&proxy.stop().await), [("forward", Some("failed"))], "{says:?}");
    }
}
