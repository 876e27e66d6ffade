//! The line of a process's log that says why it ended: a panic, else its last error, else its last line. Without credentials.

use crate::text::scrub::scrub;
use serde_json::Value;

/// The most characters of a line that are kept.
const KEPT: usize = 300;

/// What a log says of its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    pub line: String,
    pub kind: Kind,
    /// The last line, where it went on after an error.
    pub end: Option<String>,
}

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The process crashed because of a bug in it.
    Panic,
    Error,
    /// The last line, which says of itself no more than that.
    Last,
}

impl LastWords {
    /// `None` of an empty log.
    pub fn parse(log: &str) -> Option<Self> {
        let (log, _) = scrub(log);
        let raw: Vec<&str> = log.lines().collect();
        let lines: Vec<&str> = raw.iter().map(|line| unstamped(line)).collect();
        let lasts = lines.iter().enumerate().rev();
        let error = lasts
            .clone()
            .find_map(|(at, line)| Some((at, error(line)?)));
        let lasts = lasts.map(|(_, line)| *line);
        let mut lasts = lasts.filter(|line| !line.trim().is_empty());
        // With `set -x` a shell prints each command before it runs it.
        let said = lasts.clone().find(|line| !line.starts_with("+ "));
        let last = said.or_else(|| lasts.next())?;
        let is_stamped = |at: usize| raw[at].len() > lines[at].len();
        let goes_on = |error: usize| {
            let mut later = error + 1..lines.len();
            later.any(|at| is_entry(lines[at]) || (is_stamped(at) && !is_stamped(error)))
        };
        let panic = lines.iter().rev().find(|line| is_panic(line));
        let is_known = |line: &str| meaning(line).is_some();
        let known = lines.iter().rposition(|line| is_known(line));
        // After a panic, or where the log continues, it was not the reason.
        let is_last = |at: usize| {
            let later = &lines[at + 1..];
            let continues = later.iter().any(|line| is_panic(line) || is_calm(line));
            !continues
        };
        let known = known.filter(|at| is_last(*at)).map(|at| &lines[at]);
        // An error in JSON may quote the panic.
        let (line, kind, end) = match (panic, error) {
            _ if known.is_some() => (known.map_or("", |line| line).to_owned(), Kind::Error, None),
            (Some(panic), _) => ((*panic).to_owned(), Kind::Panic, None),
            (None, Some((_, error))) if error.contains("panic: ") => (error, Kind::Panic, None),
            (None, Some((at, error))) => (error, Kind::Error, goes_on(at).then_some(last)),
            (None, None) => (last.to_owned(), Kind::Last, None),
        };
        let kept = |line: &str| line.trim().chars().take(KEPT).collect();
        Some(Self {
            line: kept(&line),
            kind,
            end: end.map(kept),
        })
    }

