//! Facts about the terminal, and whether the streams take colour.
//!
//! Reads the environment once. What is coloured, and how, is the palette's business.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};

/// Longest line of prose; a wider one is hard to read.
const PROSE: usize = 100;

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// What the environment asks for. An empty `NO_COLOR` and `CLICOLOR_FORCE=0` ask for nothing.
    fn asked(no_color: Option<&OsStr>, force: Option<&OsStr>) -> Self {
        let set = |value: Option<&OsStr>| value.is_some_and(|v| !v.is_empty());
        if set(no_color) {
            Self::Never
        } else if set(force) && force != Some(OsStr::new("0")) {
            Self::Always
        } else {
            Self::Auto
        }
    }

    /// This choice, or the other where this one leaves it open.
    fn or(self, other: Self) -> Self {
        if self == Self::Auto { other } else { self }
    }

    /// Whether a stream is coloured.
    fn on(self, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Facts about the streams, read once at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// stdin is a terminal: a person can answer.
    pub stdin: bool,
    /// stdout is a terminal.
    pub stdout: bool,
    /// stderr is a terminal.
    pub stderr: bool,
    /// Columns of the terminal on stdout, `None` when it is not one: piped output is never folded.
    pub width: Option<usize>,
    /// Columns of the terminal on stderr, `None` when it is not one.
    pub err_width: Option<usize>,
    /// `TERM=dumb`: it takes no control codes, so nothing is redrawn.
    pub dumb: bool,
    /// The flag and the environment together.
    pub color: Color,
}

impl Terminal {
    /// Reads the facts from this process's streams and environment.
    pub fn detect() -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|c| c.parse().ok())
            .filter(|c| *c > 0);
        Self {
            stdin: io::stdin().is_terminal(),
            stdout,
            stderr,
            width: stdout.then(|| columns.unwrap_or_else(terminal_columns)),
            err_width: stderr.then(|| columns.unwrap_or_else(stderr_columns)),
            dumb: is_dumb(),
            color: Color::Auto,
        }
        .colored(Color::Auto)
    }

    /// The same with the flag's answer: it comes before `NO_COLOR`, that before `CLICOLOR_FORCE`, that before the terminal.
    #[must_use]
    pub fn colored(self, flag: Color) -> Self {
        let variable = |name| std::env::var_os(name);
        let (no_color, force): (Option<OsString>, Option<OsString>) =
            (variable("NO_COLOR"), variable("CLICOLOR_FORCE"));
        let color = flag.or(Color::asked(no_color.as_deref(), force.as_deref()));
        Self { color, ..self }
    }

    /// Whether stdout takes colour.
    pub fn colors_stdout(self) -> bool {
        self.color.on(self.stdout && !self.dumb)
    }

    /// Whether stderr takes colour.
    pub fn colors_stderr(self) -> bool {
        self.color.on(self.stderr && !self.dumb)
    }

    /// Whether a line on stderr can be written over.
    pub fn redraws(self) -> bool {
        self.stderr && !self.dumb
    }

    /// Columns that prose on stdout is folded to: [`Terminal::width`], within reason.
    pub fn prose(self) -> Option<usize> {
        self.width.map(|columns| columns.min(PROSE))
    }

    /// Columns that prose on stderr is folded to.
    pub fn err_prose(self) -> Option<usize> {
        self.err_width.map(|columns| columns.min(PROSE))
    }
}

/// Whether the terminal takes no control codes.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Rows and columns of the terminal on stdout now; it may have been resized since the start.
pub(super) fn size() -> (usize, usize) {
    match dialoguer::console::Term::stdout().size_checked() {
        Some((rows, columns)) if rows > 0 && columns > 0 => (rows.into(), columns.into()),
        _ => (24, 80),
    }
}

/// Columns that a line takes, without its styles.
pub(super) fn width(line: &str) -> usize {
    dialoguer::console::measure_text_width(line)
}

/// Columns of the terminal on stdout; 80 if it does not say.
fn terminal_columns() -> usize {
    columns(&dialoguer::console::Term::stdout())
}

/// Columns of the terminal on stderr; 80 if it does not say.
fn stderr_columns() -> usize {
    columns(&dialoguer::console::Term::stderr())
}

fn columns(term: &dialoguer::console::Term) -> usize {
    match term.size_checked() {
        Some((_, columns)) if columns > 0 => usize::from(columns),
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_before_no_color_and_that_before_force() {
        let asked = |no_color: &str, force: &str| {
            Color::asked(Some(OsStr::new(no_color)), Some(OsStr::new(force)))
        };
        assert_eq!(asked("1", "1"), Color::Never);
        assert_eq!(asked("", "1"), Color::Always);
        assert_eq!(asked("", "0"), Color::Auto);
        assert_eq!(asked("", ""), Color::Auto);
        assert_eq!(Color::asked(None, None), Color::Auto);
        assert_eq!(Color::Always.or(Color::Never), Color::Always);
        assert_eq!(Color::Never.or(Color::Always), Color::Never);
        assert_eq!(Color::Auto.or(Color::Always), Color::Always);
    }

    #[test]
    fn only_a_terminal_with_control_codes_is_coloured_unasked() {
        let terminal = Terminal {
            stdout: true,
            stderr: true,
            ..Terminal::default()
        };
        assert!(terminal.colors_stdout() && terminal.colors_stderr() && terminal.redraws());
        let dumb = Terminal {
            dumb: true,
            ..terminal
        };
        assert!(!dumb.colors_stdout() && !dumb.colors_stderr() && !dumb.redraws());
        let pipe = Terminal::default();
        assert!(!pipe.colors_stdout() && !pipe.redraws());
        let forced = Terminal {
            color: Color::Always,
            ..pipe
        };
        assert!(forced.colors_stdout() && !forced.redraws());
    }

    #[test]
    fn prose_is_never_wider_than_it_reads_well() {
        let of = |width| Terminal {
            width,
            ..Terminal::default()
        };
        assert_eq!(of(Some(200)).prose(), Some(PROSE));
        assert_eq!(of(Some(60)).prose(), Some(60));
        assert_eq!(of(None).prose(), None);
    }
}
