//! What Flux does once a finding is fixed, and the commands that make it try again: the last part of a finding.

use crate::advice::{Command, Line, Origin};
use serde::{Serialize, Serializer};

/// The last part of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then<C = Command> {
    pub line: String,
    /// Commands that make Flux try again.
    pub commands: Vec<C>,
    /// Only a change of the manifest fixes it, however often Flux tries.
    pub by_manifest: bool,
}

impl Then {
    /// Without what is decided from the fix.
    pub(super) fn line(line: &str, commands: Vec<Command>) -> Self {
        Self {
            line: line.to_owned(),
            commands,
            by_manifest: false,
        }
    }

    /// As it is printed.
    pub fn at(self, origin: &Origin) -> Then<Line> {
        Then {
            line: self.line,
            commands: self.commands.iter().map(|c| c.at(origin)).collect(),
            by_manifest: self.by_manifest,
        }
    }
}

impl Serialize for Then<Line> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("text", &self.line)?;
        map.serialize_entry("commands", &self.commands)?;
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
