//! `studio-engine devices`.

use std::process::ExitCode;

use clap::Args;
use protocol::{Device, DeviceKind, EncoderInfo, UserError};
use serde::Serialize;

use super::internal;

#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Found {
    devices: Vec<Device>,
    encoders: Vec<EncoderInfo>,
}

pub async fn run(arguments: &DevicesArguments) -> Result<ExitCode, UserError> {
    let found = tokio::task::spawn_blocking(|| Found {
        devices: media::device::DeviceWatch::start(|_| {}).devices(),
        encoders: media::encoder::probe(protocol::Canvas::default()),
    })
    .await
    .map_err(internal)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found).map_err(internal)?);
        return Ok(ExitCode::SUCCESS);
    }
    let kinds = [
        (DeviceKind::Camera, "Cameras", "camera"),
        (DeviceKind::Microphone, "Microphones", "mic"),
        (DeviceKind::DesktopAudio, "Desktop sound", "desktop"),
        (DeviceKind::Screen, "Screens", "screen"),
        (DeviceKind::Window, "Windows", "window"),
    ];
    for (kind, title, word) in kinds {
        println!("{title}");
        let mut any = false;
        for device in found.devices.iter().filter(|d| d.kind == kind) {
            any = true;
            let mark = if device.default { " (default)" } else { "" };
            println!("  {}{mark}\n    {word}:{}", device.name, device.id);
        }
        if !any {
            println!("  none found");
        }
    }
    println!("Encoders");
    for encoder in &found.encoders {
        println!("  {} ({})", encoder.name, encoder.id);
    }
    if found.encoders.is_empty() {
        println!("  none works; studio-engine doctor says what to install");
    }
    Ok(ExitCode::SUCCESS)
}
