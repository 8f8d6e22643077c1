//! Undo and redo of scene edits.

use std::collections::VecDeque;

use protocol::{Scene, Source, State};

use super::limits;

/// What a scene edit can change.
#[derive(Debug, Clone, PartialEq)]
struct Snapshot {
    scenes: Vec<Scene>,
    sources: Vec<Source>,
}

impl Snapshot {
    fn of(state: &State) -> Self {
        Self {
            scenes: state.scenes.clone(),
            sources: state.sources.clone(),
        }
    }

    /// Puts the arrangement back. Faders stay where they are now, and so does the scene on air: undo must never
    /// change what is heard or take a picture away from viewers that the host did not touch.
    fn restore(mut self, state: &mut State) {
        for source in &mut self.sources {
            if let Some(now) = state.sources.iter().find(|s| s.id == source.id) {
                source.audio = now.audio;
            }
        }
        for kept in [&state.program.program, &state.program.preview] {
            if self.scenes.iter().all(|s| s.id != *kept)
                && let Some(scene) = state.scenes.iter().find(|s| s.id == *kept)
            {
                for item in &scene.items {
                    if self.sources.iter().all(|s| s.id != item.source)
                        && let Some(source) = state.sources.iter().find(|s| s.id == item.source)
                    {
                        self.sources.push(source.clone());
                    }
                }
                self.scenes.push(scene.clone());
            }
        }
        state.scenes = self.scenes;
        state.sources = self.sources;
    }
}

/// The edits of this session.
#[derive(Debug, Default)]
pub struct History {
    past: VecDeque<Snapshot>,
    future: Vec<Snapshot>,
    /// The drag that the newest entry of `past` stands for.
    gesture: Option<u32>,
}

impl History {
    /// Keeps `before`, which an edit has just changed. Edits of one drag are one entry.
    pub fn edited(&mut self, before: &State, gesture: Option<u32>) {
        self.future.clear();
        if gesture.is_some() && gesture == self.gesture {
            return;
        }
        self.gesture = gesture;
        self.past.push_back(Snapshot::of(before));
        if self.past.len() > limits::HISTORY {
            self.past.pop_front();
        }
    }

    /// Takes the last edit back; `false` when there is none.
    pub fn undo(&mut self, state: &mut State) -> bool {
        self.gesture = None;
        let Some(snapshot) = self.past.pop_back() else {
            return false;
        };
        self.future.push(Snapshot::of(state));
        snapshot.restore(state);
        true
    }

    /// Does the last undone edit again; `false` when there is none.
    pub fn redo(&mut self, state: &mut State) -> bool {
        self.gesture = None;
        let Some(snapshot) = self.future.pop() else {
            return false;
        };
        self.past.push_back(Snapshot::of(state));
        snapshot.restore(state);
        true
    }

    /// What the desk shows.
    pub fn shown(&self) -> protocol::History {
        protocol::History {
            undo: !self.past.is_empty(),
            redo: !self.future.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Db, SceneId};

    use super::super::first_state;
    use super::*;

    fn scene(name: &str) -> Scene {
        Scene {
            id: SceneId::try_from(name).unwrap(),
            name: name.into(),
            items: Vec::new(),
        }
    }

    fn edit(state: &mut State, history: &mut History, gesture: Option<u32>, change: impl FnOnce(&mut State)) {
        let before = state.clone();
        change(state);
        history.edited(&before, gesture);
    }

    #[test]
    fn one_drag_is_one_step_back() {
        let (mut state, mut history) = (first_state(), History::default());
        let start = state.scenes.clone();
        for n in 0..10 {
            edit(&mut state, &mut history, Some(7), |s| {
                s.scenes[0].name = format!("at {n}")
            });
        }
        edit(&mut state, &mut history, Some(8), |s| {
            s.scenes[0].name = "next drag".into()
        });
        assert!(history.undo(&mut state));
        assert_eq!(state.scenes[0].name, "at 9");
        assert!(history.undo(&mut state));
        assert_eq!(state.scenes, start);
        assert!(!history.undo(&mut state), "nothing is left");
        assert!(history.redo(&mut state) && history.redo(&mut state));
        assert_eq!(state.scenes[0].name, "next drag");
        assert!(!history.redo(&mut state));
    }

    #[test]
    fn a_new_edit_forgets_what_was_undone() {
        let (mut state, mut history) = (first_state(), History::default());
        edit(&mut state, &mut history, None, |s| s.scenes.push(scene("a")));
        history.undo(&mut state);
        edit(&mut state, &mut history, None, |s| s.scenes.push(scene("b")));
        assert!(!history.redo(&mut state));
    }

    #[test]
    fn undo_never_takes_the_scene_on_air_or_moves_a_fader() {
        let (mut state, mut history) = (first_state(), History::default());
        edit(&mut state, &mut history, None, |s| s.scenes.push(scene("new")));
        state.program.program = SceneId::try_from("new").unwrap();
        edit(&mut state, &mut history, None, |s| {
            s.sources.push(Source {
                id: protocol::SourceId::try_from("mic").unwrap(),
                name: "mic".into(),
                settings: protocol::SourceSettings::Microphone { device: None },
                audio: Default::default(),
            });
        });
        edit(&mut state, &mut history, None, |s| s.scenes[0].name = "x".into());
        state.sources[0].audio.gain = Db::SILENCE;
        history.undo(&mut state);
        assert_eq!(
            state.sources[0].audio.gain,
            Db::SILENCE,
            "the fader stays where the host put it"
        );
        history.undo(&mut state);
        history.undo(&mut state);
        assert!(
            state.scenes.iter().any(|s| s.id == state.program.program),
            "the scene on air is still there"
        );
    }
}
