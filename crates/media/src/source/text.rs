//! Words as pictures.
//!
//! The text is drawn by resvg from an SVG that is written here; whatever the host types is escaped, so it is never
//! markup. Shaping, right-to-left scripts and fonts for missing letters come with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
};

use protocol::{Canvas, Colour};
use resvg::{
    tiny_skia::Pixmap,
    usvg::{self, fontdb},
};

/// Distance of two baselines, in ems.
const LINE_HEIGHT: f32 = 1.25;
/// First baseline below the top, in ems.
const ASCENT: f32 = 0.98;
/// Pixels of one text picture: 32 million take 128 MB while it is drawn.
const MAX_PIXELS: u64 = 32 << 20;

/// The fonts of this computer, read once, on first use.
pub(crate) fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    Arc::clone(FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        let known = |fonts: &fontdb::Database, name: &str| {
            fonts
                .faces()
                .any(|face| face.families.iter().any(|(family, _)| family == name))
        };
        let sans = [
            "Inter",
            "Segoe UI",
            "Helvetica Neue",
            "Noto Sans",
            "DejaVu Sans",
            "Liberation Sans",
            "Arial",
        ];
        let first = fonts
            .faces()
            .find_map(|face| face.families.first())
            .map(|(family, _)| family.clone());
        let chosen = sans
            .into_iter()
            .find(|name| known(&fonts, name))
            .map(str::to_owned)
            .or(first);
        if let Some(family) = chosen {
            fonts.set_sans_serif_family(family);
        }
        tracing::debug!(faces = fonts.len(), "fonts read");
        Arc::new(fonts)
    }))
}

/// How letters look; lengths in pixels of the picture.
#[derive(Debug, Clone)]
pub(crate) struct Look<'a> {
    pub(crate) font: &'a str,
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) colour: Colour,
    pub(crate) outline: Colour,
    pub(crate) outline_width: f32,
}

/// Where lines of different length stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Centre,
}

/// Why words were not drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextError {
    #[error("draw text: no font is installed")]
    NoFont,
    #[error("draw text: {width}×{height} pixels are too many")]
    TooLarge { width: u64, height: u64 },
    #[error("draw text")]
    Draw(#[from] SvgError),
}

/// Why an SVG is none, or cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SvgError {
    #[error(transparent)]
    Svg(#[from] usvg::Error),
    /// Some letters with some fonts make the library panic (usvg 0.49, fallback within a cluster): what cannot be drawn must
    /// not end the thread that draws.
    #[error("no font lays these letters out")]
    Letters,
}

/// Lays an SVG out.
pub(crate) fn laid_out(
    lay: impl FnOnce() -> Result<usvg::Tree, usvg::Error>,
) -> Result<usvg::Tree, SvgError> {
    match catch_unwind(AssertUnwindSafe(lay)) {
        Ok(tree) => Ok(tree?),
        Err(_) => Err(SvgError::Letters),
    }
}

/// How many pixels one pixel of a canvas of 1080 lines is. An upright canvas counts its columns.
pub(crate) fn scale(canvas: Canvas) -> f32 {
    canvas.width().min(canvas.height()) as f32 / 1080.0
}

/// Draws `text` on nothing, as large as it is. Lines wider than `wrap` break between words.
pub(crate) fn draw(text: &str, look: &Look, wrap: Option<f32>, align: Align) -> Result<Pixmap, TextError> {
    if fonts().is_empty() {
        return Err(TextError::NoFont);
    }
    let text = cleaned(text);
    let mut lines: Vec<String> = text.split('\n').map(|line| line.trim_end().to_owned()).collect();
    let margin = look.outline_width.ceil() + 2.0;
    let mut widths = measure(&lines, look)?;
    if let Some(wrap) = wrap.map(|wrap| (wrap - 2.0 * margin).max(look.size))
        && widths.iter().any(|width| *width > wrap)
    {
        lines = wrapped(&lines, look, wrap)?;
        widths = measure(&lines, look)?;
    }
    let widest = widths.iter().copied().fold(0.0, f32::max);
    let width = even(widest + 2.0 * margin);
    let height = even(lines.len() as f32 * look.size * LINE_HEIGHT + 2.0 * margin);
    let too_large = TextError::TooLarge { width, height };
    if width * height > MAX_PIXELS {
        return Err(too_large);
    }
    let placed = lines.iter().enumerate().map(|(n, line)| {
        let x = match align {
            Align::Left => margin,
            Align::Centre => margin + (widest - widths[n]) / 2.0,
        };
        (
            line.as_str(),
            x,
            margin + (ASCENT + LINE_HEIGHT * n as f32) * look.size,
        )
    });
    let tree = tree(&svg(placed, look, width as f32, height as f32))?;
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or(too_large)?;
    resvg::render(&tree, usvg::Transform::identity(), &mut pixmap.as_mut());
    Ok(pixmap)
}

