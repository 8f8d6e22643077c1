//! One WebRTC session: a viewer or a WHIP publisher.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

use super::sdp;
use crate::media::packet::{Packet, Track};

/// Resent packets are of no use to a viewer later than this, and the cache is memory per viewer.
const RESEND_WITHIN: Duration = Duration::from_millis(1000);
const RESEND_PACKETS: usize = 512;
/// Above this share of resends the link is full and resending makes it worse.
const RESEND_SHARE: f32 = 0.15;

/// A browser brings sound and picture together only after a report of both; str0m's own 5 s for sound would
/// leave the first seconds of every viewer out of step.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// H.264 profiles asked for, best first. All browsers decode constrained baseline; the others are only named to
/// a peer that does not offer it.
const CONSTRAINED_BASELINE: (u8, u8, u32) = (108, 109, 0x42_e01f);
const OTHER_PROFILES: [(u8, u8, u32); 3] = [
    (127, 121, 0x42_001f),
    (123, 119, 0x4d_001f),
    (114, 115, 0x64_001f),
];

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sends to us (WHIP).
    Publisher,
    /// Receives from us (WHEP).
    Viewer,
}

/// Why an offer was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    /// Not SDP, or SDP without what WebRTC needs: 400.
    #[error("the offer cannot be read: {0}")]
    Unreadable(String),
    /// Readable, but not something this server does: 422.
    #[error(transparent)]
    Shape(#[from] sdp::ShapeError),
    /// No codec in common: 422.
    #[error("a section of the offer has no codec in common with this server (H.264, Opus)")]
    NoCodec,
}

/// The session cannot go on; nobody else is touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the session failed: {0}")]
    Failed(String),
    #[error("the session's code panicked")]
    Panicked,
}

/// What comes out of a peer.
pub(crate) enum Polled {
    Transmit {
        source: SocketAddr,
        destination: SocketAddr,
        contents: Vec<u8>,
    },
    Event(PeerEvent),
    /// Nothing more until this moment or the next input.
    Timeout(Instant),
}

/// Something the peer did.
pub(crate) enum PeerEvent {
    Connected,
    Closed,
    KeyframeWanted,
    Rtp {
        track: Track,
        seq: u64,
        ticks: u64,
        marker: bool,
        payload: Arc<[u8]>,
    },
    /// A sender report: the peer's wall clock at an RTP time.
    Report {
        track: Track,
        at: SystemTime,
        ticks: u64,
    },
}

/// Makes peers that share one certificate and one provider of cryptography.
pub(crate) struct RtcFactory {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
}

/// A peer whose offer was answered.
pub(crate) struct Accepted {
    pub peer: Peer,
    pub answer: String,
}

/// The system gave no certificate.
#[derive(Debug, thiserror::Error)]
#[error("make the DTLS certificate")]
pub struct CertificateError;

impl RtcFactory {
    pub fn new() -> Result<Self, CertificateError> {
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or(CertificateError)?;
        Ok(Self { crypto, certificate })
    }

    fn config(&self, profiles: &[(u8, u8, u32)]) -> RtcConfig {
        let mut config = Rtc::builder()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_dtls_cert(self.certificate.clone())
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .set_rtcp_report_interval_audio(REPORT_EVERY)
            .set_rtcp_report_interval_video(REPORT_EVERY)
            .clear_codecs()
            .enable_opus(true, false);
        for &(pt, resend, profile) in profiles {
            config
                .codec_config()
                .add_h264(pt.into(), Some(resend.into()), true, profile);
        }
        config
    }

    /// Answers an offer. `addresses` are the socket's, offered as host candidates; `public` is offered beside
    /// the first of its family.
    pub fn accept(
        &self,
        offer: &str,
        role: Role,
        addresses: &[SocketAddr],
        public: &[IpAddr],
        now: Instant,
    ) -> Result<Accepted, OfferError> {
        sdp::check_offer(offer, role)?;
        let offer = sdp::normalize_offer(offer, role);
        let narrow = [CONSTRAINED_BASELINE];
        match self.try_accept(&offer, role, &narrow, addresses, public, now) {
            Err(OfferError::NoCodec) => {
                let mut all = vec![CONSTRAINED_BASELINE];
                all.extend(OTHER_PROFILES);
                self.try_accept(&offer, role, &all, addresses, public, now)
            }
            done => done,
        }
    }

