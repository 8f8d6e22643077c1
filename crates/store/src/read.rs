//! The document, out of the database. What is read is checked as if it came over the wire.

use std::collections::HashMap;
use std::fmt::Display;

use protocol::{
    AudioControls, Canvas, Crop, Db, Destination, EncoderChoice, Fit, HighRendition, KilobitsPerSecond,
    Overlays, Placement, PreparedOverlay, ProgramState, Scene, SceneItem, Settings, Source, Transition,
};
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::{Document, UnreadableRow, write};

/// Why no document could be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Sqlite(sqlx::Error),
    Row(UnreadableRow),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<UnreadableRow> for ReadError {
    fn from(row: UnreadableRow) -> Self {
        Self::Row(row)
    }
}

/// Where an unreadable value stands.
struct At<'a> {
    table: &'static str,
    row: &'a str,
}

impl At<'_> {
    fn read<T, E: Display>(&self, value: Result<T, E>) -> Result<T, UnreadableRow> {
        value.map_err(|error| UnreadableRow {
            table: self.table,
            row: self.row.to_owned(),
            detail: error.to_string(),
        })
    }
}

/// What was saved last; `None` when nothing was.
pub(crate) async fn document(db: &SqlitePool) -> Result<Option<Document>, ReadError> {
    let Some(row) = sqlx::query("SELECT * FROM settings").fetch_optional(db).await? else {
        return Ok(None);
    };
    let (settings, show_title) = settings(&row)?;
    let Some(row) = sqlx::query("SELECT * FROM program").fetch_optional(db).await? else {
        let detail = "there are settings but no program".to_owned();
        return Err(UnreadableRow {
            table: "program",
            row: "1".into(),
            detail,
        }
        .into());
    };
    let program = program(&row)?;

    let mut sources = Vec::new();
    for row in sqlx::query("SELECT * FROM sources ORDER BY position")
        .fetch_all(db)
        .await?
    {
        sources.push(source(&row)?);
    }
    let mut items: HashMap<String, Vec<SceneItem>> = HashMap::new();
    for row in sqlx::query("SELECT * FROM scene_items ORDER BY position")
        .fetch_all(db)
        .await?
    {
        items
            .entry(row.try_get("scene_id")?)
            .or_default()
            .push(item(&row)?);
    }
    let mut scenes = Vec::new();
    for row in sqlx::query("SELECT * FROM scenes ORDER BY position")
        .fetch_all(db)
        .await?
    {
        let id: String = row.try_get("id")?;
        let items = items.remove(&id).unwrap_or_default();
        let at = At {
            table: "scenes",
            row: &id,
        };
        scenes.push(Scene {
            id: at.read(id.as_str().try_into())?,
            name: row.try_get("name")?,
            items,
        });
    }
    let mut destinations = Vec::new();
    for row in sqlx::query("SELECT * FROM destinations ORDER BY position")
        .fetch_all(db)
        .await?
    {
        destinations.push(destination(&row)?);
    }
    Ok(Some(Document {
        settings,
        sources,
        scenes,
        program,
        destinations,
        overlays: overlays(db).await?,
        show_title,
    }))
}

async fn overlays(db: &SqlitePool) -> Result<Overlays, ReadError> {
    let mut overlays = Overlays::default();
    let look = sqlx::query("SELECT look FROM overlay_look")
        .fetch_optional(db)
        .await?;
    if let Some(row) = look {
        let at = At {
            table: "overlay_look",
            row: "1",
        };
        overlays.look = at.read(serde_json::from_str(row.try_get("look")?))?;
    }
    let rows = sqlx::query("SELECT * FROM overlays ORDER BY position")
        .fetch_all(db)
        .await?;
    for row in rows {
        let kind: String = row.try_get("kind")?;
        let at = At {
            table: "overlays",
            row: &kind,
        };
        overlays.prepared.push(PreparedOverlay {
            overlay: at.read(serde_json::from_str(row.try_get("content")?))?,
            shown: row.try_get("shown")?,
        });
    }
    Ok(overlays)
}

