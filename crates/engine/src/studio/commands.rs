//! Commands that do more than edit the document.

use protocol::{
    Command, DeviceKind, ErrorCode, Reply, SceneItem, Settings, ShowPhase, Source, SourceSettings,
    Transition, UserError,
};

use super::actor::Actor;
use super::edit::{self, missing, new_id, placement_of_picture};
use super::folder;
use super::overlays;

impl Actor {
    /// Does a command; when it fails, nothing has changed.
    pub(super) async fn command(&mut self, command: Command) -> Result<Reply, UserError> {
        let before = self.state.clone();
        let transition = match &command {
            Command::Take { transition } => *transition,
            Command::SelectScene { .. } => self.state.program.transition,
            _ => Transition::Cut,
        };
        let result = match edit::edit(&mut self.state, &command) {
            Some(result) => result,
            None => self.act(&command).await,
        };
        if result.is_ok() {
            overlays::follow_products(&before, &mut self.state);
        }
        let result = match result {
            Ok(reply) => self.keep(&before, &command, transition).await.map(|()| reply),
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.state = before;
            self.refresh_live_parts().await;
        }
        result
    }

    /// Saves what a command changed and makes the pipelines follow.
    async fn keep(
        &mut self,
        before: &protocol::State,
        command: &Command,
        transition: Transition,
    ) -> Result<(), UserError> {
        let changed = |state: &protocol::State| {
            state.sources != before.sources
                || state.scenes != before.scenes
                || state.program != before.program
                || state.settings != before.settings
                || state.destinations != before.destinations
                || state.show.title != before.show.title
        };
        if !changed(&self.state) {
            // Overlays are arranged when they are said: nothing below them moves, and a fade goes on.
            return match self.state.overlays == before.overlays {
                true => Ok(()),
                false => self.save().await,
            };
        }
        self.save().await?;
        if edit::undoable(command) {
            let gesture = match command {
                Command::PlaceItem { gesture, .. } => *gesture,
                _ => None,
            };
            self.history.edited(before, gesture);
        }
        if self.state.settings.canvas != before.settings.canvas {
            self.rebuild()?;
            self.find_encoders(true);
        } else {
            self.state.program.fading = matches!(transition, Transition::Fade { .. })
                && self.state.program.program != before.program.program;
            self.arrange(transition);
        }
        if self.state.show.title != before.show.title {
            self.retitle();
        }
        Ok(())
    }

    async fn act(&mut self, command: &Command) -> Result<Reply, UserError> {
        match command {
            Command::GoLive => self.go_live().await,
            Command::EndShow => {
                self.end_show().await;
                Ok(Reply::Done)
            }
            Command::PauseFile { source, paused } => self.media.pause_file(source, *paused).map(done),
            Command::SeekFile { source, position_ms } => self.media.seek_file(source, *position_ms).map(done),
            Command::RetrySource { source } => self.media.retry_source(source).map(done),
            Command::Audition { on } => {
                let devices = if *on { self.state.devices.as_slice() } else { &[] };
                self.media.audition(devices);
                Ok(Reply::Done)
            }
            Command::UseDevices { devices } => self.use_devices(devices),
            Command::Undo => Ok(self.undo(false)),
            Command::Redo => Ok(self.undo(true)),
            Command::SelectScene { scene } => {
                edit::scene(&self.state, scene)?;
                let program = &mut self.state.program;
                program.preview = scene.clone();
                if !program.studio_mode {
                    program.program = scene.clone();
                }
                Ok(Reply::Done)
            }
            Command::Take { transition } => {
                edit::check_transition(*transition)?;
                // The scene that was on air becomes the next one, so that taking twice comes back.
                let program = &mut self.state.program;
                std::mem::swap(&mut program.program, &mut program.preview);
                if !program.studio_mode {
                    program.preview = program.program.clone();
                }
                Ok(Reply::Done)
            }
            Command::SetStudioMode { on } => {
                self.state.program.studio_mode = *on;
                if !on {
                    self.state.program.preview = self.state.program.program.clone();
                }
                Ok(Reply::Done)
            }
            Command::SetSettings { settings } => self.set_settings(settings),
            Command::AddDestination { draft, key } => self.add_destination(draft, key.as_deref()).await,
            Command::ChangeDestination {
                destination,
                draft,
                key,
            } => self.change_destination(destination, draft, key.as_deref()).await,
            Command::RemoveDestination { destination } => self.remove_destination(destination).await,
            Command::EnableDestination { destination, on } => self.enable_destination(destination, *on).await,
            Command::RetryOutput { destination } => self.retry_output(destination).await,
            Command::PauseRecording { destination, paused } => {
                self.media.pause_recording(destination, *paused).map(done)
            }
            Command::SplitRecording { destination } => self.media.split_recording(destination).map(done),
            Command::ListFolder { path } => folder::list(path.as_deref()),
            Command::ChatLink => self.chat_link(),
            Command::AddShop { url, keys } => self.add_shop(url, keys).await,
            Command::ChangeShop { shop, url, keys } => self.change_shop(shop, url, keys.as_ref()).await,
            Command::RemoveShop { shop } => self.remove_shop(shop).await,
            Command::RefreshShop { shop } => self.refresh_shop(shop).await,
            Command::AddProduct { draft } => self.add_product(draft).await,
            Command::ChangeProduct { product, draft } => self.change_product(product, draft).await,
            Command::RemoveProduct { product } => self.remove_product(product).await,
            Command::ChooseProduct { product } => self.choose_product(product).await,
            Command::LeaveProduct { product } => self.leave_product(product).await,
            Command::MoveProduct { product, to } => self.move_product(product, *to).await,
            Command::SetOffer { product, offer } => self.set_offer(product, offer).await,
            Command::FeatureProducts { products } => self.feature_products(products).await,
            Command::ShowOverlay { overlay } => self.set_overlay(overlay, Some(true)).await,
            Command::PrepareOverlay { overlay } => self.set_overlay(overlay, None).await,
            Command::HideOverlay { overlay } => {
                self.state.overlays.hide(*overlay);
                Ok(Reply::Done)
            }
            Command::SetOverlayLook { look } => {
                self.state.overlays.look = look.clone();
                Ok(Reply::Done)
            }
            // The control server, which has the page, answers it itself.
            Command::OverlayLink => Err(missing("page", "overlay")),
            other => {
                Err(UserError::new(ErrorCode::Internal).with("detail", format!("{other:?} has no hands")))
            }
        }
    }

