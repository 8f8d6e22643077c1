//! Rows that differ, into the database.

use std::collections::HashSet;

use protocol::{
    Destination, EncoderChoice, Fit, HighRendition, Overlays, ProgramState, Scene, SceneItem, Settings,
    Source, Transition,
};
use sqlx::SqliteConnection;

use crate::Document;

type Written = Result<(), sqlx::Error>;

/// Writes what leads from `before` to `after`; all of it without a `before`. Call it in a transaction.
pub(crate) async fn changes(
    db: &mut SqliteConnection,
    before: Option<&Document>,
    after: &Document,
) -> Written {
    let same_settings =
        before.is_some_and(|b| b.settings == after.settings && b.show_title == after.show_title);
    if !same_settings {
        settings(db, &after.settings, &after.show_title).await?;
    }

    let old = before.map_or(&[][..], |b| &b.sources);
    for (position, row) in changed(old, &after.sources) {
        source(db, position, row).await?;
    }
    let old_scenes = before.map_or(&[][..], |b| &b.scenes);
    let heads = |scenes: &[Scene]| -> Vec<(String, String)> {
        scenes
            .iter()
            .map(|s| (s.id.to_string(), s.name.clone()))
            .collect()
    };
    for (position, (id, name)) in changed(&heads(old_scenes), &heads(&after.scenes)) {
        scene(db, position, id, name).await?;
    }
    for after_scene in &after.scenes {
        let before_scene = old_scenes.iter().find(|s| s.id == after_scene.id);
        items(db, before_scene, after_scene).await?;
    }

    // What is gone goes last, so that rows that pointed at it are gone or point elsewhere by now.
    for id in gone(old_scenes, &after.scenes, |s| s.id.as_str()) {
        sqlx::query("DELETE FROM scene_items WHERE scene_id = ?1")
            .bind(id)
            .execute(&mut *db)
            .await?;
        sqlx::query("DELETE FROM scenes WHERE id = ?1")
            .bind(id)
            .execute(&mut *db)
            .await?;
    }
    for id in gone(old, &after.sources, |s| s.id.as_str()) {
        sqlx::query("DELETE FROM sources WHERE id = ?1")
            .bind(id)
            .execute(&mut *db)
            .await?;
    }

    if before.map(|b| &b.program) != Some(&after.program) {
        program(db, &after.program).await?;
    }
    let old = before.map_or(&[][..], |b| &b.destinations);
    for (position, row) in changed(old, &after.destinations) {
        destination(db, position, row).await?;
    }
    for id in gone(old, &after.destinations, |d| d.id.as_str()) {
        sqlx::query("DELETE FROM destinations WHERE id = ?1")
            .bind(id)
            .execute(&mut *db)
            .await?;
    }
    if before.map(|b| &b.overlays) != Some(&after.overlays) {
        overlays(db, &after.overlays).await?;
    }
    Ok(())
}

/// Rows that are new, other, or at another position than before.
fn changed<'a, T: PartialEq>(before: &'a [T], after: &'a [T]) -> impl Iterator<Item = (i64, &'a T)> {
    after
        .iter()
        .enumerate()
        .filter(|(at, row)| before.get(*at) != Some(row))
        .map(|(at, row)| (at as i64, row))
}

/// Keys that were there and are not.
fn gone<'a, T>(before: &'a [T], after: &'a [T], key: fn(&T) -> &str) -> Vec<&'a str> {
    let kept: HashSet<&str> = after.iter().map(key).collect();
    before.iter().map(key).filter(|id| !kept.contains(id)).collect()
}

async fn settings(db: &mut SqliteConnection, s: &Settings, show_title: &str) -> Written {
    let encoder = match &s.encoder {
        EncoderChoice::Automatic => None,
        EncoderChoice::Named { id } => Some(id),
    };
    sqlx::query(
        "INSERT OR REPLACE INTO settings (id, width, height, fps, video_kbps, audio_kbps, encoder,
         high_rendition, welcomed, show_title) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(s.canvas.width())
    .bind(s.canvas.height())
    .bind(s.canvas.fps())
    .bind(s.video.value())
    .bind(s.audio.value())
    .bind(encoder)
    .bind(high_rendition(s.high_rendition))
    .bind(s.welcomed)
    .bind(show_title)
    .execute(db)
    .await?;
    Ok(())
}

async fn source(db: &mut SqliteConnection, position: i64, s: &Source) -> Written {
    sqlx::query(
        "INSERT INTO sources (id, position, name, settings, gain_db, muted, pan, sync_offset_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET position = ?2, name = ?3, settings = ?4, gain_db = ?5, muted = ?6,
         pan = ?7, sync_offset_ms = ?8",
    )
    .bind(s.id.as_str())
    .bind(position)
    .bind(&s.name)
    .bind(json(&s.settings)?)
    .bind(s.audio.gain.value())
    .bind(s.audio.muted)
    .bind(s.audio.pan)
    .bind(s.audio.sync_offset_ms)
    .execute(db)
    .await?;
    Ok(())
}

