//! nginx with the RTMP module: the server that real shows go to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{HookCall, PeerError, Process, PublishHook, Stat, free_tcp_port, wait_for, wait_until};

/// Starting takes about 50 ms; a loaded machine gets time.
const START_WITHIN: Duration = Duration::from_secs(10);
/// Tries with new ports, should another process take one between asking and binding.
const TRIES: usize = 5;
/// Where Debian, Ubuntu and Arch (first), then Fedora, put the module.
const MODULES: [&str; 2] = [
    "/usr/lib/nginx/modules/ngx_rtmp_module.so",
    "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
];

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct NginxOptions {
    /// Also write every stream to an FLV file; see [`NginxRtmp::recordings`].
    pub recording: bool,
    /// Listen on this port instead of a free one, for a server that comes back where it was.
    pub rtmp_port: Option<u16>,
}

/// An RTMP server in a folder of its own; gone with its folder when dropped.
///
/// The application is `live`, so a stream's address is `rtmp://127.0.0.1:PORT/live/KEY`.
#[derive(Debug)]
pub struct NginxRtmp {
    // Dropped first: nginx must be gone before its folder.
    process: Option<Process>,
    hook: PublishHook,
    recording: bool,
    rtmp_port: u16,
    http_port: u16,
    folder: TempDir,
}

impl NginxRtmp {
    /// Starts a server that lets every key in and records.
    ///
    /// # Errors
    /// [`PeerError`] when nginx or its RTMP module is missing or does not listen in time.
    pub fn start() -> Result<Self, PeerError> {
        Self::start_with(NginxOptions {
            recording: true,
            rtmp_port: None,
        })
    }

    /// Starts a server with `options`.
    ///
    /// # Errors
    /// [`PeerError`] when nginx or its RTMP module is missing or does not listen in time.
    pub fn start_with(options: NginxOptions) -> Result<Self, PeerError> {
        let folder = tempfile::Builder::new()
            .prefix("testkit-nginx-")
            .tempdir()
            .map_err(PeerError::io("a temporary folder"))?;
        let mut server = Self {
            process: None,
            hook: PublishHook::start()?,
            recording: options.recording,
            rtmp_port: 0,
            http_port: 0,
            folder,
        };
        let mut last = None;
        for _ in 0..TRIES {
            server.rtmp_port = options.rtmp_port.map_or_else(free_tcp_port, Ok)?;
            server.http_port = free_tcp_port()?;
            match server.restart() {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| PeerError::unreadable("nginx", "it was never tried")))
    }

    /// The address to publish to with `key`.
    pub fn url(&self, key: &str) -> String {
        format!("rtmp://127.0.0.1:{}/live/{key}", self.rtmp_port)
    }

    /// The RTMP port.
    pub fn port(&self) -> u16 {
        self.rtmp_port
    }

    /// From now on every key is refused with 403.
    pub fn refuse_keys(&self) {
        self.hook.refuse();
    }

    /// From now on every key is let in again.
    pub fn allow_keys(&self) {
        self.hook.allow();
    }

    /// Every publish and end of a publish that nginx asked about.
    pub fn calls(&self) -> Vec<HookCall> {
        self.hook.calls()
    }

    /// The stat page now.
    ///
    /// # Errors
    /// [`PeerError::Io`] when the server does not run.
    pub fn stat(&self) -> Result<Stat, PeerError> {
        Stat::parse(&self.get("/stat")?)
    }

    /// Waits until `key` is published and at least `bytes` of it have arrived.
    ///
    /// # Errors
    /// [`PeerError::Deadline`] after `within`.
    pub fn wait_publishing(&self, key: &str, bytes: u64, within: Duration) -> Result<(), PeerError> {
        wait_until(&format!("{key} published with {bytes} bytes"), within, || {
            let stat = self.stat().ok();
            let stream = stat.as_ref().and_then(|stat| stat.stream(key));
            stream.is_some_and(|stream| stream.publishing && stream.bytes_in >= bytes)
        })
    }

