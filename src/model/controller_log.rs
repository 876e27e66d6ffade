//! The errors in the log of one of Flux's controllers: about one object, and about the controller as a whole.
//!
//! Flux logs JSON, one entry a line, with client-go's own lines (klog) in between.

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::TimeZone;
use serde_json::Value;

/// The most errors that are kept of each kind.
const KEPT: usize = 5;

/// Errors of a log, each text once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// About the object that was asked for.
    pub own: Vec<Entry>,
    /// About no object: the controller's caches, its start.
    pub general: Vec<Entry>,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `None` where its time is missing or cannot be read.
    pub at: Option<Timestamp>,
    pub text: String,
}

impl Errors {
    /// Reads a log for one object; an empty log has no errors.
    ///
    /// # Errors
    /// The log has lines, and none of them has a form that is known; as a clause.
    pub fn parse(log: &str, namespace: &str, name: &str) -> Result<Self, String> {
        let lines: Vec<Line<'_>> = log.lines().filter_map(Line::parse).collect();
        if lines.is_empty() && !log.trim().is_empty() {
            return Err("none of its lines is JSON or klog".to_owned());
        }
        let near = lines.iter().find_map(Line::time);
        let mut errors = Self::default();
        for line in &lines {
            match &line.form {
                Form::Json(entry) => errors.take(line.time(), entry, namespace, name),
                Form::Klog(text) if text.starts_with(['E', 'F']) => {
                    let at = line.time().or_else(|| klog_time(text, near?));
                    push(&mut errors.general, at, text);
                }
                Form::Klog(_) => {}
            }
        }
        Ok(errors)
    }

    fn take(&mut self, at: Option<Timestamp>, entry: &Value, namespace: &str, name: &str) {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if !matches!(text("level"), Some("error" | "fatal" | "panic")) {
            return;
        }
        let Some(said) = text("error").or_else(|| text("msg")) else {
            return;
        };
        match object(entry) {
            Some(id) if id == (namespace, name) => push(&mut self.own, at, said),
            Some(_) => {}
            None => push(&mut self.general, at, said),
        }
    }
}

/// A line of a form that is known.
struct Line<'l> {
    /// Written before it by `kubectl logs --timestamps`.
    stamp: Option<Timestamp>,
    form: Form<'l>,
}

enum Form<'l> {
    Json(Value),
    Klog(&'l str),
}

