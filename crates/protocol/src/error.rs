//! What goes wrong, as a person is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Names and values that the sentence of an error is made with: `host`, `path`, `device`. Never a secret.
pub type Params = BTreeMap<String, String>;

/// An error for a person. Title and hint stand in the desk's catalogues, in every language, under
/// `error_{code}_title` and `error_{code}_hint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UserError {
    /// Which.
    pub code: ErrorCode,
    /// What it is about.
    pub params: Params,
    /// How bad.
    pub severity: Severity,
    /// When the studio itself tries again, in milliseconds from now; `None` when it waits for the host.
    pub retry_after_ms: Option<u32>,
}

impl UserError {
    /// An error that stops what was asked for.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            params: Params::new(),
            severity: Severity::Error,
            retry_after_ms: None,
        }
    }

    /// With one more name and value for its sentence, cut to 300 characters.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        let value: String = value.to_string().chars().take(300).collect();
        self.params.insert(name.to_owned(), value);
        self
    }

    /// With the time after which the studio tries again by itself.
    #[must_use]
    pub fn retried_after_ms(mut self, ms: u32) -> Self {
        self.retry_after_ms = Some(ms);
        self.severity = Severity::Warning;
        self
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worse than it should be, and the studio is dealing with it.
    Warning,
    /// Something stopped and will not mend itself.
    Error,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, exit $exit:literal;)*) => {
        /// What went wrong. The text is part of the interface; the number is the command line's exit code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[ts(export)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// Every code, for catalogues and their tests.
            pub const ALL: &'static [ErrorCode] = &[$(Self::$name,)*];

            /// The code as it stands on the wire and in the catalogues' keys.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What the command line exits with when this ends it.
            pub fn exit_code(self) -> u8 {
                match self { $(Self::$name => $exit,)* }
            }
        }
    };
}

