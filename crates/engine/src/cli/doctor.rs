//! `studio-engine doctor`: what works here, and what to install.

use std::process::ExitCode;

use clap::Args;
use protocol::UserError;
use serde::Serialize;

use super::internal;

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What it is for.
    part: &'static str,
    /// It works.
    works: bool,
    /// Without it no show is possible.
    needed: bool,
    /// What was found, or what is missing.
    detail: String,
    /// What to install, where that is known.
    install: Option<String>,
}

/// Elements, what they are for, whether a show needs them, and the package that has them on Debian and Ubuntu.
const ELEMENTS: [(&str, &[&str], bool, &str); 14] = [
    (
        "compose",
        &["compositor", "videoconvertscale", "videorate"],
        true,
        "gstreamer1.0-plugins-base",
    ),
    (
        "sound",
        &["audiomixer", "audioconvert", "audioresample"],
        true,
        "gstreamer1.0-plugins-base",
    ),
    ("files", &["uridecodebin3"], true, "gstreamer1.0-plugins-base"),
    ("MP4 files", &["qtdemux"], false, "gstreamer1.0-plugins-good"),
    ("H.264 files", &["avdec_h264"], false, "gstreamer1.0-libav"),
    (
        "AAC",
        &["avenc_aac|fdkaacenc|voaacenc"],
        true,
        "gstreamer1.0-libav",
    ),
    ("Opus", &["opusenc"], true, "gstreamer1.0-plugins-base"),
    (
        "RTMP",
        &["flvmux", "rtmp2sink"],
        true,
        "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad",
    ),
    (
        "MP4 recording",
        &["isofmp4mux", "h264parse"],
        true,
        "gstreamer1.0-plugins-bad",
    ),
    (
        "Matroska recording",
        &["matroskamux"],
        false,
        "gstreamer1.0-plugins-good",
    ),
    ("desk picture", &["jpegenc"], true, "gstreamer1.0-plugins-good"),
    (
        "cameras",
        &["v4l2src|avfvideosrc|mfvideosrc|ksvideosrc"],
        false,
        "gstreamer1.0-plugins-good",
    ),
    (
        "microphones",
        &["pulsesrc|pipewiresrc|osxaudiosrc|wasapi2src"],
        false,
        "gstreamer1.0-pulseaudio",
    ),
    (
        "screens",
        &["ximagesrc|pipewiresrc|avfvideosrc|d3d11screencapturesrc"],
        false,
        "gstreamer1.0-plugins-good",
    ),
];

pub async fn run(arguments: &DoctorArguments) -> Result<ExitCode, UserError> {
    let findings = tokio::task::spawn_blocking(examine).await.map_err(internal)?;
    let able = findings.iter().all(|f| f.works || !f.needed);
    if arguments.json {
        let all = serde_json::json!({ "able": able, "findings": findings });
        println!("{}", serde_json::to_string_pretty(&all).map_err(internal)?);
    } else {
        for finding in &findings {
            let mark = match (finding.works, finding.needed) {
                (true, _) => "ok     ",
                (false, true) => "MISSING",
                (false, false) => "without",
            };
            println!("{mark}  {}: {}", finding.part, finding.detail);
            if let Some(install) = &finding.install {
                println!("         install: {install}");
            }
        }
        println!(
            "{}",
            if able {
                "A show can go on air from here."
            } else {
                "A show cannot go on air from here yet."
            }
        );
    }
    Ok(if able {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn examine() -> Vec<Finding> {
    let mut findings: Vec<Finding> = ELEMENTS
        .iter()
        .map(|(part, elements, needed, package)| {
            let missing: Vec<&str> = elements
                .iter()
                .copied()
                .filter(|one| !one.split('|').any(media::element_exists))
                .collect();
            Finding {
                part,
                works: missing.is_empty(),
                needed: *needed,
                detail: if missing.is_empty() {
                    elements.join(", ")
                } else {
                    missing.join(", ")
                },
                install: (!missing.is_empty()).then(|| (*package).to_owned()),
            }
        })
        .collect();
    let encoders = media::encoder::probe(protocol::Canvas::default());
    let names: Vec<&str> = encoders.iter().map(|e| e.name.as_str()).collect();
    findings.push(Finding {
        part: "H.264",
        works: !encoders.is_empty(),
        needed: true,
        detail: if names.is_empty() {
            "no encoder works".to_owned()
        } else {
            names.join(", ")
        },
        install: encoders
            .is_empty()
            .then(|| "gstreamer1.0-plugins-ugly".to_owned()),
    });
    let devices = media::device::DeviceWatch::start(|_| {}).devices();
    findings.push(Finding {
        part: "devices",
        works: !devices.is_empty(),
        needed: false,
        detail: format!("{} found", devices.len()),
        install: None,
    });
    findings
}