    fn try_accept(
        &self,
        offer: &str,
        role: Role,
        profiles: &[(u8, u8, u32)],
        addresses: &[SocketAddr],
        public: &[IpAddr],
        now: Instant,
    ) -> Result<Accepted, OfferError> {
        let config = self.config(profiles);
        // A parser of text from strangers: a panic in it must not take the request's thread along.
        let accepted = catch_unwind(AssertUnwindSafe(|| {
            let parsed =
                SdpOffer::from_sdp_string(offer).map_err(|e| OfferError::Unreadable(e.to_string()))?;
            let mut rtc = config.build(now);
            add_candidates(&mut rtc, addresses, public);
            let answer = rtc
                .sdp_api()
                .accept_offer(parsed)
                .map_err(|e| OfferError::Unreadable(e.to_string()))?;
            Ok::<_, OfferError>((rtc, answer.to_sdp_string()))
        }));
        let (rtc, answer) = match accepted {
            Ok(result) => result?,
            Err(_) => return Err(OfferError::Unreadable("its parser gave up".into())),
        };
        if sdp::refuses_a_section(&answer) {
            return Err(OfferError::NoCodec);
        }
        let mut peer = Peer {
            rtc,
            offer: offer.to_owned(),
            stream: format!("{:016x}", rand::random::<u64>()),
            video: None,
            audio: None,
            tracks_rx: Vec::new(),
        };
        peer.find_tracks(role);
        if peer.video.is_none() && peer.audio.is_none() {
            return Err(OfferError::NoCodec);
        }
        let answer = sdp::unify_streams(&answer, &peer.stream);
        Ok(Accepted { peer, answer })
    }
}

fn add_candidates(rtc: &mut Rtc, addresses: &[SocketAddr], public: &[IpAddr]) {
    for &address in addresses {
        match Candidate::host(address, "udp") {
            Ok(candidate) => {
                rtc.add_local_candidate(candidate);
            }
            Err(error) => tracing::debug!(%address, %error, "address makes no candidate"),
        }
    }
    for &public in public {
        let base = addresses
            .iter()
            .find(|a| a.is_ipv4() == public.is_ipv4() && !a.ip().is_loopback());
        let Some(&base) = base else { continue };
        match Candidate::server_reflexive(SocketAddr::new(public, base.port()), base, "udp") {
            Ok(candidate) => {
                rtc.add_local_candidate(candidate);
            }
            Err(error) => tracing::debug!(%public, %error, "public address makes no candidate"),
        }
    }
}

/// Where a track of ours goes.
struct TrackOut {
    mid: Mid,
    pt: Pt,
    /// Looked up once: str0m's search by mid is linear and shows in a profile.
    ssrc: Option<Ssrc>,
}

/// One WebRTC session.
pub(crate) struct Peer {
    rtc: Rtc,
    /// Kept for an ICE restart, which is the same offer with other credentials.
    offer: String,
    stream: String,
    video: Option<TrackOut>,
    audio: Option<TrackOut>,
    tracks_rx: Vec<(Ssrc, Track)>,
}

impl Peer {
    fn find_tracks(&mut self, role: Role) {
        for line in self.offer.lines() {
            let Some(mid) = line.strip_prefix("a=mid:") else {
                continue;
            };
            let mid = Mid::from(mid);
            let Some(media) = self.rtc.media(mid) else {
                continue;
            };
            let (kind, pts) = (media.kind(), media.remote_pts().to_vec());
            let codec = match kind {
                MediaKind::Video => Codec::H264,
                MediaKind::Audio => Codec::Opus,
            };
            let params = self.rtc.codec_config().params();
            let pt = pts
                .iter()
                .copied()
                .find(|pt| params.iter().any(|p| p.pt() == *pt && p.spec().codec == codec));
            let Some(pt) = pt else { continue };
            let out = TrackOut { mid, pt, ssrc: None };
            match kind {
                MediaKind::Video => self.video = Some(out),
                MediaKind::Audio => self.audio = Some(out),
            }
        }
        if role == Role::Viewer {
            self.find_streams();
        }
    }

