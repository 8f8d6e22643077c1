//! Edits of the document: pure functions from a command to a new state or an error.
//!
//! Nothing here touches a pipeline. The studio compares what stands in the state with what runs, and acts on
//! the difference.

use protocol::{
    AudioControls, Command, ErrorCode, ItemId, Placement, Reply, Scene, SceneId, SceneItem, Source, SourceId,
    SourceKind, SourceSettings, State, TextStyle, Transition, UserError,
};

use super::limits;

/// Does a command that only edits the document; `None` when the command is not of that kind.
///
/// # Errors
/// What is wrong with the command; the state is then as it was.
pub fn edit(state: &mut State, command: &Command) -> Option<Result<Reply, UserError>> {
    Some(match command {
        Command::NameShow { title } => name_show(state, title),
        Command::AddSource {
            draft,
            scene,
            placement,
        } => {
            let into = scene.as_ref().map(|scene| (scene, *placement));
            add_source(state, &draft.name, &draft.settings, into)
        }
        Command::ChangeSource { source, settings } => change_source(state, source, settings),
        Command::RenameSource { source, name } => rename_source(state, source, name),
        Command::RemoveSource { source } => remove_source(state, source),
        Command::SetAudio { source, audio } => set_audio(state, source, *audio),
        Command::AddScene { draft } => add_scene(state, &draft.name),
        Command::DuplicateScene { scene, name } => duplicate_scene(state, scene, name),
        Command::RenameScene { scene, name } => rename_scene(state, scene, name),
        Command::RemoveScene { scene } => remove_scene(state, scene),
        Command::MoveScene { scene, to } => move_scene(state, scene, *to),
        Command::AddItem { scene, source } => add_item(state, scene, source),
        Command::RemoveItem { scene, item } => remove_item(state, scene, item),
        Command::PlaceItem {
            scene,
            item,
            placement,
            ..
        } => place_item(state, scene, item, *placement),
        Command::FlagItem {
            scene,
            item,
            visible,
            locked,
        } => flag_item(state, scene, item, *visible, *locked),
        Command::MoveItem { scene, item, to } => move_item(state, scene, item, *to),
        Command::SetTransition { transition } => set_transition(state, *transition),
        Command::SetMaster { gain, muted } => {
            state.program.master_gain = *gain;
            state.program.master_muted = *muted;
            Ok(Reply::Done)
        }
        _ => return None,
    })
}

/// Whether a command is a scene edit, which can be undone.
pub fn undoable(command: &Command) -> bool {
    matches!(
        command,
        Command::AddSource { .. }
            | Command::ChangeSource { .. }
            | Command::RenameSource { .. }
            | Command::RemoveSource { .. }
            | Command::AddScene { .. }
            | Command::DuplicateScene { .. }
            | Command::RenameScene { .. }
            | Command::RemoveScene { .. }
            | Command::MoveScene { .. }
            | Command::AddItem { .. }
            | Command::RemoveItem { .. }
            | Command::PlaceItem { .. }
            | Command::FlagItem { .. }
            | Command::MoveItem { .. }
            | Command::UseDevices { .. }
    )
}

/// A fresh identifier.
pub fn new_id<T: TryFrom<String>>() -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(uuid::Uuid::new_v4().simple().to_string())
        .expect("32 hex digits are an identifier of every type")
}

/// The scene with this id.
pub fn scene<'a>(state: &'a State, id: &SceneId) -> Result<&'a Scene, UserError> {
    state
        .scenes
        .iter()
        .find(|s| s.id == *id)
        .ok_or_else(|| missing("scene", id))
}

fn scene_mut<'a>(state: &'a mut State, id: &SceneId) -> Result<&'a mut Scene, UserError> {
    state
        .scenes
        .iter_mut()
        .find(|s| s.id == *id)
        .ok_or_else(|| missing("scene", id))
}

fn source_mut<'a>(state: &'a mut State, id: &SourceId) -> Result<&'a mut Source, UserError> {
    state
        .sources
        .iter_mut()
        .find(|s| s.id == *id)
        .ok_or_else(|| missing("source", id))
}

fn item_mut<'a>(state: &'a mut State, scene: &SceneId, id: &ItemId) -> Result<&'a mut SceneItem, UserError> {
    scene_mut(state, scene)?
        .items
        .iter_mut()
        .find(|i| i.id == *id)
        .ok_or_else(|| missing("item", id))
}

/// The error for something that is no longer there.
pub fn missing(thing: &str, id: impl ToString) -> UserError {
    UserError::new(ErrorCode::NotFound)
        .with("thing", thing)
        .with("id", id)
}

/// A name as a person typed it: trimmed, 1 to 60 characters, no control characters.
///
/// # Errors
/// [`ErrorCode::BadValue`] naming the field.
pub fn checked_name(name: &str) -> Result<String, UserError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > limits::NAME_CHARS || name.chars().any(char::is_control) {
        return Err(bad_value("name", "1–60"));
    }
    Ok(name.to_owned())
}

