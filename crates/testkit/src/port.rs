//! Ports for peers that cannot be asked to bind to port 0 themselves.

use std::net::{TcpListener, UdpSocket};

use crate::PeerError;

/// A TCP port of 127.0.0.1 that was free a moment ago.
///
/// Another process may take it before it is used: callers try again with a new one.
///
/// # Errors
/// [`PeerError::Io`] when no port can be bound.
pub fn free_tcp_port() -> Result<u16, PeerError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(PeerError::io("a free TCP port"))
}

/// A UDP port of 127.0.0.1 that was free a moment ago; see [`free_tcp_port`].
///
/// # Errors
/// [`PeerError::Io`] when no port can be bound.
pub fn free_udp_port() -> Result<u16, PeerError> {
    UdpSocket::bind(("127.0.0.1", 0))
        .and_then(|socket| socket.local_addr())
        .map(|address| address.port())
        .map_err(PeerError::io("a free UDP port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        let tcp = free_tcp_port().unwrap();
        TcpListener::bind(("127.0.0.1", tcp)).expect("the port was just free");
        let udp = free_udp_port().unwrap();
        UdpSocket::bind(("127.0.0.1", udp)).expect("the port was just free");
    }
}
