//! What a request's headers say of who sent it: believed from listed peers, and taken off whoever sent them, so that a
//! platform never hears a name of the hospital's, nor a claim.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::Caller;
use crate::audit::Identity;
use crate::config::{IdentityHeaders, Who};
use crate::policy::{Sender, is_identity};
use crate::proxy::passage::Peer;
use crate::proxy::service::Gateway;

/// In which programs on the way say from where a request came.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A header that claims an identity, and why it was not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ignored {
    /// Its sender is not listed.
    Unlisted,
    /// Its name is only read as the header's by some programs: `X_Remote_User`.
    Misspelt,
}

impl Ignored {
    pub(crate) const ALL: [Self; 2] = [Self::Unlisted, Self::Misspelt];

    /// A word for the metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::Misspelt => "misspelt",
        }
    }
}

/// A listed peer names nobody clearly, so the request is refused: it carries what a client has added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unclear;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// As far as it is proved.
    pub(crate) sender: Sender,
    /// Whom caps and memory count, and events name.
    pub(crate) client: IpAddr,
    /// Whom events name beside that.
    pub(crate) identity: Option<Identity>,
    /// Claims that were taken off.
    pub(crate) ignored: Vec<Ignored>,
}

impl Claims {
    /// Reads the headers of a request and takes them off. `who` is its listener's, if it still has one; `names` are the
    /// identity headers of every listener: none of them goes on, wherever it came in.
    pub(crate) fn take(
        caller: &Caller,
        who: Option<&Who>,
        names: &[HeaderName],
        headers: &mut HeaderMap,
    ) -> Result<Self, Unclear> {
        let believed = who.and_then(|who| who.believed(caller.peer));
        // What a balancer's connection proves, it proves of the balancer.
        let behind = believed.map(|_| caller.behind());
        let caller = behind.as_ref().unwrap_or(caller);
        let mut sender = caller.sender();
        let mut client = caller.address;
        let mut identity = caller.holder().map(|(name, by)| Identity { name, by });
        if let Some(believed) = believed {
            if !caller.is_named {
                let hops = believed.forwarded_for;
                sender.address =
                    hops.map(|hops| forwarded_for(headers, hops)).transpose()?.flatten();
                client = sender.address.unwrap_or(client);
            }
            if let Some(name) = the_identity(headers, believed)? {
                sender.identity = Some(Arc::clone(&name));
                identity = Some(Identity { name, by: "header" });
            }
        }
        let ignored = take_off(headers, names, believed.and_then(|one| one.header.as_ref()));
        Ok(Self { sender, client, identity, ignored })
    }
}

impl Gateway {
    /// Who sent a request, as its connection and its listener's peers prove it.
    pub(crate) fn claims(&self, peer: &Peer, headers: &mut HeaderMap) -> Result<Claims, Unclear> {
        let who = self.listening(peer.listener).map(|one| &*one.who);
        let claims = Claims::take(&peer.caller, who, &self.identity_headers, headers)?;
        claims.ignored.iter().for_each(|why| self.metrics.who.ignored(*why));
        Ok(claims)
    }

    /// Whose headers had a say in what this peer's requests claim, if any had.
    pub(crate) fn told_by(&self, peer: &Peer) -> Option<ToldBy> {
        let who = Arc::clone(&self.listening(peer.listener)?.who);
        who.believed(peer.caller.peer)?;
        Some(ToldBy { listener: peer.listener, peer: peer.caller.peer, who })
    }

    /// Whether a request that a peer's headers named a sender for would still be believed, and by the same headers.
    pub(crate) fn still_believes(&self, told_by: Option<&ToldBy>) -> bool {
        told_by.is_none_or(|told| {
            self.listening(told.listener).is_some_and(|one| told.holds_with(&one.who))
        })
    }
}

/// Whose headers said who sent a request, and which of them were read.
#[derive(Clone, Debug)]
pub(crate) struct ToldBy {
    listener: usize,
    peer: IpAddr,
    who: Arc<Who>,
}

impl ToldBy {
    /// Whether the same headers of the same peer are still what is believed. Who else is listed does not matter.
    fn holds_with(&self, now: &Who) -> bool {
        let read =
            |who: &Who| who.believed(self.peer).map(|one| (one.header.clone(), one.forwarded_for));
        read(now).is_some_and(|now| Some(now) == read(&self.who))
    }
}

