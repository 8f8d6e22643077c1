//! Which session a datagram belongs to: by its source address, or by the ICE user fragment of a binding request.

use std::collections::HashMap;
use std::net::SocketAddr;

/// Key of a session in the media thread.
pub(crate) type SessionKey = u64;

/// Addresses one session may be reached from at a time: interfaces times families, and some to spare.
const MAX_ADDRESSES: usize = 16;

/// What kind of datagram, by its first bytes (RFC 7983, RFC 5761).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A STUN binding request: the only one that is found by its user fragment. Others carry none, or (libnice's
    /// success responses) the sender's.
    BindingRequest,
    /// Anything else that WebRTC sends.
    Other,
    /// Nothing of ours.
    Unknown,
}

pub(crate) fn kind(data: &[u8]) -> Kind {
    match data {
        [0, 1, ..] if data.len() >= 20 => Kind::BindingRequest,
        [0..=3, ..] if data.len() >= 20 => Kind::Other,
        [20..=63 | 128..=191, ..] if data.len() >= 12 || data[0] >= 128 && data.len() >= 8 => Kind::Other,
        _ => Kind::Unknown,
    }
}

/// Our half of the USERNAME of a STUN request (RFC 8445 section 7.2.2: `ours:theirs`).
pub(crate) fn local_ufrag(data: &[u8]) -> Option<&str> {
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 0x0006;
    if data.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    let mut rest = data.get(20..)?;
    while let [t0, t1, l0, l1, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = tail.get(..length)?;
        if u16::from_be_bytes([*t0, *t1]) == USERNAME {
            let (ours, _) = std::str::from_utf8(value).ok()?.split_once(':')?;
            return Some(ours);
        }
        rest = tail.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The two maps.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_address: HashMap<SocketAddr, SessionKey>,
    by_ufrag: HashMap<String, SessionKey>,
    addresses: HashMap<SessionKey, Vec<SocketAddr>>,
    ufrags: HashMap<SessionKey, String>,
}

impl Demux {
    pub fn insert(&mut self, key: SessionKey, ufrag: String) {
        if let Some(old) = self.ufrags.insert(key, ufrag.clone()) {
            self.by_ufrag.remove(&old);
        }
        self.by_ufrag.insert(ufrag, key);
    }

    pub fn by_address(&self, source: SocketAddr) -> Option<SessionKey> {
        self.by_address.get(&source).copied()
    }

    pub fn by_ufrag(&self, ufrag: &str) -> Option<SessionKey> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// Remembers that a session was proven to send from this address. A new owner replaces an old one: NATs
    /// give ports again.
    pub fn bind(&mut self, source: SocketAddr, key: SessionKey) {
        if let Some(old) = self.by_address.insert(source, key) {
            if old == key {
                return;
            }
            if let Some(list) = self.addresses.get_mut(&old) {
                list.retain(|a| *a != source);
            }
        }
        let list = self.addresses.entry(key).or_default();
        if list.len() >= MAX_ADDRESSES {
            let oldest = list.remove(0);
            self.by_address.remove(&oldest);
        }
        list.push(source);
    }

    pub fn remove(&mut self, key: SessionKey) {
        if let Some(ufrag) = self.ufrags.remove(&key) {
            self.by_ufrag.remove(&ufrag);
        }
        for address in self.addresses.remove(&key).unwrap_or_default() {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut data = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        data.extend_from_slice(&[7; 12]);
        for (kind, value) in attributes {
            data.extend_from_slice(&kind.to_be_bytes());
            data.extend_from_slice(&(value.len() as u16).to_be_bytes());
            data.extend_from_slice(value);
            data.resize(data.len().next_multiple_of(4), 0);
        }
        data
    }

    #[test]
    fn the_user_fragment_before_the_colon_is_ours() {
        let data = request(&[(0x8022, b"abc"), (0x0006, b"ours:theirs")]);
        assert_eq!(kind(&data), Kind::BindingRequest);
        assert_eq!(local_ufrag(&data), Some("ours"));
    }

    #[test]
    fn success_responses_are_not_requests() {
        let mut data = request(&[(0x0006, b"theirs:ours")]);
        data[0] = 1;
        assert_eq!(
            kind(&data),
            Kind::Other,
            "libnice writes USERNAME there, its own half first"
        );
    }

    #[test]
    fn broken_requests_name_nobody() {
        // Twelve bytes, so that there is no padding which may as well be missing.
        let whole = request(&[(0x0006, b"ours:theirs1")]);
        for length in 0..whole.len() {
            assert_eq!(local_ufrag(&whole[..length]), None, "cut at {length}");
        }
        assert_eq!(local_ufrag(&request(&[(0x0006, b"nocolon")])), None);
        assert_eq!(local_ufrag(&request(&[(0x0006, b"\xff\xfe:x")])), None);
    }

    #[test]
    fn rubbish_is_unknown() {
        for data in [
            &[][..],
            &[0],
            &[0, 1],
            &[70; 40],
            b"GET / HTTP/1.1\r\n",
            &[255; 100],
        ] {
            assert_eq!(kind(data), Kind::Unknown, "{data:?}");
        }
    }

    #[test]
    fn an_address_has_one_owner_and_a_session_few_addresses() {
        let address = |port: u16| SocketAddr::from(([10, 0, 0, 1], port));
        let mut demux = Demux::default();
        demux.insert(1, "a".into());
        demux.insert(2, "b".into());
        demux.bind(address(1), 1);
        demux.bind(address(1), 2);
        assert_eq!(demux.by_address(address(1)), Some(2));
        demux.remove(1);
        assert_eq!(
            demux.by_address(address(1)),
            Some(2),
            "the old owner takes nothing along"
        );
        for port in 100..200 {
            demux.bind(address(port), 2);
        }
        assert_eq!(demux.by_address.len(), MAX_ADDRESSES);
        demux.remove(2);
        assert!(demux.by_address.is_empty() && demux.by_ufrag.is_empty());
    }

    #[test]
    fn an_ice_restart_replaces_the_fragment() {
        let mut demux = Demux::default();
        demux.insert(1, "old".into());
        demux.insert(1, "new".into());
        assert_eq!((demux.by_ufrag("old"), demux.by_ufrag("new")), (None, Some(1)));
    }
}
