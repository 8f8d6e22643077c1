//! Does what the supervision decides: looks, starts, waits, follows, stops.

use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use super::announcement::{Engine, FirstLine};
use super::link::{self, Link};
use super::supervision::{Effect, Input, Status, Supervision};
use super::{ProcessOptions, Request, child};

/// How long an engine may take to end a show and itself before the program quits without waiting for it. It
/// is not killed then: it may be closing a long recording.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Characters of the token: 190 bits.
const TOKEN_CHARS: usize = 32;

/// The engine of the moment, as the task sees it that lives with it.
struct Life {
    task: JoinHandle<()>,
    /// Dropping it closes the engine's standard input; `None` for an engine that somebody else started.
    leash: Option<oneshot::Sender<()>>,
    end_show: mpsc::Sender<()>,
}

struct Actor {
    options: ProcessOptions,
    token: String,
    supervision: Supervision,
    life: Option<Life>,
    inputs: mpsc::Sender<Input>,
    on_air_in: mpsc::Sender<bool>,
    status: watch::Sender<Status>,
}

/// Runs until it is asked to stop, or until nobody is left to ask.
pub async fn run(
    options: ProcessOptions,
    mut requests: mpsc::Receiver<Request>,
    status: watch::Sender<Status>,
    on_air: watch::Sender<bool>,
) {
    let (inputs, mut happened) = mpsc::channel(8);
    let (on_air_in, mut on_air_heard) = mpsc::channel(8);
    let (supervision, first) = Supervision::new();
    let token = Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS);
    let mut actor = Actor {
        options,
        token,
        supervision,
        life: None,
        inputs,
        on_air_in,
        status,
    };
    actor.perform(first);
    loop {
        tokio::select! {
            Some(input) = happened.recv() => actor.on_input(input),
            Some(now) = on_air_heard.recv() => {
                on_air.send_if_modified(|before| std::mem::replace(before, now) != now);
            }
            request = requests.recv() => match request {
                Some(Request::Retry { done }) => {
                    actor.on_input(Input::Retry);
                    // Who asked may have stopped waiting.
                    let _ = done.send(());
                }
                Some(Request::Stop { end_show, done }) => {
                    let stopping = actor.stop(end_show, &on_air, &mut on_air_heard);
                    if timeout(END_WITHIN, stopping).await.is_err() {
                        tracing::warn!("engine takes long to end, it goes on by itself");
                    }
                    // Who asked may have stopped waiting.
                    let _ = done.send(());
                    return;
                }
                None => return,
            },
        }
    }
}

impl Actor {
    fn on_input(&mut self, input: Input) {
        tracing::debug!(?input, "engine process");
        if matches!(input, Input::Gone(_)) {
            self.life = None;
        }
        if let Some(effect) = self.supervision.step(Instant::now(), input) {
            self.perform(effect);
        }
        self.status.send_if_modified(|status| {
            let changed = status != self.supervision.status();
            status.clone_from(self.supervision.status());
            changed
        });
    }

    fn perform(&mut self, effect: Effect) {
        let (inputs, on_air) = (self.inputs.clone(), self.on_air_in.clone());
        match effect {
            Effect::Look => {
                let (end_show, end_show_out) = mpsc::channel(1);
                let task = tokio::spawn(look(self.options.clone(), inputs, on_air, end_show_out));
                self.life = Some(Life {
                    task,
                    leash: None,
                    end_show,
                });
            }
            Effect::Start { like, resume } => {
                let (end_show, end_show_out) = mpsc::channel(1);
                let (leash, let_go) = oneshot::channel();
                // An engine that was found has a token of its own, which desks know.
                let token = like.as_ref().map_or(&self.token, |engine| &engine.token).clone();
                let start = Start {
                    options: self.options.clone(),
                    like,
                    token,
                    resume,
                };
                let task = tokio::spawn(live(start, let_go, inputs, on_air, end_show_out));
                self.life = Some(Life {
                    task,
                    leash: Some(leash),
                    end_show,
                });
            }
            Effect::Wake(at) => {
                tokio::spawn(async move {
                    sleep_until(at.into()).await;
                    tell(&inputs, Input::Woken).await;
                });
            }
        }
    }

