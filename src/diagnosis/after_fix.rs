//! The last part of a finding: how Flux reacts once it is fixed, and how to make it try again.
//!
//! Each step is an act and the command for it, so what is printed and what `retry` does are the same.

use super::case::Case;
use super::flux_commands::{patch_suspend, stamped, uninstall};
use crate::advice::{Command, Line, Origin};
use serde::{Serialize, Serializer};

/// One act that makes Flux try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Act {
    /// Removes the release from Helm's storage.
    Uninstall,
    /// Asks for an attempt.
    Request,
    /// The same, with the failures counted from zero.
    Reset,
    /// Asks for one upgrade, whatever failed before.
    Force,
    Suspend,
    Resume,
}

/// An act with its command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    act: Act,
    command: Command,
}

impl Action {
    pub(super) fn new(case: &Case<'_>, act: Act) -> Self {
        let command = match act {
            Act::Uninstall => uninstall(case),
            Act::Request => stamped(case, None),
            Act::Reset => stamped(case, Some("resetAt")),
            Act::Force => stamped(case, Some("forceAt")),
            Act::Suspend => patch_suspend(case, "true"),
            Act::Resume => patch_suspend(case, "false"),
        };
        Self { act, command }
    }

    pub fn act(&self) -> Act {
        self.act
    }

    pub fn command(&self) -> &Command {
        &self.command
    }
}

/// When the acts are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// As soon as it is fixed.
    AtOnce,
    /// Never: Flux tries again on its own, at once or when the manifest changes.
    OnItsOwn,
    /// After the attempt that is running, or that a changed manifest starts.
    AfterAttempt,
    /// After the failed attempt's Job, which is still running and may create the database.
    AfterJob,
    /// Not known: it depends on the creation Job's success, which was not read.
    Unknown,
}

/// The last part of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then<C = Action> {
    pub line: String,
    /// The acts that make Flux try again.
    pub acts: Vec<C>,
    pub due: Due,
    /// Only a change to the manifest fixes it, however often Flux tries.
    pub by_manifest: bool,
}

impl Then {
    /// Without what is decided from the fix.
    pub(super) fn new(due: Due, line: impl Into<String>, acts: Vec<Action>) -> Self {
        Self {
            line: line.into(),
            acts,
            due,
            by_manifest: false,
        }
    }

    /// As it is printed.
    pub fn at(self, origin: &Origin) -> Then<Line> {
        Then {
            line: self.line,
            acts: self.acts.iter().map(|a| a.command.at(origin)).collect(),
            due: self.due,
            by_manifest: self.by_manifest,
        }
    }
}

impl Serialize for Then<Line> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("text", &self.line)?;
        map.serialize_entry("commands", &self.acts)?;
        map.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Then<Line> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Then".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Flux's behaviour after the fix",
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "commands": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "They make Flux try again; quoted for a shell",
                },
            },
            "required": ["text", "commands"],
        })
    }
}