    /// What to do about it, where that is not plain from the words.
    pub fn meaning(&self) -> Option<&'static str> {
        meaning(&self.line)
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

/// What to do about a line, where that is not plain from its words.
fn meaning(line: &str) -> Option<&'static str> {
    const PROCESSES: &str = "CouchDB's Erlang VM has reached its limit of processes: raise it (+P in CouchDB's vm.args, or in ERL_FLAGS of its container), and find out what starts so many, for instance many indexes that are built at once.";
    const MEANINGS: [(&str, &str); 5] = [
        (
            "Admin Party",
            "CouchDB 3 and later do not start without an admin account: set its name and password (COUCHDB_USER and COUCHDB_PASSWORD, from the Secret of CouchDB's release).",
        ),
        (
            "Chain already exists",
            "The init container has run before in this pod's network. Delete the pod: its controller creates it again, with a fresh network.",
        ),
        ("emulator -------- Too many processes", PROCESSES),
        ("{system_limit,[{erlang,spawn", PROCESSES),
        (
            "Can't set long node name",
            "Erlang cannot use the member's name, usually because it does not resolve to an IPv4 address. If the cluster has only IPv6, set ERL_FLAGS to \"-proto_dist inet6_tcp\" where CouchDB's container is defined; otherwise check the cluster's DNS and CouchDB's headless Service.",
        ),
    ];
    let found = MEANINGS.iter().find(|(text, _)| line.contains(text));
    found.map(|(_, meaning)| *meaning)
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

/// A line of CouchDB's that reports no trouble.
fn is_calm(line: &str) -> bool {
    ["[notice] ", "[info] ", "[debug] "]
        .iter()
        .any(|level| line.starts_with(level))
}

/// The line begins an entry of the log, and does not continue the one before it.
fn is_entry(line: &str) -> bool {
    let is_dated = |word: &str| {
        let date = word.trim_start_matches('[').get(..10);
        date.is_some_and(|date| date.parse::<k8s_openapi::jiff::civil::Date>().is_ok())
    };
    let is_levelled = line.starts_with('[') && line.contains("] ");
    let is_json = serde_json::from_str::<Value>(line).is_ok_and(|entry| entry.is_object());
    is_levelled
        || is_json
        || is_klog(line, &['I', 'W', 'E', 'F'])
        || line.split_whitespace().take(2).any(is_dated)
}

/// `E1127 05:00:41.718012       1 main.go:150] …`, of one of these levels.
fn is_klog(line: &str, levels: &[char]) -> bool {
    let mut letters = line.chars();
    letters.next().is_some_and(|level| levels.contains(&level))
        && letters.by_ref().take(4).all(|c| c.is_ascii_digit())
        && letters.next() == Some(' ')
        && line.contains("] ")
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
        let said: Vec<&str> = said.filter(|text| !text.trim().is_empty()).collect();
        return (!said.is_empty()).then(|| said.join(": "));
    }
    let is_klog = is_klog(line, &['E', 'F']);
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
        let words = LastWords::parse(log).unwrap();
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
        assert_eq!(LastWords::parse(" \n\n"), None);
    }

    #[test]
    fn an_error_after_which_the_log_goes_on_is_not_its_end() {
        let end = |log: &str| LastWords::parse(log).unwrap().end;
        let error = "[error] 2026-11-27T01:00:00Z couchdb@x <0.1.0> no_db_file";
        let last = "[notice] 2026-11-27T04:59:59Z couchdb@x shutting down: Read-only file system";
        assert_eq!(
            end(&format!("{error}\n[info] ok\n{last}\n\n")).as_deref(),
            Some(last)
        );
        for later in [
            "2026-11-27T04:59:59Z bye",
            "I1127 05:00:41.718013       1 main.go:151] bye",
            r#"{"level":"info","msg":"bye"}"#,
            "2026/11/27 04:59:59 bye".replace('/', "-").as_str(),
        ] {
            assert!(end(&format!("{error}\n{later}")).is_some(), "{later}");
        }
        // The error's own lines.
        assert_eq!(
            end(&format!("{error}\n    at main.go:12\n  caused by: x\n")),
            None
        );
    }

    #[test]
    fn a_line_whose_meaning_is_known_counts_before_those_that_follow_it() {
        for (log, part) in [
            (
                "Can't set long node name!\nPlease check your configuration\nKernel pid terminated (x)",
                "inet6_tcp",
            ),
            (
                "[error] 2026-11-27T04:59:28Z couchdb@x emulator -------- Too many processes\n[error] 2026-11-27T04:59:29Z couchdb@x y",
                "+P",
            ),
            (
                "[error] a exit value:\n{system_limit,[{erlang,spawn_link,[]}]}\n[error] b",
                "+P",
            ),
        ] {
            let words = LastWords::parse(log).unwrap();
            assert!(
                words
                    .meaning()
                    .is_some_and(|meaning| meaning.contains(part)),
                "{log}"
            );
        }
        let over =
            "emulator -------- Too many processes\n[notice] 2026 a GET /_up 200 ok 3\n[error] b";
        assert_eq!(LastWords::parse(over).unwrap().meaning(), None);
        let other = LastWords::parse("[error] a {system_limit,[{prim_file,open}]}").unwrap();
        assert_eq!(other.meaning(), None);
    }

    #[test]
    fn an_error_without_a_text_is_none() {
        for empty in [r#"{"level":"error"}"#, r#"{"level":"error","msg":" "}"#] {
            assert_eq!(of(empty), said(empty, Kind::Last));
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let log = "[error] x cannot reach http://admin:s3cr3t@10.0.0.1:5984/_users password=hunter2\n[info] 2026 token=a1b2c3\n[error] y Authorization: Basic YWRtaW46czNjcjN0\n[info] 2026 password=hunter3";
        let words = LastWords::parse(log).unwrap();
        let shown = format!("{}{}", words.line, words.end.unwrap());
        assert!(
            !["YWRt", "hunter"].iter().any(|s| shown.contains(s)),
            "{shown}"
        );
        let first = log.lines().next().unwrap();
        assert_eq!(
            of(first),
            said(
                "[error] x cannot reach http://<scrubbed>@10.0.0.1:5984/_users password=<scrubbed>",
                Kind::Error
            )
        );
    }

    #[test]
    fn a_version_that_is_not_served_names_its_group() {
        let group = |line: &str| {
            let words = LastWords::parse(line).unwrap();
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
            if let Some(words) = LastWords::parse(&log) {
                prop_assert!(words.line.chars().count() <= KEPT);
                words.unserved_group();
            }
        }
    }

    #[test]
    fn each_mark_of_an_error_and_of_a_panic_counts() {
        for line in [
            "fatal error: all goroutines are asleep - deadlock!",
            "{\"Kernel pid terminated\",application_controller,\"x\"}",
        ] {
            assert_eq!(of(&format!("{line}\nend")), said(line, Kind::Panic));
        }
        for line in [
            "[critical] a",
            "[alert] a",
            "[emergency] a",
            "Error! Failed to eval",
            "ERROR: a",
            "init terminating in do_boot (x)",
            "F1127 05:00:41.718012       1 main.go:150] klog",
        ] {
            assert_eq!(of(&format!("{line}\nend")), said(line, Kind::Error));
        }
        for level in ["error", "fatal", "panic"] {
            let line = format!("{{\"level\":\"{level}\",\"msg\":\"m\"}}\nend");
            assert_eq!(of(&line), said("m", Kind::Error), "{level}");
        }
        for other in [
            "Exxxx 05:00:41 1 main.go:150] klog",
            "E1127x05:00:41 1 main.go:150] klog",
            "E1127 05:00:41 no place",
            "an [error] a",
        ] {
            assert_eq!(of(other), said(other, Kind::Last));
        }
    }

    #[test]
    fn the_last_panic_is_kept_in_short() {
        assert_eq!(
            of("panic: first\npanic: last  \nmain.go:1"),
            said("panic: last", Kind::Panic)
        );
        let long = "x".repeat(2 * KEPT);
        assert_eq!(of(&long).0.len(), KEPT);
        let quoted =
            LastWords::parse(r#"no matches for kind \"A\" in version \"b.example.io/v1\""#);
        assert_eq!(quoted.unwrap().unserved_group(), Some("b.example.io"));
    }
}
