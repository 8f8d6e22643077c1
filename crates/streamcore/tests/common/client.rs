//! A WebRTC client on str0m: watches over WHEP or publishes over WHIP, and keeps what it got.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

use super::media::Clip;

/// One frame, put together by str0m's depacketizer: only whole frames come.
#[derive(Debug, Clone)]
pub struct Frame {
    pub at: Instant,
    pub audio: bool,
    pub data: Vec<u8>,
    /// In ticks of its clock.
    pub rtp_time: u64,
    pub contiguous: bool,
}

impl Frame {
    pub fn is_idr(&self) -> bool {
        !self.audio
            && self
                .data
                .windows(4)
                .any(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 5)
    }
}

/// What happened at the client.
#[derive(Debug)]
pub enum Seen {
    Connected(Instant),
    Frame(Frame),
    KeyframeWanted,
    /// A sender report: wall time of the sender at an RTP time, for sound or picture.
    Report {
        audio: bool,
        at: SystemTime,
        rtp_time: u64,
    },
    Closed,
}

enum Order {
    RequestKeyframe,
    /// Makes an offer with new ICE credentials.
    Restart(mpsc::Sender<String>),
    /// Takes the answer to it.
    Finish(String),
    Silence,
    Stop,
}

/// A client whose session stands.
pub struct Client {
    pub location: String,
    pub etag: String,
    pub answer: String,
    pub offer: String,
    pub posted: Instant,
    seen: mpsc::Receiver<Seen>,
    orders: mpsc::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

pub struct Prepared {
    rtc: Rtc,
    socket: UdpSocket,
    pending: SdpPendingOffer,
    mids: (Mid, Mid),
    pub offer: String,
}

/// An offer of one audio and one video section, with a host candidate on loopback.
pub fn prepare(direction: Direction) -> Prepared {
    prepare_on(direction, "127.0.0.1:0")
}

/// The same on another address of this machine.
pub fn prepare_on(direction: Direction, bind: &str) -> Prepared {
    let socket = UdpSocket::bind(bind).expect("the address is this machine's");
    let mut rtc = Rtc::builder()
        .clear_codecs()
        .enable_opus(true, false)
        .enable_h264(true)
        .set_reordering_size_video(50)
        .build(Instant::now());
    let address = socket.local_addr().expect("bound");
    rtc.add_local_candidate(Candidate::host(address, "udp").expect("loopback makes a candidate"));
    let mut api = rtc.sdp_api();
    let audio = api.add_media(
        MediaKind::Audio,
        direction,
        Some("s".into()),
        Some("a".into()),
        None,
    );
    let video = api.add_media(
        MediaKind::Video,
        direction,
        Some("s".into()),
        Some("v".into()),
        None,
    );
    let (offer, pending) = api.apply().expect("two sections make an offer");
    Prepared {
        rtc,
        socket,
        pending,
        mids: (audio, video),
        offer: offer.to_sdp_string(),
    }
}

/// The addresses of an answer's candidates.
pub fn candidates(answer: &str) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = answer.lines().filter_map(candidate).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn candidate(line: &str) -> Option<SocketAddr> {
    let mut fields = line.strip_prefix("a=candidate:")?.split(' ').skip(4);
    Some(SocketAddr::new(
        fields.next()?.parse().ok()?,
        fields.next()?.parse().ok()?,
    ))
}

fn with_candidates(answer: &str, change: impl Fn(SocketAddr) -> Option<SocketAddr>) -> String {
    let mut out = String::new();
    for line in answer.lines() {
        let Some(address) = candidate(line) else {
            out.push_str(line);
            out.push_str("\r\n");
            continue;
        };
        if let Some(new) = change(address) {
            let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
            fields[4] = new.ip().to_string();
            fields[5] = new.port().to_string();
            out.push_str(&fields.join(" "));
            out.push_str("\r\n");
        }
    }
    out
}

/// One HTTP client for a test program: making one reads the system's certificates.
pub fn http() -> &'static reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    HTTP.get_or_init(reqwest::Client::new)
}

