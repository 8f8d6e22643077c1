//! The message catalogues: the same messages in every language, with the same blanks, and none unused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use super::sources::sources;
use crate::project::Project;

const LANGUAGES: [&str; 2] = ["en", "fr"];

/// Messages by key; nested objects join their keys with a dot, as Paraglide does.
type Catalogue = BTreeMap<String, String>;

/// What speaks against the catalogues.
pub fn faults(project: &Project) -> anyhow::Result<Vec<String>> {
    let code = |start: &str, endings: &[&str]| -> anyhow::Result<String> {
        let files = sources(project, endings)?;
        Ok(files
            .into_iter()
            .filter(|file| file.path.starts_with(start))
            .map(|file| file.text + "\n")
            .collect())
    };
    let messages = project.ui().join("messages");
    let desk = LANGUAGES.map(|language| read_folder(&messages.join(language)));
    let mut faults = faults_of(desk, &code("ui/", &["ts", "svelte", "js", "html"])?)?;
    let messages = project.top.join("src-tauri/messages");
    let window = LANGUAGES.map(|language| read_file(&messages.join(language).with_extension("json")));
    faults.extend(faults_of(window, &code("src-tauri/", &["rs"])?)?);
    Ok(faults)
}

fn faults_of(catalogues: [anyhow::Result<Catalogue>; 2], code: &str) -> anyhow::Result<Vec<String>> {
    let [english, french] = catalogues;
    let (english, french) = (english?, french?);
    let mut faults = differences(&english, &french);
    faults.extend(
        unused(english.keys(), code)
            .into_iter()
            .map(|key| format!("{key}: nobody says it")),
    );
    Ok(faults)
}

/// One language: all the JSON files of its folder together. A key in two of them is a mistake.
fn read_folder(folder: &Path) -> anyhow::Result<Catalogue> {
    let mut whole = Catalogue::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        for (key, message) in read_file(&entry?.path())? {
            if whole.insert(key.clone(), message).is_some() {
                bail!("{key} is in two files of {}", folder.display());
            }
        }
    }
    Ok(whole)
}

fn read_file(path: &Path) -> anyhow::Result<Catalogue> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let json = serde_json::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
    catalogue(&json)
}

fn catalogue(json: &Value) -> anyhow::Result<Catalogue> {
    let mut messages = Catalogue::new();
    let mut open = vec![(String::new(), json)];
    while let Some((at, value)) = open.pop() {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries.iter().filter(|(key, _)| !key.starts_with('$')) {
                    let key = if at.is_empty() {
                        key.clone()
                    } else {
                        format!("{at}.{key}")
                    };
                    open.push((key, value));
                }
            }
            Value::String(text) => {
                messages.insert(at, text.clone());
            }
            // A message with variants: its parts are compared as one text.
            Value::Array(_) => {
                messages.insert(at, value.to_string());
            }
            other => bail!("{at} is {other}, not a message"),
        }
    }
    Ok(messages)
}

fn differences(english: &Catalogue, french: &Catalogue) -> Vec<String> {
    let mut faults = Vec::new();
    let keys: BTreeSet<&String> = english.keys().chain(french.keys()).collect();
    for key in keys {
        match (english.get(key), french.get(key)) {
            (Some(one), Some(other)) if blanks(one) != blanks(other) => {
                faults.push(format!(
                    "{key}: blanks {:?} in en, {:?} in fr",
                    blanks(one),
                    blanks(other)
                ));
            }
            (Some(one), Some(other)) if one.trim().is_empty() || other.trim().is_empty() => {
                faults.push(format!("{key}: it says nothing"));
            }
            (None, _) => faults.push(format!("{key}: not in en")),
            (_, None) => faults.push(format!("{key}: not in fr")),
            _ => {}
        }
    }
    faults
}

/// The names between braces. A message with variants is JSON, whose braces quote or nest: no names.
fn blanks(message: &str) -> BTreeSet<&str> {
    let parts = message
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.trim());
    parts
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

/// The keys that `code` neither names nor could put together.
fn unused<'a>(keys: impl Iterator<Item = &'a String>, code: &str) -> Vec<&'a String> {
    let words: BTreeSet<&str> = code
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .collect();
    // `m.key` is one word here; the key alone is another when it stands in quotes.
    let named: BTreeSet<&str> = words
        .iter()
        .flat_map(|word| [Some(*word), word.strip_prefix("m."), word.rsplit('.').next()])
        .flatten()
        .collect();
    let patterns = patterns(code);
    keys.filter(|key| {
        let fits = |(start, end): &(String, String)| {
            key.len() > start.len() + end.len()
                && key.starts_with(start.as_str())
                && key.ends_with(end.as_str())
        };
        !named.contains(key.as_str()) && !patterns.iter().any(fits)
    })
    .collect()
}

/// Keys that are put together, like `` `error_${code}_title` ``: their beginnings and ends.
fn patterns(code: &str) -> Vec<(String, String)> {
    let is_key = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
    };
    let mut found = Vec::new();
    for literal in code.split('`').filter(|literal| literal.contains("${")) {
        let start = literal.split("${").next().unwrap_or_default();
        let end = literal.rsplit('}').next().unwrap_or_default();
        // A beginning of its own is required: `${a}` alone would make every key used.
        if start.len() >= 3 && start.contains('_') && is_key(start) && is_key(end) {
            found.push((start.to_owned(), end.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(list: &[(&str, &str)]) -> Catalogue {
        list.iter()
            .map(|(key, text)| (key.to_string(), text.to_string()))
            .collect()
    }

    #[test]
    fn every_language_has_every_message_with_its_blanks() {
        let english = messages(&[
            ("start", "Go Live"),
            ("viewers", "{count} viewers"),
            ("stop", "Stop"),
        ]);
        let french = messages(&[("start", "Passer en direct"), ("viewers", "{nombre} spectateurs")]);
        let faults = differences(&english, &french);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.starts_with("stop: not in fr")));
        assert!(faults.iter().any(|fault| fault.starts_with("viewers: blanks")));
        assert!(differences(&english, &english).is_empty());
    }

    #[test]
    fn a_message_without_words_is_a_fault() {
        let (english, french) = (messages(&[("start", "Go Live")]), messages(&[("start", " ")]));
        assert_eq!(differences(&english, &french), ["start: it says nothing"]);
    }

    #[test]
    fn unused_messages_are_found() {
        let keys = [
            "outputs_start",
            "outputs_stop",
            "error_disk_full_title",
            "error_disk_full_hint",
        ];
        let keys: Vec<String> = keys.map(str::to_owned).into();
        let code = "<b>{m.outputs_start()}</b> const t = m[`error_${code}_title`];";
        assert_eq!(
            unused(keys.iter(), code),
            ["outputs_stop", "error_disk_full_hint"]
        );
    }

    #[test]
    fn nested_messages_and_the_schema_line_are_read() {
        let json = serde_json::json!({ "$schema": "x", "a": "A", "b": { "c": "C" } });
        assert_eq!(catalogue(&json).unwrap(), messages(&[("a", "A"), ("b.c", "C")]));
    }
}
