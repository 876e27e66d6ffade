//! The settings in force: kind `Config`.

use super::description::API_VERSION;
use serde::Serialize;

/// All settings.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// Where the settings are read; null for a user without a home.
    pub file: Option<File>,
    pub settings: Vec<Value>,
}

/// The file.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub path: String,
    pub exists: bool,
}

/// One setting.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Value {
    /// Its key in the file.
    pub key: &'static str,
    /// Null if it is not set and has no default.
    pub value: Option<String>,
    pub origin: Origin,
    /// The environment variable that comes before the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    Flag,
    Environment,
    File,
    Default,
}

impl Config {
    pub fn new(file: Option<File>, settings: Vec<Value>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Config",
            file,
            settings,
        }
    }
}

impl Value {
    /// The origin in words.
    pub fn origin(&self) -> String {
        match (self.origin, &self.variable) {
            (Origin::Flag, _) => "flag".to_owned(),
            (Origin::Environment, Some(variable)) => format!("variable {variable}"),
            (Origin::Environment, None) => "variable".to_owned(),
            (Origin::File, _) => "file".to_owned(),
            (Origin::Default, _) => "default".to_owned(),
        }
    }
}
