//! What a user is advised to do next: commands to paste, and hints that end in one.
//!
//! A command is kept as words until it is printed. Only [`Command::at`] makes a line of it, with the flags that lead to the
//! cluster the advice is about, since it may be pasted into a shell whose current context is another one.

mod origin;

pub use origin::{Flag, Origin};

use crate::palette::Palette;
use crate::text::{Shown, line, shell_line, shown};
use serde::{Serialize, Serializer};
use std::fmt;

/// A program with its words, without the flags that say which cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(Vec<String>);

impl Command {
    /// From all words, the program first. Text from a cluster is cleaned.
    pub fn new<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Self {
        Self(Vec::new()).args(words)
    }

    /// `kubectl skvs …`
    pub fn skvs<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::new(["kubectl", "skvs"]).args(words)
    }

    /// The same with more words.
    #[must_use]
    pub fn args<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        let words = words.into_iter();
        self.0.extend(words.map(|w| line(w.as_ref()).into_owned()));
        self
    }

    /// A hint that leads to it: `text: command`. The text brings its own colon or question mark.
    pub fn after(self, text: impl Into<String>) -> Hint {
        Hint {
            text: text.into(),
            command: Some(self),
        }
    }

    /// The command as it is run from anywhere.
    pub fn at(&self, origin: &Origin) -> Line {
        let flags = self.reach().map_or(Vec::new(), |how| origin.words(how));
        let mut words = self.0.clone();
        // What follows a bare `--` is another program's.
        let end = words.iter().position(|w| w == "--").unwrap_or(words.len());
        words.splice(end..end, flags);
        Line(words)
    }

    /// Whether the user's own token would be sent to a cluster.
    fn asks_a_cluster(&self) -> bool {
        self.reach()
            .is_some_and(|reach| !matches!(reach, Reach::File | Reach::Administrator))
    }

    /// How its program names a cluster; `None` for a command that needs none.
    fn reach(&self) -> Option<Reach> {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        match words[..] {
            ["kubectl", "skvs", "explain" | "completion" | "lint", ..] => None,
            // The manifest is built in.
            ["kubectl", "skvs", "doctor", "--role", ..] => None,
            ["kubectl", "config", ..] => Some(Reach::File),
            // Files are read, no cluster is asked.
            ["kubectl", "skvs", ..] if words.contains(&"-f") => None,
            ["helm", "show" | "search" | "template" | "pull" | "push", ..] => None,
            // Rights are granted by somebody else than who lacks them.
            ["kubectl", "apply", ..] => Some(Reach::Administrator),
            ["kubectl", ..] => Some(Reach::Kubectl),
            ["flux", ..] => Some(Reach::Flux),
            ["helm", ..] => Some(Reach::Helm),
            _ => None,
        }
    }
}

/// Whose spelling the flags have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Kubectl,
    /// kubectl on the same cluster, as another user.
    Administrator,
    Flux,
    Helm,
    /// kubectl on the kubeconfig alone: no cluster is asked.
    File,
}

/// Says which cluster kubectl is on.
pub fn current_context() -> Command {
    Command::new(["kubectl", "config", "current-context"])
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for Command {
    fn from(words: [S; N]) -> Self {
        Self::new(words)
    }
}

impl<S: AsRef<str>> From<Vec<S>> for Command {
    fn from(words: Vec<S>) -> Self {
        Self::new(words)
    }
}

/// A command that names its cluster: what is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Vec<String>);

impl Line {
    /// The words, not quoted.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Line {
    /// Quoted for a shell, so it can be pasted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shell_line(&self.0))
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One imperative sentence, with a command at its end where one helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    text: String,
    command: Option<Command>,
}

impl Hint {
    /// The line as it is printed, without styles.
    pub fn line(&self, origin: &Origin) -> Shown {
        self.styled(origin, Palette::PLAIN)
    }

    /// The line as it is printed. A token is not printed, so a command alone would ask as somebody else: the line says so.
    pub(crate) fn styled(&self, origin: &Origin, palette: Palette) -> Shown {
        let Some(command) = &self.command else {
            return Shown::line(&self.text);
        };
        let line = command.at(origin);
        let text = match self.text.strip_suffix(':') {
            Some(text) if origin.has_token() && command.asks_a_cluster() => {
                format!("{text} (with --token as before):")
            }
            _ => self.text.clone(),
        };
        let command = palette.command(shown!("{line}"));
        if text.is_empty() {
            command
        } else {
            shown!("{text} ").and(command)
        }
    }

    /// The line without the flags of a run.
    #[cfg(test)]
    pub(crate) fn plain(&self) -> String {
        self.line(&Origin::default()).to_string()
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        command.after("")
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self {
            text,
            command: None,
        }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Hint {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

#[cfg(test)]
impl PartialEq<&str> for Hint {
    fn eq(&self, other: &&str) -> bool {
        self.plain() == *other
    }
}

#[cfg(test)]
mod tests;
