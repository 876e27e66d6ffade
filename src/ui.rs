//! The only writer to the terminal.
//!
//! stdout carries the answer and can be piped; stderr carries everything else: status, warnings, hints, errors, prompts.
//! Colour repeats what words say; [`Terminal`] decides where it is off.

mod drawing;
mod keyboard;
mod question;
mod terminal;

pub use keyboard::discard_typed;
pub use question::{Answer, ask};
pub use terminal::{Color, Terminal};

use crate::advice::{Hint, Origin};
use crate::error::{Error, Result};
use crate::palette::Palette;
use crate::text::{Screen, Shown};
use clap::builder::StyledStr;
use drawing::Drawing;
use std::io::{self, BufWriter, Write};

/// As much of one line as `columns` hold.
fn cut(line: &Shown, columns: usize) -> Shown {
    use unicode_width::UnicodeWidthChar;
    let mut used = 0;
    let kept = line.as_str().chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    });
    Shown::line(kept.collect::<String>())
}

/// Both streams and the facts about them.
pub struct Ui {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    terminal: Terminal,
    /// A live line stands on stderr.
    live: bool,
    /// Rows of the last drawing on stdout.
    drawn: usize,
    /// The cluster that the run is about, for the commands in hints.
    origin: Origin,
    /// Where lines of stderr are kept instead of being written.
    kept: Option<Kept>,
}

/// The lines of one of several clusters, in its turn.
struct Kept {
    /// The cluster's name, before each line.
    name: Shown,
    lines: Vec<Shown>,
}

impl Ui {
    /// The process's own streams. stdout is buffered: call [`Ui::flush`] where the reader should see something.
    pub fn stdio() -> Self {
        Self {
            out: Box::new(BufWriter::with_capacity(32 * 1024, io::stdout())),
            err: Box::new(io::stderr()),
            terminal: Terminal::detect(),
            live: false,
            drawn: 0,
            origin: Origin::default(),
            kept: None,
        }
    }

