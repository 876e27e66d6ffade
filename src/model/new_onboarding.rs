//! The manifest of an onboarding that does not exist yet, in the runbook's form.

use super::convention::name_for;
use super::helm_release::{GROUP, KIND, ONBOARDING_CHART};
use super::lookup::can_be_an_object;
use super::names::{DatabaseName, is_namespace_name};
use serde_json::json;
use std::fmt;
use std::str::FromStr;

/// A team's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub database: DatabaseName,
    pub service_accounts: Vec<String>,
    pub encryption: bool,
}

/// The values that the onboardings of a cluster have in common; `None` is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    pub api_version: String,
    /// The range of the chart's versions.
    pub version: Option<String>,
    pub source: Source,
    /// The account of Flux that installs the release.
    pub service_account: Option<String>,
    /// The namespace of the release.
    pub target_namespace: Option<String>,
}

/// Where the chart comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
}

/// Kinds that `spec.chart` can refer to.
const KINDS: [&str; 3] = ["HelmRepository", "GitRepository", "Bucket"];

impl FromStr for Source {
    type Err = String;

    /// Reads `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some(namespace), name),
            _ => return Err(format!("{text:?} is not KIND/NAME or KIND/NAMESPACE/NAME")),
        };
        if !KINDS.contains(&kind) {
            return Err(format!("{kind:?} is not one of {}", KINDS.join(", ")));
        }
        if let Some(namespace) = namespace.filter(|namespace| !is_namespace_name(namespace)) {
            return Err(format!("{namespace:?} cannot be the name of a namespace"));
        }
        if !can_be_an_object(name) {
            return Err(format!("{name:?} cannot be the name of a {kind}"));
        }
        Ok(Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.namespace.as_ref().map(|n| format!("{n}/"));
        let namespace = namespace.unwrap_or_default();
        write!(f, "{}/{namespace}{}", self.kind, self.name)
    }
}

impl Default for Style {
    /// The runbook's.
    fn default() -> Self {
        let some = |text: &str| Some(text.to_owned());
        Self {
            api_version: format!("{GROUP}/v2beta1"),
            version: some("<0.2.0"),
            source: Source {
                kind: "HelmRepository".to_owned(),
                name: "wit-artifactory".to_owned(),
                namespace: some("flux-system"),
            },
            service_account: some("helm-controller"),
            target_namespace: some("core"),
        }
    }
}

/// The manifest's text. `quoted` writes a text as YAML.
pub fn manifest(
    wanted: &Wanted,
    style: &Style,
    namespace: &str,
    (label, value): (&str, &str),
    quoted: impl Fn(&str) -> String,
) -> String {
    let line = |lead: &str, text: &str| format!("{lead} {}\n", quoted(text));
    let optional = |lead: &str, text: &Option<String>| {
        let line = text.as_deref().map(|text| line(lead, text));
        line.unwrap_or_default()
    };
    let mut text = String::from("---\n");
    text += &line("apiVersion:", &style.api_version);
    text += &line("kind:", KIND);
    text += "metadata:\n";
    text += &line("  name:", &name_for(&wanted.database));
    text += &line("  namespace:", namespace);
    text += "  labels:\n";
    text += &line(&format!("    {}:", quoted(label)), value);
    text += "spec:\n  interval: 5m\n  chart:\n    spec:\n";
    text += &line("      chart:", ONBOARDING_CHART);
    if let Some(version) = &style.version {
        // In quotes, as in the runbook: a range can look like other YAML.
        text += &format!("      version: {}\n", json!(version));
    }
    text += "      sourceRef:\n";
    text += &line("        kind:", &style.source.kind);
    text += &line("        name:", &style.source.name);
    text += &optional("        namespace:", &style.source.namespace);
    text += "      interval: 1m\n";
    text += &optional("  serviceAccountName:", &style.service_account);
    text += &optional("  targetNamespace:", &style.target_namespace);
    text += "  values:\n";
    text += &line("    namespace:", wanted.database.namespace());
    text += &line("    database:", wanted.database.database());
    text += "    serviceAccounts:\n";
    for account in &wanted.service_accounts {
        text += &line("      -", account);
    }
    text += &format!("    encryption: {}\n", wanted.encryption);
    text
}

/// The name of its file.
pub fn file_name(database: &DatabaseName) -> String {
    format!("{database}.yaml")
}