/// POSTs an offer and gives the whole response.
pub async fn post(url: &str, key: Option<&str>, offer: &str) -> reqwest::Response {
    let mut request = http()
        .post(url)
        .header(CONTENT_TYPE, "application/sdp")
        .body(offer.to_owned());
    if let Some(key) = key {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    request.send().await.expect("the server answers")
}

impl Client {
    /// Watches a room.
    pub async fn watch(http: SocketAddr, room: &str) -> Self {
        Self::join(
            &format!("http://{http}/whep/{room}"),
            None,
            prepare(Direction::RecvOnly),
            None,
        )
        .await
    }

    /// Watches a room over other addresses than those of the answer: `change` gets each candidate's address and
    /// says the one to use, or none to leave it out.
    pub async fn watch_by(
        http: SocketAddr,
        room: &str,
        bind: &str,
        change: impl Fn(SocketAddr) -> Option<SocketAddr>,
    ) -> Self {
        let prepared = prepare_on(Direction::RecvOnly, bind);
        Self::join_by(
            &format!("http://{http}/whep/{room}"),
            None,
            prepared,
            None,
            change,
        )
        .await
    }

    /// Publishes a clip to a room, over and over.
    pub async fn publish(http: SocketAddr, room: &str, key: &str, clip: std::sync::Arc<Clip>) -> Self {
        let prepared = prepare(Direction::SendOnly);
        Self::join(
            &format!("http://{http}/whip/{room}"),
            Some(key),
            prepared,
            Some(clip),
        )
        .await
    }

    async fn join(
        url: &str,
        key: Option<&str>,
        prepared: Prepared,
        clip: Option<std::sync::Arc<Clip>>,
    ) -> Self {
        Self::join_by(url, key, prepared, clip, Some).await
    }

    async fn join_by(
        url: &str,
        key: Option<&str>,
        prepared: Prepared,
        clip: Option<std::sync::Arc<Clip>>,
        change: impl Fn(SocketAddr) -> Option<SocketAddr>,
    ) -> Self {
        let posted = Instant::now();
        let response = post(url, key, &prepared.offer).await;
        Self::answered(url, posted, response, prepared, clip, change).await
    }

    /// Watches a room with a browser of this name.
    pub async fn watch_with(at: SocketAddr, room: &str, browser: &str) -> Self {
        let (prepared, posted) = (prepare(Direction::RecvOnly), Instant::now());
        let url = format!("http://{at}/whep/{room}");
        let request = http()
            .post(&url)
            .header(CONTENT_TYPE, "application/sdp")
            .header(USER_AGENT, browser)
            .body(prepared.offer.clone());
        let response = request.send().await.expect("the server answers");
        Self::answered(&url, posted, response, prepared, None, Some).await
    }

    async fn answered(
        url: &str,
        posted: Instant,
        response: reqwest::Response,
        prepared: Prepared,
        clip: Option<std::sync::Arc<Clip>>,
        change: impl Fn(SocketAddr) -> Option<SocketAddr>,
    ) -> Self {
        assert_eq!(response.status(), 201, "the offer is taken");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .expect("a 201 carries it")
                .to_owned()
        };
        let (location, etag) = (header("location"), header("etag"));
        let base = reqwest::Url::parse(url).expect("valid");
        let location = base.join(&location).expect("Location resolves").to_string();
        let answer = response.text().await.expect("a 201 has a body");
        let Prepared {
            mut rtc,
            socket,
            pending,
            mids,
            offer,
        } = prepared;
        let used = with_candidates(&answer, change);
        rtc.sdp_api()
            .accept_answer(
                pending,
                SdpAnswer::from_sdp_string(&used).expect("the answer is SDP"),
            )
            .expect("the answer fits the offer");
        let (sender, seen) = mpsc::channel();
        let (orders, inbox) = mpsc::channel();
        let thread = std::thread::spawn(move || run(rtc, &socket, mids, clip, &sender, &inbox));
        Self {
            location,
            etag,
            answer,
            offer,
            posted,
            seen,
            orders,
            thread: Some(thread),
        }
    }

    /// The next thing, within a deadline.
    pub fn next(&self, within: Duration) -> Option<Seen> {
        self.seen.recv_timeout(within).ok()
    }

    /// Waits for something.
    pub fn wait_for<T>(&self, what: &str, within: Duration, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.next(left) {
                Some(seen) => {
                    if let Some(found) = look(&seen) {
                        return found;
                    }
                }
                None => panic!("{what} did not come within {within:?}"),
            }
        }
    }

    pub fn wait_frame(&self, audio: bool, within: Duration) -> Frame {
        self.wait_for("a frame", within, |seen| match seen {
            Seen::Frame(frame) if frame.audio == audio => Some(frame.clone()),
            _ => None,
        })
    }

    /// Everything that comes in a time.
    pub fn collect(&self, time: Duration) -> Vec<Seen> {
        let until = Instant::now() + time;
        let mut all = Vec::new();
        while let Some(seen) = self.next(until.saturating_duration_since(Instant::now())) {
            all.push(seen);
        }
        all
    }

    pub fn request_keyframe(&self) {
        let _ = self.orders.send(Order::RequestKeyframe);
    }

    /// Begins an ICE restart; gives the new credentials.
    pub fn restart_ice(&self) -> (String, String) {
        let (sender, offer) = mpsc::channel();
        let _ = self.orders.send(Order::Restart(sender));
        let offer = offer
            .recv_timeout(Duration::from_secs(5))
            .expect("the client makes an offer");
        let value = |name: &str| {
            offer
                .lines()
                .find_map(|l| l.strip_prefix(name))
                .expect("an offer has credentials")
                .to_owned()
        };
        (value("a=ice-ufrag:"), value("a=ice-pwd:"))
    }

    /// Ends an ICE restart with the server's fragment.
    pub fn finish_restart(&self, fragment: &str) {
        let value = |name: &str| {
            fragment
                .lines()
                .find_map(|l| l.strip_prefix(name))
                .expect("a fragment has credentials")
                .to_owned()
        };
        let (ufrag, pwd) = (value("a=ice-ufrag:"), value("a=ice-pwd:"));
        let mut answer = String::new();
        for line in self.answer.lines() {
            let line = match line.split_once(':').map(|(name, _)| name) {
                Some("a=ice-ufrag") => format!("a=ice-ufrag:{ufrag}"),
                Some("a=ice-pwd") => format!("a=ice-pwd:{pwd}"),
                // Its candidates carry the old fragment.
                Some("a=candidate") => line.split(" ufrag ").next().unwrap_or(line).to_owned(),
                _ => line.to_owned(),
            };
            answer.push_str(&line);
            answer.push_str("\r\n");
        }
        let _ = self.orders.send(Order::Finish(answer));
    }

    /// Stops answering: what a killed browser looks like.
    pub fn fall_silent(&self) {
        let _ = self.orders.send(Order::Silence);
    }

    pub async fn delete(&self, key: Option<&str>) -> u16 {
        let mut request = http().delete(&self.location);
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        request
            .send()
            .await
            .expect("the server answers")
            .status()
            .as_u16()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    mut rtc: Rtc,
    socket: &UdpSocket,
    (audio, video): (Mid, Mid),
    clip: Option<std::sync::Arc<Clip>>,
    seen: &mpsc::Sender<Seen>,
    orders: &mpsc::Receiver<Order>,
) {
    let local = socket.local_addr().expect("bound");
    let mut buffer = vec![0; 2048];
    let mut feed = clip.map(Feed::new);
    let mut restarting: Option<SdpPendingOffer> = None;
    loop {
        let timeout = match rtc.poll_output().expect("the client's session is sound") {
            Output::Transmit(t) => {
                let _ = socket.send_to(&t.contents, t.destination);
                continue;
            }
            Output::Event(event) => {
                on_event(event, audio, seen, &mut feed);
                continue;
            }
            Output::Timeout(at) => at,
        };
        if let Some(feed) = feed.as_mut().filter(|feed| feed.running)
            && feed.write(&mut rtc, audio, video)
        {
            rtc.handle_input(Input::Timeout(Instant::now()))
                .expect("time can pass");
            continue;
        }
        match orders.try_recv() {
            Ok(Order::RequestKeyframe) => {
                if let Some(mut writer) = rtc.writer(video) {
                    let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
                }
                rtc.handle_input(Input::Timeout(Instant::now()))
                    .expect("time can pass");
                continue;
            }
            Ok(Order::Restart(reply)) => {
                let mut api = rtc.sdp_api();
                api.ice_restart(true);
                let (offer, pending) = api.apply().expect("a restart is a change");
                restarting = Some(pending);
                let _ = reply.send(offer.to_sdp_string());
                continue;
            }
            Ok(Order::Finish(answer)) => {
                let pending = restarting.take().expect("a restart was begun");
                let answer = SdpAnswer::from_sdp_string(&answer).expect("the answer is SDP");
                rtc.sdp_api()
                    .accept_answer(pending, answer)
                    .expect("the answer fits");
                continue;
            }
            Ok(Order::Silence) => {
                let _ = orders.recv();
                return;
            }
            Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => return,
            Err(mpsc::TryRecvError::Empty) => {}
        }
        if !rtc.is_alive() {
            return;
        }
        let wait = timeout
            .saturating_duration_since(Instant::now())
            .min(Duration::from_millis(5));
        socket
            .set_read_timeout(Some(wait.max(Duration::from_micros(200))))
            .expect("a timeout can be set");
        let input = match socket.recv_from(&mut buffer) {
            Ok((n, from)) => match Receive::new(Protocol::Udp, from, local, &buffer[..n]) {
                Ok(receive) => Input::Receive(Instant::now(), receive),
                Err(_) => continue,
            },
            Err(_) => Input::Timeout(Instant::now()),
        };
        rtc.handle_input(input).expect("the client's session is sound");
    }
}

