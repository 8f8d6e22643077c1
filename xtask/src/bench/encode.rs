//! A whole show against ffmpeg doing nothing but its encode.

use std::process::Command;
use std::time::Duration;

use testkit::{NginxOptions, NginxRtmp, Process, test_clip};

use super::Bench;
use super::cpu;
use super::figures::median;
use super::studio::{Live, Script};
use super::table::Row;

const LIMIT: f64 = 1.25;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Two sources composited at 720p30, x264 veryfast at 3 Mb/s, RTMP, recording, StreamCore with a viewer in
/// a browser, a desk with its picture and meters; alternating with ffmpeg.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let (mut studio, mut ffmpeg) = (Vec::new(), Vec::new());
    let server = NginxRtmp::start_with(NginxOptions::default())?;
    for round in 0..bench.rounds {
        ffmpeg.push(bare_ffmpeg(bench, &server, round)?);
        studio.push(whole_show(bench, &server, round)?);
        eprintln!(
            "  round {round}: studio {:.3}, ffmpeg {:.3}",
            studio[round], ffmpeg[round]
        );
    }
    let (studio, ffmpeg) = (median(&studio), median(&ffmpeg));
    Ok(vec![Row {
        what: "CPU-seconds per second: two sources, RTMP + recording + StreamCore with a viewer + desk"
            .into(),
        studio: format!("{studio:.3}"),
        peer: format!("{ffmpeg:.3} (ffmpeg, RTMP encode only)"),
        limit: Some((studio / ffmpeg, LIMIT)),
    }])
}

fn bare_ffmpeg(bench: &Bench, server: &NginxRtmp, round: usize) -> anyhow::Result<f64> {
    let key = format!("ffmpeg{round}");
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-re", "-stream_loop", "-1", "-i"])
        .arg(test_clip()?)
        .args([
            "-vf",
            "fps=30",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-tune",
            "zerolatency",
        ])
        .args([
            "-b:v", "3000k", "-maxrate", "3000k", "-bufsize", "1800k", "-g", "60", "-bf", "0",
        ])
        .args(["-sc_threshold", "0", "-pix_fmt", "yuv420p"])
        .args([
            "-c:a",
            "aac",
            "-b:a",
            "160k",
            "-ar",
            "48000",
            "-ac",
            "2",
            "-f",
            "flv",
            &server.url(&key),
        ]);
    let process = Process::start(&mut command)?;
    server.wait_publishing(&key, 100_000, READY_WITHIN)?;
    cpu::share(process.pid(), bench.length)
}

fn whole_show(bench: &Bench, server: &NginxRtmp, round: usize) -> anyhow::Result<f64> {
    let key = format!("studio{round}");
    let folder = tempfile::tempdir()?;
    let file = format!("file:{}", test_clip()?.display());
    let record = folder.path().join("show.mp4").display().to_string();
    let arguments = [
        "--source",
        &file,
        "--source",
        "test",
        "--to",
        &server.url(&key),
        "--to",
        "streamcore",
    ];
    let arguments: Vec<String> = arguments
        .into_iter()
        .chain(["--record", &record])
        .map(str::to_owned)
        .collect();
    let live = Live::start(bench, &arguments)?;
    server.wait_publishing(&key, 100_000, READY_WITHIN)?;
    let mut desk = Script::start(bench, "desk", &[&live.desk.0, &live.desk.1])?;
    desk.next()?;
    let seconds = (bench.length.as_secs() + 2).to_string();
    let mut viewer = Script::start(bench, "viewer", &[live.watch()?, &seconds])?;
    viewer.next()?;
    let share = cpu::share(live.pid(), bench.length)?;
    // The figures prove that the viewer and the desk were there all the time.
    let (seen, shown) = (viewer.next()?, desk.finish()?);
    anyhow::ensure!(
        seen["frames"].as_u64() > Some(bench.length.as_secs() * 20),
        "the viewer saw {seen}"
    );
    anyhow::ensure!(
        shown["pictures"].as_u64() > Some(bench.length.as_secs() * 10),
        "the desk saw {shown}"
    );
    live.end()?;
    Ok(share)
}
