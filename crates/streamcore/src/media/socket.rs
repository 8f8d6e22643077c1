//! The one UDP socket: bound on both families, received in batches, sent in segmented runs (GSO).

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// At 800 Mb/s this was enough never to meet a full buffer. The system may give less.
const SEND_BUFFER: usize = 8 * 1024 * 1024;
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
/// The largest run: what an IPv4 datagram's length field allows, with a margin.
const MAX_RUN: usize = 60_000;
/// Packets in one run. More saves little and makes the burst longer.
const MAX_SEGMENTS: usize = 16;
/// What waits for a full socket. Beyond, packets are dropped as the network would.
const MAX_WAITING: usize = 16 * 1024 * 1024;
/// Received in one call at most; a larger share of a 64 KB buffer is never used by media packets.
const RECEIVE_SIZE: usize = 64 * 1024;

/// Binds the media socket. An unspecified IPv4 address takes IPv6 too where the system has it.
pub(crate) fn bind(wanted: SocketAddr) -> io::Result<std::net::UdpSocket> {
    if wanted.is_ipv4() && wanted.ip().is_unspecified() {
        let both = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), wanted.port());
        match bind_one(both, true) {
            Ok(socket) => return Ok(socket),
            // A taken port is an answer; anything else says that this system has no IPv6.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "no IPv6 here, media takes IPv4 only"),
        }
    }
    bind_one(wanted, wanted.is_ipv6() && wanted.ip().is_unspecified())
}

fn bind_one(address: SocketAddr, dual: bool) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual)?;
    }
    socket.set_nonblocking(true)?;
    // The system may cap these; what it gives is what there is.
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Packets to one destination, ready for one call.
struct Run {
    source: IpAddr,
    destination: SocketAddr,
    segment: usize,
    count: usize,
    /// A shorter packet ended it: only the last segment may be short.
    closed: bool,
    bytes: Vec<u8>,
}

/// The socket with its waiting sends.
pub(crate) struct MediaSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    is_ipv6: bool,
    local: SocketAddr,
    run: Option<Run>,
    waiting: VecDeque<Run>,
    waiting_bytes: usize,
    dropped: u64,
    spare: Vec<Vec<u8>>,
    receive: Vec<Vec<u8>>,
}

/// One received datagram: from whom, to which of our addresses, and what.
pub(crate) struct Datagram<'a> {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub data: &'a [u8],
}

impl MediaSocket {
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        // Turns on GRO, packet information and don't-fragment.
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            socket: mio::net::UdpSocket::from_std(socket),
            state,
            is_ipv6: local.is_ipv6(),
            local,
            run: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            dropped: 0,
            spare: Vec::new(),
            receive: (0..BATCH_SIZE).map(|_| vec![0; RECEIVE_SIZE]).collect(),
        })
    }

    pub fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.socket
    }

    /// Takes what has arrived, up to one batch; `false` when nothing is left.
    pub fn receive(&mut self, mut take: impl FnMut(&mut Outgoing<'_>, Datagram<'_>)) -> io::Result<bool> {
        let mut buffers = std::mem::take(&mut self.receive);
        let mut meta = vec![RecvMeta::default(); buffers.len()];
        let received = {
            let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            let (socket, state) = (&self.socket, &self.state);
            socket.try_io(|| state.recv(socket.into(), &mut slices, &mut meta))
        };
        let outcome = match received {
            Ok(count) => {
                for (meta, buffer) in meta.iter().zip(&buffers).take(count) {
                    let source = canonical(meta.addr);
                    let ip = meta.dst_ip.map_or(self.local.ip(), |ip| ip.to_canonical());
                    let destination = SocketAddr::new(ip, self.local.port());
                    let stride = meta.stride.max(1);
                    for data in buffer[..meta.len.min(buffer.len())].chunks(stride) {
                        take(
                            &mut Outgoing { socket: self },
                            Datagram {
                                source,
                                destination,
                                data,
                            },
                        );
                    }
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // ICMP "port unreachable" of somebody who left comes back here on some systems.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        };
        self.receive = buffers;
        outcome
    }

    /// Adds a packet to the run under way, or begins a new one.
    pub fn send(&mut self, source: SocketAddr, destination: SocketAddr, contents: &[u8]) {
        let most = self.state.max_gso_segments().min(MAX_SEGMENTS);
        if let Some(run) = &mut self.run {
            let fits = run.destination == destination
                && run.source == source.ip()
                && !run.closed
                && contents.len() <= run.segment
                && run.count < most
                && run.bytes.len() + contents.len() <= MAX_RUN;
            if fits {
                run.closed = contents.len() < run.segment;
                run.count += 1;
                run.bytes.extend_from_slice(contents);
                return;
            }
        }
        self.flush();
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(contents);
        self.run = Some(Run {
            source: source.ip(),
            destination,
            segment: contents.len(),
            count: 1,
            closed: false,
            bytes,
        });
    }

    /// Hands the run under way to the system. Called when a viewer's turn is over.
    pub fn flush(&mut self) {
        let Some(run) = self.run.take() else { return };
        if !self.waiting.is_empty() {
            self.wait(run);
            return;
        }
        self.transmit(run);
    }

    /// The socket can take more: sends what waits.
    pub fn on_writable(&mut self) {
        while let Some(run) = self.waiting.pop_front() {
            self.waiting_bytes -= run.bytes.len();
            if !self.transmit(run) {
                return;
            }
        }
    }

    /// Packets dropped because the socket stayed full, since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn wait(&mut self, run: Run) {
        if self.waiting_bytes + run.bytes.len() > MAX_WAITING {
            self.dropped += run.count as u64;
            self.recycle(run.bytes);
            return;
        }
        self.waiting_bytes += run.bytes.len();
        self.waiting.push_back(run);
    }

    /// Sends a run; `false` when the socket is full and the run waits first in line.
    fn transmit(&mut self, run: Run) -> bool {
        match self.try_transmit(&run.bytes, &run, (run.count > 1).then_some(run.segment)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.waiting_bytes += run.bytes.len();
                self.waiting.push_front(run);
                return false;
            }
            // Segmentation offload failed on this route: quinn-udp turns it off for the future, this run is
            // ours to send one by one.
            Err(_) if run.count > 1 => {
                for packet in run.bytes.chunks(run.segment) {
                    if let Err(error) = self.try_transmit(packet, &run, None) {
                        self.dropped += 1;
                        tracing::debug!(destination = %run.destination, %error, "packet not sent");
                    }
                }
            }
            // No route, address gone, too large for the link: the viewer's loss, ICE will find out.
            Err(error) => {
                self.dropped += 1;
                tracing::debug!(destination = %run.destination, %error, "packet not sent");
            }
        }
        self.recycle(run.bytes);
        true
    }

    fn try_transmit(&self, contents: &[u8], run: &Run, segment_size: Option<usize>) -> io::Result<()> {
        let destination = if self.is_ipv6 {
            mapped(run.destination)
        } else {
            run.destination
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size,
            src_ip: (!run.source.is_unspecified()).then_some(run.source),
        };
        self.socket
            .try_io(|| self.state.try_send((&self.socket).into(), &transmit))
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < 64 {
            self.spare.push(bytes);
        }
    }
}