    fn undo(&mut self, forward: bool) -> Reply {
        if forward {
            self.history.redo(&mut self.state);
        } else {
            self.history.undo(&mut self.state);
        }
        Reply::Done
    }

    fn set_settings(&mut self, settings: &Settings) -> Result<Reply, UserError> {
        let now = &self.state.settings;
        let fixed = now.canvas != settings.canvas
            || now.encoder != settings.encoder
            || now.high_rendition != settings.high_rendition
            || now.video != settings.video
            || now.audio != settings.audio;
        if fixed && self.state.show.phase != ShowPhase::OffAir {
            return Err(UserError::new(ErrorCode::OnAirLocked));
        }
        self.state.settings = settings.clone();
        if let Some(encoders) = &self.encoders {
            self.state.encoders = encoders.list(&settings.encoder);
        }
        Ok(Reply::Done)
    }

    fn use_devices(&mut self, devices: &[protocol::DeviceId]) -> Result<Reply, UserError> {
        let mut pictures = 0;
        for id in devices {
            let device = self
                .state
                .devices
                .iter()
                .find(|d| d.id == *id)
                .ok_or_else(|| UserError::new(ErrorCode::DeviceMissing).with("device", id))?;
            let settings = match device.kind {
                DeviceKind::Camera => SourceSettings::Camera {
                    device: Some(id.clone()),
                },
                DeviceKind::Microphone => SourceSettings::Microphone {
                    device: Some(id.clone()),
                },
                DeviceKind::DesktopAudio => SourceSettings::DesktopAudio {
                    device: Some(id.clone()),
                },
                DeviceKind::Screen => SourceSettings::Screen {
                    device: Some(id.clone()),
                    cursor: true,
                },
                DeviceKind::Window => SourceSettings::Window {
                    device: id.clone(),
                    cursor: true,
                },
            };
            let shows = settings.kind().pictures();
            let name: String = device.name.chars().filter(|c| !c.is_control()).take(60).collect();
            let placement = placement_of_picture(settings.kind(), pictures);
            let source = Source {
                id: new_id(),
                name,
                settings,
                audio: Default::default(),
            };
            pictures += usize::from(shows);
            let item = SceneItem {
                id: new_id(),
                source: source.id.clone(),
                placement,
                visible: true,
                locked: false,
            };
            let on_air = self.state.program.program.clone();
            let scene = self
                .state
                .scenes
                .iter_mut()
                .find(|s| s.id == on_air)
                .ok_or_else(|| missing("scene", &on_air))?;
            scene.items.push(item);
            self.state.sources.push(source);
        }
        self.media.audition(&[]);
        Ok(Reply::Done)
    }
}

fn done(_: ()) -> Reply {
    Reply::Done
}
