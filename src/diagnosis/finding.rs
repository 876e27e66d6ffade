//! What a rule found: a sentence, what it was seen by, and what to do. Text from the cluster is cleaned on its way in.

use super::after_fix::{Action, Then};
use super::severity::Severity;
use crate::advice::{Command, Line, Origin};
use crate::model::condition::Condition;
use crate::model::failure::split_trailer;
use crate::model::field::Meta;
use crate::snapshot::Unread;
use crate::text::one_line;
use crate::text::scrub::scrub;
use crate::text::yaml::is_plain;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// An object that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    pub kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
}

impl Subject {
    /// `namespace` is empty for what has none.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            kind: one_line(kind),
            namespace: one_line(namespace),
            name: one_line(name),
        }
    }

    /// `namespace/name`, or the name alone.
    pub fn id(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id())
    }
}

impl From<&Meta> for Subject {
    fn from(meta: &Meta) -> Self {
        Self::new(&meta.kind, &meta.namespace, &meta.name)
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub object: Subject,
    /// Where in the object: `.status.conditions[Released]`, `log of create`.
    pub field: String,
    /// The observed text, on one line.
    pub observed: String,
    /// More of it, line by line: the end of a log.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

impl Evidence {
    pub fn new(object: Subject, field: &str, observed: &str) -> Self {
        Self {
            object,
            field: one_line(field),
            observed: without_credentials(observed),
            lines: Vec::new(),
        }
    }

    /// A condition with its message, without the log that old controllers append.
    pub fn condition(object: Subject, condition: &Condition) -> Self {
        let message = without_lead(split_trailer(&condition.message).0);
        let observed = format!(
            "{}={} {}: {message}",
            condition.kind, condition.status, condition.reason
        );
        Self::new(
            object,
            &format!(".status.conditions[{}]", condition.kind),
            observed.trim_end_matches([':', ' ']),
        )
    }

    /// Adds lines, such as a log's last ones.
    pub fn lines<S: AsRef<str>>(mut self, lines: impl IntoIterator<Item = S>) -> Self {
        let lines: Vec<String> = lines.into_iter().map(|l| l.as_ref().to_owned()).collect();
        let text = scrub(&lines.join("\n")).0.into_owned();
        let lines = text.split('\n').filter(|_| !lines.is_empty());
        self.lines
            .extend(lines.map(|l| crate::text::line(l).into_owned()));
        self
    }
}

/// Reports are passed on, and what a controller or a server says may quote a URL with a token. The program's own sentences are not
/// scrubbed: in `a--tokens: x` the key is a name, and the value not a credential.
fn without_credentials(text: &str) -> String {
    one_line(&scrub(text).0)
}

/// The message without `Helm install failed for release … with chart …: `: the object is named beside it.
fn without_lead(message: &str) -> &str {
    let Some(rest) = message.strip_prefix("Helm ") else {
        return message;
    };
    let Some((head, _)) = rest.split_once(" failed") else {
        return message;
    };
    let after = &rest[head.len() + " failed".len()..];
    let inner = after.strip_prefix(": ").or_else(|| {
        let (_, chart) = after.split_once(" with chart ")?;
        chart.split_once(": ").map(|(_, inner)| inner)
    });
    inner.unwrap_or(message)
}

/// A change of the onboarding's manifest, as exact as a command: one field and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// The sentence that is printed.
    #[serde(skip)]
    text: String,
    /// The field's keys, from the top: `spec`, `targetNamespace`.
    path: Vec<String>,
    /// The new value; null removes the field.
    value: Value,
}

impl Change {
    /// `reason` leads to it: a sentence without its full stop.
    pub fn new(reason: &str, path: &[&str], value: Value) -> Self {
        let keys = path.iter().map(|key| one_line(key));
        let path: Vec<String> = keys.collect();
        let quoted = path.iter().map(|key| match key.contains(['.', '/']) {
            true => format!("\"{key}\""),
            false => key.clone(),
        });
        let field = quoted.collect::<Vec<_>>().join(".");
        let act = match &value {
            Value::Null => format!("remove {field}"),
            Value::String(text) if is_plain(text) => format!("set {field}: {text}"),
            other => format!("set {field}: {}", one_line(&other.to_string())),
        };
        let text = format!("{}; {act}", one_line(reason));
        Self { text, path, value }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One step of what to do. A report holds its commands as they are printed, with the flags that lead to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<C = Command> {
    Text(String),
    Manifest(Change),
    Command(C),
}

impl Step {
    /// As it is printed.
    pub fn at(self, origin: &Origin) -> Step<Line> {
        match self {
            Step::Text(text) => Step::Text(text),
            Step::Manifest(change) => Step::Manifest(change),
            Step::Command(command) => Step::Command(command.at(origin)),
        }
    }
}

impl Serialize for Step<Line> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        match self {
            Step::Text(text) => map.serialize_entry("text", text)?,
            Step::Manifest(change) => {
                map.serialize_entry("text", &change.to_string())?;
                map.serialize_entry("manifest", change)?;
            }
            Step::Command(line) => {
                map.serialize_entry("command", line)?;
                map.serialize_entry("argv", line.words())?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Step<Line> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let change = generator.subschema_for::<Change>();
        schemars::json_schema!({
            "description": "One step of the fix: a sentence, a change to the onboarding's manifest, or a command",
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"text": {"type": "string"}, "manifest": change},
                    "required": ["text"],
                },
                {
                    "type": "object",
                    "properties": {
                        "command": {"type": "string", "description": "Quoted for a shell, with the flags that lead to the cluster"},
                        "argv": {"type": "array", "items": {"type": "string"}, "description": "The same as words"},
                    },
                    "required": ["command", "argv"],
                },
            ],
        })
    }
}

