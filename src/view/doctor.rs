//! What `doctor` found, check by check: kind `DoctorReport`.
//!
//! A check that could not be made is `notKnown`, with the reason; it never counts as fine.

use super::description::API_VERSION;
use crate::advice::{Hint, Origin};
use crate::exit::Code;
use crate::text::{Shown, one_line};
use serde::{Serialize, Serializer};

/// The subject of rights in namespaces that were not asked about, beside those of the commands.
pub const ELSEWHERE: &str = "elsewhere";

/// The whole report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The kubeconfig's context; null if none was used.
    pub context: Option<String>,
    /// The API server's URL; null if no configuration names one.
    pub server: Option<String>,
    /// Number of checks that failed.
    pub failed: u64,
    /// Number of checks that found something that only some commands need, or that is optional.
    pub warnings: u64,
    /// Number of checks that could not be made. While there is any, the rest does not say that all is well.
    pub not_known: u64,
    /// Every check, in the order of the text.
    pub checks: Vec<Check>,
    /// How all missing rights are granted, for the text.
    #[serde(skip)]
    pub grant: Option<Next>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub area: Area,
    /// What was looked at: `API server`, `helm-controller`. In the area `rights`, the command.
    pub subject: String,
    pub state: State,
    /// What was found, or why it is not known.
    pub message: String,
    /// Rights that the command needs and the user does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Optional rights that the user does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_optional: Vec<String>,
    /// Rights that the user may or may not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What to do, ending in a command where one helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Area {
    Cluster,
    Flux,
    Couchdb,
    Rights,
    Machine,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum State {
    Ok,
    /// Only some commands need it, or it is optional.
    Warning,
    Failed,
    /// It could not be made.
    NotKnown,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
            State::NotKnown => "not known",
        }
    }
}

/// A hint, with the cluster that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub hint: Hint,
    pub origin: Origin,
}

impl Next {
    fn line(&self) -> Shown {
        self.hint.line(&self.origin)
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.line())
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Next {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Next".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl Check {
    pub fn new(
        area: Area,
        subject: impl AsRef<str>,
        state: State,
        message: impl AsRef<str>,
    ) -> Self {
        Self {
            area,
            subject: one_line(subject.as_ref()),
            state,
            message: one_line(message.as_ref()),
            missing: Vec::new(),
            missing_optional: Vec::new(),
            unknown: Vec::new(),
            next: None,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn next(mut self, hint: impl Into<Hint>, origin: &Origin) -> Self {
        self.next = Some(Next {
            hint: hint.into(),
            origin: origin.clone(),
        });
        self
    }
}

impl DoctorReport {
    /// Counts the checks.
    pub fn new(origin: &Origin, checks: Vec<Check>, grant: Option<Next>) -> Self {
        let of = |state| checks.iter().filter(|c| c.state == state).count() as u64;
        let server = Some(origin.server()).filter(|server| !server.is_empty());
        Self {
            api_version: API_VERSION,
            kind: "DoctorReport",
            context: origin.context().map(one_line),
            server: server.map(one_line),
            failed: of(State::Failed),
            warnings: of(State::Warning),
            not_known: of(State::NotKnown),
            checks,
            grant,
        }
    }

    /// The exit code: with anything not known, nothing found is not fine.
    pub fn code(&self) -> Code {
        Code::of_findings(self.failed > 0, self.not_known == 0)
    }
}

#[cfg(test)]
pub(crate) mod tests;