    /// Drops the publisher of `key`, as a server's operator would.
    ///
    /// # Errors
    /// [`PeerError::Io`] when the server does not run.
    pub fn drop_publisher(&self, key: &str) -> Result<(), PeerError> {
        self.get(&format!("/control/drop/publisher?app=live&name={key}"))
            .map(drop)
    }

    /// The FLV files written for `key` so far, oldest first: one for each time that it was published.
    ///
    /// A file is complete once its publisher is gone.
    ///
    /// # Errors
    /// [`PeerError::Io`] when the folder cannot be read.
    pub fn recordings(&self, key: &str) -> Result<Vec<PathBuf>, PeerError> {
        let folder = self.folder.path().join("recorded");
        let entries = std::fs::read_dir(&folder).map_err(PeerError::io("the folder of recordings"))?;
        let mut found: Vec<_> = entries
            .flatten()
            .filter(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("{key}-"))
            })
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    /// Waits until the publisher of `key` is gone, and returns the last recording.
    ///
    /// # Errors
    /// [`PeerError::Deadline`] when it is still published, or nothing was recorded, after `within`.
    pub fn finished_recording(&self, key: &str, within: Duration) -> Result<PathBuf, PeerError> {
        wait_for(&format!("the finished recording of {key}"), within, || {
            let stat = self.stat().ok()?;
            if stat.stream(key).is_some_and(|stream| stream.publishing) {
                return None;
            }
            self.recordings(key).ok()?.pop()
        })
    }

    /// Kills it (SIGKILL): every connection is cut at once.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it where it stands: connections stay open and nothing is read any more.
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn freeze(&mut self) -> Result<(), PeerError> {
        self.process.as_mut().map_or(Ok(()), Process::freeze)
    }

    /// Lets it go on after [`NginxRtmp::freeze`].
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn thaw(&mut self) -> Result<(), PeerError> {
        self.process.as_mut().map_or(Ok(()), Process::thaw)
    }

    /// Starts it again on the same ports, killing it first if it runs.
    ///
    /// # Errors
    /// [`PeerError`] when it does not listen in time.
    pub fn restart(&mut self) -> Result<(), PeerError> {
        self.process = None;
        let folder = self.folder.path();
        let configuration = folder.join("nginx.conf");
        std::fs::create_dir_all(folder.join("recorded"))
            .map_err(PeerError::io("the folder of recordings"))?;
        std::fs::write(&configuration, self.configuration()?).map_err(PeerError::io("nginx.conf"))?;
        let mut process = Process::start(
            Command::new(nginx_program())
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(&configuration)
                .arg("-e")
                .arg(folder.join("error.log")),
        )?;
        let listening = wait_for("nginx listening", START_WITHIN, || {
            if !process.running() {
                return Some(false);
            }
            (self.get("/stat").is_ok() && TcpStream::connect(("127.0.0.1", self.rtmp_port)).is_ok())
                .then_some(true)
        })?;
        if !listening {
            let status = process.wait_exit(START_WITHIN)?;
            return Err(process.failed(status));
        }
        self.process = Some(process);
        Ok(())
    }

    fn get(&self, path: &str) -> Result<String, PeerError> {
        let what = || PeerError::io(format!("nginx's {path}"));
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).map_err(what())?;
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .map_err(what())?;
        // HTTP/1.0: the answer ends with the connection, no chunks to decode.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").map_err(what())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(what())?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if head.split(' ').nth(1) == Some("200") {
            Ok(body.to_owned())
        } else {
            Err(PeerError::unreadable(
                path,
                head.lines().next().unwrap_or("no answer"),
            ))
        }
    }

    fn configuration(&self) -> Result<String, PeerError> {
        let module = MODULES.iter().find(|path| Path::new(path).exists());
        let module = module
            .ok_or_else(|| PeerError::unreadable("nginx's RTMP module", format!("none of {MODULES:?}")))?;
        let folder = self.folder.path().display();
        let record = if self.recording {
            format!("record all; record_path {folder}/recorded; record_unique on; record_suffix .flv;")
        } else {
            "record off;".to_owned()
        };
        // One process, no master: what is killed is the server itself.
        Ok(format!(
            "load_module {module};
             daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
             error_log {folder}/error.log notice;
             events {{ worker_connections 256; }}
             rtmp {{ server {{
                 listen 127.0.0.1:{rtmp}; chunk_size 4096; access_log off;
                 application live {{
                     live on; {record}
                     on_publish {hook}; on_publish_done {hook};
                 }}
             }} }}
             http {{
                 access_log off;
                 client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                 fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
                 scgi_temp_path {folder}/scgi;
                 server {{
                     listen 127.0.0.1:{http};
                     location /stat {{ rtmp_stat all; }}
                     location /control {{ rtmp_control all; }}
                 }}
             }}\n",
            rtmp = self.rtmp_port,
            http = self.http_port,
            hook = self.hook.url(),
        ))
    }
}

