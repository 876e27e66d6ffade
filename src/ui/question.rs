//! Asks one question on the terminal. What an answer means is decided elsewhere.
//!
//! The prompt is dialoguer's, and console, the crate below it, reads the keys. dialoguer's own input field cannot be used: it
//! ignores Ctrl-D and Ctrl-Z, repeats itself after an empty answer, and takes what was typed before it appeared.

use super::keyboard::Keyboard;
use crate::interrupt::Continued;
use crate::text::Shown;
use dialoguer::console::{Key, Term};
use dialoguer::theme::{SimpleTheme, Theme};
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::time::Duration;
use tokio::task::JoinHandle;
use unicode_width::UnicodeWidthChar;

/// A key that comes in this time after the last one was typed before the question, where only reading can discard it.
const TYPED_AHEAD: Duration = Duration::from_millis(50);

/// What came after a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The line that was typed, without its end; also an empty one.
    Line(String),
    /// The input ended before a line did: Ctrl-D, or the terminal is gone.
    End,
    /// Ctrl-C, or a signal that ends the run.
    Interrupted,
}

/// Asks one question. What was typed before it is discarded, and what was typed beyond the answer too. After a suspension the
/// question is printed again, and asked from the beginning.
///
/// # Errors
/// The terminal cannot be read or written, or does not discard its input.
pub async fn ask(
    question: &Shown,
    mut interrupt: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> io::Result<Answer> {
    let mut term = Term::stderr();
    if !term.is_term() {
        return Err(io::Error::new(
            io::ErrorKind::NotConnected,
            "not a terminal",
        ));
    }
    let mut prompt = String::new();
    SimpleTheme
        .format_input_prompt(&mut prompt, question.as_str(), None)
        .map_err(io::Error::other)?;
    let keyboard = Keyboard::take()?;
    let mut continued = Continued::new();
    let mut keys = Keys::default();
    let mut line = Line::default();
    keyboard.discard()?;
    if cfg!(not(unix)) {
        while tokio::time::timeout(TYPED_AHEAD, keys.next()).await.is_ok() {}
    }
    write!(term, "{prompt}")?;
    let answer = loop {
        tokio::select! {
            biased;
            () = interrupt.as_mut() => break Answer::Interrupted,
            () = continued.next() => {
                if keys.is_reading() {
                    keyboard.resume()?;
                }
                keyboard.discard()?;
                line = Line::default();
                write!(term, "{prompt}")?;
            }
            key = keys.next() => match line.press(key?) {
                Press::Type(c) => write!(term, "{c}")?,
                Press::Erase(columns) if columns > 0 && super::terminal::is_dumb() => {
                    write!(term, "{}", "\u{8} \u{8}".repeat(columns))?;
                }
                Press::Erase(columns) if columns > 0 => term.clear_chars(columns)?,
                Press::Erase(_) | Press::Nothing => {}
                Press::Suspend => keyboard.suspend()?,
                Press::Answer(answer) => break answer,
            }
        }
    };
    // The cursor is still behind the question.
    writeln!(term)?;
    Ok(answer)
}

/// Keys, read on a thread that may block.
#[derive(Default)]
struct Keys {
    reading: Option<JoinHandle<io::Result<Key>>>,
}

impl Keys {
    /// The next key. A read under way goes on when nobody waits for it any more, and the next call gets its key.
    async fn next(&mut self) -> io::Result<Key> {
        let read = || Term::stderr().read_key_raw();
        let reading = self
            .reading
            .get_or_insert_with(|| tokio::task::spawn_blocking(read));
        let key = reading.await;
        self.reading = None;
        match key.map_err(io::Error::other)? {
            // The terminal is gone.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Key::Char(END)),
            key => key,
        }
    }

    fn is_reading(&self) -> bool {
        self.reading.is_some()
    }
}

/// Ctrl-D.
const END: char = '\u{4}';
/// Ctrl-D as a terminal stores it that edits lines itself, for a moment between two keys.
const STORED_END: char = '\0';
/// Ctrl-Z.
const SUSPEND: char = '\u{1a}';
/// Ctrl-U, which erases the line.
const ERASE_LINE: char = '\u{15}';
/// Ctrl-W, which erases a word: a name is one.
const ERASE_WORD: char = '\u{17}';

/// What has been typed.
#[derive(Debug, Default)]
struct Line(String);

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
enum Press {
    /// The character appears.
    Type(char),
    /// So many columns are erased.
    Erase(usize),
    Nothing,
    Suspend,
    Answer(Answer),
}

impl Line {
    fn press(&mut self, key: Key) -> Press {
        match key {
            Key::Enter => Press::Answer(Answer::Line(std::mem::take(&mut self.0))),
            Key::CtrlC => Press::Answer(Answer::Interrupted),
            Key::Char(END | STORED_END) => Press::Answer(Answer::End),
            Key::Char(SUSPEND) => Press::Suspend,
            Key::Char(ERASE_LINE | ERASE_WORD) => {
                let columns = self.0.chars().map(columns).sum();
                self.0.clear();
                Press::Erase(columns)
            }
            Key::Backspace => self
                .0
                .pop()
                .map_or(Press::Nothing, |c| Press::Erase(columns(c))),
            Key::Char(c) if !c.is_control() => {
                self.0.push(c);
                Press::Type(c)
            }
            _ => Press::Nothing,
        }
    }
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line of keys ends in.
    fn typed(keys: &str) -> Option<Answer> {
        let mut line = Line::default();
        keys.chars().find_map(|c| {
            let key = match c {
                '\r' => Key::Enter,
                '\u{3}' => Key::CtrlC,
                '\u{7f}' => Key::Backspace,
                c => Key::Char(c),
            };
            match line.press(key) {
                Press::Answer(answer) => Some(answer),
                _ => None,
            }
        })
    }

    #[test]
    fn only_a_whole_line_is_an_answer() {
        let line = |text: &str| Some(Answer::Line(text.to_owned()));
        assert_eq!(typed("a_b\r"), line("a_b"));
        assert_eq!(typed(" a_b \r"), line(" a_b "));
        assert_eq!(typed("\r"), line(""));
        assert_eq!(typed("a_b"), None);
        for end in ["\u{4}", "\0", "a_b\u{4}", "a_b\0"] {
            assert_eq!(typed(end), Some(Answer::End), "{end:?}");
        }
        assert_eq!(typed("a_b\u{3}"), Some(Answer::Interrupted));
    }

    #[test]
    fn a_line_is_edited_as_on_a_terminal() {
        let line = |text: &str| Some(Answer::Line(text.to_owned()));
        assert_eq!(typed("a_c\u{7f}b\r"), line("a_b"));
        assert_eq!(typed("\u{7f}\u{7f}a\r"), line("a"));
        assert_eq!(typed("wrong\u{15}a_b\r"), line("a_b"));
        assert_eq!(typed("wrong\u{17}a_b\r"), line("a_b"));
        assert_eq!(typed("a\u{1b}\tb\r"), line("ab"));
        let mut wide = Line("日".to_owned());
        assert_eq!(wide.press(Key::Backspace), Press::Erase(2));
        assert_eq!(wide.press(Key::Char('\u{1a}')), Press::Suspend);
    }
}