    /// Ends the show if that is wanted, then the engine that this shell started. On air without `end_show`,
    /// nothing ends.
    async fn stop(
        &mut self,
        end_show: bool,
        on_air: &watch::Sender<bool>,
        on_air_heard: &mut mpsc::Receiver<bool>,
    ) {
        let Some(mut life) = self.life.take() else { return };
        if *on_air.borrow() {
            if !end_show || life.end_show.send(()).await.is_err() {
                return;
            }
            while on_air_heard.recv().await == Some(true) {}
        }
        if life.leash.take().is_some() {
            // The task ends with the engine; how it ended matters no more.
            let _ = life.task.await;
        }
    }
}

/// Looks for an engine that runs already, and lives with it if there is one.
async fn look(
    options: ProcessOptions,
    inputs: mpsc::Sender<Input>,
    on_air: mpsc::Sender<bool>,
    mut end_show: mpsc::Receiver<()>,
) {
    let Some(engine) = Engine::left_in(&options.data_folder) else {
        return tell(&inputs, Input::Looked(None)).await;
    };
    let link = match Link::open(&engine).await {
        Ok(link) => link,
        Err(error) => {
            tracing::info!(%error, address = engine.address, "no engine runs where one did");
            return tell(&inputs, Input::Looked(None)).await;
        }
    };
    tracing::info!(address = engine.address, "engine found running");
    tell(&inputs, Input::Looked(Some(engine.clone()))).await;
    let error = link::keep(&engine, Some(link), &on_air, &mut end_show).await;
    tell(&inputs, Input::Gone(error)).await;
}

struct Start {
    options: ProcessOptions,
    like: Option<Engine>,
    token: String,
    resume: bool,
}

/// Starts an engine and lives with it.
async fn live(
    start: Start,
    let_go: oneshot::Receiver<()>,
    inputs: mpsc::Sender<Input>,
    on_air: mpsc::Sender<bool>,
    mut end_show: mpsc::Receiver<()>,
) {
    let Start {
        options,
        like,
        token,
        resume,
    } = start;
    let (mut child, stdin) = match child::start(&options, like.as_ref(), &token, resume) {
        Ok(started) => started,
        Err(error) => return tell(&inputs, Input::Gone(error)).await,
    };
    tokio::spawn(async move {
        // Either end of the wait means the same: nobody holds the engine any more.
        let _ = let_go.await;
        drop(stdin);
    });
    let error = match child.first_line().await {
        Some(FirstLine::Ready(engine)) => {
            tell(&inputs, Input::Announced(engine.clone())).await;
            let ended = child.ended();
            tokio::pin!(ended);
            loop {
                tokio::select! {
                    error = &mut ended => break error,
                    // Out of reach and yet alive: its end decides, not its silence.
                    _ = link::keep(&engine, None, &on_air, &mut end_show) => {}
                }
            }
        }
        Some(FirstLine::Refused { error }) => {
            child.ended().await;
            error
        }
        None => child.ended().await,
    };
    tell(&inputs, Input::Gone(error)).await;
}

