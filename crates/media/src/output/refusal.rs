//! What an RTMP server's or the network's answer means for a person.

use gst::glib;
use protocol::{ErrorCode, UserError};

use super::machine::{Failure, Verdict};

/// What this system's GIO and C library say in the person's language.
///
/// GStreamer sets the locale of the process, so their texts arrive translated; rtmp2sink's own are not.
struct Words {
    resolving: String,
    again_later: String,
    refused: String,
    bad_certificate: String,
    no_tls: String,
}

impl Words {
    fn of_this_system() -> Self {
        Self {
            resolving: translated("glib20", "Error resolving “%s”"),
            again_later: translated("libc", "Temporary failure in name resolution"),
            refused: translated("libc", "Connection refused"),
            bad_certificate: translated("glib-networking", "Unacceptable TLS certificate"),
            no_tls: translated("glib20", "TLS support is not available"),
        }
    }
}

/// The words before the first name that is put into a translation.
fn translated(domain: &str, english: &str) -> String {
    let text = glib::dgettext(Some(domain), english);
    let fixed = text.split(['%', '“', '«', '"']).next().unwrap_or_default();
    fixed.trim().to_owned()
}

/// Reads the text of `rtmp2sink`'s first error.
///
/// The element reports nearly everything as RESOURCE/FAILED; only its texts, and those of GIO behind it, tell apart.
pub(super) fn classify(text: &str, host: &str) -> Failure {
    classify_with(&Words::of_this_system(), text, host)
}

fn classify_with(words: &Words, text: &str, host: &str) -> Failure {
    let has = |part: &str| !part.is_empty() && text.contains(part);
    let (code, verdict) = if has(&words.resolving) || has("Error resolving") {
        // A name that nobody knows is a slip of the pen; a network that is down says so differently.
        if has(&words.again_later) || has("Temporary failure") {
            (ErrorCode::HostUnknown, Verdict::Retry)
        } else {
            (ErrorCode::HostUnknown, Verdict::Refused)
        }
    } else if has("'publish' cmd failed") || has("publish denied") || has("NetStream.Publish.") {
        (ErrorCode::KeyRefused, Verdict::Refused)
    } else if has("'connect' cmd failed") || has("Not authorized to connect") || has("NetConnection.Connect.")
    {
        (ErrorCode::ApplicationUnknown, Verdict::Refused)
    } else if has(&words.no_tls) || has("TLS support is not available") {
        return Failure {
            error: UserError::new(ErrorCode::ElementMissing)
                .with("missing", "TLS")
                .with("package", "glib-networking"),
            verdict: Verdict::Final,
        };
    } else if has(&words.bad_certificate) || has("certificate") {
        (ErrorCode::CertificateUntrusted, Verdict::Final)
    } else if has(&words.refused) || has("Connection refused") {
        (ErrorCode::ConnectionRefused, Verdict::Retry)
    } else if has("Short read") || has("TLS") || has("handshake") {
        (ErrorCode::ProtocolMismatch, Verdict::Retry)
    } else {
        (ErrorCode::ConnectionLost, Verdict::Retry)
    };
    Failure {
        error: UserError::new(code).with("host", host),
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(text: &str) -> (ErrorCode, Verdict) {
        let failure = classify(text, "example.org");
        assert_eq!(
            failure.error.params.get("host").map(String::as_str),
            Some("example.org")
        );
        (failure.error.code, failure.verdict)
    }

    #[test]
    fn texts_of_gstreamer_1_22_say_what_to_do() {
        use ErrorCode as E;
        use Verdict::{Final, Refused, Retry};
        for (text, expected) in [
            (
                "Could not connect to localhost: Connection refused",
                (E::ConnectionRefused, Retry),
            ),
            (
                "Error resolving “nowhere.invalid”: Name or service not known",
                (E::HostUnknown, Refused),
            ),
            (
                "Error resolving “a.example”: Temporary failure in name resolution",
                (E::HostUnknown, Retry),
            ),
            (
                "'publish' cmd failed: connection closed remotely",
                (E::KeyRefused, Refused),
            ),
            (
                "'connect' cmd failed: connection closed remotely",
                (E::ApplicationUnknown, Refused),
            ),
            ("Short read (want 3073 had 12)", (E::ProtocolMismatch, Retry)),
            ("Socket I/O timed out", (E::ConnectionLost, Retry)),
            (
                "Connection error: connection closed remotely",
                (E::ConnectionLost, Retry),
            ),
            ("Unacceptable TLS certificate", (E::CertificateUntrusted, Final)),
        ] {
            assert_eq!(classified(text), expected, "{text}");
        }
    }

    #[test]
    fn a_french_system_is_understood_too() {
        let french = Words {
            resolving: "Erreur de résolution de".to_owned(),
            again_later: "Échec temporaire dans la résolution du nom".to_owned(),
            refused: "Connexion refusée".to_owned(),
            bad_certificate: "Certificat TLS inacceptable".to_owned(),
            no_tls: "La prise en charge de TLS n’est pas disponible".to_owned(),
        };
        for (text, code) in [
            (
                "Erreur de résolution de « nowhere.invalid » : Nom inconnu",
                ErrorCode::HostUnknown,
            ),
            (
                "Impossible de se connecter à localhost : Connexion refusée",
                ErrorCode::ConnectionRefused,
            ),
            ("Certificat TLS inacceptable", ErrorCode::CertificateUntrusted),
            (
                "'publish' cmd failed: connection closed remotely",
                ErrorCode::KeyRefused,
            ),
        ] {
            assert_eq!(classify_with(&french, text, "h").error.code, code, "{text}");
        }
        // The fixed words before a name, in every quotation that languages use.
        assert_eq!(
            translated("no-such-domain", "Error resolving “%s”"),
            "Error resolving"
        );
    }
}
