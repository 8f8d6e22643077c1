//! Names of recorded files: they sort by time, suit every system, and never hit a file that is there.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use gst::glib;
use protocol::Container;

/// Bytes of the title that stay in the name. Systems allow 255 bytes in all, or 143 on encrypted disks.
const TITLE_BYTES: usize = 90;
/// Numbers that are tried when a name is taken.
const MOST_TRIES: u32 = 1000;

/// `2026-11-21 20-05-12 Title.mp4`, or `… Title part 2.mp4` for later parts, each with its own time of start.
pub(super) fn stem(at: &str, title: &str, part: u32) -> String {
    let mut stem = at.to_owned();
    let title = tame(title);
    if !title.is_empty() {
        stem.push(' ');
        stem.push_str(&title);
    }
    if part > 1 {
        stem.push_str(&format!(" part {part}"));
    }
    stem
}

/// Without what Windows, macOS or Linux refuse in a name, and no longer than all of them take.
fn tame(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        let c = match c {
            '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '-',
            c if c.is_control() || c.is_whitespace() => ' ',
            // They turn the rest of a name around on the screen.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                continue;
            }
            c => c,
        };
        if out.len() + c.len_utf8() > TITLE_BYTES {
            break;
        }
        if !(c == ' ' && (out.is_empty() || out.ends_with(' '))) {
            out.push(c);
        }
    }
    // Windows drops dots and spaces at the end, and then does not find its own file.
    out.trim_end_matches(['.', ' ']).to_owned()
}

pub(super) fn extension(container: Container) -> &'static str {
    match container {
        Container::Mp4 => "mp4",
        Container::Mkv => "mkv",
    }
}

/// Local time as it stands in names.
pub(super) fn local_time() -> String {
    glib::DateTime::now_local()
        .and_then(|now| now.format("%Y-%m-%d %H-%M-%S"))
        .map_or_else(|_| "recording".to_owned(), Into::into)
}

/// Makes a new, empty file. Whatever is there already stays as it is.
pub(super) fn create(folder: &Path, stem: &str, container: Container) -> io::Result<(PathBuf, File)> {
    let extension = extension(container);
    for number in 1..=MOST_TRIES {
        let name = match number {
            1 => format!("{stem}.{extension}"),
            n => format!("{stem} ({n}).{extension}"),
        };
        let path = folder.join(name);
        match OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
        {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_suit_every_system() {
        assert_eq!(tame("  Soirée: \"jazz\" / blues?  "), "Soirée- -jazz- - blues-");
        assert_eq!(tame("../../etc/passwd"), "..-..-etc-passwd");
        assert_eq!(tame("a\u{0}b\nc\td"), "a b c d");
        assert_eq!(tame("ends with dots. . ."), "ends with dots");
        assert_eq!(tame("evil\u{202e}4pm.exe"), "evil4pm.exe");
        assert_eq!(tame("é".repeat(200).as_str()).len(), TITLE_BYTES);
    }

    #[test]
    fn parts_sort_by_their_start() {
        let names = [
            stem("2026-11-21 20-05-12", "Title", 1),
            stem("2026-11-21 20-35-12", "Title", 2),
            stem("2026-11-22 00-05-12", "Title", 10),
        ];
        assert_eq!(names[0], "2026-11-21 20-05-12 Title");
        assert_eq!(names[1], "2026-11-21 20-35-12 Title part 2");
        assert!(names.is_sorted());
        assert_eq!(stem("2026-11-21 20-05-12", "///", 1), "2026-11-21 20-05-12 ---");
        assert_eq!(stem("2026-11-21 20-05-12", " . ", 1), "2026-11-21 20-05-12");
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || create(folder.path(), "t x", Container::Mp4).expect("a file").0;
        assert_eq!(make().file_name().and_then(|n| n.to_str()), Some("t x.mp4"));
        assert_eq!(make().file_name().and_then(|n| n.to_str()), Some("t x (2).mp4"));
    }
}
