//! What the system's own dialog allowed: kept, so that sources come back after a restart without asking.

use std::sync::Arc;

use media::{Choice, Grants};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;

use super::actor::Actor;
use super::handle::Input;

/// The grants of an earlier engine; what changes in them reaches the actor.
pub(super) fn keeper(kept: Vec<store::Grant>, inputs: &mpsc::Sender<Input>) -> Grants {
    let kept = kept.into_iter().map(|grant| {
        let choice = Choice {
            source: grant.source,
            device: grant.device,
        };
        (choice, grant.token)
    });
    let inputs = inputs.clone();
    Grants::new(
        kept,
        Arc::new(move |choice, token| {
            let input = Input::Grant(choice.clone(), token.map(SecretString::from));
            if inputs.try_send(input).is_err() {
                tracing::warn!("the studio is behind, the system's dialog will ask again");
            }
        }),
    )
}

impl Actor {
    pub(super) async fn on_grant(&mut self, choice: &Choice, token: Option<&SecretString>) {
        if let Some(store) = &self.store
            && let Err(error) = store
                .keep_grant(
                    &choice.source,
                    choice.device.as_ref(),
                    token.map(ExposeSecret::expose_secret),
                )
                .await
        {
            tracing::error!(source = %choice.source, %error, "the choice could not be kept, the system will ask again");
        }
    }
}
