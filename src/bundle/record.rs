//! Keeps what a run asked and what it was answered, for a bundle.
//!
//! Owns what is kept: every answer is redacted before it is, pages of one list become one, and what was read twice is kept
//! once. Asks nothing itself: the transport tells what passes.

use super::manifest::{Accept, Key, Outcome, Request, Status, split};
use super::redact;
use crate::model::forbidden::Forbidden;
use crate::model::helm_release::{HelmRelease, PLURAL};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of a request, as the transport saw it.
#[derive(Clone, Debug)]
pub enum Heard<'a> {
    /// The answer's body.
    Body(&'a [u8]),
    /// The API server refused: absent, forbidden, …
    Refused(Status),
    /// There was no answer.
    Failed(String),
}

/// Collects, from wherever requests are made.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Recording>);

/// What was collected, in the order in which it was first asked for.
#[derive(Debug, Default)]
pub struct Recording {
    entries: Vec<Entry>,
    places: HashMap<Key, usize>,
}

#[derive(Debug)]
struct Entry {
    path: String,
    accept: Accept,
    body: Option<Value>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Document(Value),
    Text(String),
    Refused(Status),
    Failed(String),
}

impl Recorder {
    /// Keeps one request with what became of it; `body` is what was sent, for a review.
    pub fn record(&self, path: &str, accept: Accept, body: Option<&Value>, heard: Heard<'_>) {
        let mut kept = Kept::of(accept, heard);
        if let Kept::Document(list) = &mut kept {
            leave_others_out(path, list);
        }
        self.lock().add(path, accept, body, kept);
    }

    /// Hands out what was collected so far.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn of(accept: Accept, heard: Heard<'_>) -> Self {
        match (heard, accept) {
            (Heard::Body(bytes), Accept::Text) => {
                let text = String::from_utf8_lossy(bytes);
                Kept::Text(redact::text(&text).into_owned())
            }
            (Heard::Body(bytes), _) => match serde_json::from_slice(bytes) {
                Ok(mut document) => {
                    redact::value(&mut document);
                    Kept::Document(document)
                }
                Err(_) => Kept::Failed("the answer was not JSON".to_owned()),
            },
            (Heard::Refused(mut status), _) => {
                status.message = redact::text(&status.message).into_owned();
                Kept::Refused(status)
            }
            (Heard::Failed(why), _) => Kept::Failed(redact::text(&why).into_owned()),
        }
    }

    fn is_seen(&self) -> bool {
        matches!(self, Kept::Document(_) | Kept::Text(_))
    }

    /// A list to its end, or something that has no end.
    fn is_complete(&self) -> bool {
        let Kept::Document(document) = self else {
            return true;
        };
        let token = document
            .pointer("/metadata/continue")
            .and_then(Value::as_str);
        token.is_none_or(str::is_empty)
    }

    /// The API server said so, or that there is nothing.
    fn is_answer(&self) -> bool {
        self.is_seen() || matches!(self, Kept::Refused(status) if status.code == 404)
    }
}

/// A list of HelmReleases without the onboarding label is read for those that install the onboarding chart all the same;
/// the others are other teams', and nothing of them is looked at.
fn leave_others_out(path: &str, list: &mut Value) {
    let (path, query) = split(path);
    let unlabelled = query
        .iter()
        .any(|(name, value)| name == "labelSelector" && value.contains("!="));
    if !unlabelled || !path.ends_with(&format!("/{PLURAL}")) {
        return;
    }
    if let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) {
        items.retain(|item| {
            HelmRelease::from_value(item).is_ok_and(|hr| hr.installs_onboarding_chart())
        });
    }
}

impl Recording {
    fn add(&mut self, path: &str, accept: Accept, body: Option<&Value>, kept: Kept) {
        let key = Key::new(path, accept, body);
        let later_page = split(path)
            .1
            .iter()
            .any(|(name, value)| name == "continue" && !value.is_empty());
        match self.places.get(&key) {
            Some(place) if later_page => self.entries[*place].page(kept),
            // What was read twice stays as it was first seen. A list that was not read to its end begins again.
            Some(place) => {
                let entry = &mut self.entries[*place];
                if !entry.kept.is_answer() || !entry.kept.is_complete() {
                    entry.kept = kept;
                }
            }
            None => {
                self.places.insert(key, self.entries.len());
                self.entries.push(Entry {
                    path: path.to_owned(),
                    accept,
                    body: body.cloned(),
                    kept,
                });
            }
        }
    }

