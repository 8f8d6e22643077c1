//! Between the state, which desks see, and the document, which is kept.

use protocol::{ErrorCode, State, UserError};
use store::{Document, StoreError};

/// The part of the state that is kept.
pub fn of(state: &State) -> Document {
    Document {
        settings: state.settings.clone(),
        sources: state.sources.clone(),
        scenes: state.scenes.clone(),
        program: state.program.clone(),
        destinations: state.destinations.clone(),
        overlays: state.overlays.clone(),
        show_title: state.show.title.clone(),
    }
}

/// Puts a kept document into a fresh state. What points nowhere is mended: a document from an older version or a
/// damaged one must still open.
pub fn take_up(state: &mut State, document: Document) {
    let Document {
        settings,
        sources,
        mut scenes,
        mut program,
        destinations,
        overlays,
        show_title,
    } = document;
    for scene in &mut scenes {
        scene
            .items
            .retain(|item| sources.iter().any(|s| s.id == item.source));
    }
    if scenes.is_empty() {
        scenes = std::mem::take(&mut state.scenes);
    }
    let known = |id: &protocol::SceneId| scenes.iter().any(|s| s.id == *id);
    if !known(&program.program) {
        program.program = scenes[0].id.clone();
    }
    if !known(&program.preview) || !program.studio_mode {
        program.preview = program.program.clone();
    }
    program.fading = false;
    state.settings = settings;
    state.sources = sources;
    state.scenes = scenes;
    state.program = program;
    state.destinations = destinations;
    state.overlays = overlays;
    state.show.title = show_title;
}

/// A trouble with the database as a person is told.
pub fn store_error(error: StoreError) -> UserError {
    match &error {
        StoreError::Taken { path, pid } => UserError::new(ErrorCode::DataFolderTaken)
            .with("path", path.display())
            .with("pid", pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string())),
        _ => UserError::new(ErrorCode::DatabaseUnusable).with("detail", &error),
    }
}

#[cfg(test)]
mod tests {
    use protocol::{ItemId, Placement, SceneItem, SourceId};

    use super::super::first_state;
    use super::*;

    #[test]
    fn a_document_that_points_nowhere_still_opens() {
        let mut kept = of(&first_state());
        kept.program.program = protocol::SceneId::try_from("gone").unwrap();
        kept.scenes[0].items.push(SceneItem {
            id: ItemId::try_from("i").unwrap(),
            source: SourceId::try_from("gone").unwrap(),
            placement: Placement::default(),
            visible: true,
            locked: false,
        });
        let mut state = first_state();
        take_up(&mut state, kept.clone());
        assert_eq!(state.program.program, kept.scenes[0].id);
        assert_eq!(state.program.preview, kept.scenes[0].id);
        assert!(state.scenes[0].items.is_empty());
    }
}
