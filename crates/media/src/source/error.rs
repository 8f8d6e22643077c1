//! What goes wrong with a source, and how it is said.

use protocol::{ErrorCode, UserError};

/// Why a source could not be started at all. What fails later is in its status.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The settings are out of range.
    #[error("use these settings: {}", .0.code.as_str())]
    Settings(UserError),
    /// The new settings are of another kind; that takes a new source.
    #[error("change the kind of a running source")]
    OtherKind,
    /// The computer gives no thread.
    #[error("start the source's thread")]
    Thread(#[source] std::io::Error),
    /// GStreamer is incomplete.
    #[error("build the source: the element {element} is missing or does not work")]
    ElementMissing {
        /// The element's name.
        element: &'static str,
    },
}

impl SourceError {
    /// As a person is told.
    pub fn to_user(&self) -> UserError {
        match self {
            Self::Settings(error) => error.clone(),
            Self::OtherKind => UserError::new(ErrorCode::BadValue)
                .with("field", "kind")
                .with("detail", "a running source keeps its kind"),
            Self::Thread(error) => UserError::new(ErrorCode::Internal).with("detail", error),
            Self::ElementMissing { element } => element_missing(element),
        }
    }
}

/// Trouble inside a source, and whether trying again can help.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) error: UserError,
    pub(crate) hopeless: bool,
}

impl Trouble {
    /// Tried again by itself.
    pub(crate) fn passing(error: UserError) -> Self {
        Self {
            error,
            hopeless: false,
        }
    }

    /// Waits for the host.
    pub(crate) fn hopeless(error: UserError) -> Self {
        Self {
            error,
            hopeless: true,
        }
    }
}

pub(crate) fn element_missing(element: &str) -> UserError {
    UserError::new(ErrorCode::ElementMissing)
        .with("missing", element)
        .with("package", package_of(element))
}

/// Debian's name of the package; other systems' package managers use nearly the same.
fn package_of(element: &str) -> &'static str {
    match element {
        "pulsesrc" => "gstreamer1.0-pulseaudio",
        "pipewiresrc" => "gstreamer1.0-pipewire",
        "v4l2src" | "ximagesrc" | "videoflip" | "deinterlace" => "gstreamer1.0-plugins-good",
        _ => "gstreamer1.0-plugins-base",
    }
}

pub(crate) fn file_error(path: &str, error: &std::io::Error) -> Trouble {
    use std::io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ErrorCode::FileMissing,
        _ => ErrorCode::FileUnreadable,
    };
    Trouble::passing(UserError::new(code).with("path", path).with("detail", error))
}

pub(crate) fn media_unreadable(path: &str, detail: impl ToString) -> UserError {
    UserError::new(ErrorCode::MediaUnreadable)
        .with("path", path)
        .with("detail", detail)
}

/// What a file's pipeline says, for a person.
pub(crate) fn from_file_pipeline(path: &str, error: &gst::glib::Error) -> Trouble {
    if error.matches(gst::ResourceError::NotFound) {
        Trouble::passing(UserError::new(ErrorCode::FileMissing).with("path", path))
    } else if error.matches(gst::ResourceError::OpenRead) || error.matches(gst::ResourceError::NotAuthorized)
    {
        Trouble::passing(UserError::new(ErrorCode::FileUnreadable).with("path", path))
    } else {
        Trouble::passing(media_unreadable(path, error.message()))
    }
}

/// What a device's pipeline says, for a person. `device` is the name that the host knows.
pub(crate) fn from_device_pipeline(device: &str, error: &gst::glib::Error) -> Trouble {
    use gst::ResourceError as R;
    let text = error.message().to_lowercase();
    let code = if error.matches(R::Busy) || text.contains("busy") || text.contains("in use") {
        ErrorCode::DeviceBusy
    } else if error.matches(R::NotAuthorized) || text.contains("permission") || text.contains("denied") {
        ErrorCode::DeviceDenied
    } else if error.matches(gst::StreamError::Format) || error.matches(gst::CoreError::Negotiation) {
        ErrorCode::CaptureUnavailable
    } else {
        // Not found, read failed, settings refused: for the person it is gone, and it is watched for.
        ErrorCode::DeviceMissing
    };
    let error = UserError::new(code)
        .with("device", device)
        .with("what", device)
        .with("missing", error.message());
    Trouble::passing(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gstreamer_says_becomes_what_a_person_needs() {
        let of = |error: gst::glib::Error| from_device_pipeline("cam", &error).error.code;
        let error = |kind: gst::ResourceError, text| gst::glib::Error::new(kind, text);
        assert_eq!(of(error(gst::ResourceError::Busy, "x")), ErrorCode::DeviceBusy);
        assert_eq!(
            of(error(
                gst::ResourceError::OpenReadWrite,
                "Device '/dev/video0' is busy"
            )),
            ErrorCode::DeviceBusy
        );
        assert_eq!(
            of(error(gst::ResourceError::OpenReadWrite, "Permission denied")),
            ErrorCode::DeviceDenied
        );
        assert_eq!(
            of(error(gst::ResourceError::Read, "gone")),
            ErrorCode::DeviceMissing
        );
        let file = from_file_pipeline("/a", &error(gst::ResourceError::NotFound, "no"));
        assert_eq!(file.error.code, ErrorCode::FileMissing);
        let file = from_file_pipeline("/a", &gst::glib::Error::new(gst::StreamError::Demux, "bad"));
        assert_eq!(file.error.code, ErrorCode::MediaUnreadable);
        assert!(!file.hopeless, "a file may be mended while the show runs");
    }
}
