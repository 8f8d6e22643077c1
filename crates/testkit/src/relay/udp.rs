//! The relay for UDP: media between StreamCore and a browser.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::PeerError;

const LARGEST: usize = 65_536;

/// Forwards datagrams between any number of clients and one target, as badly as it is told.
///
/// Like a home router, each client gets a port of its own towards the target.
#[derive(Debug)]
pub struct UdpRelay {
    address: SocketAddr,
    weather: Arc<Weather>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Weather {
    delay_us: AtomicU64,
    lost_permille: AtomicU32,
    blocked: AtomicBool,
    seed: AtomicU64,
    stop: tokio::sync::Notify,
}

impl UdpRelay {
    /// Listens on a free port of 127.0.0.1 and forwards to `target`, unharmed at first.
    ///
    /// `seed` decides which datagrams a loss rate takes, so that a run can be repeated.
    ///
    /// # Errors
    /// [`PeerError::Io`] when no port can be bound.
    pub fn start(target: SocketAddr, seed: u64) -> Result<Self, PeerError> {
        let weather = Arc::new(Weather {
            delay_us: AtomicU64::new(0),
            lost_permille: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            // A xorshift generator stays at zero for ever, so zero is no seed.
            seed: AtomicU64::new(seed.max(1)),
            stop: tokio::sync::Notify::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PeerError::io("the relay's runtime"))?;
        let socket = runtime.block_on(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
        let socket = socket.map_err(PeerError::io("the relay's port"))?;
        let address = socket.local_addr().map_err(PeerError::io("the relay's port"))?;
        let thread = std::thread::spawn({
            let weather = Arc::clone(&weather);
            move || runtime.block_on(serve(socket, target, weather))
        });
        Ok(Self {
            address,
            weather,
            thread: Some(thread),
        })
    }

    /// Where to send instead of the target.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything arrives this much later from now on, in each direction.
    pub fn delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.weather.delay_us.store(micros, Ordering::Relaxed);
    }

    /// This many of a thousand datagrams are lost, in each direction.
    pub fn lose(&self, permille: u32) {
        self.weather.lost_permille.store(permille, Ordering::Relaxed);
    }

    /// Nothing goes through any more.
    pub fn block(&self) {
        self.weather.blocked.store(true, Ordering::Relaxed);
    }

    /// Datagrams go through again; what was sent meanwhile is lost.
    pub fn unblock(&self) {
        self.weather.blocked.store(false, Ordering::Relaxed);
    }
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.weather.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Weather {
    fn takes(&self) -> bool {
        if self.blocked.load(Ordering::Relaxed) {
            return true;
        }
        let permille = self.lost_permille.load(Ordering::Relaxed);
        if permille == 0 {
            return false;
        }
        let mut random = self.seed.load(Ordering::Relaxed);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        self.seed.store(random, Ordering::Relaxed);
        (random >> 16) % 1000 < u64::from(permille)
    }
}

async fn serve(socket: UdpSocket, target: SocketAddr, weather: Arc<Weather>) {
    let socket = Arc::new(socket);
    let mut outer: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; LARGEST];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = weather.stop.notified() => return,
        };
        // An ICMP error of an earlier send shows up here; the next datagram is unharmed by it.
        let Ok((count, client)) = received else { continue };
        let towards = match outer.get(&client) {
            Some(towards) => Arc::clone(towards),
            None => {
                let Ok(towards) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else {
                    continue;
                };
                if towards.connect(target).await.is_err() {
                    continue;
                }
                let towards = Arc::new(towards);
                outer.insert(client, Arc::clone(&towards));
                tasks.spawn(backwards(
                    Arc::clone(&towards),
                    Arc::clone(&socket),
                    client,
                    Arc::clone(&weather),
                ));
                towards
            }
        };
        if weather.takes() {
            continue;
        }
        let bytes = buffer[..count].to_vec();
        later(&weather, async move {
            let _ = towards.send(&bytes).await;
        })
        .await;
    }
}

async fn backwards(from: Arc<UdpSocket>, to: Arc<UdpSocket>, client: SocketAddr, weather: Arc<Weather>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let Ok(count) = from.recv(&mut buffer).await else {
            continue;
        };
        if weather.takes() {
            continue;
        }
        let (to, bytes) = (Arc::clone(&to), buffer[..count].to_vec());
        later(&weather, async move {
            let _ = to.send_to(&bytes, client).await;
        })
        .await;
    }
}

/// Sends now, or from a task of its own after the delay; equal delays keep the order.
async fn later(weather: &Weather, send: impl Future<Output = ()> + Send + 'static) {
    let delay = Duration::from_micros(weather.delay_us.load(Ordering::Relaxed));
    if delay.is_zero() {
        send.await;
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            send.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket as StdSocket;
    use std::time::Instant;

    use super::*;

    fn echo() -> SocketAddr {
        let socket = StdSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..count], from);
            }
        });
        address
    }

    fn client(relay: &UdpRelay) -> StdSocket {
        let socket = StdSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.connect(relay.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        socket
    }

    #[test]
    fn each_client_gets_its_own_answers() {
        let relay = UdpRelay::start(echo(), 1).unwrap();
        let (one, two) = (client(&relay), client(&relay));
        one.send(b"one").unwrap();
        two.send(b"two").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(
            one.recv(&mut buffer)
                .map(|count| buffer[..count].to_vec())
                .unwrap(),
            b"one"
        );
        assert_eq!(
            two.recv(&mut buffer)
                .map(|count| buffer[..count].to_vec())
                .unwrap(),
            b"two"
        );
    }

    #[test]
    fn delay_and_block_do_what_they_say() {
        let relay = UdpRelay::start(echo(), 1).unwrap();
        let socket = client(&relay);
        let mut buffer = [0; 16];
        relay.delay(Duration::from_millis(50));
        let start = Instant::now();
        socket.send(b"slow").unwrap();
        socket.recv(&mut buffer).unwrap();
        assert!(
            start.elapsed() >= Duration::from_millis(100),
            "{:?}",
            start.elapsed()
        );
        relay.block();
        socket.send(b"lost").unwrap();
        assert!(
            socket.recv(&mut buffer).is_err(),
            "a blocked relay passes nothing"
        );
        relay.unblock();
        socket.send(b"back").unwrap();
        assert_eq!(socket.recv(&mut buffer).unwrap(), 4);
    }

    #[test]
    fn a_seeded_loss_is_near_its_rate() {
        let weather = Weather {
            delay_us: AtomicU64::new(0),
            lost_permille: AtomicU32::new(100),
            blocked: AtomicBool::new(false),
            seed: AtomicU64::new(42),
            stop: tokio::sync::Notify::new(),
        };
        let lost = (0..10_000).filter(|_| weather.takes()).count();
        assert!((850..1150).contains(&lost), "one in ten, not {lost} of 10000");
    }
}
