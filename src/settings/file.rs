//! The file: where it is, and how it is read.

use super::Settings;
use crate::error::{Error, Result, io_words};
use crate::private_file;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The variable that names another file.
const VARIABLE: &str = "SKVS_CONFIG";
/// The longest file that is read, in bytes.
const MOST: u64 = 1 << 20;
/// The longest message about it, in characters: it can repeat the file's text.
const MESSAGE: usize = 400;

/// What the user's machine has.
#[derive(Clone, Debug)]
pub struct Found {
    /// `None` without a home.
    pub path: Option<PathBuf>,
    pub exists: bool,
    /// Empty if the file does not exist; an error if it cannot be read.
    pub settings: Result<Settings>,
}

impl Found {
    /// No file at all.
    pub fn nothing() -> Self {
        Self {
            path: None,
            exists: false,
            settings: Ok(Settings::default()),
        }
    }

    /// Reads the file that the environment names.
    pub fn load() -> Self {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        let must_exist = named.is_some();
        let usual = || private_file::user_folder("XDG_CONFIG_HOME", ".config");
        let path = match named {
            Some(path) => PathBuf::from(path),
            None => match usual() {
                Some(folder) => folder.join("config.toml"),
                None => return Self::nothing(),
            },
        };
        let (exists, settings) = match content(&path) {
            Ok(text) => (true, parse(&text).map_err(|fault| fault.in_file(&path))),
            Err(error)
                if !must_exist
                    && matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
            {
                (false, Ok(Settings::default()))
            }
            Err(error) => {
                let exists = error.kind() != io::ErrorKind::NotFound;
                let why = io_words(&error);
                let error = Error::new(format!("{}: {why}", path.display()));
                let error = match must_exist {
                    true => error.hint(format!("{VARIABLE} names this file")),
                    false => error,
                };
                (exists, Err(error))
            }
        };
        Self {
            path: Some(path),
            exists,
            settings,
        }
    }
}

fn content(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = private_file::read_only(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o002 != 0 {
            return Err(io::Error::other("everybody can write to it"));
        }
    }
    file.take(MOST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::other("it is too large")),
        false => Ok(text),
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1 on.
    line: Option<usize>,
    what: String,
}

impl Fault {
    fn in_file(self, path: &Path) -> Error {
        let line = self.line.map(|line| format!(":{line}"));
        let place = format!("{}{}", path.display(), line.unwrap_or_default());
        Error::new(format!("{place}: {}", self.what))
    }
}

/// Reads the file's text.
pub(super) fn parse(text: &str) -> Result<Settings, Fault> {
    toml::from_str(text).map_err(|error| Fault {
        line: error
            .span()
            .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1),
        what: error
            .message()
            .replace('\n', ", ")
            .chars()
            .take(MESSAGE)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |text: &str| {
            parse(text)
                .unwrap_err()
                .in_file(Path::new("c.toml"))
                .to_string()
        };
        insta::assert_snapshot!(said("# x\nnamspace = \"a\""), @"error: c.toml:2: unknown field `namspace`, expected one of `namespace`, `onboarding-selector`, `couchdb`, `repository`, `onboard`, `notes`");
        insta::assert_snapshot!(said("[couchdb]\n\nport = 0"), @"error: c.toml:3: invalid value: integer `0`, expected a nonzero u16");
        insta::assert_snapshot!(said("[couchdb]\nport = \"5984\""), @r#"error: c.toml:2: invalid type: string "5984", expected a nonzero u16"#);
        insta::assert_snapshot!(said("namespace = 3"), @"error: c.toml:1: invalid type: integer `3`, expected a string");
        insta::assert_snapshot!(said("namespace = \"A\""), @r#"error: c.toml:1: "A" cannot be the name of a namespace"#);
        insta::assert_snapshot!(said("onboarding-selector = \"\""), @"error: c.toml:1: an empty selector selects everything");
        insta::assert_snapshot!(said("[couchdb]\npod-selector = \"a===\""), @r#"error: c.toml:2: "a===" is not a requirement of a label selector"#);
        insta::assert_snapshot!(said("[onboard]\nchart-version = \"newest\""), @r#"error: c.toml:2: "newest" is not a range of versions"#);
        insta::assert_snapshot!(said("[onboard]\nsource = \"OCIRepository/charts\""), @r#"error: c.toml:2: "OCIRepository" is not one of HelmRepository, GitRepository, Bucket"#);
        insta::assert_snapshot!(said("[repository]\nlayout = \"/a\""), @"error: c.toml:2: it must lead from the repository's folder down");
        insta::assert_snapshot!(said("[notes]\ntemplate = \"\"\"\n{endpoint} {db}\"\"\""), @"error: c.toml:2: {db} is not one of {database}, {endpoint}, {encryption}, {access}, {command}");
        insta::assert_snapshot!(said("[delete-db]\nconfirm = true"), @"error: c.toml:1: unknown field `delete-db`, expected one of `namespace`, `onboarding-selector`, `couchdb`, `repository`, `onboard`, `notes`");
        insta::assert_snapshot!(said("namespace = \"a\"\nnamespace = \"b\""), @"error: c.toml:2: duplicate key");
        insta::assert_snapshot!(said("namespace = \"a"), @r#"error: c.toml:1: invalid basic string, expected `"`"#);
    }

    proptest! {
        /// An unknown key is an error in every table.
        #[test]
        fn no_line_is_passed_over(key in "[a-z-]{1,12}", section in "(couchdb|repository|onboard|notes)?") {
            let known = ["namespace", "onboarding-selector", "pod-selector", "port", "layout", "source", "chart-version", "template"];
            prop_assume!(!known.contains(&key.as_str()));
            let head = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            prop_assume!(!section.is_empty() || !["couchdb", "repository", "onboard", "notes"].contains(&key.as_str()));
            let fault = parse(&format!("{head}{key} = 1")).unwrap_err();
            prop_assert!(fault.what.contains(&key), "{}", fault.what);
        }
    }
}