/// The identity in the header of a listed peer; once, and as one name.
fn the_identity(
    headers: &HeaderMap,
    believed: &IdentityHeaders,
) -> Result<Option<Arc<str>>, Unclear> {
    let Some(header) = &believed.header else { return Ok(None) };
    let mut values = headers.get_all(header).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let name = std::str::from_utf8(value.as_bytes()).map_err(|_| Unclear)?;
            // Other white space is no padding of HTTP's, but part of a name, and of none that is one.
            match name.trim_matches([' ', '\t']) {
                // As some write that nobody has signed in.
                "" => Ok(None),
                name if is_identity(name) => Ok(Some(name.into())),
                _ => Err(Unclear),
            }
        }
        // A client's, with the balancer's own behind it.
        (Some(_), Some(_)) => Err(Unclear),
    }
}

/// The entry of `X-Forwarded-For` that the farthest of so many trusted programs has added. `None` if nobody has.
fn forwarded_for(headers: &HeaderMap, hops: usize) -> Result<Option<IpAddr>, Unclear> {
    let mut entries: Vec<&str> = Vec::new();
    for value in headers.get_all(FORWARDED_FOR) {
        entries.extend(value.to_str().map_err(|_| Unclear)?.split(','));
    }
    let nth = entries.len().checked_sub(hops).and_then(|nth| entries.get(nth));
    nth.map(|entry| address(entry.trim()).ok_or(Unclear)).transpose()
}

/// An address, with its port or without.
fn address(word: &str) -> Option<IpAddr> {
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| word.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

/// Takes off every identity header, however its name is written, and says which of them were no balancer's word.
fn take_off(
    headers: &mut HeaderMap,
    names: &[HeaderName],
    believed: Option<&HeaderName>,
) -> Vec<Ignored> {
    let mut ignored = Vec::new();
    if names.is_empty() {
        return ignored;
    }
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| names.iter().any(|wanted| reads_as(name.as_str(), wanted.as_str())))
        .cloned()
        .collect();
    for name in claims {
        headers.remove(&name);
        if believed == Some(&name) {
            continue;
        }
        ignored.push(if names.contains(&name) { Ignored::Unlisted } else { Ignored::Misspelt });
    }
    ignored
}

