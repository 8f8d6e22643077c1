//! A stream key stays out of every log.

use std::process::Command;

use testkit::{NginxRtmp, run_to_end};

use crate::stage::{Content, Stage, Watched, alone, rtmp, run_for, small};

/// Tells a child process of this very program where to send.
const CHILD: &str = "STUDIO_TEST_SECRET";
const CANARY: &str = "canary-7f3a91";

#[test]
fn keys_stay_out_of_logs_errors_and_states() {
    if let Ok(url) = std::env::var(CHILD) {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .init();
        let stage = Stage::start(Content::Card, small());
        let rendition = stage.rendition(800);
        for url in url.lines() {
            let out = Watched::start(&stage, &rendition, rtmp(url));
            run_for(1.0);
            println!("{:?} {:?}", out.output.status(), out.events);
            out.output.stop_blocking();
        }
        return;
    }
    let _alone = alone();
    let (good, bad) = (
        NginxRtmp::start().expect("nginx is installed"),
        NginxRtmp::start().expect("nginx is installed"),
    );
    bad.refuse_keys();
    let key = format!("{CANARY}?auth={CANARY}");
    let closed = testkit::free_tcp_port().expect("a port");
    let urls = [
        good.url(&key),
        bad.url(&key),
        format!("rtmp://127.0.0.1:{closed}/live/{key}"),
        format!("rtmps://127.0.0.1:{}/live/{key}", good.port()),
    ];
    let mut me = Command::new(std::env::current_exe().expect("this program has a path"));
    me.args([
        "--exact",
        "secret::keys_stay_out_of_logs_errors_and_states",
        "--nocapture",
    ])
    .env(CHILD, urls.join("\n"))
    // What a support person asks for. Above that GStreamer itself prints what it sends.
    .env("GST_DEBUG", "*:4")
    .env("GST_DEBUG_FILE", "-");
    let said = String::from_utf8_lossy(&run_to_end(&mut me).expect("the test inside passes")).into_owned();
    assert!(
        said.contains("output lost") && said.contains("rtmp"),
        "it logs:\n{said}"
    );
    assert!(
        good.calls()
            .iter()
            .any(|call| format!("{call:?}").contains(CANARY)),
        "the server had it"
    );
    let leaks: Vec<_> = said.lines().filter(|line| line.contains(CANARY)).collect();
    assert_eq!(leaks, Vec::<&str>::new());
}
