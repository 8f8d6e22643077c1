//! The one place that knows str0m: everything else speaks of peers, tracks and packets.

mod peer;
pub(crate) mod sdp;

pub use peer::CertificateError;
pub(crate) use peer::{Accepted, Broken, OfferError, Peer, PeerEvent, Polled, Role, RtcFactory};
