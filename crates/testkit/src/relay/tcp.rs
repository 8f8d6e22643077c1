//! The relay for TCP: RTMP, HTTP, WebSocket.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::PeerError;

/// Bytes per read; with [`QUEUE`] it bounds what a stalled relay swallows to 256 kB a direction.
const CHUNK: usize = 16 * 1024;
const QUEUE: usize = 16;

/// Forwards every connection to one target, as badly as it is told.
#[derive(Debug)]
pub struct TcpRelay {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weather {
    delay: Duration,
    stalled: bool,
    refusing: bool,
    bytes_per_second: Option<u64>,
    /// Connections of an older number are cut.
    cuts: u64,
    stopping: bool,
}

impl TcpRelay {
    /// Listens on a free port of 127.0.0.1 and forwards to `target`, unharmed at first.
    ///
    /// # Errors
    /// [`PeerError::Io`] when no port can be bound.
    pub fn start(target: SocketAddr) -> Result<Self, PeerError> {
        let weather = watch::Sender::new(Weather {
            delay: Duration::ZERO,
            stalled: false,
            refusing: false,
            bytes_per_second: None,
            cuts: 0,
            stopping: false,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PeerError::io("the relay's runtime"))?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.map_err(PeerError::io("the relay's port"))?;
        let address = listener.local_addr().map_err(PeerError::io("the relay's port"))?;
        let receiver = weather.subscribe();
        let thread = std::thread::spawn(move || {
            runtime.block_on(serve(listener, address, target, receiver));
            // Dropping the runtime drops every connection's task.
        });
        Ok(Self {
            address,
            weather,
            thread: Some(thread),
        })
    }

    /// Where to connect instead of the target.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything arrives this much later from now on, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    /// Nothing goes through any more; connections stay open and fill up.
    pub fn stall(&self) {
        self.weather.send_modify(|weather| weather.stalled = true);
    }

    /// What was stalled goes on.
    pub fn unstall(&self) {
        self.weather.send_modify(|weather| weather.stalled = false);
    }

    /// At most this many bytes a second for each direction of each connection; `None` lifts the limit.
    pub fn limit(&self, bytes_per_second: Option<u64>) {
        self.weather
            .send_modify(|weather| weather.bytes_per_second = bytes_per_second);
    }

    /// Closes every open connection; new ones are let in.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Closes the port: new connections are refused. Open ones go on (see [`TcpRelay::cut`]).
    pub fn refuse(&self) {
        self.weather.send_modify(|weather| weather.refusing = true);
    }

    /// Opens the same port again.
    pub fn allow(&self) {
        self.weather.send_modify(|weather| weather.refusing = false);
    }
}

impl Drop for TcpRelay {
    fn drop(&mut self) {
        self.weather.send_modify(|weather| weather.stopping = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    target: SocketAddr,
    mut weather: watch::Receiver<Weather>,
) {
    let mut listener = Some(listener);
    loop {
        let now = *weather.borrow_and_update();
        if now.stopping {
            return;
        }
        if now.refusing {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                // Refusing, or the port is still held by a connection that just ended: look again.
                None => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    None
                }
            }
        };
        tokio::select! {
            accepted = accepted => if let Some((client, _)) = accepted {
                tokio::spawn(connection(client, target, weather.clone()));
            },
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

async fn connection(client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let cuts = weather.borrow().cuts;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let up = direction(client_read, server_write, weather.clone());
    let down = direction(server_read, client_write, weather.clone());
    let cut = async move {
        // An error means that the relay is gone, which cuts as well.
        let _ = weather.wait_for(|now| now.cuts != cuts || now.stopping).await;
    };
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        () = cut => {}
    }
}

async fn direction(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(QUEUE);
    let (closed, writer_gone) = oneshot::channel::<()>();
    let read = async move {
        let read_all = async {
            let mut buffer = vec![0; CHUNK];
            while let Ok(count) = from.read(&mut buffer).await {
                if count == 0
                    || sender
                        .send((Instant::now(), buffer[..count].to_vec()))
                        .await
                        .is_err()
                {
                    break;
                }
            }
        };
        tokio::select! { () = read_all => {}, _ = writer_gone => {} }
    };
    let write = async move {
        let _closed = closed;
        while let Some((read_at, bytes)) = receiver.recv().await {
            let now = *weather.borrow();
            tokio::time::sleep_until(read_at + now.delay).await;
            if weather.wait_for(|now| !now.stalled).await.is_err() {
                return;
            }
            for part in bytes.chunks(1460) {
                if to.write_all(part).await.is_err() {
                    return;
                }
                let limit = weather.borrow().bytes_per_second;
                if let Some(bytes_per_second) = limit {
                    let seconds = part.len() as f64 / bytes_per_second.max(1) as f64;
                    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                }
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener as StdListener, TcpStream as StdStream};

    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> SocketAddr {
        let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
                    let _ = std::io::copy(&mut from, &mut to);
                });
            }
        });
        address
    }

    fn round_trip(stream: &mut StdStream, bytes: &[u8]) -> std::io::Result<Duration> {
        let start = std::time::Instant::now();
        stream.write_all(bytes)?;
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back)?;
        assert_eq!(back, bytes, "what comes back must be what was sent");
        Ok(start.elapsed())
    }

    fn connect(relay: &TcpRelay) -> StdStream {
        let stream = StdStream::connect(relay.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        stream
    }

    #[test]
    fn delay_is_added_in_each_direction() {
        let relay = TcpRelay::start(echo()).unwrap();
        let mut stream = connect(&relay);
        assert!(round_trip(&mut stream, b"quick").unwrap() < Duration::from_millis(80));
        relay.delay(Duration::from_millis(60));
        let slow = round_trip(&mut stream, b"slow").unwrap();
        assert!(
            slow >= Duration::from_millis(120),
            "two directions of 60 ms, not {slow:?}"
        );
    }

    #[test]
    fn a_stall_holds_and_loses_nothing() {
        let relay = TcpRelay::start(echo()).unwrap();
        let mut stream = connect(&relay);
        round_trip(&mut stream, b"before").unwrap();
        relay.stall();
        stream.write_all(b"held").unwrap();
        let mut back = [0; 4];
        assert!(stream.read_exact(&mut back).is_err(), "nothing may come through");
        relay.unstall();
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"held");
    }

    #[test]
    fn a_cut_ends_open_connections_only() {
        let relay = TcpRelay::start(echo()).unwrap();
        let mut stream = connect(&relay);
        round_trip(&mut stream, b"before").unwrap();
        relay.cut();
        let ended = match stream.read(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(ended, "the connection must end");
        round_trip(&mut connect(&relay), b"after").unwrap();
    }

    #[test]
    fn a_refusing_relay_comes_back_at_its_port() {
        let relay = TcpRelay::start(echo()).unwrap();
        round_trip(&mut connect(&relay), b"before").unwrap();
        let within = Duration::from_secs(5);
        relay.refuse();
        crate::wait_until("refusal", within, || StdStream::connect(relay.address()).is_err()).unwrap();
        relay.allow();
        crate::wait_until("welcome", within, || StdStream::connect(relay.address()).is_ok()).unwrap();
        round_trip(&mut connect(&relay), b"after").unwrap();
    }

    #[test]
    fn a_limit_slows_down() {
        let relay = TcpRelay::start(echo()).unwrap();
        relay.limit(Some(100_000));
        let took = round_trip(&mut connect(&relay), &[7; 20_000]).unwrap();
        assert!(
            took >= Duration::from_millis(180),
            "20 kB at 100 kB/s, not {took:?}"
        );
    }
}
