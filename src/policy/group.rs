//! Who sent a post, as far as the policy cares: the client's address puts it into one group or none.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::diagnostic::{Faults, Placed, Table, shown};
use crate::policy::clause::read_name;

/// The groups of a policy. Where networks nest, the narrowest decides, so that order never matters.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    names: Vec<String>,
    /// Each network with the index of its group; no network twice.
    networks: Vec<(IpNet, usize)>,
}

impl Groups {
    /// Reads every `[[group]]`.
    pub(super) fn read(tables: Vec<Table<'_>>, faults: &mut Faults) -> Self {
        let mut groups = Self::default();
        for mut table in tables {
            let name = read_name(&mut table, "clauses name the group by it", faults);
            table.require("clients", "say who is in it: `clients = [\"10.20.0.0/24\"]`", faults);
            let clients = table.texts("clients", faults).unwrap_or_default();
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
            for client in clients {
                groups.add(&client, index, faults);
            }
        }
        groups
    }

    /// Every group's name.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The group of an address. A dual-stack listener sees IPv4 clients as IPv6, so that form is undone first.
    pub(super) fn of(&self, client: IpAddr) -> Option<&str> {
        let client = client.to_canonical();
        let (_, index) = self
            .networks
            .iter()
            .filter(|(network, _)| network.contains(&client))
            .max_by_key(|(network, _)| network.prefix_len())?;
        self.names.get(*index).map(String::as_str)
    }

    fn add(&mut self, client: &Placed<String>, index: usize, faults: &mut Faults) {
        let word = client.value.trim();
        let parsed =
            word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
        let Some(network) = parsed.map(canonical) else {
            faults.error(client.span, format!("`{}` is no network", shown(word)), "write an address, or a network with the number of its fixed bits: `10.20.0.0/24`, `2001:db8::/48`");
            return;
        };
        if network.trunc() != network {
            faults.warning(
                client.span,
                format!("`{word}` names one address but means the whole network"),
                format!("write `{}`, or the address alone", network.trunc()),
            );
        }
        let network = network.trunc();
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
