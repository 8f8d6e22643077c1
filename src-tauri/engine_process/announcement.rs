//! How a running engine is found: what it prints at its start, and the file that it leaves in the data folder.

use std::path::Path;

use protocol::UserError;
use serde::Deserialize;

/// A running engine.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Engine {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// What a desk says first.
    pub token: String,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("address", &self.address)
            .field("token", &"[redacted]")
            .finish()
    }
}

/// The first line that an engine prints.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum FirstLine {
    /// It is ready.
    Ready(Engine),
    /// It cannot start.
    Refused {
        /// Why.
        error: UserError,
    },
}

impl Engine {
    /// The engine that says that it works in the folder. It may have died since.
    pub fn left_in(data_folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data_folder.join("engine.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.address.strip_prefix("http://").unwrap_or(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_first_lines_are_understood_and_noise_is_not() {
        let line = r#"{"address":"http://127.0.0.1:4000","token":"t","desk":"http://127.0.0.1:4000/#token=t","pid":7}"#;
        let engine = Engine {
            address: "http://127.0.0.1:4000".into(),
            token: "t".into(),
        };
        assert_eq!(engine.authority(), "127.0.0.1:4000");
        assert_eq!(
            serde_json::from_str::<FirstLine>(line).unwrap(),
            FirstLine::Ready(engine)
        );
        let error = UserError::new(protocol::ErrorCode::PortTaken).with("address", "127.0.0.1:4000");
        let line = serde_json::json!({ "error": error }).to_string();
        assert_eq!(
            serde_json::from_str::<FirstLine>(&line).unwrap(),
            FirstLine::Refused { error }
        );
        assert!(serde_json::from_str::<FirstLine>("Desk: http://…").is_err());
    }

    #[test]
    fn a_token_is_not_printed() {
        let engine = Engine {
            address: "http://127.0.0.1:1".into(),
            token: "canary".into(),
        };
        assert!(!format!("{engine:?}").contains("canary"));
    }
}
