//! A stretch of bad network on the loopback interface: relays that delay, stall, cut, throttle and refuse.
//!
//! Each relay runs on a thread of its own, so that tests with and without a runtime use it alike.

mod tcp;
mod udp;

pub use tcp::TcpRelay;
pub use udp::UdpRelay;