/// The error for a value out of range.
pub fn bad_value(field: &str, detail: impl ToString) -> UserError {
    UserError::new(ErrorCode::BadValue)
        .with("field", field)
        .with("detail", detail)
}

fn limit(what: &str, most: usize) -> UserError {
    UserError::new(ErrorCode::LimitReached)
        .with("what", what)
        .with("most", most)
}

fn name_show(state: &mut State, title: &str) -> Result<Reply, UserError> {
    let title = title.trim();
    if title.chars().count() > limits::TITLE_CHARS || title.chars().any(char::is_control) {
        return Err(bad_value("title", "0–140"));
    }
    state.show.title = title.to_owned();
    Ok(Reply::Done)
}

fn add_source(
    state: &mut State,
    name: &str,
    settings: &SourceSettings,
    into: Option<(&SceneId, Option<Placement>)>,
) -> Result<Reply, UserError> {
    let name = checked_name(name)?;
    check_settings(settings)?;
    if state.sources.len() >= limits::SOURCES {
        return Err(limit("sources", limits::SOURCES));
    }
    let id: SourceId = new_id();
    if let Some((scene, placement)) = into {
        let placement = placement.unwrap_or_else(|| placement_of_picture(settings.kind(), 0));
        place(scene_mut(state, scene)?, id.clone(), placement)?;
    }
    state.sources.push(Source {
        id: id.clone(),
        name,
        settings: settings.clone(),
        audio: AudioControls::default(),
    });
    Ok(Reply::Source { id })
}

fn change_source(
    state: &mut State,
    source: &SourceId,
    settings: &SourceSettings,
) -> Result<Reply, UserError> {
    check_settings(settings)?;
    source_mut(state, source)?.settings = settings.clone();
    Ok(Reply::Done)
}

fn rename_source(state: &mut State, source: &SourceId, name: &str) -> Result<Reply, UserError> {
    let name = checked_name(name)?;
    source_mut(state, source)?.name = name;
    Ok(Reply::Done)
}

fn remove_source(state: &mut State, source: &SourceId) -> Result<Reply, UserError> {
    source_mut(state, source)?;
    for scene in &mut state.scenes {
        scene.items.retain(|item| item.source != *source);
    }
    state.sources.retain(|s| s.id != *source);
    Ok(Reply::Done)
}

fn set_audio(state: &mut State, source: &SourceId, audio: AudioControls) -> Result<Reply, UserError> {
    if !(-1.0..=1.0).contains(&audio.pan) {
        return Err(bad_value("pan", "-1–1"));
    }
    if !(-500..=2000).contains(&audio.sync_offset_ms) {
        return Err(bad_value("sync_offset_ms", "-500–2000"));
    }
    source_mut(state, source)?.audio = audio;
    Ok(Reply::Done)
}

/// What cannot be said by types alone.
///
/// # Errors
/// [`ErrorCode::BadValue`] naming the field.
pub fn check_settings(settings: &SourceSettings) -> Result<(), UserError> {
    match settings {
        SourceSettings::File { path, .. } | SourceSettings::Image { path } => {
            if path.len() > 4096 || path.contains('\0') || !std::path::Path::new(path).is_absolute() {
                return Err(bad_value("path", path));
            }
            Ok(())
        }
        SourceSettings::Text(TextStyle {
            text,
            font,
            size,
            outline_width,
            scroll,
            ..
        }) => {
            if text.chars().count() > 2000 {
                Err(bad_value("text", "0–2000"))
            } else if font.len() > 200 || font.chars().any(char::is_control) {
                Err(bad_value("font", font))
            } else if !(8..=400).contains(size) {
                Err(bad_value("size", "8–400"))
            } else if *outline_width > 20 {
                Err(bad_value("outline_width", "0–20"))
            } else if !(-1000..=1000).contains(scroll) {
                Err(bad_value("scroll", "-1000–1000"))
            } else {
                Ok(())
            }
        }
        SourceSettings::TestCard { tone_hz } if *tone_hz != 0 && !(20..=20_000).contains(tone_hz) => {
            Err(bad_value("tone_hz", "0, 20–20000"))
        }
        _ => Ok(()),
    }
}

fn add_scene(state: &mut State, name: &str) -> Result<Reply, UserError> {
    let name = checked_name(name)?;
    if state.scenes.len() >= limits::SCENES {
        return Err(limit("scenes", limits::SCENES));
    }
    let id: SceneId = new_id();
    state.scenes.push(Scene {
        id: id.clone(),
        name,
        items: Vec::new(),
    });
    Ok(Reply::Scene { id })
}