impl<'l> Line<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let stamped = line
            .split_once(' ')
            .and_then(|(stamp, rest)| Some((stamp.parse().ok()?, rest)));
        let (stamp, text) = match stamped {
            Some((stamp, rest)) => (Some(stamp), rest),
            None => (None, line),
        };
        let form = match serde_json::from_str::<Value>(text) {
            Ok(entry) if entry.is_object() => Form::Json(entry),
            _ if is_klog(text) => Form::Klog(text),
            _ => return None,
        };
        Some(Self { stamp, form })
    }

    /// When it was written, as far as it says the whole time.
    fn time(&self) -> Option<Timestamp> {
        let Form::Json(entry) = &self.form else {
            return self.stamp;
        };
        match entry.get("ts") {
            Some(Value::String(ts)) => ts.parse().ok(),
            // Zap's own form: seconds since 1970.
            Some(Value::Number(ts)) => {
                let seconds = ts.to_string();
                let whole = seconds.split('.').next()?.parse().ok()?;
                Timestamp::from_second(whole).ok()
            }
            Some(_) => None,
            None => self.stamp,
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
fn is_klog(line: &str) -> bool {
    let mut letters = line.chars();
    let lead = matches!(letters.next(), Some('I' | 'W' | 'E' | 'F'));
    lead && letters.by_ref().take(4).all(|c| c.is_ascii_digit())
        && letters.next() == Some(' ')
        && line.contains("] ")
}

/// Klog does not write the year: that in which the line is nearest to another one of the log. Flux's images are in UTC.
fn klog_time(line: &str, near: Timestamp) -> Option<Timestamp> {
    let (month, day) = (line.get(1..3)?, line.get(3..5)?);
    let time = line.get(6..)?.split(' ').next()?;
    let year = near.to_zoned(TimeZone::UTC).year();
    let years = [year - 1, year, year + 1].into_iter();
    years
        .filter_map(|year| format!("{year:04}-{month}-{day}T{time}Z").parse().ok())
        .min_by_key(|at: &Timestamp| at.as_second().abs_diff(near.as_second()))
}

/// A text that is repeated counts as the newer one, or as one of an unknown time where that of one of them is not known.
fn push(errors: &mut Vec<Entry>, at: Option<Timestamp>, said: &str) {
    let known = errors.iter().position(|e| e.text == said);
    let at = match known.map(|known| errors.remove(known).at) {
        Some(before) => before.zip(at).map(|(before, at)| before.max(at)),
        None => at,
    };
    let text = said.to_owned();
    errors.push(Entry { at, text });
    if errors.len() > KEPT {
        let oldest = (0..errors.len()).min_by_key(|i| age(&errors[*i]));
        errors.remove(oldest.unwrap_or_default());
    }
}

/// What is of an unknown time may be the newest.
fn age(entry: &Entry) -> (bool, Option<Timestamp>) {
    (entry.at.is_none(), entry.at)
}

/// The newest of these errors; one of an unknown time before all others.
pub fn newest<'e>(errors: impl IntoIterator<Item = &'e Entry>) -> Option<&'e Entry> {
    errors.into_iter().max_by_key(|entry| age(entry))
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
        let errors = Errors::parse(&log, "n", "a").unwrap();
        assert_eq!(texts(&errors.own), ["new form", "old form"]);
        assert_eq!(
            texts(&errors.general),
            [
                "of none",
                "E1127 05:00:41.718012       1 reflector.go:150] klog"
            ]
        );
        assert_eq!(Errors::parse("", "n", "a"), Ok(Errors::default()));
    }

    fn texts(errors: &[Entry]) -> Vec<&str> {
        errors.iter().map(|e| e.text.as_str()).collect()
    }

    #[test]
    fn a_log_of_no_known_form_is_not_empty() {
        let own = r#"{"level":"error","ts":"2026-11-27T05:00:41.718Z","name":"a","namespace":"n","error":"x"}"#;
        for log in [
            "2026-11-27T05:00:41.718Z\terror\tReconciler error\tx",
            "[pod/helm-controller-1/manager] E1127",
            "7\n\"text\"",
        ] {
            assert!(Errors::parse(log, "n", "a").is_err(), "{log}");
            let some = Errors::parse(&format!("{log}\n{own}"), "n", "a").unwrap();
            assert_eq!(texts(&some.own), ["x"]);
        }
        for log in [
            " \n",
            "I1127 05:00:41.718012       1 leaderelection.go:1] acquired",
            "{}",
        ] {
            assert_eq!(Errors::parse(log, "n", "a"), Ok(Errors::default()), "{log}");
        }
    }

    #[test]
    fn each_entry_has_its_time_or_none() {
        let at = |line: &str| {
            let errors = Errors::parse(line, "n", "a").unwrap();
            let entry = errors.own.iter().chain(&errors.general).next().unwrap();
            entry.at.map(|at| at.to_string())
        };
        let json =
            |ts: &str| format!(r#"{{"level":"error",{ts}"name":"a","namespace":"n","error":"x"}}"#);
        let time = |text: &str| Some(text.to_owned());
        assert_eq!(
            at(&json(r#""ts":"2026-11-27T05:00:41Z","#)),
            time("2026-11-27T05:00:41Z")
        );
        assert_eq!(
            at(&json(r#""ts":1795755641.5,"#)),
            time("2026-11-27T05:00:41Z")
        );
        for unknown in ["", r#""ts":"yesterday","#, r#""ts":{},"#] {
            assert_eq!(at(&json(unknown)), None, "{unknown}");
        }
        let stamped = format!("2026-11-27T06:00:00Z {}", json(""));
        assert_eq!(at(&stamped), time("2026-11-27T06:00:00Z"));
        let klog = "E1231 23:59:59.000000       1 x.go:1] no";
        assert_eq!(at(klog), None);
        let beside = |near: &str| at(&format!("{klog}\n{}", near.replace("error", "info")));
        let near = json(r#""ts":"2027-01-01T00:00:41Z","#);
        assert_eq!(beside(&near), time("2026-12-31T23:59:59Z"));
    }

    #[test]
    fn the_newest_is_known_only_where_all_times_are() {
        let of = |times: &[&str]| {
            let lines = times.iter().enumerate().map(|(i, ts)| {
                format!(
                    r#"{{"level":"error","ts":"{ts}","name":"a","namespace":"n","error":"{i}"}}"#
                )
            });
            let log: Vec<String> = lines.collect();
            let errors = Errors::parse(&log.join("\n"), "n", "a").unwrap();
            assert!(errors.own.len() <= KEPT);
            newest(&errors.own).map(|e| (e.text.clone(), e.at.is_some()))
        };
        let day = |i: usize| format!("2026-11-2{i}T00:00:00Z");
        let days: Vec<String> = [7, 1, 2, 3, 4, 5, 6].map(day).to_vec();
        let mut days: Vec<&str> = days.iter().map(String::as_str).collect();
        assert_eq!(of(&days), Some(("0".to_owned(), true)));
        days[1] = "x";
        assert_eq!(of(&days), Some(("1".to_owned(), false)));
        assert_eq!(of(&[]), None);
    }

    proptest! {
        #[test]
        fn no_log_panics(log in "(\\{\"level\":\"error\",|\"error\":\"x\"|\"name\":\"a\"|\\{|\\}|,|E1127 |\\] |é|\n){0,12}") {
            let _ = Errors::parse(&log, "n", "a");
        }
    }
}