async fn tell(inputs: &mpsc::Sender<Input>, input: Input) {
    if inputs.send(input).await.is_err() {
        tracing::debug!("the shell is quitting");
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use protocol::{ErrorCode, UserError};

    use super::*;

    /// A program that takes the engine's place, written in shell: it says what it was started with.
    fn program(folder: &std::path::Path, script: &str) -> ProcessOptions {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("engine.sh");
        std::fs::write(
            &path,
            format!(
                "#!/bin/sh\necho \"$@\" >> {}/starts\n{script}\n",
                folder.display()
            ),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        ProcessOptions {
            program: path,
            data_folder: folder.to_owned(),
        }
    }

    fn start(options: ProcessOptions) -> (mpsc::Sender<Request>, watch::Receiver<Status>) {
        let (requests, inbox) = mpsc::channel(8);
        let (status_out, status) = watch::channel(Status::Starting);
        tokio::spawn(run(options, inbox, status_out, watch::channel(false).0));
        (requests, status)
    }

    async fn until(status: &mut watch::Receiver<Status>, wanted: impl FnMut(&Status) -> bool) -> Status {
        let found = timeout(Duration::from_secs(10), status.wait_for(wanted)).await;
        found
            .expect("it comes within ten seconds")
            .expect("the actor lives")
            .clone()
    }

    #[tokio::test]
    async fn a_killed_engine_is_started_again_with_address_token_and_resume() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"echo "some library says hello"
            echo "{\"address\":\"http://127.0.0.1:9\",\"token\":\"$STUDIO_TOKEN\"}"
            if [ -e "$(dirname "$0")/again" ]; then read forever; exit 0; fi
            touch "$(dirname "$0")/again"; kill -9 $$"#;
        let (requests, mut status) = start(program(folder.path(), script));
        let starts = || std::fs::read_to_string(folder.path().join("starts")).unwrap_or_default();
        let engine = |status: &Status| matches!(status, Status::Running(_));
        let Status::Running(first) = until(&mut status, engine).await else {
            panic!()
        };
        assert_eq!(first.token.len(), TOKEN_CHARS, "the shell gives the token");
        until(&mut status, |status| {
            engine(status) && starts().lines().count() == 2
        })
        .await;
        assert_eq!(
            until(&mut status, engine).await,
            Status::Running(first),
            "the same to every desk"
        );
        let starts = starts();
        let lines: Vec<_> = starts.lines().collect();
        assert!(
            lines[0].contains("--listen 127.0.0.1:0") && !lines[0].contains("--resume"),
            "{}",
            lines[0]
        );
        assert!(
            lines[1].contains("--listen 127.0.0.1:9") && lines[1].contains("--resume"),
            "{}",
            lines[1]
        );

        // It waits for the end of its standard input, which is all that stops it.
        let (done, stopped) = oneshot::channel();
        assert!(
            requests
                .send(Request::Stop {
                    end_show: false,
                    done
                })
                .await
                .is_ok()
        );
        timeout(Duration::from_secs(5), stopped)
            .await
            .expect("it stops")
            .unwrap();
    }

    #[tokio::test]
    async fn an_engine_that_cannot_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let error = UserError::new(ErrorCode::NoEncoder).with("missing", "x264enc");
        let script = format!("echo '{}'; exit 5", serde_json::json!({ "error": error }));
        let (_requests, mut status) = start(program(folder.path(), &script));
        let failed = |status: &Status| matches!(status, Status::Failed(_));
        assert_eq!(until(&mut status, failed).await, Status::Failed(error));

        let folder = tempfile::tempdir().unwrap();
        let (_requests, mut status) = start(program(
            folder.path(),
            "echo 'libgst.so: not found' >&2; exit 127",
        ));
        let Status::Failed(error) = until(&mut status, failed).await else {
            panic!()
        };
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(
            error.params["detail"].contains("libgst.so: not found"),
            "{error:?}"
        );
        assert!(error.params["detail"].contains("127"), "{error:?}");

        let folder = tempfile::tempdir().unwrap();
        let nowhere = ProcessOptions {
            program: "/nowhere/studio-engine".into(),
            data_folder: folder.path().into(),
        };
        let (_requests, mut status) = start(nowhere);
        let Status::Failed(error) = until(&mut status, failed).await else {
            panic!()
        };
        assert_eq!(
            (error.code, error.params["path"].as_str()),
            (ErrorCode::FileMissing, "/nowhere/studio-engine")
        );
    }

    #[tokio::test]
    async fn what_a_dead_engine_left_behind_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let left = format!(r#"{{"address":"http://{closed}","token":"old"}}"#);
        std::fs::write(folder.path().join("engine.json"), left).unwrap();
        let script = r#"echo '{"address":"http://127.0.0.1:9","token":"new"}'; read forever"#;
        let (_requests, mut status) = start(program(folder.path(), script));
        let running = until(&mut status, |status| matches!(status, Status::Running(_))).await;
        assert_eq!(
            running,
            Status::Running(Engine {
                address: "http://127.0.0.1:9".into(),
                token: "new".into()
            })
        );
    }
}
