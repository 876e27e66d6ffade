//! What Helm's log says while it waits. Controllers append its last lines to a failure: up to 0.36 in the condition, later ones in
//! the event.

/// An object that Helm was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited<'a> {
    pub kind: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    /// The line, without its time.
    pub line: &'a str,
}

/// What Helm says of an object that is not ready, before its `namespace/name`.
const SAID: [&str; 5] = [
    " is not ready: ",
    " is not bound: ",
    " is not completed: ",
    " does not have load balancer ingress IP address: ",
    " does not have cluster IP address: ",
];

/// The object that the last such line of the log names.
pub fn awaited(log: &str) -> Option<Awaited<'_>> {
    log.lines().rev().find_map(of_line)
}

/// `2026-11-27T05:00:45Z: Deployment is not ready: core/x. 0 out of 1 expected pods are ready`
fn of_line(line: &str) -> Option<Awaited<'_>> {
    let (before, after) = SAID.iter().find_map(|said| line.split_once(said))?;
    let kind = before.rsplit(' ').next()?;
    let id = after.split([' ', ',']).next()?.trim_end_matches('.');
    let (namespace, name) = id.split_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let word = |w: &str| !w.is_empty() && w.chars().all(plain);
    (word(kind) && word(namespace) && word(name)).then(|| Awaited {
        kind,
        namespace,
        name,
        line: line[before.len() - kind.len()..].trim(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_object_that_is_waited_for_is_named() {
        let log = "beginning wait for 3 resources with timeout of 5m0s\n\
            2026-11-27T04:55:47Z: Service does not have load balancer ingress IP address: core/a\n\
            Deployment is not ready: core/b. 0 out of 1 expected pods are ready\n\
            2026-11-27T05:00:45Z: done";
        let found = awaited(log).unwrap();
        assert_eq!(
            (found.kind, found.namespace, found.name),
            ("Deployment", "core", "b")
        );
        assert!(found.line.starts_with("Deployment is not ready: core/b. "));
        let first = log.lines().nth(1).unwrap();
        let found = awaited(first).unwrap();
        assert_eq!((found.kind, found.name), ("Service", "a"));
        assert!(found.line.starts_with("Service does not"));
    }

    #[test]
    fn other_lines_name_nothing() {
        for line in [
            "",
            "x is not ready: y",
            "a b/c is not ready: core/",
            " is not ready: core/x",
        ] {
            assert_eq!(awaited(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_log_panics(log in "(( is not (ready|bound): |/|core|\\n|Z: |\\PC{0,4}){0,8})") {
            let _ = awaited(&log);
        }
    }
}
