//! Folders of the engine's machine, for choosing a file from a desk in a browser.

use std::path::{Path, PathBuf};

use protocol::{ErrorCode, Reply, UserError};

use super::edit::bad_value;

/// Most names of each sort; a folder with more is cut, in order of name.
const MOST: usize = 2000;

/// Endings of files that a source can be made of, and of tables of products.
const MEDIA: [&str; 23] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "flv", "mpg", "mpeg", "mp3", "m4a", "aac", "wav",
    "flac", "ogg", "opus", "png", "jpg", "jpeg", "svg", "ogv", "csv",
];

/// Folders and media files in a folder; hidden ones are left out.
///
/// # Errors
/// When the folder is not there or may not be read.
pub fn list(path: Option<&str>) -> Result<Reply, UserError> {
    let folder = match path {
        Some(path) if Path::new(path).is_absolute() && !path.contains('\0') => PathBuf::from(path),
        Some(path) => return Err(bad_value("path", path)),
        None => {
            directories::UserDirs::new().map_or_else(|| PathBuf::from("/"), |dirs| dirs.home_dir().to_owned())
        }
    };
    let shown = folder.display().to_string();
    let entries = std::fs::read_dir(&folder).map_err(|error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorCode::FileMissing,
            _ => ErrorCode::FileUnreadable,
        };
        UserError::new(code).with("path", &shown)
    })?;
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        // Follows links, so that a linked folder of videos is one.
        let Ok(about) = std::fs::metadata(entry.path()) else {
            continue;
        };
        if about.is_dir() {
            folders.push(name);
        } else if about.is_file() && is_media(&name) {
            files.push(name);
        }
    }
    for names in [&mut folders, &mut files] {
        names.sort_by_key(|name| name.to_lowercase());
        names.truncate(MOST);
    }
    let parent = folder.parent().map(|p| p.display().to_string());
    Ok(Reply::Folder {
        path: shown,
        parent,
        folders,
        files,
    })
}

fn is_media(name: &str) -> bool {
    Path::new(name)
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| MEDIA.contains(&ending.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_folders_and_media_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.MP4", "a.png", "notes.txt", ".hidden.mp4"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        std::fs::create_dir(folder.path().join("clips")).unwrap();
        let Reply::Folder { folders, files, .. } = list(folder.path().to_str()).unwrap() else {
            panic!("a folder was asked for")
        };
        assert_eq!(
            (folders, files),
            (
                vec!["clips".to_owned()],
                vec!["a.png".to_owned(), "b.MP4".to_owned()]
            )
        );
    }

    #[test]
    fn names_what_is_not_there() {
        let error = list(Some("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.code, ErrorCode::FileMissing);
        assert_eq!(list(Some("relative")).unwrap_err().code, ErrorCode::BadValue);
    }
}
