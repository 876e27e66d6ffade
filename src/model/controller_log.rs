//! The errors in the log of one of Flux's controllers: about one object, and about the controller as a whole.
//!
//! Flux logs JSON, one entry a line, with client-go's own lines (klog) in between.

use serde_json::Value;

/// The most errors that are kept of each kind.
const KEPT: usize = 5;

/// Errors of a log, newest last, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// About the object that was asked for.
    pub own: Vec<String>,
    /// About no object: the controller's caches, its start.
    pub general: Vec<String>,
}

impl Errors {
    /// Reads a log for one object.
    pub fn of(log: &str, namespace: &str, name: &str) -> Self {
        let mut errors = Self::default();
        for line in log.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(entry) => errors.take(&entry, namespace, name),
                Err(_) if is_klog_error(line) => push(&mut errors.general, line),
                Err(_) => {}
            }
        }
        errors
    }

    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.general.is_empty()
    }

    fn take(&mut self, entry: &Value, namespace: &str, name: &str) {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if !matches!(text("level"), Some("error" | "fatal" | "panic")) {
            return;
        }
        let Some(said) = text("error").or_else(|| text("msg")) else {
            return;
        };
        match object(entry) {
            Some(id) if id == (namespace, name) => push(&mut self.own, said),
            Some(_) => {}
            None => push(&mut self.general, said),
        }
    }
}

/// Namespace and name of the object that an entry is about: beside the message, or in an object of their own (since 0.31).
fn object(entry: &Value) -> Option<(&str, &str)> {
    let of = |value: &'_ Value| -> Option<(String, String)> {
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        Some((text("namespace")?, text("name")?))
    };
    let holder = match of(entry) {
        Some(_) => entry,
        None => entry
            .as_object()?
            .values()
            .find(|value| of(value).is_some())?,
    };
    Some((
        holder.get("namespace")?.as_str()?,
        holder.get("name")?.as_str()?,
    ))
}

/// `E1127 05:00:41.718012       1 reflector.go:150] …`.
fn is_klog_error(line: &str) -> bool {
    let mut letters = line.chars();
    let lead = matches!(letters.next(), Some('E' | 'F'));
    lead && letters.take(4).all(|c| c.is_ascii_digit()) && line.contains("] ")
}

/// A text that is repeated counts as the newer one.
fn push(errors: &mut Vec<String>, said: &str) {
    errors.retain(|e| e != said);
    errors.push(said.to_owned());
    if errors.len() > KEPT {
        errors.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_are_of_the_object_of_another_one_or_of_none() {
        let log = [
            r#"{"level":"info","msg":"all fine","name":"a","namespace":"n"}"#,
            r#"{"level":"error","msg":"Reconciler error","name":"a","namespace":"n","error":"old form"}"#,
            r#"{"level":"error","msg":"Reconciler error","HelmRelease":{"name":"a","namespace":"n"},"error":"new form"}"#,
            r#"{"level":"error","msg":"Reconciler error","HelmRelease":{"name":"b","namespace":"n"},"error":"another's"}"#,
            r#"{"level":"error","msg":"Failed to watch","type":"*v1.ServiceAccount","error":"of none"}"#,
            r#"{"level":"error","msg":"Reconciler error","name":"a","namespace":"n","error":"old form"}"#,
            "E1127 05:00:41.718012       1 reflector.go:150] klog",
            "Error: nothing of that form",
        ]
        .join("\n");
        let errors = Errors::of(&log, "n", "a");
        assert_eq!(errors.own, ["new form", "old form"]);
        assert_eq!(
            errors.general,
            [
                "of none",
                "E1127 05:00:41.718012       1 reflector.go:150] klog"
            ]
        );
        assert!(Errors::of("", "n", "a").is_empty());
    }

    proptest! {
        #[test]
        fn no_log_panics(log in "(\\{\"level\":\"error\",|\"error\":\"x\"|\"name\":\"a\"|\\{|\\}|,|E1127 |\\] |é|\n){0,12}") {
            let _ = Errors::of(&log, "n", "a");
        }
    }
}
