//! RTMPS: trusted by the system's store, or not at all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gio::prelude::*;
use protocol::ErrorCode;
use tempfile::TempDir;
use testkit::{NginxRtmp, Process, free_tcp_port, run_to_end, wait_until};

use crate::stage::{Content, Stage, Watched, alone, rtmp, small};

/// Tells a child process of this very program which certificate to trust.
const CHILD: &str = "STUDIO_TEST_TRUST";

/// TLS in front of an RTMP server.
struct Front {
    port: u16,
    certificate: PathBuf,
    _process: Process,
    _folder: TempDir,
}

impl Front {
    /// With a certificate for `name`, made now, that nobody has signed.
    fn start(server: &NginxRtmp, name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |file: &str| folder.path().join(file);
        let (certificate, key) = (at("cert.pem"), at("key.pem"));
        run_to_end(
            Command::new("openssl")
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                ])
                .args(["-nodes", "-days", "2", "-subj", "/CN=studio test", "-addext"])
                .arg(format!("subjectAltName={name}"))
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        )
        .expect("openssl makes a certificate");
        let port = free_tcp_port().expect("a port");
        let text = format!(
            "foreground = yes\npid =\nsyslog = no\n[rtmps]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{}\ncert = {}\nkey = {}\n",
            server.port(),
            certificate.display(),
            key.display()
        );
        let settings = at("stunnel.conf");
        std::fs::write(&settings, text).expect("it can be written");
        let process = Process::start(Command::new("stunnel").arg(&settings)).expect("stunnel is installed");
        wait_until("stunnel listens", Duration::from_secs(5), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .expect("it listens");
        Self {
            port,
            certificate,
            _process: process,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        format!("rtmps://127.0.0.1:{}/live/key", self.port)
    }
}

#[test]
fn a_certificate_that_nobody_signed_is_refused() {
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let front = Front::start(&nginx, "IP:127.0.0.1");
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(&stage, &rendition, rtmp(&front.url()));
    let error = out.wait_failed(10);
    assert_eq!(error.code, ErrorCode::CertificateUntrusted, "{error:?}");
    assert_eq!(error.params["host"], format!("127.0.0.1:{}", front.port));
    assert!(nginx.calls().is_empty(), "the key was not even sent");
}

/// Carries a show over TLS with `certificate` in the trust store; run in a process of its own, whose store it is.
fn trusting(certificate: &Path, url: &str) -> Result<(), ErrorCode> {
    media::init().expect("GStreamer is installed");
    let store = gio::TlsFileDatabase::new(certificate).expect("it is a certificate");
    gio::TlsBackend::default().set_default_database(Some(&store));
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(&stage, &rendition, rtmp(url));
    out.wait("live or failed", 10, |state| {
        matches!(
            state,
            protocol::OutputState::Live { .. } | protocol::OutputState::Failed { .. }
        )
    });
    let end = match out.state() {
        protocol::OutputState::Failed { error } => Err(error.code),
        _ => Ok(()),
    };
    out.output.stop_blocking();
    end
}

fn in_a_child(test: &str, front: &Front) -> String {
    let _alone = alone();
    let mut me = Command::new(std::env::current_exe().expect("this program has a path"));
    me.args(["--exact", test, "--nocapture"])
        .env(CHILD, format!("{}\n{}", front.certificate.display(), front.url()));
    String::from_utf8_lossy(&run_to_end(&mut me).expect("the test inside passes")).into_owned()
}

fn told() -> Option<(PathBuf, String)> {
    let told = std::env::var(CHILD).ok()?;
    let (certificate, url) = told.split_once('\n')?;
    Some((certificate.into(), url.to_owned()))
}

#[test]
fn a_trusted_certificate_carries_the_show() {
    if let Some((certificate, url)) = told() {
        assert_eq!(trusting(&certificate, &url), Ok(()));
        return;
    }
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let front = Front::start(&nginx, "IP:127.0.0.1");
    in_a_child("tls::a_trusted_certificate_carries_the_show", &front);
    let path = nginx
        .finished_recording("key", Duration::from_secs(5))
        .expect("the server wrote it");
    let probe = testkit::probe::probe(&path).expect("ffprobe reads it");
    assert_eq!(probe.video().expect("it has a picture").codec, "h264");
}

#[test]
fn a_trusted_certificate_of_somebody_else_is_refused() {
    if let Some((certificate, url)) = told() {
        assert_eq!(trusting(&certificate, &url), Err(ErrorCode::CertificateUntrusted));
        return;
    }
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let front = Front::start(&nginx, "DNS:other.example");
    in_a_child("tls::a_trusted_certificate_of_somebody_else_is_refused", &front);
    assert!(nginx.calls().is_empty());
}
