//! Keeps what a run asked and what it was answered, for a bundle.
//!
//! Owns which answers are kept: pages of one list become one, and what was read twice is kept once. What is kept of an answer is
//! decided in [`super::kept`]. Asks nothing itself: the transport reports what passes.

use super::kept::{Asked, Content, Kept, Kind, Tally};
use super::manifest::{Outcome, Request};
use super::request::{Accept, Key, split};
use crate::model::forbidden::Forbidden;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use super::kept::Heard;

/// Collects, from wherever requests are made.
#[derive(Debug, Default)]
pub struct Recorder {
    recording: Mutex<Recording>,
    /// Keeps the requests, without the contents of their answers.
    #[cfg(test)]
    questions: bool,
}

/// What was collected, in the order in which it was first asked for.
#[derive(Debug, Default)]
pub struct Recording {
    entries: Vec<Entry>,
    places: HashMap<Key, usize>,
}

#[derive(Debug)]
struct Entry {
    asked: Asked,
    kept: Kept,
}

impl Recorder {
    /// Keeps one request with what became of it; `body` is what was sent, for a review.
    pub fn record(&self, path: &str, accept: Accept, body: Option<&Value>, heard: Heard<'_>) {
        let asked = Asked::reduce(path, accept, body);
        #[cfg(test)]
        let heard = if self.questions {
            Heard::Failed(String::new())
        } else {
            heard
        };
        let kept = Kept::reduce(path, accept, heard);
        let later_page = split(path)
            .1
            .iter()
            .any(|(name, value)| name == "continue" && !value.is_empty());
        self.lock().add(asked, later_page, kept);
    }

    #[cfg(test)]
    pub(crate) fn of_questions() -> Self {
        Self {
            questions: true,
            ..Self::default()
        }
    }

    /// Hands out what was collected so far.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    fn add(&mut self, asked: Asked, later_page: bool, kept: Kept) {
        let key = asked.key();
        match self.places.get(&key) {
            Some(place) if later_page => self.entries[*place].kept.page(kept),
            // What was read twice stays as it was first seen. A list that was not read to its end begins again.
            Some(place) => {
                let entry = &mut self.entries[*place];
                if !entry.kept.is_answer() || !entry.kept.is_complete() {
                    entry.kept = kept;
                }
            }
            None => {
                self.places.insert(key, self.entries.len());
                self.entries.push(Entry { asked, kept });
            }
        }
    }

    /// What was asked.
    #[cfg(test)]
    pub(super) fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.entries.iter().map(|entry| &entry.asked)
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
            .partition(|e| e.asked.path().starts_with("/api"));
        // Reads run side by side: the order in which they were answered is not the same twice.
        reads.sort_by(|a, b| a.asked.path().cmp(b.asked.path()));
        for entry in reads.into_iter().chain(asides) {
            let reason = match entry.kept.content() {
                Content::Refused(status) if status.code == 403 => {
                    match Forbidden::parse(&status.message) {
                        Some(right) => format!("{right} (forbidden)"),
                        None => status.message.clone(),
                    }
                }
                Content::Refused(status) if status.code != 404 => status.message.clone(),
                Content::Failed(why) => format!("{}: {why}", split(entry.asked.path()).0),
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

    /// How many objects of each kind are in it: `3 HelmReleases`, most first.
    pub fn kinds(&self) -> Vec<String> {
        let objects = self
            .entries
            .iter()
            .flat_map(|e| e.kept.objects(e.asked.path()));
        let distinct: BTreeSet<(Kind, String)> = objects.collect();
        let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
        for (kind, _) in distinct {
            *kinds.entry(kind).or_default() += 1;
        }
        let mut kinds: Vec<(Kind, u64)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let words = |((one, many), n): (Kind, u64)| {
            format!(
                "{} {}",
                crate::text::thousands(n),
                if n == 1 { one } else { many }
            )
        };
        kinds.into_iter().map(words).collect()
    }

    /// What was scrubbed in all texts.
    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        self.entries.iter().for_each(|e| all.add(e.kept.tally()));
        all
    }

    /// The requests of the manifest, and the files that they name with their contents.
    pub(super) fn into_files(self) -> (Vec<Request>, Vec<(String, Vec<u8>)>) {
        let mut databases = BTreeSet::new();
        self.entries
            .iter()
            .for_each(|e| e.kept.databases(&mut databases));
        let (mut requests, mut files) = (Vec::new(), Vec::new());
        for (number, Entry { asked, kept }) in self.entries.into_iter().enumerate() {
            let mut request = Request {
                asked,
                outcome: Outcome::Refused,
                file: None,
                status: None,
                error: None,
            };
            let mut file = |ending: &str, content: Vec<u8>, request: &mut Request| {
                let name = file_name(number + 1, request.asked.path(), ending);
                request.outcome = Outcome::Seen;
                request.file = Some(name.clone());
                files.push((name, content));
            };
            match kept.into_content(&databases) {
                Content::Document(document) => {
                    let mut yaml = Vec::new();
                    match crate::text::yaml::write_value(&mut yaml, &document) {
                        Ok(()) => file("yaml", yaml, &mut request),
                        Err(why) => request.error = Some(why.to_string()),
                    }
                }
                Content::Log(text) => file("log", text.into_bytes(), &mut request),
                Content::Refused(status) => request.status = Some(status),
                Content::Failed(why) => request.error = Some(why),
            }
            requests.push(request);
        }
        (requests, files)
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