fn settings(row: &SqliteRow) -> Result<(Settings, String), ReadError> {
    let at = At {
        table: "settings",
        row: "1",
    };
    let canvas = Canvas::new(row.try_get("width")?, row.try_get("height")?, row.try_get("fps")?);
    let encoder: Option<String> = row.try_get("encoder")?;
    let high: String = row.try_get("high_rendition")?;
    let choices = [HighRendition::Automatic, HighRendition::On, HighRendition::Off];
    let settings = Settings {
        canvas: at.read(canvas)?,
        video: at.read(KilobitsPerSecond::try_from(row.try_get::<u32, _>("video_kbps")?))?,
        audio: at.read(KilobitsPerSecond::try_from(row.try_get::<u32, _>("audio_kbps")?))?,
        encoder: encoder.map_or(EncoderChoice::Automatic, |id| EncoderChoice::Named { id }),
        high_rendition: at.read(word(&high, &choices, write::high_rendition))?,
        welcomed: row.try_get("welcomed")?,
    };
    Ok((settings, row.try_get("show_title")?))
}

fn program(row: &SqliteRow) -> Result<ProgramState, ReadError> {
    let at = At {
        table: "program",
        row: "1",
    };
    let fade_ms: Option<u32> = row.try_get("fade_ms")?;
    Ok(ProgramState {
        program: at.read(row.try_get::<String, _>("scene_id")?.try_into())?,
        preview: at.read(row.try_get::<String, _>("preview_id")?.try_into())?,
        studio_mode: row.try_get("studio_mode")?,
        transition: fade_ms.map_or(Transition::Cut, |ms| Transition::Fade { ms }),
        fading: false,
        master_gain: at.read(Db::try_from(row.try_get::<f32, _>("master_gain_db")?))?,
        master_muted: row.try_get("master_muted")?,
    })
}

fn source(row: &SqliteRow) -> Result<Source, ReadError> {
    let id: String = row.try_get("id")?;
    let at = At {
        table: "sources",
        row: &id,
    };
    Ok(Source {
        id: at.read(id.as_str().try_into())?,
        name: row.try_get("name")?,
        settings: at.read(serde_json::from_str(row.try_get("settings")?))?,
        audio: AudioControls {
            gain: at.read(Db::try_from(row.try_get::<f32, _>("gain_db")?))?,
            muted: row.try_get("muted")?,
            pan: row.try_get("pan")?,
            sync_offset_ms: row.try_get("sync_offset_ms")?,
        },
    })
}

fn item(row: &SqliteRow) -> Result<SceneItem, ReadError> {
    let id: String = row.try_get("id")?;
    let at = At {
        table: "scene_items",
        row: &id,
    };
    let fit: String = row.try_get("fit")?;
    let placement = Placement {
        x: row.try_get("x")?,
        y: row.try_get("y")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
        rotation: row.try_get("rotation")?,
        crop: Crop {
            left: row.try_get("crop_left")?,
            top: row.try_get("crop_top")?,
            right: row.try_get("crop_right")?,
            bottom: row.try_get("crop_bottom")?,
        },
        fit: at.read(word(&fit, &[Fit::Contain, Fit::Cover, Fit::Stretch], write::fit))?,
        opacity: row.try_get("opacity")?,
    };
    Ok(SceneItem {
        id: at.read(id.as_str().try_into())?,
        source: at.read(row.try_get::<String, _>("source_id")?.try_into())?,
        placement,
        visible: row.try_get("visible")?,
        locked: row.try_get("locked")?,
    })
}

fn destination(row: &SqliteRow) -> Result<Destination, ReadError> {
    let id: String = row.try_get("id")?;
    let at = At {
        table: "destinations",
        row: &id,
    };
    Ok(Destination {
        id: at.read(id.as_str().try_into())?,
        name: row.try_get("name")?,
        enabled: row.try_get("enabled")?,
        kind: at.read(serde_json::from_str(row.try_get("settings")?))?,
    })
}

/// The choice that is written like that.
fn word<T: Copy>(text: &str, choices: &[T], written: fn(T) -> &'static str) -> Result<T, String> {
    choices
        .iter()
        .copied()
        .find(|choice| written(*choice) == text)
        .ok_or_else(|| format!("{text:?} is no choice"))
}
