//! The one error type that reaches a user.
//!
//! Owns the forms in which kubectl prints errors and the exit code that goes with each. It does not know where an error
//! came from: `cluster::error` turns what the API server or the connection said into one of these.

use crate::advice::Hint;
use crate::exit::Code;
use std::fmt;

/// How the first line is printed; kubectl has three ways and users' scripts know them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// `error: MESSAGE`
    Plain,
    /// `Error from server (REASON): MESSAGE`
    Server(String),
    /// `error: MESSAGE`: the saved files do not hold the object.
    NotSaved,
    /// The message alone, as kubectl prints a lost connection.
    Bare,
    /// Nothing is printed: it has been told already, or nobody listens (closed stdout).
    Silent,
}

/// What ended a command, with what the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    form: Form,
    message: String,
    hints: Vec<Hint>,
    /// What was not found may exist all the same: not everything was read.
    in_doubt: bool,
}

/// Result with the user's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The operating system's words as a clause, without the error's number: `no such file or directory`.
pub fn io_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text
        .split_once(" (os error ")
        .map_or(&*text, |(words, _)| words);
    // Rust's and the system's sentences begin with a capital; no name of ours does.
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

impl Error {
    /// `error: MESSAGE`, exit 1. The message is a lower-case fragment that names the object.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            code: Code::Failed,
            form: Form::Plain,
            message: message.into(),
            hints: Vec::new(),
            in_doubt: false,
        }
    }

    /// `Error from server (REASON): MESSAGE`, exit 1.
    pub fn server(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            form: Form::Server(reason.into()),
            ..Self::new(message)
        }
    }

    /// `error: MESSAGE`, exit 1: the saved files do not hold what was asked for.
    pub fn not_saved(message: impl Into<String>) -> Self {
        Self {
            form: Form::NotSaved,
            ..Self::new(message)
        }
    }

    /// The message without a prefix, exit 1.
    pub fn bare(message: impl Into<String>) -> Self {
        Self {
            form: Form::Bare,
            ..Self::new(message)
        }
    }

    /// A command line that clap accepts and we do not, exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).with_code(Code::Usage)
    }

    /// Prints nothing and ends with `code`: the command has told all there is.
    pub fn silent(code: Code) -> Self {
        Self {
            form: Form::Silent,
            ..Self::new("").with_code(code)
        }
    }

    /// The error of an output that cannot be written. If the reader has closed the pipe, the run still ends with `verdict`.
    #[must_use]
    pub fn of_output(self, verdict: Code) -> Self {
        match self.is_silent() {
            true => self.with_code(verdict),
            false => self,
        }
    }

    /// The same error with another exit code.
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Adds one imperative hint: text, or a [`crate::advice::Command`] behind a text.
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, of something that may exist all the same: not everything was read.
    pub fn in_doubt(self) -> Self {
        Self {
            in_doubt: true,
            ..self
        }
    }

    /// The exit code that goes with it.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message alone, without prefix and hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The hints, in the order they were added.
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// The object that was asked for does not exist, or is not among the saved ones.
    pub fn is_not_found(&self) -> bool {
        self.form == Form::Server("NotFound".to_owned()) || self.form == Form::NotSaved
    }

    /// It certainly does not exist where it was looked for.
    pub fn is_absence(&self) -> bool {
        self.is_not_found() && !self.in_doubt
    }

    /// True when nothing is to be printed.
    pub fn is_silent(&self) -> bool {
        self.form == Form::Silent
    }
}

impl fmt::Display for Error {
    /// The first line as the user sees it, without hints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Plain | Form::NotSaved => write!(f, "error: {}", self.message),
            Form::Server(reason) => write!(f, "Error from server ({reason}): {}", self.message),
            Form::Bare => f.write_str(&self.message),
            Form::Silent => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    /// Output that cannot be written. A closed stdout (`| head`) ends the run quietly and well.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::silent(Code::Ok);
        }
        Self::new(format!("cannot write the output: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_kubectls() {
        assert_eq!(Error::new("x is odd").to_string(), "error: x is odd");
        assert_eq!(
            Error::server("NotFound", "pods \"a\" not found").to_string(),
            "Error from server (NotFound): pods \"a\" not found"
        );
        assert_eq!(
            Error::bare("The connection …").to_string(),
            "The connection …"
        );
    }

    #[test]
    fn closed_stdout_is_quiet_and_fine() {
        let error = Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(error.is_silent());
        assert_eq!(error.code(), Code::Ok);
    }
}
