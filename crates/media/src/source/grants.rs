//! What a person once allowed in the system's own dialog, so that nobody is asked again after a restart.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use protocol::{DeviceId, SourceId};

/// One choice in the system's dialog: a source, and the device id under which it asked. Another id is another choice,
/// so a host who wants to choose anew gives the source a new one, and undo finds the old choice again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Choice {
    /// Whose.
    pub source: SourceId,
    /// As its settings name it.
    pub device: Option<DeviceId>,
}

/// Called when the token of a choice is another one, or there is none any more. On any thread; must not block.
pub type OnGrant = Arc<dyn Fn(&Choice, Option<&str>) + Send + Sync>;

/// Tokens that restore choices. Each is good for one time: the system answers with the next one.
#[derive(Clone, Default)]
pub struct Grants {
    tokens: Arc<Mutex<HashMap<Choice, String>>>,
    on_change: Option<OnGrant>,
}

impl Grants {
    /// Those that were kept, and who keeps them from now on.
    pub fn new(kept: impl IntoIterator<Item = (Choice, String)>, on_change: OnGrant) -> Self {
        Self {
            tokens: Arc::new(Mutex::new(kept.into_iter().collect())),
            on_change: Some(on_change),
        }
    }

    /// What restores this choice without a dialog.
    pub fn token(&self, choice: &Choice) -> Option<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(choice).cloned()
    }

    /// Remembers the token for the next time; `None` forgets the choice.
    pub(crate) fn keep(&self, choice: &Choice, token: Option<&str>) {
        {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            let before = match token {
                Some(token) => tokens.insert(choice.clone(), token.to_owned()),
                None => tokens.remove(choice),
            };
            if before.as_deref() == token {
                return;
            }
        }
        if let Some(on_change) = &self.on_change {
            on_change(choice, token);
        }
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(tokens.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_choice_and_each_change_is_told_once() {
        let choice = |device: Option<&str>| Choice {
            source: SourceId::try_from("one").expect("an id"),
            device: device.map(|id| DeviceId::try_from(id).expect("an id")),
        };
        let told: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let said = Arc::clone(&told);
        let grants = Grants::new(
            [(choice(None), "kept".to_owned())],
            Arc::new(move |_, token| said.lock().expect("told").push(token.map(str::to_owned))),
        );
        assert_eq!(grants.token(&choice(None)).as_deref(), Some("kept"));
        assert_eq!(
            grants.token(&choice(Some("portal:screen:2"))),
            None,
            "chosen anew"
        );
        for token in [Some("next"), Some("next"), None, None] {
            grants.keep(&choice(None), token);
        }
        assert_eq!(*told.lock().expect("told"), [Some("next".to_owned()), None]);
        assert!(
            !format!("{grants:?}").contains("next"),
            "tokens are not for the log"
        );
    }
}