    /// Other streams, for tests.
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, terminal: Terminal) -> Self {
        Self {
            out,
            err,
            terminal,
            live: false,
            drawn: 0,
            origin: Origin::default(),
            kept: None,
        }
    }

    /// Returns a `Ui` for one of several clusters. It keeps its stderr until [`Ui::tell`], prefixes each line with `name`, and has no stdout.
    pub fn apart(&self, name: &str) -> Self {
        let kept = Kept {
            name: Shown::line(name).and(": "),
            lines: Vec::new(),
        };
        Self {
            kept: Some(kept),
            ..Self::new(Box::new(io::sink()), Box::new(io::sink()), self.terminal)
        }
    }

    /// Writes the lines that were kept.
    pub fn tell(&mut self, apart: Self) {
        for line in apart.kept.into_iter().flat_map(|kept| kept.lines) {
            self.stderr_line(line);
        }
    }

    /// The facts about the terminal.
    pub fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Takes the answer of `--color`.
    pub fn set_color(&mut self, color: Color) {
        self.terminal = self.terminal.colored(color);
    }

    /// The cluster that the commands in hints lead to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Makes the commands in hints lead to this cluster.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Styles for stdout.
    pub fn palette(&self) -> Palette {
        Palette::new(self.terminal.colors_stdout())
    }

    /// Styles for stderr.
    pub fn err_palette(&self) -> Palette {
        Palette::new(self.terminal.colors_stderr())
    }

    /// stdout for an answer that a person reads.
    pub fn screen(&mut self) -> Screen<'_> {
        Screen::new(&mut self.out)
    }

    /// stdout for an answer that a program reads, byte by byte: JSON, YAML, JSONPath, an archive, a completion script.
    pub fn machine(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes one line of the answer, or several.
    ///
    /// # Errors
    /// A closed stdout is the silent error that ends the run well.
    pub fn result(&mut self, text: impl Into<Shown>) -> Result<()> {
        Ok(self.screen().line(text)?)
    }

    /// Writes a help text, with its styles where stdout takes colour.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn help(&mut self, text: &StyledStr) -> Result<()> {
        let text = if self.palette().is_on() {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        // A command without flags leaves their place empty.
        let text = text.replace("\n\n\n\n", "\n\n");
        self.result(Shown::help(text.trim_end_matches('\n')))?;
        self.flush()
    }

    /// Hands what is buffered to the reader.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush()?;
        Ok(())
    }

    /// A line on stderr about what is done.
    pub fn status(&mut self, line: impl Into<Shown>) {
        self.stderr_line(line.into());
    }

    /// `Warning: …` on stderr.
    pub fn warning(&mut self, line: impl Into<Hint>) {
        let palette = self.err_palette();
        let line = line.into().styled(&self.origin, palette);
        let heading = palette.warning("Warning:");
        self.stderr_line(heading.and(" ").and(line));
    }

    /// `hint: …` on stderr.
    pub fn hint(&mut self, hint: impl Into<Hint>) {
        let palette = self.err_palette();
        let line = hint.into().styled(&self.origin, palette);
        let heading = palette.hint("hint:");
        self.stderr_line(heading.and(" ").and(line));
    }

    /// The error and its hints on stderr, in kubectl's form.
    pub fn error(&mut self, error: &Error) {
        if !error.is_silent() {
            let text = error.to_string();
            let line = match text.strip_prefix("error:") {
                Some(rest) => self.err_palette().error("error:").and(Shown::line(rest)),
                None => Shown::line(text),
            };
            self.stderr_line(line);
        }
        for hint in error.hints() {
            self.hint(hint.clone());
        }
    }

    /// A line on stderr in place of the last one of its kind, cut to the terminal's width; nothing where a line cannot be written
    /// over. Everything else on stderr takes its place.
    pub fn live(&mut self, line: impl Into<Shown>) {
        if !self.terminal.redraws() || self.kept.is_some() {
            return;
        }
        let columns = self.terminal.err_width.unwrap_or(80);
        let line = cut(&line.into(), columns.saturating_sub(1));
        let _ = write!(self.err, "\r\x1b[2K{line}");
        let _ = self.err.flush();
        self.live = true;
    }

    /// Takes the live line away.
    pub fn end_live(&mut self) {
        if std::mem::take(&mut self.live) {
            let _ = write!(self.err, "\r\x1b[2K");
            let _ = self.err.flush();
        }
    }

    /// Whether what is on stdout can be drawn again in place.
    pub fn draws(&self) -> bool {
        self.terminal.stdout && !self.terminal.dumb
    }

    /// Writes an answer in place of the one that was drawn before it, as much of it as the terminal is high: what has scrolled away
    /// cannot be written over.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn draw(&mut self, write: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) -> Result<()> {
        let mut text = Vec::new();
        write(&mut Screen::new(&mut text))?;
        let drawing = Drawing::fitting(&String::from_utf8_lossy(&text), terminal::size());
        // The cursor goes up to the first row of the last drawing, and the rest of the screen is erased.
        match std::mem::replace(&mut self.drawn, drawing.rows) {
            0 => {}
            rows => write!(self.out, "\x1b[{rows}A\r\x1b[J")?,
        }
        self.out.write_all(drawing.text.as_bytes())?;
        self.flush()
    }

    /// stderr is the last resort: when it is closed too, there is nobody left to tell.
    fn stderr_line(&mut self, line: Shown) {
        if let Some(kept) = &mut self.kept {
            kept.lines.push(kept.name.clone().and(line));
            return;
        }
        self.end_live();
        let _ = self.out.flush();
        let _ = Screen::new(&mut self.err).line(line);
    }
}

/// A line of the request log (`-v 6`) on stderr. For the facade, which has no [`Ui`].
pub fn log(line: Shown) {
    let _ = Screen::new(&mut io::stderr()).line(line);
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_live_line_is_cut_by_columns() {
        assert_eq!(cut(&"abc".into(), 2), "ab");
        assert_eq!(cut(&"日本語".into(), 5), "日本");
        assert_eq!(cut(&"abc".into(), 9), "abc");
    }
}