async fn scene(db: &mut SqliteConnection, position: i64, id: &str, name: &str) -> Written {
    sqlx::query(
        "INSERT INTO scenes (id, position, name) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET position = ?2, name = ?3",
    )
    .bind(id)
    .bind(position)
    .bind(name)
    .execute(db)
    .await?;
    Ok(())
}

async fn items(db: &mut SqliteConnection, before: Option<&Scene>, after: &Scene) -> Written {
    let old = before.map_or(&[][..], |scene| &scene.items);
    for (position, row) in changed(old, &after.items) {
        item(db, after.id.as_str(), position, row).await?;
    }
    for id in gone(old, &after.items, |i| i.id.as_str()) {
        sqlx::query("DELETE FROM scene_items WHERE scene_id = ?1 AND id = ?2")
            .bind(after.id.as_str())
            .bind(id)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn item(db: &mut SqliteConnection, scene: &str, position: i64, i: &SceneItem) -> Written {
    let place = &i.placement;
    sqlx::query(
        "INSERT INTO scene_items (scene_id, id, source_id, position, x, y, width, height, rotation,
         crop_left, crop_top, crop_right, crop_bottom, fit, opacity, visible, locked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (scene_id, id) DO UPDATE SET source_id = ?3, position = ?4, x = ?5, y = ?6, width = ?7,
         height = ?8, rotation = ?9, crop_left = ?10, crop_top = ?11, crop_right = ?12, crop_bottom = ?13,
         fit = ?14, opacity = ?15, visible = ?16, locked = ?17",
    )
    .bind(scene)
    .bind(i.id.as_str())
    .bind(i.source.as_str())
    .bind(position)
    .bind(place.x)
    .bind(place.y)
    .bind(place.width)
    .bind(place.height)
    .bind(place.rotation)
    .bind(place.crop.left)
    .bind(place.crop.top)
    .bind(place.crop.right)
    .bind(place.crop.bottom)
    .bind(fit(place.fit))
    .bind(place.opacity)
    .bind(i.visible)
    .bind(i.locked)
    .execute(db)
    .await?;
    Ok(())
}

async fn program(db: &mut SqliteConnection, p: &ProgramState) -> Written {
    let fade_ms = match p.transition {
        Transition::Cut => None,
        Transition::Fade { ms } => Some(ms),
    };
    sqlx::query(
        "INSERT OR REPLACE INTO program (id, scene_id, preview_id, studio_mode, fade_ms, master_gain_db,
         master_muted) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(p.program.as_str())
    .bind(p.preview.as_str())
    .bind(p.studio_mode)
    .bind(fade_ms)
    .bind(p.master_gain.value())
    .bind(p.master_muted)
    .execute(db)
    .await?;
    Ok(())
}

async fn destination(db: &mut SqliteConnection, position: i64, d: &Destination) -> Written {
    sqlx::query(
        "INSERT INTO destinations (id, position, name, enabled, settings) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET position = ?2, name = ?3, enabled = ?4, settings = ?5",
    )
    .bind(d.id.as_str())
    .bind(position)
    .bind(&d.name)
    .bind(d.enabled)
    .bind(json(&d.kind)?)
    .execute(db)
    .await?;
    Ok(())
}

/// A handful of rows, written whole.
async fn overlays(db: &mut SqliteConnection, overlays: &Overlays) -> Written {
    sqlx::query("DELETE FROM overlays").execute(&mut *db).await?;
    for (position, prepared) in overlays.prepared.iter().enumerate() {
        sqlx::query("INSERT INTO overlays (kind, position, content, shown) VALUES (?1, ?2, ?3, ?4)")
            .bind(prepared.overlay.kind().as_str())
            .bind(position as i64)
            .bind(json(&prepared.overlay)?)
            .bind(prepared.shown)
            .execute(&mut *db)
            .await?;
    }
    sqlx::query("INSERT OR REPLACE INTO overlay_look (id, look) VALUES (1, ?1)")
        .bind(json(&overlays.look)?)
        .execute(db)
        .await?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

pub(crate) fn fit(fit: Fit) -> &'static str {
    match fit {
        Fit::Contain => "contain",
        Fit::Cover => "cover",
        Fit::Stretch => "stretch",
    }
}

pub(crate) fn high_rendition(choice: HighRendition) -> &'static str {
    match choice {
        HighRendition::Automatic => "automatic",
        HighRendition::On => "on",
        HighRendition::Off => "off",
    }
}