/// What a rule found. A report holds its commands as they are printed, with the flags that lead to the cluster.
///
/// `sentence` is one sentence with the names, without full stop; `why` has a sentence or two each; `then` is Flux's behaviour after the fix.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(
    test,
    schemars(bound = "Step<C>: schemars::JsonSchema, Then<A>: schemars::JsonSchema")
)]
#[serde(bound = "Step<C>: Serialize, Then<A>: Serialize")]
pub struct Finding<C = Command, A = Action> {
    #[serde(rename = "message")]
    pub sentence: String,
    pub subject: Subject,
    /// Milder than the rule's own, where this case is.
    #[serde(skip)]
    pub severity: Option<Severity>,
    pub why: Vec<String>,
    pub evidence: Vec<Evidence>,
    pub fix: Vec<Step<C>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Then<A>>,
    /// The failed attempt left it or met it: the only fix is to try again.
    #[serde(skip)]
    pub is_of_attempt: bool,
}

impl Finding {
    pub fn new(subject: Subject, sentence: impl AsRef<str>) -> Self {
        Self {
            subject,
            sentence: one_line(sentence.as_ref()),
            severity: None,
            why: Vec::new(),
            evidence: Vec::new(),
            fix: Vec::new(),
            then: None,
            is_of_attempt: false,
        }
    }

    /// Another severity than the rule's.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    pub fn why(mut self, text: impl AsRef<str>) -> Self {
        self.why.push(one_line(text.as_ref()));
        self
    }

    /// As [`Self::why`], none or more of them.
    pub fn whys<'t>(self, texts: impl IntoIterator<Item = &'t str>) -> Self {
        texts.into_iter().fold(self, Self::why)
    }

    pub fn seen(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for one in evidence {
            if !self.evidence.contains(&one) {
                self.evidence.push(one);
            }
        }
        self
    }

    pub fn step(mut self, text: impl AsRef<str>) -> Self {
        self.fix.push(Step::Text(one_line(text.as_ref())));
        self
    }

    /// Adds a step where there is one to take.
    pub fn steps(self, texts: impl IntoIterator<Item = String>) -> Self {
        texts.into_iter().fold(self, Self::step)
    }

    pub fn command(mut self, command: impl Into<Command>) -> Self {
        self.fix.push(Step::Command(command.into()));
        self
    }

    /// A change of the onboarding's manifest, if there is one.
    pub fn change(mut self, change: impl Into<Option<Change>>) -> Self {
        self.fix.extend(change.into().map(Step::Manifest));
        self
    }

    /// Says that only another attempt is needed.
    pub fn of_attempt(mut self) -> Self {
        self.is_of_attempt = true;
        self
    }

    pub fn then(mut self, then: Option<Then>) -> Self {
        self.then = then;
        self
    }

    /// As it is printed.
    pub fn at(self, origin: &Origin) -> Finding<Line, Line> {
        Finding {
            sentence: self.sentence,
            subject: self.subject,
            severity: self.severity,
            why: self.why,
            evidence: self.evidence,
            fix: self.fix.into_iter().map(|s| s.at(origin)).collect(),
            then: self.then.map(|then| then.at(origin)),
            is_of_attempt: self.is_of_attempt,
        }
    }
}

/// What a check came to: a finding, nothing wrong, or a part that it needs was not read.
pub type Verdict = Result<Option<Finding>, Unread>;

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Ok(Some(finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_of_a_message_goes() {
        assert_eq!(without_lead("Helm install failed: x: y"), "x: y");
        assert_eq!(
            without_lead("Helm install failed for release core/a with chart c@1: x: y"),
            "x: y"
        );
        assert_eq!(
            without_lead("Helm test succeeded for release"),
            "Helm test succeeded for release"
        );
    }
}
