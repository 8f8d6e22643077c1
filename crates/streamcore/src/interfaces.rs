//! The addresses under which this machine can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More would only slow ICE down: every address is tried against every address of the viewer.
const MAX_ADDRESSES: usize = 12;

/// The machine's own addresses that a viewer can use, best first: home networks, public addresses, loopback.
///
/// Link-local ones are left out: they need a zone that SDP and URLs cannot carry.
pub(crate) fn usable_addresses() -> Vec<IpAddr> {
    let found = match if_addrs::get_if_addrs() {
        Ok(found) => found.into_iter().map(|interface| interface.ip()).collect(),
        Err(error) => {
            tracing::warn!(%error, "could not list the machine's addresses, only loopback is offered");
            Vec::new()
        }
    };
    sort_usable(found)
}

fn sort_usable(mut found: Vec<IpAddr>) -> Vec<IpAddr> {
    // A machine whose interfaces cannot be listed still has loopback.
    found.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    found.retain(is_usable);
    found.sort_by_key(|address| (rank(address), *address));
    found.dedup();
    // Loopback comes last and must survive the cut: the browser on the same machine needs it.
    let loopback: Vec<IpAddr> = found.iter().copied().filter(IpAddr::is_loopback).collect();
    found.retain(|address| !address.is_loopback());
    found.truncate(MAX_ADDRESSES.saturating_sub(loopback.len()));
    found.extend(loopback);
    found
}

fn is_usable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_link_local() && !v4.is_unspecified() && !v4.is_multicast(),
        IpAddr::V6(v6) => {
            !is_link_local_v6(v6)
                && !v6.is_unspecified()
                && !v6.is_multicast()
                && v6.to_ipv4_mapped().is_none()
        }
    }
}

/// fe80::/10, RFC 4291 section 2.5.6.
fn is_link_local_v6(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

fn rank(address: &IpAddr) -> u8 {
    match address {
        IpAddr::V4(v4) if v4.is_loopback() => 4,
        IpAddr::V6(v6) if v6.is_loopback() => 5,
        // 172.16/12 comes after the others: on a laptop it is mostly a container bridge.
        IpAddr::V4(v4) if v4.is_private() && v4.octets()[0] == 172 => 2,
        IpAddr::V4(v4) if v4.is_private() => 0,
        IpAddr::V4(_) => 1,
        IpAddr::V6(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(list: &[&str]) -> Vec<IpAddr> {
        list.iter()
            .map(|text| text.parse().expect("the test's address is valid"))
            .collect()
    }

    #[test]
    fn home_networks_come_first_and_loopback_last() {
        let sorted = sort_usable(parse(&[
            "::1",
            "172.17.0.1",
            "2001:db8::5",
            "203.0.113.9",
            "192.168.1.20",
        ]));
        assert_eq!(
            sorted,
            parse(&[
                "192.168.1.20",
                "203.0.113.9",
                "172.17.0.1",
                "2001:db8::5",
                "127.0.0.1",
                "::1"
            ])
        );
    }

    #[test]
    fn link_local_addresses_are_left_out() {
        let sorted = sort_usable(parse(&["fe80::1", "169.254.3.4", "0.0.0.0", "::ffff:10.0.0.1"]));
        assert_eq!(sorted, parse(&["127.0.0.1"]));
    }

    #[test]
    fn loopback_survives_a_machine_with_many_addresses() {
        let many: Vec<IpAddr> = (1..=40).map(|n| IpAddr::from([10, 0, 0, n])).collect();
        let sorted = sort_usable(many);
        assert_eq!(sorted.len(), MAX_ADDRESSES);
        assert_eq!(sorted.last(), Some(&IpAddr::from([127, 0, 0, 1])));
    }

    #[test]
    fn this_machine_has_at_least_loopback() {
        assert!(usable_addresses().contains(&IpAddr::from([127, 0, 0, 1])));
    }
}
