//! The line of a process's log that says why it ended: a panic, else its last error, else its last line.

use serde_json::Value;

/// The most characters of a line that are kept.
const KEPT: usize = 300;

/// What a log says of its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    pub line: String,
    pub kind: Kind,
}

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The process broke off on its own fault.
    Panic,
    Error,
    /// The last line, which says of itself no more than that.
    Last,
}

impl LastWords {
    /// `None` of an empty log.
    pub fn of(log: &str) -> Option<Self> {
        let lines: Vec<&str> = log.lines().map(unstamped).collect();
        let error = lines.iter().rev().find_map(|line| error(line));
        let panic = lines.iter().rev().find(|line| is_panic(line));
        // An error in JSON may quote the panic.
        let (line, kind) = match (panic, error) {
            (Some(panic), _) => ((*panic).to_owned(), Kind::Panic),
            (None, Some(error)) if error.contains("panic: ") => (error, Kind::Panic),
            (None, Some(error)) => (error, Kind::Error),
            (None, None) => {
                let last = lines.iter().rev().find(|line| !line.trim().is_empty())?;
                ((*last).to_owned(), Kind::Last)
            }
        };
        let line = line.trim().chars().take(KEPT).collect();
        Some(Self { line, kind })
    }

    /// The API group of the kind that the API server does not serve in the version that was asked for.
    pub fn unserved_group(&self) -> Option<&str> {
        let (_, rest) = self.line.split_once("no matches for kind ")?;
        let (_, version) = rest.split_once(" in version ")?;
        let group = version.trim_start_matches(['"', '\\']).split('/').next()?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        (group.contains('.') && group.chars().all(is_plain)).then_some(group)
    }
}

/// The line without the time that `kubectl logs --timestamps` writes before it.
fn unstamped(line: &str) -> &str {
    use k8s_openapi::jiff::Timestamp;
    match line.split_once(' ') {
        Some((stamp, rest)) if stamp.parse::<Timestamp>().is_ok() => rest,
        _ => line,
    }
}

/// Go writes the panic first and the goroutines after it, Erlang's emulator its slogan.
fn is_panic(line: &str) -> bool {
    ["panic: ", "fatal error: ", "{\"Kernel pid terminated\""]
        .iter()
        .any(|lead| line.starts_with(lead))
}

/// A line of level error or above: in JSON, of klog, of CouchDB, of Erlang's reports.
fn error(line: &str) -> Option<String> {
    if let Ok(entry) = serde_json::from_str::<Value>(line)
        && entry.is_object()
    {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if !matches!(text("level"), Some("error" | "fatal" | "panic")) {
            return None;
        }
        let said = [text("msg"), text("error")].into_iter().flatten();
        return Some(said.collect::<Vec<_>>().join(": "));
    }
    let mut letters = line.chars();
    let is_klog = matches!(letters.next(), Some('E' | 'F'))
        && letters.by_ref().take(4).all(|c| c.is_ascii_digit())
        && letters.next() == Some(' ')
        && line.contains("] ");
    let is_couch = ["[error] ", "[critical] ", "[alert] ", "[emergency] "]
        .iter()
        .any(|level| line.starts_with(level));
    let is_erlang = [
        "Error! ",
        "ERROR: ",
        "Protocol 'inet_tcp': ",
        "init terminating in do_boot",
    ]
    .iter()
    .any(|lead| line.starts_with(lead));
    (is_klog || is_couch || is_erlang).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(log: &str) -> (String, Kind) {
        let words = LastWords::of(log).unwrap();
        (words.line, words.kind)
    }

    fn said(line: &str, kind: Kind) -> (String, Kind) {
        (line.to_owned(), kind)
    }

    #[test]
    fn a_panic_counts_before_what_follows_it() {
        let log =
            "[signal SIGSEGV: segmentation violation]\ngoroutine 346 [running]:\nmain.go:12\n";
        assert_eq!(
            of(&format!("panic: nil pointer dereference\n{log}")),
            said("panic: nil pointer dereference", Kind::Panic)
        );
        assert_eq!(of(log), said("main.go:12", Kind::Last));
        let quoted =
            r#"{"level":"error","msg":"Reconciler error","error":"panic: nil [recovered]"}"#;
        assert_eq!(
            of(quoted),
            said("Reconciler error: panic: nil [recovered]", Kind::Panic)
        );
    }

    #[test]
    fn the_last_error_counts_in_each_form_of_a_log() {
        let json = |level: &str, text: &str| {
            format!(r#"{{"level":"{level}","msg":"m","error":"{text}"}}"#)
        };
        for (log, line) in [
            (
                format!("{}\n{}\n{}", json("error", "first"), json("error", "last"), json("info", "x")),
                "m: last",
            ),
            (
                format!("2026-11-27T04:58:03Z {}\nbye", json("fatal", "stamped")),
                "m: stamped",
            ),
            (
                "E1127 05:00:41.718012       1 main.go:150] klog\nI1127 05:00:41.718013       1 main.go:151] end".to_owned(),
                "E1127 05:00:41.718012       1 main.go:150] klog",
            ),
            (
                "[info] 2026 a\n[error] 2026 b\n[notice] 2026 c".to_owned(),
                "[error] 2026 b",
            ),
            (
                "Protocol 'inet_tcp': invalid node name\n".to_owned(),
                "Protocol 'inet_tcp': invalid node name",
            ),
        ] {
            assert_eq!(of(&log), said(line, Kind::Error), "{log}");
        }
        assert_eq!(of("one\ntwo\n\n"), said("two", Kind::Last));
        assert_eq!(LastWords::of(" \n\n"), None);
    }

    #[test]
    fn a_version_that_is_not_served_names_its_group() {
        let group = |line: &str| {
            let words = LastWords::of(line).unwrap();
            words.unserved_group().map(str::to_owned)
        };
        let lead = "E1127 05:00:41.718012       1 m.go:1] no matches for kind \"A\" in version ";
        assert_eq!(
            group(&format!("{lead}\"source.example.io/v1\"")).as_deref(),
            Some("source.example.io")
        );
        for other in ["\"v1\"", "\"a b.c/v1\"", "\"$(x).io/v1\"", "", "--help"] {
            assert_eq!(group(&format!("{lead}{other}")), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_log_panics(log in "(panic: |E1127 |\\[error\\] |\\{\"level\":\"error\"\\}|\\PC{0,3}|\n){0,9}") {
            if let Some(words) = LastWords::of(&log) {
                prop_assert!(words.line.chars().count() <= KEPT);
                words.unserved_group();
            }
        }
    }
}