fn duplicate_scene(state: &mut State, from: &SceneId, name: &str) -> Result<Reply, UserError> {
    let name = checked_name(name)?;
    if state.scenes.len() >= limits::SCENES {
        return Err(limit("scenes", limits::SCENES));
    }
    let at = state
        .scenes
        .iter()
        .position(|s| s.id == *from)
        .ok_or_else(|| missing("scene", from))?;
    let items = state.scenes[at]
        .items
        .iter()
        .map(|item| SceneItem {
            id: new_id(),
            ..item.clone()
        })
        .collect();
    let id: SceneId = new_id();
    state.scenes.insert(
        at + 1,
        Scene {
            id: id.clone(),
            name,
            items,
        },
    );
    Ok(Reply::Scene { id })
}

fn rename_scene(state: &mut State, scene: &SceneId, name: &str) -> Result<Reply, UserError> {
    let name = checked_name(name)?;
    scene_mut(state, scene)?.name = name;
    Ok(Reply::Done)
}

fn remove_scene(state: &mut State, id: &SceneId) -> Result<Reply, UserError> {
    scene(state, id)?;
    if state.scenes.len() == 1 || state.program.program == *id {
        return Err(UserError::new(ErrorCode::LastScene));
    }
    state.scenes.retain(|s| s.id != *id);
    if state.program.preview == *id {
        state.program.preview = state.program.program.clone();
    }
    Ok(Reply::Done)
}

fn move_scene(state: &mut State, id: &SceneId, to: u32) -> Result<Reply, UserError> {
    let at = state
        .scenes
        .iter()
        .position(|s| s.id == *id)
        .ok_or_else(|| missing("scene", id))?;
    let moved = state.scenes.remove(at);
    let to = (to as usize).min(state.scenes.len());
    state.scenes.insert(to, moved);
    Ok(Reply::Done)
}

fn add_item(state: &mut State, into: &SceneId, source: &SourceId) -> Result<Reply, UserError> {
    let kind = source_mut(state, source)?.settings.kind();
    let id = place(
        scene_mut(state, into)?,
        source.clone(),
        placement_of_picture(kind, 0),
    )?;
    Ok(Reply::Item { id })
}

fn place(scene: &mut Scene, source: SourceId, placement: Placement) -> Result<ItemId, UserError> {
    if scene.items.len() >= limits::ITEMS {
        return Err(limit("items", limits::ITEMS));
    }
    let id: ItemId = new_id();
    scene.items.push(SceneItem {
        id: id.clone(),
        source,
        placement,
        visible: true,
        locked: false,
    });
    Ok(id)
}

/// Where a picture goes that is chosen together with others: the first fills the canvas, the others stand small in
/// its corners, clockwise from the lower right; words go to the lower third, which is what they are nearly always for.
pub fn placement_of_picture(kind: SourceKind, pictures_before: usize) -> Placement {
    let (side, gap) = (0.28, 0.03);
    let far = 1.0 - side - gap;
    let corner = |x, y| Placement {
        x,
        y,
        width: side,
        height: side,
        ..Placement::default()
    };
    match (kind, pictures_before) {
        (SourceKind::Text, _) => Placement {
            x: 0.05,
            y: 0.76,
            width: 0.9,
            height: 0.16,
            ..Placement::default()
        },
        (_, 0) => Placement::default(),
        (kind, _) if !kind.pictures() => Placement::default(),
        (_, n) => match (n - 1) % 4 {
            0 => corner(far, far),
            1 => corner(gap, far),
            2 => corner(gap, gap),
            _ => corner(far, gap),
        },
    }
}

fn remove_item(state: &mut State, scene: &SceneId, id: &ItemId) -> Result<Reply, UserError> {
    item_mut(state, scene, id)?;
    scene_mut(state, scene)?.items.retain(|i| i.id != *id);
    Ok(Reply::Done)
}

fn place_item(
    state: &mut State,
    scene: &SceneId,
    id: &ItemId,
    placement: Placement,
) -> Result<Reply, UserError> {
    item_mut(state, scene, id)?.placement = placement;
    Ok(Reply::Done)
}

fn flag_item(
    state: &mut State,
    scene: &SceneId,
    id: &ItemId,
    visible: bool,
    locked: bool,
) -> Result<Reply, UserError> {
    let item = item_mut(state, scene, id)?;
    item.visible = visible;
    item.locked = locked;
    Ok(Reply::Done)
}

fn move_item(state: &mut State, scene: &SceneId, id: &ItemId, to: u32) -> Result<Reply, UserError> {
    let items = &mut scene_mut(state, scene)?.items;
    let at = items
        .iter()
        .position(|i| i.id == *id)
        .ok_or_else(|| missing("item", id))?;
    let moved = items.remove(at);
    let to = (to as usize).min(items.len());
    items.insert(to, moved);
    Ok(Reply::Done)
}

