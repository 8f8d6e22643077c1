//! Commands about destinations.

use protocol::{
    Destination, DestinationDraft, DestinationId, DestinationKind, ErrorCode, OutputState, RecordingSettings,
    Reply, UserError,
};
use secrecy::SecretString;

use super::actor::Actor;
use super::edit::{bad_value, checked_name, missing, new_id};
use super::limits;

impl Actor {
    pub(super) async fn add_destination(
        &mut self,
        draft: &DestinationDraft,
        key: Option<&str>,
    ) -> Result<Reply, UserError> {
        if self.state.destinations.len() >= limits::DESTINATIONS {
            return Err(UserError::new(ErrorCode::LimitReached)
                .with("what", "destinations")
                .with("most", limits::DESTINATIONS));
        }
        let id: DestinationId = new_id();
        let kind = self.checked_kind(&id, &draft.kind, key).await?;
        self.state.destinations.push(Destination {
            id: id.clone(),
            name: checked_name(&draft.name)?,
            enabled: true,
            kind,
        });
        self.refresh_links();
        Ok(Reply::Destination { id })
    }

    pub(super) async fn change_destination(
        &mut self,
        id: &DestinationId,
        draft: &DestinationDraft,
        key: Option<&str>,
    ) -> Result<Reply, UserError> {
        let at = self.place_of(id)?;
        let name = checked_name(&draft.name)?;
        let kind = self.checked_kind(id, &draft.kind, key).await?;
        let destination = &mut self.state.destinations[at];
        destination.name = name;
        destination.kind = kind;
        self.refresh_links();
        Ok(Reply::Done)
    }

    pub(super) async fn remove_destination(&mut self, id: &DestinationId) -> Result<Reply, UserError> {
        let at = self.place_of(id)?;
        self.stop_output(id).await;
        self.keys.delete(id).await?;
        self.state.destinations.remove(at);
        if !self.output_runs(id) {
            self.state.outputs.retain(|o| o.id != *id);
        }
        self.refresh_links();
        Ok(Reply::Done)
    }

    pub(super) async fn enable_destination(
        &mut self,
        id: &DestinationId,
        on: bool,
    ) -> Result<Reply, UserError> {
        let at = self.place_of(id)?;
        self.state.destinations[at].enabled = on;
        let destination = self.state.destinations[at].clone();
        let live = self.state.show.phase.on_air();
        if on && live && !self.output_runs(id) {
            self.start_output(&destination).await;
        } else if !on {
            self.stop_output(id).await;
        }
        self.settle().await;
        Ok(Reply::Done)
    }

    /// Connects again now: a leg that waits, or one that gave up.
    pub(super) async fn retry_output(&mut self, id: &DestinationId) -> Result<Reply, UserError> {
        let destination = self.state.destinations[self.place_of(id)?].clone();
        if !self.state.show.phase.on_air() {
            return Ok(Reply::Done);
        }
        if self.output_runs(id) {
            self.media.retry_output(id)?;
        } else {
            let failed = |o: &protocol::Output| o.id == *id && matches!(o.state, OutputState::Failed { .. });
            if self.state.outputs.iter().any(failed) {
                self.start_output(&destination).await;
            }
        }
        Ok(Reply::Done)
    }

    fn place_of(&self, id: &DestinationId) -> Result<usize, UserError> {
        self.state
            .destinations
            .iter()
            .position(|d| d.id == *id)
            .ok_or_else(|| missing("destination", id))
    }

    /// A destination's settings as they are kept: the key goes into the vault, and only its presence is told.
    async fn checked_kind(
        &mut self,
        id: &DestinationId,
        kind: &DestinationKind,
        key: Option<&str>,
    ) -> Result<DestinationKind, UserError> {
        match kind {
            DestinationKind::StreamCore { .. } => Ok(kind.clone()),
            DestinationKind::Rtmp { url, .. } => {
                let key = key.map(str::trim).filter(|key| !key.is_empty());
                if let Some(key) = key {
                    if key.len() > limits::KEY_BYTES
                        || key.chars().any(|c| c.is_control() || c.is_whitespace())
                    {
                        return Err(bad_value("key", "1–2048"));
                    }
                    self.keys.set(id, SecretString::from(key.to_owned())).await?;
                }
                let has_key = key.is_some() || self.keys.get(id).await?.is_some();
                Ok(DestinationKind::Rtmp {
                    url: url.clone(),
                    has_key,
                })
            }
            DestinationKind::Recording(settings) => {
                check_recording(settings)?;
                Ok(kind.clone())
            }
        }
    }
}

fn check_recording(settings: &RecordingSettings) -> Result<(), UserError> {
    if let Some(folder) = &settings.folder
        && (!std::path::Path::new(folder).is_absolute() || folder.contains('\0') || folder.len() > 4096)
    {
        return Err(bad_value("folder", folder));
    }
    match settings.split_minutes {
        Some(minutes) if !(1..=1440).contains(&minutes) => Err(bad_value("split_minutes", "1–1440")),
        _ => Ok(()),
    }
}