fn on_event(event: Event, audio: Mid, seen: &mpsc::Sender<Seen>, feed: &mut Option<Feed>) {
    let told = match event {
        Event::Connected => {
            if let Some(feed) = feed {
                feed.begin();
            }
            Seen::Connected(Instant::now())
        }
        Event::MediaData(data) => Seen::Frame(Frame {
            at: Instant::now(),
            audio: data.mid == audio,
            rtp_time: data.time.numer(),
            contiguous: data.contiguous,
            data: data.data.to_vec(),
        }),
        Event::SenderFeedback(feedback) => Seen::Report {
            audio: feedback.mid == audio,
            at: feedback.sender_info.ntp_time,
            rtp_time: feedback.sender_info.rtp_time.numer(),
        },
        Event::KeyframeRequest(_) => {
            if let Some(feed) = feed {
                feed.picture = 0;
            }
            Seen::KeyframeWanted
        }
        Event::Closed | Event::IceConnectionStateChange(IceConnectionState::Disconnected) => Seen::Closed,
        _ => return,
    };
    let _ = seen.send(told);
}

/// Writes a clip in real time.
struct Feed {
    clip: std::sync::Arc<Clip>,
    began: Instant,
    running: bool,
    picture: usize,
    frames: u32,
    sounds: u32,
}