fn even(length: f32) -> u64 {
    (length.ceil().max(2.0) as u64).next_multiple_of(2)
}

/// Without what has no picture: tabs become spaces, other control characters go.
fn cleaned(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => None,
            c => Some(c),
        })
        .collect()
}

pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

/// A family's name for CSS; characters that would end the quotation are left out.
pub(crate) fn family(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\'' | '"' | '\\' | ';' | '{' | '}'))
        .take(100)
        .collect();
    if name.trim().is_empty() {
        "sans-serif".to_owned()
    } else {
        format!("'{}', sans-serif", escaped(name.trim()))
    }
}

fn svg<'a>(lines: impl Iterator<Item = (&'a str, f32, f32)>, look: &Look, width: f32, height: f32) -> String {
    let rgb = |c: Colour| format!("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue);
    let opacity = |c: Colour| f32::from(c.alpha) / 255.0;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><g xml:space="preserve" font-family="{}" font-size="{}" font-weight="{}" fill="{}" fill-opacity="{}""#,
        family(look.font),
        look.size,
        if look.bold { 700 } else { 400 },
        rgb(look.colour),
        opacity(look.colour),
    );
    if look.outline_width > 0.0 {
        // Half of a stroke lies under the letter, hence twice the width.
        let _ = write!(
            svg,
            r#" stroke="{}" stroke-opacity="{}" stroke-width="{}" stroke-linejoin="round" paint-order="stroke""#,
            rgb(look.outline),
            opacity(look.outline),
            look.outline_width * 2.0,
        );
    }
    svg.push('>');
    for (n, (line, x, y)) in lines.enumerate() {
        if !line.is_empty() {
            let _ = write!(
                svg,
                r#"<text id="l{n}" x="{x}" y="{y}" xml:space="preserve">{}</text>"#,
                escaped(line)
            );
        }
    }
    svg.push_str("</g></svg>");
    svg
}

pub(crate) fn tree(svg: &str) -> Result<usvg::Tree, SvgError> {
    let options = usvg::Options {
        fontdb: fonts(),
        ..usvg::Options::default()
    };
    laid_out(|| usvg::Tree::from_str(svg, &options))
}

/// Width of each text, in pixels.
pub(crate) fn measure(texts: &[String], look: &Look) -> Result<Vec<f32>, SvgError> {
    let lines = texts.iter().map(|text| (text.as_str(), 0.0, 0.0));
    let tree = tree(&svg(lines, look, 16.0, 16.0))?;
    let mut widths = vec![0.0; texts.len()];
    collect(tree.root(), &mut widths);
    Ok(widths)
}

fn collect(group: &usvg::Group, widths: &mut [f32]) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => collect(group, widths),
            usvg::Node::Text(text) => {
                let number = text.id().strip_prefix('l').and_then(|n| n.parse::<usize>().ok());
                if let Some(width) = number.and_then(|n| widths.get_mut(n)) {
                    *width = text.bounding_box().right();
                }
            }
            usvg::Node::Path(_) | usvg::Node::Image(_) => {}
        }
    }
}