/// Debian keeps nginx in a folder that an ordinary user's search path lacks.
fn nginx_program() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() {
        "/usr/sbin/nginx"
    } else {
        "nginx"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(15);

    fn publish(url: &str, seconds: u32) -> Process {
        let source = format!("testsrc2=size=320x180:rate=30:duration={seconds}");
        let arguments = [
            "-v", "error", "-re", "-f", "lavfi", "-i", &source, "-c:v", "libx264", "-g", "30",
        ];
        let mut command = Command::new("ffmpeg");
        command
            .args(arguments)
            .args(["-pix_fmt", "yuv420p", "-f", "flv", url]);
        Process::start(&mut command).unwrap()
    }

    #[test]
    fn a_stream_is_listed_and_recorded() {
        let server = NginxRtmp::start().unwrap();
        let mut publisher = publish(&server.url("show"), 2);
        server.wait_publishing("show", 1000, WITHIN).unwrap();
        assert_eq!(
            server.stat().unwrap().stream("show").map(|stream| stream.width),
            Some(320)
        );
        assert!(publisher.wait_exit(WITHIN).unwrap().success());
        let file = server.finished_recording("show", WITHIN).unwrap();
        let probe = crate::probe::probe(&file).unwrap();
        assert_eq!(probe.video().unwrap().codec, "h264");
        let calls: Vec<_> = server.calls().into_iter().map(|call| call.call).collect();
        assert_eq!(calls.first().map(String::as_str), Some("publish"), "{calls:?}");
    }

    #[test]
    fn a_refused_key_ends_the_publisher() {
        let server = NginxRtmp::start().unwrap();
        server.refuse_keys();
        let status = publish(&server.url("wrong"), 10).wait_exit(WITHIN).unwrap();
        assert!(!status.success(), "ffmpeg must be thrown out");
        assert!(
            server.recordings("wrong").unwrap().is_empty(),
            "nothing may be stored"
        );
    }

    #[test]
    fn a_killed_server_comes_back_at_its_address() {
        let mut server = NginxRtmp::start().unwrap();
        let url = server.url("show");
        let mut publisher = publish(&url, 30);
        server.wait_publishing("show", 1000, WITHIN).unwrap();
        server.kill();
        assert!(server.stat().is_err(), "a killed server does not answer");
        publisher.wait_exit(WITHIN).unwrap();
        server.restart().unwrap();
        assert_eq!(server.url("show"), url);
        let mut publisher = publish(&url, 1);
        assert!(
            publisher.wait_exit(WITHIN).unwrap().success(),
            "{}",
            publisher.output()
        );
    }

    #[test]
    fn a_dropped_publisher_is_gone() {
        let server = NginxRtmp::start().unwrap();
        let mut publisher = publish(&server.url("show"), 30);
        server.wait_publishing("show", 1000, WITHIN).unwrap();
        server.drop_publisher("show").unwrap();
        assert!(
            !publisher.wait_exit(WITHIN).unwrap().success(),
            "the connection must be cut"
        );
    }
}
