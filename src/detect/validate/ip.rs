//! Internet addresses: what the standard library reads as one.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether it is an address of a host: not unspecified, not a mask.
pub(super) fn passes(hit: &str) -> bool {
    let hit = hit.split(['%', '/']).next().unwrap_or(hit);
    match hit.parse::<Ipv4Addr>() {
        Ok(address) => {
            let [first, .., last] = address.octets();
            !matches!(first, 0 | 255) && (first > 9 || last > 9)
        }
        Err(_) => hit.parse::<Ipv6Addr>().is_ok_and(|address| !address.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses() {
        super::super::check(
            super::passes,
            &[
                ("192.0.2.17", true),
                ("2001:db8::17", true),
                ("fe80::1%eth0", true),
                ("2001:db8::/32", true),
                ("255.255.255.0", false),
                ("1.2.3.4", false),
                ("192.0.2.256", false),
                ("::", false),
            ],
        );
    }
}