    /// Answers of the API server, those that say that something is absent among them.
    pub fn answers(&self) -> usize {
        self.entries.iter().filter(|e| e.kept.is_answer()).count()
    }

    /// What had no answer that can be read, each reason once: `list events in core (forbidden)`.
    pub fn unreadable(&self) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        // Parts that were not read by a path come last: what they lack is often told by a read before them.
        let (mut reads, asides): (Vec<&Entry>, Vec<&Entry>) = self
            .entries
            .iter()
            .partition(|e| e.path.starts_with("/api"));
        // Reads run side by side: the order in which they were answered is not the same twice.
        reads.sort_by(|a, b| a.path.cmp(&b.path));
        for entry in reads.into_iter().chain(asides) {
            let reason = match &entry.kept {
                Kept::Refused(status) if status.code == 403 => {
                    match Forbidden::parse(&status.message) {
                        Some(right) => format!("{right} (forbidden)"),
                        None => status.message.clone(),
                    }
                }
                Kept::Refused(status) if status.code != 404 => status.message.clone(),
                Kept::Failed(why) => format!("{}: {why}", split(&entry.path).0),
                _ => continue,
            };
            let reason = crate::text::one_line(&reason);
            let told = reasons.iter().any(|r| {
                let right = r.strip_suffix(" (forbidden)");
                *r == reason || right.is_some_and(|right| reason.contains(&format!("({right})")))
            });
            if !told {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// The requests of the manifest, and the files that they name with their contents.
    pub fn into_files(self) -> (Vec<Request>, Vec<(String, Vec<u8>)>) {
        let (mut requests, mut files) = (Vec::new(), Vec::new());
        for (number, entry) in self.entries.into_iter().enumerate() {
            let mut request = Request {
                path: entry.path,
                accept: entry.accept,
                body: entry.body,
                outcome: Outcome::Refused,
                file: None,
                status: None,
                error: None,
            };
            let mut file = |ending: &str, content: Vec<u8>, request: &mut Request| {
                let name = file_name(number + 1, &request.path, ending);
                request.outcome = Outcome::Seen;
                request.file = Some(name.clone());
                files.push((name, content));
            };
            match entry.kept {
                Kept::Document(document) => {
                    let mut yaml = Vec::new();
                    match crate::render::yaml::write_value(&mut yaml, &document) {
                        Ok(()) => file("yaml", yaml, &mut request),
                        Err(why) => request.error = Some(why.to_string()),
                    }
                }
                Kept::Text(text) => file("log", text.into_bytes(), &mut request),
                Kept::Refused(status) => request.status = Some(status),
                Kept::Failed(why) => request.error = Some(why),
            }
            requests.push(request);
        }
        (requests, files)
    }
}

impl Entry {
    /// A later page of the list: its items join the first ones. Where it was not had, the list as a whole was not.
    fn page(&mut self, page: Kept) {
        match (&mut self.kept, page) {
            (Kept::Document(all), Kept::Document(mut page)) => {
                let more = page.get_mut("items").map(Value::take);
                if let (Some(Value::Array(items)), Some(Value::Array(more))) =
                    (all.get_mut("items"), more)
                {
                    items.extend(more);
                }
                if let (Some(metadata), Some(last)) =
                    (all.get_mut("metadata"), page.get("metadata"))
                {
                    *metadata = last.clone();
                }
            }
            // The token was too old: the reader begins the list again.
            (_, Kept::Refused(status)) if status.code == 410 => {}
            (kept @ Kept::Document(_), other) if !other.is_seen() => *kept = other,
            _ => {}
        }
    }
}

/// `answers/0003-secrets-NAME.yaml`: what the path names, in characters that every file system takes.
fn file_name(number: usize, path: &str, ending: &str) -> String {
    const LONGEST: usize = 100;
    let (path, _) = split(path);
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let named = match segments.iter().position(|s| *s == "namespaces") {
        // A namespace itself is a thing that is read.
        Some(at) if segments.len() > at + 2 => &segments[at + 2..],
        Some(at) => &segments[at..],
        None => match segments.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        },
    };
    let name: String = named
        .join("-")
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') => c,
            _ => '_',
        })
        .take(LONGEST)
        .collect();
    format!("{}/{number:04}-{name}.{ending}", super::manifest::ANSWERS)
}

#[cfg(test)]
mod tests;
