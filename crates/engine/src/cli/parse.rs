//! Values of the command line.

use std::path::{Path, PathBuf};

use protocol::{Canvas, Colour, DeviceId, ErrorCode, RoomId, RtmpUrl, SourceSettings, TextStyle, UserError};
use secrecy::SecretString;

/// `--source`.
///
/// # Errors
/// [`ErrorCode::BadValue`] when the word before the colon is unknown or what follows is missing;
/// [`ErrorCode::FileMissing`] when a file is not there.
pub fn source(text: &str) -> Result<SourceSettings, UserError> {
    let (kind, rest) = text
        .split_once(':')
        .map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    let bad = || {
        UserError::new(ErrorCode::BadValue)
            .with("field", "--source")
            .with("detail", text)
    };
    let device = || rest.map(DeviceId::try_from).transpose().map_err(|_| bad());
    match (kind, rest) {
        ("camera", _) => Ok(SourceSettings::Camera { device: device()? }),
        ("mic", _) => Ok(SourceSettings::Microphone { device: device()? }),
        ("desktop", _) => Ok(SourceSettings::DesktopAudio { device: device()? }),
        ("screen", _) => Ok(SourceSettings::Screen {
            device: device()?,
            cursor: true,
        }),
        ("file", Some(path)) => Ok(SourceSettings::File {
            path: existing(path)?,
            looping: true,
        }),
        ("image", Some(path)) => Ok(SourceSettings::Image {
            path: existing(path)?,
        }),
        ("text", Some(words)) => Ok(SourceSettings::Text(TextStyle {
            text: words.to_owned(),
            font: "Inter".to_owned(),
            size: 64,
            bold: true,
            colour: Colour {
                red: 255,
                green: 255,
                blue: 255,
                alpha: 255,
            },
            outline: Colour {
                red: 0,
                green: 0,
                blue: 0,
                alpha: 255,
            },
            outline_width: 3,
            scroll: 0,
        })),
        ("test", None) => Ok(SourceSettings::TestCard { tone_hz: 1000 }),
        _ => Err(bad()),
    }
}

fn existing(path: &str) -> Result<String, UserError> {
    let missing = |code| UserError::new(code).with("path", path);
    let absolute = std::fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(ErrorCode::FileMissing),
        _ => missing(ErrorCode::FileUnreadable),
    })?;
    std::fs::File::open(&absolute).map_err(|_| missing(ErrorCode::FileUnreadable))?;
    absolute
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| missing(ErrorCode::FileUnreadable))
}

/// `--to`.
#[derive(Debug)]
pub enum To {
    /// A room of the embedded StreamCore.
    Room(RoomId),
    /// A server, with the key that stood in its address.
    Rtmp(RtmpUrl, Option<SecretString>),
}

/// Reads `--to`. What is wrong with an address is said without the part that may be a key.
///
/// # Errors
/// [`ErrorCode::UrlInvalid`], [`ErrorCode::BadValue`].
pub fn to(text: &str) -> Result<To, UserError> {
    let room = |name: &str| {
        RoomId::try_from(name).map(To::Room).map_err(|_| {
            UserError::new(ErrorCode::BadValue)
                .with("field", "--to")
                .with("detail", name)
        })
    };
    match text.split_once(':') {
        None if text == "streamcore" => room("studio"),
        Some(("streamcore", name)) => room(name),
        _ => {
            let (url, key) = RtmpUrl::split_key(text).map_err(|error| {
                let shown = text.rsplit_once('/').map_or(text, |(before, _)| before);
                UserError::new(ErrorCode::UrlInvalid)
                    .with("url", shown)
                    .with("detail", error)
            })?;
            Ok(To::Rtmp(url, key.map(SecretString::from)))
        }
    }
}