    fn find_streams(&mut self) {
        let mut api = self.rtc.direct_api();
        for out in [self.video.as_mut(), self.audio.as_mut()].into_iter().flatten() {
            if let Some(stream) = api.stream_tx_by_mid(out.mid, None) {
                stream.set_rtx_cache(RESEND_PACKETS, RESEND_WITHIN, Some(RESEND_SHARE));
                out.ssrc = Some(stream.ssrc());
            }
        }
    }

    pub fn has_video(&self) -> bool {
        self.video.is_some()
    }

    /// Our half of the ICE credentials, by which STUN requests find this peer. Also the session's ETag.
    pub fn ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Whether a STUN request proves that it comes from this peer (its MESSAGE-INTEGRITY is right).
    pub fn accepts(&self, now: Instant, source: SocketAddr, destination: SocketAddr, data: &[u8]) -> bool {
        Receive::new(Protocol::Udp, source, destination, data)
            .is_ok_and(|receive| self.rtc.accepts(&Input::Receive(now, receive)))
    }

    /// Takes a datagram. Rubbish is dropped without a word: anybody can send it.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        data: &[u8],
    ) -> Result<(), Broken> {
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, data) else {
            return Ok(());
        };
        self.guarded(|rtc| rtc.handle_input(Input::Receive(now, receive)))
    }

    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Broken> {
        self.guarded(|rtc| rtc.handle_input(Input::Timeout(now)))
    }

    /// The next thing to do for this peer. Call until it says `Timeout`, after every input (str0m's contract).
    pub fn poll(&mut self) -> Result<Polled, Broken> {
        loop {
            let output = self.guarded(|rtc| rtc.poll_output())?;
            let event = match output {
                Output::Timeout(at) => return Ok(Polled::Timeout(at)),
                Output::Transmit(t) => {
                    return Ok(Polled::Transmit {
                        source: t.source,
                        destination: t.destination,
                        contents: t.contents.into(),
                    });
                }
                Output::Event(event) => event,
            };
            if let Some(event) = self.translate(event) {
                return Ok(Polled::Event(event));
            }
        }
    }

    fn translate(&mut self, event: Event) -> Option<PeerEvent> {
        match event {
            Event::Connected => Some(PeerEvent::Connected),
            Event::Closed | Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Some(PeerEvent::Closed)
            }
            Event::KeyframeRequest(_) => Some(PeerEvent::KeyframeWanted),
            Event::RtpPacket(packet) => {
                let track = self.track_of(packet.header.ssrc)?;
                Some(PeerEvent::Rtp {
                    track,
                    seq: *packet.seq_no,
                    ticks: packet.time.numer(),
                    marker: packet.header.marker,
                    payload: packet.payload,
                })
            }
            Event::SenderFeedback(feedback) => {
                let track = self.track_of_mid(feedback.mid)?;
                Some(PeerEvent::Report {
                    track,
                    at: feedback.sender_info.ntp_time,
                    ticks: feedback.sender_info.rtp_time.numer(),
                })
            }
            _ => None,
        }
    }

    fn track_of(&mut self, ssrc: Ssrc) -> Option<Track> {
        if let Some((_, track)) = self.tracks_rx.iter().find(|(known, _)| *known == ssrc) {
            return Some(*track);
        }
        let mid = self.rtc.direct_api().stream_rx(&ssrc)?.mid();
        let track = self.track_of_mid(mid)?;
        // A publisher has one of each; one that changes its SSRC again and again must not fill the memory.
        if self.tracks_rx.len() >= 16 {
            self.tracks_rx.clear();
        }
        self.tracks_rx.push((ssrc, track));
        Some(track)
    }

    fn track_of_mid(&self, mid: Mid) -> Option<Track> {
        if self.video.as_ref().is_some_and(|v| v.mid == mid) {
            Some(Track::Video)
        } else if self.audio.as_ref().is_some_and(|a| a.mid == mid) {
            Some(Track::Audio)
        } else {
            None
        }
    }

    /// Queues a packet for this viewer. It leaves after the next `handle_timeout` and `poll`.
    pub fn write(&mut self, packet: &Packet, seq: u64, rtp_time: u32) -> Result<(), Broken> {
        let out = match packet.track {
            Track::Video => self.video.as_ref(),
            Track::Audio => self.audio.as_ref(),
        };
        let Some(&TrackOut {
            pt, ssrc: Some(ssrc), ..
        }) = out
        else {
            return Ok(());
        };
        let write = RtpWrite::new(
            pt,
            SeqNo::from(seq),
            rtp_time,
            packet.wallclock,
            Arc::clone(&packet.payload),
        )
        .marker(packet.marker)
        .nackable(packet.track == Track::Video);
        self.guarded(|rtc| {
            if let Some(stream) = rtc.direct_api().stream_tx(&ssrc) {
                stream.write_rtp(write);
            }
            Ok::<(), str0m::RtcError>(())
        })
    }

    /// Asks a publisher for a keyframe (PLI, RFC 4585 section 6.3.1).
    pub fn request_keyframe(&mut self) -> Result<(), Broken> {
        let Some(mid) = self.video.as_ref().map(|v| v.mid) else {
            return Ok(());
        };
        self.guarded(|rtc| {
            if let Some(stream) = rtc.direct_api().stream_rx_by_mid(mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            Ok::<(), str0m::RtcError>(())
        })
    }

    /// Takes candidates that the peer found after its offer. What cannot be read is skipped (`.local` names).
    pub fn add_remote_candidates(&mut self, candidates: &[String]) -> Result<(), Broken> {
        let parsed: Vec<Candidate> = candidates
            .iter()
            .filter_map(|text| Candidate::from_sdp_string(text).ok())
            .collect();
        self.guarded(|rtc| {
            for candidate in parsed {
                rtc.add_remote_candidate(candidate);
            }
            Ok::<(), str0m::RtcError>(())
        })
    }

    /// The peer's ICE user fragment that is in use.
    pub fn remote_ufrag(&self) -> Option<String> {
        sdp::IceFragment::parse(&self.offer)?.ufrag
    }

    /// Restarts ICE with new credentials of the peer and gives our half as a fragment.
    pub fn restart_ice(&mut self, ufrag: &str, pwd: &str, candidates: &[String]) -> Result<String, Broken> {
        let offer = sdp::with_credentials(&self.offer, ufrag, pwd);
        let parsed = SdpOffer::from_sdp_string(&offer).map_err(|e| Broken::Failed(e.to_string()))?;
        let answer = self
            .guarded(|rtc| rtc.sdp_api().accept_offer(parsed))?
            .to_sdp_string();
        self.offer = offer;
        self.add_remote_candidates(candidates)?;
        sdp::restart_fragment(&answer).ok_or_else(|| Broken::Failed("the answer has no credentials".into()))
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify. Poll until `Timeout` to send them.
    pub fn close(&mut self) -> Result<(), Broken> {
        self.guarded(|rtc| rtc.close())
    }

    /// Whether anything can still come of this session.
    pub fn alive(&self) -> bool {
        self.rtc.is_alive()
    }

    fn guarded<T, E: std::fmt::Display>(
        &mut self,
        act: impl FnOnce(&mut Rtc) -> Result<T, E>,
    ) -> Result<T, Broken> {
        // A bug that one peer's packets can reach must cost that peer, not the show. The Rtc is dropped after
        // it broke, so nobody sees what it was left with.
        match catch_unwind(AssertUnwindSafe(|| act(&mut self.rtc))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Broken::Failed(error.to_string())),
            Err(_) => Err(Broken::Panicked),
        }
    }
}