/// The sending half, for those who answer while a batch is being read.
pub(crate) struct Outgoing<'a> {
    socket: &'a mut MediaSocket,
}

impl Outgoing<'_> {
    pub fn socket(&mut self) -> &mut MediaSocket {
        self.socket
    }
}

/// `::ffff:a.b.c.d` as the IPv4 address that it is.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// An IPv4 address as a dual-stack socket wants it.
fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) => SocketAddr::new(IpAddr::V6(v4.to_ipv6_mapped()), address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;

    fn pair() -> (MediaSocket, UdpSocket) {
        let ours = bind("127.0.0.1:0".parse().expect("valid")).expect("loopback can be bound");
        let theirs = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
        theirs
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout can be set");
        (
            MediaSocket::new(ours).expect("the socket takes its options"),
            theirs,
        )
    }

    #[test]
    fn runs_arrive_as_the_packets_they_were_made_of() {
        let (mut socket, peer) = pair();
        let (from, to) = (socket.local, peer.local_addr().expect("bound"));
        let packets: Vec<Vec<u8>> = [1000, 1000, 1000, 400, 1000, 50, 60]
            .iter()
            .enumerate()
            .map(|(i, n)| vec![i as u8; *n])
            .collect();
        for packet in &packets {
            socket.send(from, to, packet);
        }
        socket.flush();
        let mut buffer = [0; 2000];
        for expected in &packets {
            let (n, _) = peer.recv_from(&mut buffer).expect("every packet arrives");
            assert_eq!(&buffer[..n], &expected[..]);
        }
    }

    #[test]
    fn a_dual_stack_socket_speaks_both_families() {
        let ours = bind("0.0.0.0:0".parse().expect("valid")).expect("any address can be bound");
        let port = ours.local_addr().expect("bound").port();
        let mut socket = MediaSocket::new(ours).expect("the socket takes its options");
        let peer = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
        peer.set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout can be set");
        peer.send_to(b"hello", ("127.0.0.1", port)).expect("sent");
        let mut seen = None;
        while seen.is_none() {
            socket
                .receive(|_, d| seen = Some((d.source, d.destination, d.data.to_vec())))
                .expect("receiving works");
        }
        let (source, destination, data) = seen.expect("the loop ends with one");
        assert_eq!(
            source,
            peer.local_addr().expect("bound"),
            "not in its mapped form"
        );
        assert_eq!(
            destination.ip(),
            IpAddr::from([127, 0, 0, 1]),
            "the address it was sent to"
        );
        assert_eq!(data, b"hello");
        socket.send(destination, source, b"back");
        socket.flush();
        let mut buffer = [0; 16];
        let (n, from) = peer.recv_from(&mut buffer).expect("the answer arrives");
        assert_eq!((&buffer[..n], from.port()), (&b"back"[..], port));
    }
}
