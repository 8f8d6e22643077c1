//! The web server that nginx asks whether a stream key may publish.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::PeerError;

/// Larger requests are not from nginx.
const MAX_BODY: usize = 64 * 1024;

/// One question of nginx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookCall {
    /// `publish` or `publish_done`.
    pub call: String,
    /// The stream's name without its query.
    pub name: String,
    /// The whole form as it came, still percent-encoded.
    pub form: String,
}

/// Answers nginx's `on_publish`: yes for every key, or 403 for all but the allowed one.
#[derive(Debug)]
pub struct PublishHook {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    refusing: AtomicBool,
    stopping: AtomicBool,
    calls: Mutex<Vec<HookCall>>,
}

impl PublishHook {
    /// Listens on a free port of 127.0.0.1 and says yes to everyone.
    ///
    /// # Errors
    /// [`PeerError::Io`] when no port can be bound.
    pub fn start() -> Result<Self, PeerError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(PeerError::io("the hook's port"))?;
        let address = listener.local_addr().map_err(PeerError::io("the hook's port"))?;
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().flatten() {
                    if shared.stopping.load(Ordering::Acquire) {
                        break;
                    }
                    if let Err(error) = answer(stream, &shared) {
                        tracing::debug!(%error, "hook request failed");
                    }
                }
            }
        });
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// The address for `on_publish`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on every key is refused with 403.
    pub fn refuse(&self) {
        self.shared.refusing.store(true, Ordering::Release);
    }

    /// From now on every key is let in again.
    pub fn allow(&self) {
        self.shared.refusing.store(false, Ordering::Release);
    }

    /// What was asked so far, in order.
    pub fn calls(&self) -> Vec<HookCall> {
        self.shared
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for PublishHook {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // One connection wakes the thread out of `accept`.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; usize::min(length, MAX_BODY)];
    reader.read_exact(&mut body)?;
    let form = String::from_utf8_lossy(&body).into_owned();
    let field = |name: &str| {
        let pair = form
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|pair| pair.0 == name);
        pair.map(|pair| pair.1.to_owned()).unwrap_or_default()
    };
    let call = HookCall {
        call: field("call"),
        name: field("name"),
        form: form.clone(),
    };
    let refused = call.call == "publish" && shared.refusing.load(Ordering::Acquire);
    shared
        .calls
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(call);
    let status = if refused { "403 Forbidden" } else { "200 OK" };
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(hook: &PublishHook, form: &str) -> String {
        let mut stream = TcpStream::connect(hook.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn keys_are_let_in_and_refused() {
        let hook = PublishHook::start().unwrap();
        assert!(ask(&hook, "call=publish&name=one&key=a").starts_with("HTTP/1.1 200"));
        hook.refuse();
        assert!(ask(&hook, "call=publish&name=two").starts_with("HTTP/1.1 403"));
        assert!(
            ask(&hook, "call=publish_done&name=one").starts_with("HTTP/1.1 200"),
            "an end is no question"
        );
        hook.allow();
        assert!(ask(&hook, "call=publish&name=two").starts_with("HTTP/1.1 200"));
        let names: Vec<_> = hook
            .calls()
            .into_iter()
            .map(|call| (call.call, call.name))
            .collect();
        assert_eq!(names[0], ("publish".into(), "one".into()));
        assert_eq!(names.len(), 4, "every question is kept: {names:?}");
    }
}