error_codes! {
    /// Something inside failed that no user can mend; the log has it. `detail`.
    Internal = "internal", exit 1;
    /// The message could not be read. `detail`.
    BadRequest = "bad_request", exit 2;
    /// A value is out of range. `field`, `detail`.
    BadValue = "bad_value", exit 2;
    /// The token is missing or wrong.
    BadToken = "bad_token", exit 2;
    /// The desk and the engine are of versions that do not understand each other.
    VersionMismatch = "version_mismatch", exit 2;
    /// What the command names is no longer there. `thing`.
    NotFound = "not_found", exit 2;
    /// Only off air: canvas and encoder stand fixed while a show runs.
    OnAirLocked = "on_air_locked", exit 2;
    /// A limit of the studio (`what`, `most`).
    LimitReached = "limit_reached", exit 2;
    /// Nothing to go live with: no destination is switched on.
    NoDestination = "no_destination", exit 2;
    /// A source is used by scenes and cannot simply go. `scenes`.
    SourceInUse = "source_in_use", exit 2;
    /// The last scene stays.
    LastScene = "last_scene", exit 2;
    /// No such file. `path`.
    FileMissing = "file_missing", exit 3;
    /// The file is there and may not be read. `path`.
    FileUnreadable = "file_unreadable", exit 3;
    /// Not a medium that can be played or shown. `path`, `detail`.
    MediaUnreadable = "media_unreadable", exit 3;
    /// The device is not there (unplugged, or never was). `device`.
    DeviceMissing = "device_missing", exit 4;
    /// The device is there and another program holds it. `device`.
    DeviceBusy = "device_busy", exit 4;
    /// The system did not allow the device. `device`.
    DeviceDenied = "device_denied", exit 4;
    /// This computer has nothing to capture that with. `what`, `missing`.
    CaptureUnavailable = "capture_unavailable", exit 4;
    /// Nothing was chosen in the system's own dialog. `what`.
    CaptureCancelled = "capture_cancelled", exit 4;
    /// The system, or the person through it, ended what was shared. `what`.
    CaptureEnded = "capture_ended", exit 4;
    /// The source gives no picture or sound though it is open. `source`.
    SourceStalled = "source_stalled", exit 4;
    /// No H.264 encoder was found. `missing`.
    NoEncoder = "no_encoder", exit 5;
    /// A GStreamer element is not installed. `missing`, `package`.
    ElementMissing = "element_missing", exit 5;
    /// The address of a destination is none. `url`, `detail`.
    UrlInvalid = "url_invalid", exit 6;
    /// The host's name is unknown. `host`.
    HostUnknown = "host_unknown", exit 6;
    /// Nobody answers at the address. `host`.
    ConnectionRefused = "connection_refused", exit 6;
    /// The connection broke or answers no more. `host`.
    ConnectionLost = "connection_lost", exit 6;
    /// The server speaks something else. `host`.
    ProtocolMismatch = "protocol_mismatch", exit 6;
    /// The server's certificate is not trusted. `host`.
    CertificateUntrusted = "certificate_untrusted", exit 6;
    /// The server refused the stream key. `host`.
    KeyRefused = "key_refused", exit 7;
    /// The application of the address is unknown to the server. `host`.
    ApplicationUnknown = "application_unknown", exit 7;
    /// No key where one was promised. `name`.
    KeyMissing = "key_missing", exit 7;
    /// The system's keyring does not answer. `detail`.
    KeyringUnavailable = "keyring_unavailable", exit 7;
    /// The disk is full or nearly. `path`, `free_mb`.
    DiskFull = "disk_full", exit 8;
    /// The folder cannot be written. `path`.
    FolderUnwritable = "folder_unwritable", exit 8;
    /// The recording failed. `path`, `detail`.
    RecordingFailed = "recording_failed", exit 8;
    /// The address of a shop is none that keys may be sent to. `url`, `detail`.
    ShopAddressInvalid = "shop_address_invalid", exit 6;
    /// The shop knows no such keys. `host`.
    ShopKeyRefused = "shop_key_refused", exit 7;
    /// The shop knows the keys, and they may not read products. `host`.
    ShopReadDenied = "shop_read_denied", exit 7;
    /// No WooCommerce answers in the shop. `host`.
    ShopApiMissing = "shop_api_missing", exit 6;
    /// The shop has moved to another address. `host`, `to`.
    ShopMoved = "shop_moved", exit 6;
    /// The shop cannot be reached. `host`.
    ShopUnreachable = "shop_unreachable", exit 6;
    /// The shop's certificate is not trusted. `host`.
    ShopUntrusted = "shop_untrusted", exit 6;
    /// The shop asks for fewer questions, or has trouble of its own. `host`, `status`.
    ShopBusy = "shop_busy", exit 6;
    /// What the shop answers cannot be understood. `host`, `detail`.
    ShopAnswerUnreadable = "shop_answer_unreadable", exit 6;
    /// A file of products has no table that can be read. `path`.
    CsvUnreadable = "csv_unreadable", exit 3;
    /// The product is sold out and cannot be featured. `title`.
    ProductSoldOut = "product_sold_out", exit 2;
    /// The product comes from a shop and is changed there. `title`.
    ProductOfShop = "product_of_shop", exit 2;
    /// Another program has the port. `address`.
    PortTaken = "port_taken", exit 9;
    /// Another engine works in this data folder. `path`, `pid`.
    DataFolderTaken = "data_folder_taken", exit 10;
    /// The database cannot be used. `path`, `detail`.
    DatabaseUnusable = "database_unusable", exit 10;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_the_same_on_the_wire_and_in_the_catalogues() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_ne!(
                code.exit_code(),
                0,
                "{} must not look like success",
                code.as_str()
            );
        }
    }

    #[test]
    fn a_parameter_has_a_length() {
        let error = UserError::new(ErrorCode::Internal).with("detail", "x".repeat(10_000));
        assert_eq!(error.params["detail"].len(), 300);
    }
}