/// Whether some programs read a name as another: behind CGI and its heirs whatever is no letter or digit is one and the
/// same.
fn reads_as(name: &str, wanted: &str) -> bool {
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'-' };
    name.len() == wanted.len() && name.bytes().map(plain).eq(wanted.bytes().map(plain))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use std::sync::Arc;

    use super::super::{Caller, OURS};
    use super::{Claims, Ignored, ToldBy, Unclear};
    use crate::config::{IdentityHeaders, Who};
    use crate::policy::{CertifiedName, NameKind};

    const HEADER: HeaderName = HeaderName::from_static("x-remote-user");

    fn who(forwarded_for: Option<usize>) -> Who {
        let from = vec!["10.0.0.5/32".parse().unwrap()];
        let identity = IdentityHeaders { from, header: Some(HEADER), forwarded_for };
        Who { identity: Some(identity), ..Who::default() }
    }

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value)
        };
        let mut headers = HeaderMap::new();
        for (name, value) in list.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn an_identity_is_believed_from_listed_peers_alone_and_never_goes_on() {
        use Ignored::{Misspelt, Unlisted};
        type Case<'a> =
            (&'a str, &'a [(&'a str, &'a str)], Result<Option<&'a str>, Unclear>, &'a [Ignored]);
        let cases: &[Case<'_>] = &[
            ("10.0.0.5", &[("X-Remote-User", "alice")], Ok(Some("alice")), &[]),
            ("::ffff:10.0.0.5", &[("X-Remote-User", "alice")], Ok(Some("alice")), &[]),
            ("10.0.0.5", &[("x-remote-user", " alice ")], Ok(Some("alice")), &[]),
            ("10.0.0.5", &[("x-remote-user", "Anna Müller")], Ok(Some("Anna Müller")), &[]),
            ("10.0.0.5", &[], Ok(None), &[]),
            ("10.0.0.5", &[("x-remote-user", "")], Ok(None), &[]),
            ("10.0.0.6", &[("X-Remote-User", "alice")], Ok(None), &[Unlisted]),
            ("10.0.0.6", &[("X_Remote_User", "alice")], Ok(None), &[Misspelt]),
            ("10.0.0.5", &[("x_remote_user", "alice")], Ok(None), &[Misspelt]),
            ("10.0.0.5", &[("x.remote.user", "alice")], Ok(None), &[Misspelt]),
            (
                "10.0.0.5",
                &[("x-remote_user", "eve"), ("x-remote-user", "bob")],
                Ok(Some("bob")),
                &[Misspelt],
            ),
            ("10.0.0.5", &[("x-remote-user", "eve"), ("x-remote-user", "bob")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "bob"), ("x-remote-user", "bob")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "eve, bob")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "eve\tbob")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "e\u{200b}ve")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "alice\u{a0}")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "\u{3000}alice")], Err(Unclear), &[]),
            ("10.0.0.5", &[("x-remote-user", "\t alice \t")], Ok(Some("alice")), &[]),
            ("10.0.0.6", &[("x-remote-user", "a"), ("x-remote-user", "b")], Ok(None), &[Unlisted]),
        ];
        for (peer, list, want, ignored) in cases {
            let mut headers = headers(list);
            headers.insert("x-other", HeaderValue::from_static("1"));
            let caller = Caller::direct(peer.parse().unwrap());
            let claims = Claims::take(&caller, Some(&who(None)), &[HEADER], &mut headers);
            let named = claims.as_ref().map(|claims| claims.sender.identity.as_deref());
            assert_eq!(named.map_err(|why| *why), *want, "{peer} {list:?}");
            if let Ok(claims) = &claims {
                assert_eq!(claims.ignored, *ignored, "{peer} {list:?}");
                assert_eq!(claims.identity.is_some(), claims.sender.identity.is_some());
                assert_eq!(headers.len(), 1, "{peer} {list:?}");
            }
        }
    }

    #[test]
    fn a_balancer_lends_nobody_its_own_certificate_and_address() {
        let names = || -> Arc<[CertifiedName]> {
            Arc::from([CertifiedName { kind: NameKind::CommonName, value: "balancer".into() }])
        };
        let of = |peer: &str, who: &Who, list: &[(&str, &str)]| {
            let caller = Caller::direct(peer.parse().unwrap()).certified(Some(names()));
            Claims::take(&caller, Some(who), &[HEADER], &mut headers(list)).unwrap()
        };
        for hops in [None, Some(1)] {
            let claims = of("10.0.0.5", &who(hops), &[]);
            assert!(claims.sender.certificate.is_none() && claims.identity.is_none(), "{hops:?}");
            assert_eq!(claims.sender.address, None, "{hops:?}");
            assert_eq!(claims.client.to_string(), "10.0.0.5", "caps count it all the same");
        }
        let claims = of("10.0.0.5", &who(None), &[("x-remote-user", "alice")]);
        assert!(claims.sender.certificate.is_none());
        assert_eq!(claims.identity.map(|one| one.name.to_string()).as_deref(), Some("alice"));
        // Of anybody else, both are its own.
        let claims = of("10.0.0.6", &who(None), &[]);
        assert_eq!(claims.identity.map(|one| one.by), Some(OURS));
        assert!(claims.sender.certificate.is_some() && claims.sender.address.is_some());
        // A name that the PROXY protocol brought is the client's.
        let told = Some((names(), "proxy-protocol"));
        let caller =
            Caller { is_named: true, certificate: told, ..Caller::direct([10, 0, 0, 5].into()) };
        let claims = Claims::take(&caller, Some(&who(None)), &[HEADER], &mut headers(&[])).unwrap();
        assert!(claims.sender.certificate.is_some() && claims.sender.address.is_some());
    }

    #[test]
    fn what_was_told_holds_as_long_as_the_same_headers_are_believed() {
        let told = ToldBy { listener: 0, peer: [10, 0, 0, 5].into(), who: Arc::new(who(Some(1))) };
        assert!(told.holds_with(&who(Some(1))));
        let mut more = who(Some(1));
        more.identity.as_mut().unwrap().from.push("10.0.0.9/32".parse().unwrap());
        assert!(told.holds_with(&more), "others that are listed do not matter");
        assert!(!told.holds_with(&who(Some(2))));
        assert!(!told.holds_with(&who(None)));
        assert!(!told.holds_with(&Who::default()));
        let mut other = who(Some(1));
        other.identity.as_mut().unwrap().header = None;
        assert!(!told.holds_with(&other));
        let mut unlisted = who(Some(1));
        unlisted.identity.as_mut().unwrap().from = vec!["10.0.0.9/32".parse().unwrap()];
        assert!(!told.holds_with(&unlisted));
    }

    #[test]
    fn of_another_listener_it_is_taken_off_all_the_same() {
        let mut headers = headers(&[("x-remote-user", "alice")]);
        let caller = Caller::direct([10, 0, 0, 5].into());
        let claims = Claims::take(&caller, None, &[HEADER], &mut headers).unwrap();
        assert!(claims.sender.identity.is_none() && headers.is_empty());
        assert_eq!(claims.ignored, [Ignored::Unlisted]);
    }

    #[test]
    fn the_address_is_so_many_entries_from_the_end() {
        type Case<'a> = (&'a str, usize, &'a [&'a str], Result<Option<&'a str>, Unclear>);
        let peer = "10.0.0.5";
        let cases: &[Case<'_>] = &[
            (peer, 1, &["10.20.0.7"], Ok(Some("10.20.0.7"))),
            (peer, 1, &["192.0.2.66, 10.20.0.7"], Ok(Some("10.20.0.7"))),
            (peer, 1, &["192.0.2.66", "10.20.0.7"], Ok(Some("10.20.0.7"))),
            (peer, 2, &["192.0.2.66, 10.20.0.7, 10.0.0.4"], Ok(Some("10.20.0.7"))),
            (peer, 2, &["192.0.2.66,10.20.0.7", "10.0.0.4"], Ok(Some("10.20.0.7"))),
            (peer, 1, &["10.20.0.7:50123"], Ok(Some("10.20.0.7"))),
            (peer, 1, &["2001:db8::7"], Ok(Some("2001:db8::7"))),
            (peer, 1, &["[2001:db8::7]:50123"], Ok(Some("2001:db8::7"))),
            (peer, 1, &["::ffff:10.20.0.7"], Ok(Some("10.20.0.7"))),
            // Nobody has added to it: whose it is, is not known.
            (peer, 1, &[], Ok(None)),
            (peer, 2, &["10.20.0.7"], Ok(None)),
            (peer, 1, &["unknown"], Err(Unclear)),
            (peer, 1, &["10.20.0.7, "], Err(Unclear)),
            ("10.0.0.6", 1, &["10.20.0.7"], Ok(Some("10.0.0.6"))),
        ];
        for (peer, hops, values, want) in cases {
            let list: Vec<_> = values.iter().map(|value| ("X-Forwarded-For", *value)).collect();
            let caller = Caller::direct(peer.parse().unwrap());
            let who = who(Some(*hops));
            let claims = Claims::take(&caller, Some(&who), &[HEADER], &mut headers(&list));
            let address = claims.as_ref().map(|claims| claims.sender.address);
            let want = want.map(|want| want.map(|want| want.parse().unwrap()));
            assert_eq!(address.map_err(|why| *why), want, "{values:?}");
            if let Ok(claims) = claims {
                let told = want.ok().flatten().unwrap_or(caller.peer);
                assert_eq!(claims.client, told, "caps count the balancer where it names nobody");
            }
        }
        // What the balancer said of the whole connection counts more.
        let named = Caller {
            address: [10, 20, 0, 7].into(),
            is_named: true,
            ..Caller::direct(peer.parse().unwrap())
        };
        let mut spoofed = headers(&[("x-forwarded-for", "192.0.2.66")]);
        let claims = Claims::take(&named, Some(&who(Some(1))), &[HEADER], &mut spoofed).unwrap();
        assert_eq!(
            (claims.client, claims.sender.address),
            ([10, 20, 0, 7].into(), Some([10, 20, 0, 7].into()))
        );
    }
}