fn set_transition(state: &mut State, transition: Transition) -> Result<Reply, UserError> {
    check_transition(transition)?;
    state.program.transition = transition;
    Ok(Reply::Done)
}

/// A fade has a length that makes sense on air.
///
/// # Errors
/// [`ErrorCode::BadValue`].
pub fn check_transition(transition: Transition) -> Result<(), UserError> {
    match transition {
        Transition::Fade { ms } if !(50..=5000).contains(&ms) => Err(bad_value("ms", "50–5000")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use protocol::{SceneDraft, SourceDraft};

    use super::super::first_state;
    use super::*;

    fn done(state: &mut State, command: Command) -> Reply {
        edit(state, &command)
            .expect("an edit")
            .unwrap_or_else(|e| panic!("{command:?} failed: {e:?}"))
    }

    fn card(name: &str) -> SourceDraft {
        SourceDraft {
            name: name.into(),
            settings: SourceSettings::TestCard { tone_hz: 1000 },
        }
    }

    #[test]
    fn a_source_goes_with_all_its_places() {
        let mut state = first_state();
        let first = state.scenes[0].id.clone();
        let Reply::Source { id } = done(
            &mut state,
            Command::AddSource {
                draft: card("a"),
                scene: Some(first.clone()),
                placement: None,
            },
        ) else {
            panic!("a source was made")
        };
        let Reply::Scene { id: copy } = done(
            &mut state,
            Command::DuplicateScene {
                scene: first,
                name: "copy".into(),
            },
        ) else {
            panic!("a scene was made")
        };
        assert_eq!(scene(&state, &copy).unwrap().items[0].source, id);
        done(&mut state, Command::RemoveSource { source: id });
        assert!(
            state.scenes.iter().all(|s| s.items.is_empty()),
            "no item may name a source that is gone"
        );
    }

    #[test]
    fn a_source_stands_where_it_was_put_and_else_fills_the_canvas() {
        let mut state = first_state();
        let scene = state.scenes[0].id.clone();
        let corner = Placement {
            x: 0.5,
            y: 0.25,
            width: 0.5,
            height: 0.5,
            ..Placement::default()
        };
        for placement in [Some(corner), None] {
            done(
                &mut state,
                Command::AddSource {
                    draft: card("a"),
                    scene: Some(scene.clone()),
                    placement,
                },
            );
        }
        let places: Vec<Placement> = state.scenes[0].items.iter().map(|i| i.placement).collect();
        assert_eq!(places, [corner, Placement::default()]);
    }

    #[test]
    fn the_scene_on_air_stays() {
        let mut state = first_state();
        let on_air = state.program.program.clone();
        done(
            &mut state,
            Command::AddScene {
                draft: SceneDraft { name: "two".into() },
            },
        );
        let error = edit(&mut state, &Command::RemoveScene { scene: on_air })
            .unwrap()
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::LastScene);
        assert_eq!(state.scenes.len(), 2);
    }

    #[test]
    fn what_fails_changes_nothing() {
        let mut state = first_state();
        let before = state.clone();
        let nowhere = SceneId::try_from("nowhere").unwrap();
        let commands = [
            Command::AddSource {
                draft: card(""),
                scene: None,
                placement: None,
            },
            Command::AddSource {
                draft: card("a"),
                scene: Some(nowhere.clone()),
                placement: None,
            },
            Command::AddSource {
                draft: SourceDraft {
                    name: "f".into(),
                    settings: SourceSettings::File {
                        path: "relative.mp4".into(),
                        looping: true,
                    },
                },
                scene: None,
                placement: None,
            },
            Command::RenameScene {
                scene: nowhere,
                name: "x".into(),
            },
            Command::SetTransition {
                transition: Transition::Fade { ms: 6000 },
            },
            Command::NameShow {
                title: "x".repeat(141),
            },
        ];
        for command in commands {
            assert!(
                edit(&mut state, &command).expect("an edit").is_err(),
                "{command:?} must fail"
            );
            assert_eq!(state, before, "{command:?} failed and yet changed something");
        }
    }

    #[test]
    fn items_move_within_their_scene() {
        let mut state = first_state();
        let id = state.scenes[0].id.clone();
        for name in ["a", "b", "c"] {
            done(
                &mut state,
                Command::AddSource {
                    draft: card(name),
                    scene: Some(id.clone()),
                    placement: None,
                },
            );
        }
        let order = |state: &State| -> Vec<SourceId> {
            state.scenes[0].items.iter().map(|i| i.source.clone()).collect()
        };
        let before = order(&state);
        let item = state.scenes[0].items[0].id.clone();
        done(
            &mut state,
            Command::MoveItem {
                scene: id,
                item,
                to: 99,
            },
        );
        let after = order(&state);
        assert_eq!(after, [before[1].clone(), before[2].clone(), before[0].clone()]);
    }
}
