//! The media thread's loop and its dispatch. See the crate's documentation for what runs where.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::command::Command;
use super::socket::MediaSocket;
use super::state::State;
use crate::room::Directory;
use crate::settings::Limits;

pub(crate) const SOCKET: Token = Token(0);
pub(crate) const BELL: Token = Token(1);

/// Batches read before sessions' deadlines are looked at again, so that a flood does not starve the viewers.
const BATCHES_PER_TURN: usize = 8;

/// The media thread: its wait, its socket, its queue, and all that it keeps.
pub(crate) struct Worker {
    poll: Poll,
    socket: MediaSocket,
    commands: mpsc::Receiver<Command>,
    state: State,
}

impl Worker {
    pub fn new(
        poll: Poll,
        mut socket: MediaSocket,
        commands: mpsc::Receiver<Command>,
        directory: Arc<Directory>,
        limits: Limits,
    ) -> io::Result<Self> {
        poll.registry()
            .register(socket.source(), SOCKET, Interest::READABLE | Interest::WRITABLE)?;
        let state = State::new(directory, limits, Instant::now());
        Ok(Self {
            poll,
            socket,
            commands,
            state,
        })
    }

    /// Runs until it is told to stop, or the socket is lost.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(16);
        let mut more_to_read = false;
        loop {
            let wait = if more_to_read {
                Duration::ZERO
            } else {
                self.state.wait(Instant::now())
            };
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if events.iter().any(|e| e.token() == SOCKET && e.is_writable()) {
                self.socket.on_writable();
            }
            // The socket is edge-triggered: read until it is empty, or come back at once.
            if more_to_read || events.iter().any(|e| e.token() == SOCKET && e.is_readable()) {
                more_to_read = self.read()?;
            }
            while let Ok(command) = self.commands.try_recv() {
                self.state.on_command(command, &mut self.socket, Instant::now());
            }
            self.state.turn(&mut self.socket, Instant::now());
            if self.state.stopping {
                self.state.close_all(&mut self.socket, Instant::now());
                return Ok(());
            }
        }
    }

    fn read(&mut self) -> io::Result<bool> {
        for _ in 0..BATCHES_PER_TURN {
            let state = &mut self.state;
            let now = Instant::now();
            let got = self
                .socket
                .receive(|out, datagram| state.on_datagram(datagram, out.socket(), now))?;
            if !got {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