impl Feed {
    fn new(clip: std::sync::Arc<Clip>) -> Self {
        Self {
            clip,
            began: Instant::now(),
            running: false,
            picture: 0,
            frames: 0,
            sounds: 0,
        }
    }

    fn begin(&mut self) {
        self.began = Instant::now();
        self.running = true;
    }

    /// Writes what is due; `false` when nothing is.
    fn write(&mut self, rtc: &mut Rtc, audio: Mid, video: Mid) -> bool {
        let now = Instant::now();
        let elapsed = now - self.began;
        if self.clip.frame_duration * self.frames <= elapsed {
            let unit = self.clip.video[self.picture % self.clip.video.len()]
                .data
                .to_vec();
            let at = MediaTime::new(u64::from(self.frames) * 3000, Frequency::NINETY_KHZ);
            self.frames += 1;
            self.picture += 1;
            return put(rtc, video, Codec::H264, now, at, unit);
        }
        if super::media::OPUS_FRAME * self.sounds <= elapsed {
            let packet = self.clip.audio[self.sounds as usize % self.clip.audio.len()].to_vec();
            let at = MediaTime::new(u64::from(self.sounds) * 960, Frequency::FORTY_EIGHT_KHZ);
            self.sounds += 1;
            return put(rtc, audio, Codec::Opus, now, at, packet);
        }
        false
    }
}

fn put(rtc: &mut Rtc, mid: Mid, codec: Codec, now: Instant, at: MediaTime, data: Vec<u8>) -> bool {
    let Some(writer) = rtc.writer(mid) else {
        return false;
    };
    let Some(pt) = writer
        .payload_params()
        .find(|p| p.spec().codec == codec)
        .map(|p| p.pt())
    else {
        return false;
    };
    writer.write(pt, now, at, data).expect("the clip can be sent");
    true
}
