//! Logs that `kubectl logs --prefix` saved: the one form that tells whose they are.

use std::collections::HashMap;

/// Lines by pod and container.
pub(super) type Logs = HashMap<(String, String), String>;

/// What kubectl itself writes between the lines of the pods: a log that it did not get
/// (`--ignore-errors`), and the container that it chose.
const OF_KUBECTL: [&str; 2] = ["error: ", "Defaulted container "];

/// Reads a file of prefixed lines, `[pod/NAME/CONTAINER] …`; `None` where it does not begin with one.
/// Pods come in any order, so what kubectl says of one it could not read may come first.
pub(super) fn parse(bytes: &[u8]) -> Option<Logs> {
    let text = String::from_utf8_lossy(bytes);
    let of_kubectl = |line: &&str| OF_KUBECTL.iter().any(|start| line.starts_with(start));
    source(text.lines().find(|line| !of_kubectl(line))?)?;
    let mut logs = Logs::new();
    for (pod, container, line) in text.lines().filter_map(source) {
        let key = (pod.to_owned(), container.to_owned());
        let log = logs.entry(key).or_default();
        log.push_str(line);
        log.push('\n');
    }
    Some(logs)
}

/// Pod, container and the line itself.
fn source(line: &str) -> Option<(&str, &str, &str)> {
    let (source, line) = line.strip_prefix("[pod/")?.split_once(']')?;
    let (pod, container) = source.split_once('/')?;
    Some((pod, container, line.strip_prefix(' ').unwrap_or(line)))
}

/// The last lines of a log, as the API server gives them for `tailLines`.
pub(super) fn tail(log: &str, lines: usize) -> &str {
    let starts = log.match_indices('\n').map(|(at, _)| at + 1);
    let all = log.lines().count();
    let skipped = all.saturating_sub(lines);
    if skipped == 0 {
        return log;
    }
    let start = starts.take(skipped).last().unwrap_or(0);
    &log[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_prefix_tells_pod_and_container() {
        let logs = parse(b"[pod/a-1/create] one\n[pod/a-2/create] other\n[pod/a-1/create] [x] two\n[pod/a-1/create] \n").unwrap();
        let of = |pod: &str| logs[&(pod.to_owned(), "create".to_owned())].as_str();
        assert_eq!((of("a-1"), of("a-2")), ("one\n[x] two\n\n", "other\n"));
        let after = parse(b"error: not found ( pods/log a-3)\nDefaulted container \"create\" out of: create, proxy\n[pod/a-1/create] one\n").unwrap();
        assert_eq!(after.into_values().collect::<Vec<_>>(), ["one\n"]);
        for other in [
            "",
            "one\n",
            "error: one\n",
            "error: one\nkind: List\n",
            "[pod/a] one\n",
            "[1, 2]\n",
            "[pod/a/b one\n",
        ] {
            assert!(parse(other.as_bytes()).is_none(), "{other:?}");
        }
    }

    #[test]
    fn the_end_is_given_in_whole_lines() {
        for (lines, expected) in [(9, "a\nb\nc\n"), (3, "a\nb\nc\n"), (2, "b\nc\n"), (0, "")] {
            assert_eq!(tail("a\nb\nc\n", lines), expected);
        }
        assert_eq!(tail("a\nb", 1), "b");
    }

    proptest! {
        #[test]
        fn no_log_panics(text in "(\\[pod/[a-z/]{0,3}\\]?|\\PC{0,3}|\n){0,9}", lines in 0..5usize) {
            if let Some(logs) = parse(text.as_bytes()) {
                for log in logs.values() {
                    prop_assert!(tail(log, lines).lines().count() <= lines);
                }
            }
            prop_assert!(text.ends_with(tail(&text, lines)));
        }
    }
}