/// Breaks lines between words. A word that is wider alone stays whole: the canvas cuts it, not the studio.
fn wrapped(lines: &[String], look: &Look, wrap: f32) -> Result<Vec<String>, SvgError> {
    let words: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split(' ').map(str::to_owned))
        .collect();
    let widths = measure(&words, look)?;
    let space = measure(&["x x".to_owned(), "xx".to_owned()], look)?;
    let space = space[0] - space[1];
    let mut widths = widths.into_iter();
    let mut out = Vec::new();
    for line in lines {
        let mut current = String::new();
        let mut width = 0.0;
        for word in line.split(' ') {
            let word_width = widths.next().unwrap_or(0.0);
            if !current.is_empty() && width + space + word_width > wrap {
                out.push(std::mem::take(&mut current));
                width = 0.0;
            }
            if !current.is_empty() {
                current.push(' ');
                width += space;
            }
            current.push_str(word);
            width += word_width;
        }
        out.push(current);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Colour = Colour {
        red: 255,
        green: 255,
        blue: 255,
        alpha: 255,
    };

    fn look(size: f32) -> Look<'static> {
        Look {
            font: "DejaVu Sans",
            size,
            bold: false,
            colour: WHITE,
            outline: Colour { green: 0, ..WHITE },
            outline_width: 0.0,
        }
    }

    fn ink(pixmap: &Pixmap) -> usize {
        pixmap.pixels().iter().filter(|p| p.alpha() > 0).count()
    }

    #[test]
    fn letters_that_cannot_be_laid_out_end_no_thread() {
        let error = laid_out(|| panic!("as usvg does")).expect_err("no drawing");
        assert_eq!(error.to_string(), "no font lays these letters out");
    }

    #[test]
    fn letters_leave_pixels_and_twice_the_size_four_times_as_many() {
        let small = draw("Hello", &look(40.0), None, Align::Left).expect("drawn");
        let large = draw("Hello", &look(80.0), None, Align::Left).expect("drawn");
        let ratio = ink(&large) as f32 / ink(&small) as f32;
        assert!((3.2..4.8).contains(&ratio), "ratio of ink {ratio}");
        assert!(
            small.width().is_multiple_of(2) && small.height().is_multiple_of(2),
            "4:2:0 wants even sides"
        );
    }

    #[test]
    fn what_looks_like_markup_is_shown_as_it_is() {
        let evil = "</text><rect width='999' height='999' fill='red'/>&amp;]]>";
        let pixmap = draw(evil, &look(20.0), None, Align::Left).expect("text, not a parser's error");
        assert!(
            pixmap.pixels().iter().all(|p| p.red() == p.green()),
            "a red pixel means that the rectangle was drawn"
        );
        let mut named = look(20.0);
        named.font = "x' onload='\"><rect/>";
        draw("a", &named, None, Align::Left).expect("a font's name is no markup either");
    }

    #[test]
    fn an_outline_has_its_own_colour_around_the_letters() {
        let mut outlined = look(60.0);
        outlined.outline_width = 4.0;
        let pixmap = draw("O", &outlined, None, Align::Left).expect("drawn");
        let magenta = pixmap
            .pixels()
            .iter()
            .filter(|p| p.red() > 200 && p.green() < 50 && p.alpha() == 255);
        assert!(magenta.count() > 200, "the outline shows");
        let white = pixmap.pixels().iter().filter(|p| p.green() > 250);
        assert!(white.count() > 200, "the letter lies on top");
    }

    #[test]
    fn bold_has_more_ink() {
        let mut bold = look(60.0);
        bold.bold = true;
        let plain = draw("Word", &look(60.0), None, Align::Left).expect("drawn");
        assert!(ink(&draw("Word", &bold, None, Align::Left).expect("drawn")) > ink(&plain) * 11 / 10);
    }

    #[test]
    fn long_lines_break_between_words_and_breaks_are_kept() {
        let words = "the quick brown fox jumps over the lazy dog ".repeat(4);
        let pixmap = draw(&words, &look(40.0), Some(600.0), Align::Left).expect("drawn");
        assert!(pixmap.width() <= 602, "width {}", pixmap.width());
        assert!(pixmap.height() > 250, "several lines");
        let two = draw("a\n\nb", &look(40.0), None, Align::Left).expect("drawn");
        assert!(
            (150..160).contains(&two.height()),
            "three lines of 50, not {}",
            two.height()
        );
    }

    #[test]
    fn an_unknown_font_still_shows_letters() {
        let mut odd = look(40.0);
        odd.font = "No Such Font 123";
        assert!(ink(&draw("Hello", &odd, None, Align::Left).expect("drawn")) > 300);
    }

    #[test]
    fn a_giant_is_refused_instead_of_taking_all_memory() {
        let error = draw(&"W".repeat(2000), &look(400.0), None, Align::Left);
        assert!(matches!(error, Err(TextError::TooLarge { .. })));
    }
}
