//! What a source's settings must be, before anything is opened.

use std::path::Path;

use protocol::{ErrorCode, SourceSettings, TextStyle, UserError};

const MAX_PATH_BYTES: usize = 4096;
const MAX_TEXT_CHARS: usize = 2000;
const MAX_TONE_HZ: u32 = 20_000;

/// Checks ranges and forms; whether files and devices are there shows when they are opened.
///
/// # Errors
/// [`ErrorCode::BadValue`] with `field` and `detail`.
pub fn check(settings: &SourceSettings) -> Result<(), UserError> {
    match settings {
        SourceSettings::File { path, .. } | SourceSettings::Image { path } => check_path(path),
        SourceSettings::Text(style) => check_text(style),
        SourceSettings::TestCard { tone_hz } => within("tone_hz", *tone_hz, 0..=MAX_TONE_HZ),
        // Devices are checked by their types, colours too.
        SourceSettings::Camera { .. }
        | SourceSettings::Microphone { .. }
        | SourceSettings::DesktopAudio { .. }
        | SourceSettings::Screen { .. }
        | SourceSettings::Window { .. }
        | SourceSettings::Colour { .. } => Ok(()),
    }
}

fn bad(field: &str, detail: impl ToString) -> UserError {
    UserError::new(ErrorCode::BadValue)
        .with("field", field)
        .with("detail", detail)
}

fn check_path(path: &str) -> Result<(), UserError> {
    if path.is_empty() || path.contains('\0') || path.len() > MAX_PATH_BYTES {
        return Err(bad("path", "empty, too long, or not a path"));
    }
    if !Path::new(path).is_absolute() {
        return Err(bad("path", "not absolute"));
    }
    Ok(())
}

fn check_text(style: &TextStyle) -> Result<(), UserError> {
    if style.text.chars().count() > MAX_TEXT_CHARS {
        return Err(bad("text", format!("at most {MAX_TEXT_CHARS} characters")));
    }
    if style.font.chars().count() > 100 {
        return Err(bad("font", "at most 100 characters"));
    }
    within("size", style.size, 8..=400)?;
    within("outline_width", style.outline_width, 0..=20)?;
    within("scroll", style.scroll, -1000..=1000)
}

fn within<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<(), UserError> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(bad(field, format!("{} to {}", range.start(), range.end())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> TextStyle {
        serde_json::from_value(serde_json::json!({
            "text": "a", "font": "", "size": 40, "bold": false, "colour": "#ffffff",
            "outline": "#000000", "outline_width": 0, "scroll": 0
        }))
        .expect("a style")
    }

    #[test]
    fn what_is_out_of_range_names_its_field() {
        let text = |change: fn(&mut TextStyle)| {
            let mut style = style();
            change(&mut style);
            SourceSettings::Text(style)
        };
        let file = |path: &str| SourceSettings::File {
            path: path.to_owned(),
            looping: false,
        };
        for (settings, field) in [
            (text(|s| s.text = "x".repeat(2001)), "text"),
            (text(|s| s.size = 7), "size"),
            (text(|s| s.size = 401), "size"),
            (text(|s| s.outline_width = 21), "outline_width"),
            (text(|s| s.scroll = -1001), "scroll"),
            (file(""), "path"),
            (file("relative.mp4"), "path"),
            (file("/a\0b"), "path"),
            (SourceSettings::TestCard { tone_hz: 20_001 }, "tone_hz"),
        ] {
            let error = check(&settings).expect_err(field);
            assert_eq!(
                (error.code, error.params["field"].as_str()),
                (ErrorCode::BadValue, field)
            );
        }
        assert_eq!(check(&SourceSettings::Text(style())), Ok(()));
        let path = std::env::temp_dir().join("no such file");
        assert_eq!(
            check(&file(path.to_str().expect("UTF-8"))),
            Ok(()),
            "absence is found later"
        );
    }
}