/// `--size 1280x720` and `--fps 30`.
///
/// # Errors
/// [`ErrorCode::BadValue`].
pub fn canvas(size: &str, fps: u32) -> Result<Canvas, UserError> {
    let bad = |detail: String| {
        UserError::new(ErrorCode::BadValue)
            .with("field", "--size")
            .with("detail", detail)
    };
    let (width, height) = size.split_once(['x', '×']).ok_or_else(|| bad(size.to_owned()))?;
    let side = |text: &str| text.parse::<u32>().map_err(|_| bad(size.to_owned()));
    Canvas::new(side(width)?, side(height)?, fps)
        .map_err(|_| bad(format!("{size} {fps} (64x64–3840x2160, 24–60)")))
}

/// `--record`: where the file goes. The folder must be there.
///
/// # Errors
/// [`ErrorCode::FolderUnwritable`] when it is not; [`ErrorCode::BadValue`] when the ending is neither .mp4 nor .mkv;
/// [`ErrorCode::RecordingFailed`] when the file is there already: it is never overwritten.
pub fn recording(path: &Path) -> Result<(PathBuf, protocol::Container), UserError> {
    let shown = path.display().to_string();
    let container = match path.extension().and_then(|e| e.to_str()) {
        Some("mp4") => protocol::Container::Mp4,
        Some("mkv") => protocol::Container::Mkv,
        _ => {
            return Err(UserError::new(ErrorCode::BadValue)
                .with("field", "--record")
                .with("detail", shown));
        }
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = std::fs::canonicalize(folder)
        .map_err(|_| UserError::new(ErrorCode::FolderUnwritable).with("path", folder.display()))?;
    let name = path.file_name().unwrap_or_default();
    let whole = folder.join(name);
    if whole.exists() {
        return Err(UserError::new(ErrorCode::RecordingFailed)
            .with("path", shown)
            .with("detail", "exists"));
    }
    Ok((whole, container))
}

/// `30`, `30s`, `5m`, `1h`.
///
/// # Errors
/// A sentence for clap.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (digits, scale) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(digits) if text.ends_with('h') => (digits, 3600.0),
        Some(digits) if text.ends_with('m') => (digits, 60.0),
        Some(digits) => (digits, 1.0),
        None => (text, 1.0),
    };
    match digits.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds * scale <= 7.0 * 86_400.0 => {
            Ok(std::time::Duration::from_secs_f64(seconds * scale))
        }
        _ => Err("write a length such as 10s, 5m or 1h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn sources_are_named_by_their_kind() {
        assert!(matches!(source("test"), Ok(SourceSettings::TestCard { .. })));
        assert!(matches!(
            source("camera:/dev/video0"),
            Ok(SourceSettings::Camera { device: Some(_) })
        ));
        assert!(matches!(source("text:a: b"), Ok(SourceSettings::Text(style)) if style.text == "a: b"));
        assert_eq!(
            source("file:/nowhere.mp4").unwrap_err().code,
            ErrorCode::FileMissing
        );
        for bad in ["laser", "file", "test:1", ""] {
            assert_eq!(source(bad).unwrap_err().code, ErrorCode::BadValue, "{bad:?}");
        }
    }

    #[test]
    fn a_wrong_address_is_said_without_its_key() {
        let error = to("rtmp://me:pw@host/live/s3cret").unwrap_err();
        assert_eq!(error.code, ErrorCode::UrlInvalid);
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        let To::Rtmp(url, Some(key)) = to("rtmp://127.0.0.1/live/k3y").unwrap() else {
            panic!("a server")
        };
        assert_eq!(
            (url.as_str(), key.expose_secret()),
            ("rtmp://127.0.0.1/live", "k3y")
        );
        assert!(matches!(to("streamcore:my-room"), Ok(To::Room(room)) if room.as_str() == "my-room"));
    }

    #[test]
    fn lengths_have_units() {
        assert_eq!(duration("10s").unwrap().as_secs(), 10);
        assert_eq!(duration("2").unwrap().as_secs(), 2);
        assert_eq!(duration("1.5m").unwrap().as_secs(), 90);
        for bad in ["", "s", "-1s", "0", "nan", "1d", "999999h"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
