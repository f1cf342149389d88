//! Who sent a post, as far as the policy cares: what is proved of a client puts it into groups, or into none.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::diagnostic::{Faults, Placed, Table, shown};
use crate::policy::Sender;
use crate::policy::clause::read_name;
use crate::policy::sender::{CertificatePattern, Pattern};

/// The groups of a policy. Of those told by the address alone, a client is in one: where networks nest, the narrowest
/// decides. Of those that ask for a certificate or an identity, it is in every one of which it proves all that is asked.
/// So order never matters.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    names: Vec<String>,
    /// Each network with the index of its group; no network twice.
    networks: Vec<(IpNet, usize)>,
    proved: Vec<Proved>,
}

/// A group that asks for more than an address. Each list that is not empty must have one that matches.
#[derive(Clone, Debug)]
struct Proved {
    index: usize,
    networks: Vec<IpNet>,
    certificates: Vec<CertificatePattern>,
    identities: Vec<Pattern>,
}

impl Proved {
    fn holds(&self, sender: &Sender) -> bool {
        let client = sender.address.map(|address| address.to_canonical());
        let is_near =
            |client: IpAddr| self.networks.iter().any(|network| network.contains(&client));
        (self.networks.is_empty() || client.is_some_and(is_near))
            && (self.certificates.is_empty()
                || sender
                    .certificate
                    .as_ref()
                    .is_some_and(|names| self.certificates.iter().any(|one| one.matches(names))))
            && (self.identities.is_empty()
                || sender
                    .identity
                    .as_ref()
                    .is_some_and(|name| self.identities.iter().any(|one| one.matches(name))))
    }
}

impl Groups {
    /// Reads every `[[group]]`.
    pub(super) fn read(tables: Vec<Table<'_>>, faults: &mut Faults) -> Self {
        let mut groups = Self::default();
        for mut table in tables {
            let name = read_name(&mut table, "clauses name the group by it", faults);
            if !["certificates", "identities"].iter().any(|key| table.has(key)) {
                table.require(
                    "clients",
                    "say who is in it: `clients = [\"10.20.0.0/24\"]`, `certificates = [\"CN=press-*\"]` or `identities = [\"alice\"]`",
                    faults,
                );
            }
            let clients = table.texts("clients", faults).unwrap_or_default();
            let asks_for_certificate = table.has("certificates");
            let asks_for_identity = table.has("identities");
            let certificates = table.texts("certificates", faults).unwrap_or_default();
            let identities = table.texts("identities", faults).unwrap_or_default();
            table.finish(faults);
            let index = groups.names.len();
            if let Some(name) = name {
                if groups.names.contains(&name.value) {
                    faults.error(
                        name.span,
                        format!("there is a [[group]] named `{}` already", shown(&name.value)),
                        "list all its networks in one `clients`",
                    );
                }
                groups.names.push(name.value);
            } else {
                groups.names.push(String::new());
            }
            if !asks_for_certificate && !asks_for_identity {
                for client in clients {
                    groups.add(&client, index, faults);
                }
                continue;
            }
            let networks = clients.iter().filter_map(|client| network(client, faults)).collect();
            let certificates = certificates
                .iter()
                .filter_map(|word| CertificatePattern::read(word, faults))
                .collect();
            let identities =
                identities.iter().filter_map(|word| Pattern::read(word, faults)).collect();
            groups.proved.push(Proved { index, networks, certificates, identities });
        }
        groups
    }

    /// Every group's name.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The groups of a client, by name. A dual-stack listener sees IPv4 clients as IPv6, so that form is undone first.
    pub(super) fn of(&self, sender: &Sender) -> Vec<String> {
        let by_address = sender.address.and_then(|client| {
            let client = client.to_canonical();
            let within = self.networks.iter().filter(|(network, _)| network.contains(&client));
            within.max_by_key(|(network, _)| network.prefix_len()).map(|(_, index)| *index)
        });
        let proved = self.proved.iter().filter(|group| group.holds(sender));
        let mut names: Vec<String> = by_address
            .into_iter()
            .chain(proved.map(|group| group.index))
            .filter_map(|index| self.names.get(index).cloned())
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether any group asks for a certificate, and whether any asks for an identity.
    pub(super) fn asks_for(&self) -> (bool, bool) {
        (
            self.proved.iter().any(|group| !group.certificates.is_empty()),
            self.proved.iter().any(|group| !group.identities.is_empty()),
        )
    }

    fn add(&mut self, client: &Placed<String>, index: usize, faults: &mut Faults) {
        let Some(network) = network(client, faults) else { return };
        match self.networks.iter().find(|(other, _)| *other == network) {
            Some((_, other)) if *other == index => {
                faults.warning(client.span, format!("`{network}` is listed twice"), "take one out");
            }
            Some((_, other)) => {
                let other = self.names.get(*other).map_or("", String::as_str);
                faults.error(
                    client.span,
                    format!("`{network}` is in group `{}` already", shown(other)),
                    "a client is in one group: take it out of the other",
                );
            }
            None => self.networks.push((network, index)),
        }
    }
}

/// Reads an address or a network; IPv4 in IPv6 form becomes IPv4.
pub fn network(client: &Placed<String>, faults: &mut Faults) -> Option<IpNet> {
    let word = client.value.trim();
    let parsed =
        word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
    let Some(network) = parsed.map(canonical) else {
        faults.error(client.span, format!("`{}` is no network", shown(word)), "write an address, or a network with the number of its fixed bits: `10.20.0.0/24`, `2001:db8::/48`");
        return None;
    };
    if network.trunc() != network {
        faults.warning(
            client.span,
            format!("`{word}` names one address but means the whole network"),
            format!("write `{}`, or the address alone", network.trunc()),
        );
    }
    Some(network.trunc())
}

/// IPv4 written as IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 network.
fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(six) = network
        && let (Some(four), Some(bits)) =
            (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96))
        && let Ok(four) = Ipv4Net::new(four, bits)
    {
        return four.into();
    }
    network
}
