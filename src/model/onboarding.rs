//! A HelmRelease read as an onboarding: the four values of the runbook and the database that they claim.

use super::helm_release::{HelmRelease, ValuesFrom};
use super::names::{DatabaseName, NameError};
use crate::text::marker::is_marked;
use serde::Serialize;
use serde_json::Value;

/// The runbook's four attributes of `spec.values`, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Values {
    pub namespace: Option<String>,
    pub database: Option<String>,
    pub service_accounts: Vec<String>,
    /// `None` when it is not set inline: the chart's default is true.
    pub encryption: Option<bool>,
    /// Namespace or database is set, but a bundle holds only part of the text.
    #[serde(skip)]
    unread: bool,
}

/// Whether documents are encrypted by these values over a chart's own.
///
/// # Errors
/// Why it is not known, as a clause.
pub fn encryption_of(values: &Value, of_chart: &Value) -> Result<bool, &'static str> {
    let set = [values, of_chart].map(|values| values.get("encryption"));
    match set.into_iter().flatten().find(|value| !value.is_null()) {
        Some(Value::Bool(encryption)) => Ok(*encryption),
        Some(_) => Err("encryption is neither true nor false"),
        // The chart's default.
        None => Ok(true),
    }
}

impl Values {
    /// Reads them from a values document; what is not a plain scalar is left out.
    pub fn parse(values: &Value) -> Self {
        let accounts = match values.get("serviceAccounts") {
            Some(Value::Array(all)) => all.iter().filter_map(scalar).collect(),
            Some(one) => scalar(one).into_iter().collect(),
            None => Vec::new(),
        };
        Self {
            namespace: values.get("namespace").and_then(scalar),
            database: values.get("database").and_then(scalar),
            service_accounts: accounts,
            encryption: values.get("encryption").and_then(Value::as_bool),
            unread: ["namespace", "database"]
                .iter()
                .any(|key| is_left_out(values.get(*key))),
        }
    }

    /// The claim these values make.
    pub fn claim(&self) -> Claim {
        match (&self.namespace, &self.database) {
            _ if self.unread => Claim::Unresolved(Vec::new()),
            (Some(namespace), Some(database)) => Claim::join(namespace, database),
            (None, None) => Claim::Incomplete("values.namespace and values.database"),
            (None, _) => Claim::Incomplete("values.namespace"),
            (_, None) => Claim::Incomplete("values.database"),
        }
    }

    /// Each service account as `namespace/name`: the chart lets accounts of the onboarding's namespace in.
    pub fn accounts(&self) -> Vec<String> {
        let namespace = self.namespace.as_deref().unwrap_or("?");
        self.service_accounts
            .iter()
            .map(|a| {
                if a.contains('/') {
                    a.clone()
                } else {
                    format!("{namespace}/{a}")
                }
            })
            .collect()
    }
}

/// Whether a bundle holds only a part of this value.
fn is_left_out(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(items)) => items.iter().any(|item| is_left_out(Some(item))),
        value => value.and_then(Value::as_str).is_some_and(is_marked),
    }
}

/// A scalar as a template prints it; `None` for anything that is not one, and for one that a bundle holds only in part.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) if !s.is_empty() && !is_marked(s) => Some(s.clone()),
        Value::Number(n) if n.is_i64() || n.is_u64() => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// Which database an onboarding claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A database that can exist.
    Database(DatabaseName),
    /// Both values are there and their join breaks a rule.
    Invalid { joined: String, why: NameError },
    /// A value is missing and nothing else could bring it.
    Incomplete(&'static str),
    /// A value is missing inline and comes from these references, which were not read. No references: a bundle holds only a part of
    /// the value.
    Unresolved(Vec<ValuesFrom>),
}

impl Claim {
    fn join(namespace: &str, database: &str) -> Self {
        match DatabaseName::join(namespace, database) {
            Ok(name) => Self::Database(name),
            Err(why) => Self::Invalid {
                joined: format!("{namespace}_{database}"),
                why,
            },
        }
    }

    /// The joined name, valid or not; `None` when it is not known.
    pub fn joined(&self) -> Option<&str> {
        match self {
            Self::Database(name) => Some(name.as_str()),
            Self::Invalid { joined, .. } => Some(joined),
            Self::Incomplete(_) | Self::Unresolved(_) => None,
        }
    }

    /// The DATABASE column: the joined name, `<none>` when no value gives it, `<unknown>` when it was not read.
    pub fn column(&self) -> &str {
        match self {
            Self::Incomplete(_) => "<none>",
            Self::Unresolved(_) => "<unknown>",
            named => named.joined().unwrap_or("<none>"),
        }
    }
}

impl HelmRelease {
    /// The runbook's values, inline ones only: inline values win over `valuesFrom`.
    pub fn values(&self) -> Values {
        Values::parse(&self.spec.values)
    }

    /// Whether the value `key` may come from `valuesFrom`, which is not read, since it is not set inline; or a bundle holds only a part
    /// of it.
    pub fn is_unread(&self, key: &str) -> bool {
        let value = self.spec.values.get(key);
        is_left_out(value) || (!self.spec.values_from.is_empty() && value.is_none())
    }

    /// The database that this HelmRelease claims by its spec.
    pub fn claim(&self) -> Claim {
        match self.values().claim() {
            Claim::Incomplete(_) if !self.spec.values_from.is_empty() => {
                Claim::Unresolved(self.spec.values_from.clone())
            }
            claim => claim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn with(spec: Value) -> HelmRelease {
        HelmRelease::from_value(&json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn inline_values_claim() {
        let hr = with(
            json!({"values": {"namespace": "pds", "database": "database", "serviceAccounts": ["pds", "o/x"], "encryption": false}}),
        );
        assert_eq!(hr.claim().column(), "pds_database");
        assert_eq!(hr.values().accounts(), ["pds/pds", "o/x"]);
        assert_eq!(hr.values().encryption, Some(false));
    }

    #[test]
    fn what_cannot_be_known_is_said_to_be_unknown() {
        let hr = with(
            json!({"values": {"namespace": "pds"}, "valuesFrom": [{"kind": "Secret", "name": "s"}]}),
        );
        assert_eq!(hr.claim().column(), "<unknown>");
        assert_eq!(
            with(json!({"values": {"namespace": "pds"}})).claim(),
            Claim::Incomplete("values.database")
        );
        // Both inline: the references cannot change them.
        let hr = with(
            json!({"values": {"namespace": "pds", "database": "d"}, "valuesFrom": [{"kind": "Secret", "name": "s"}]}),
        );
        assert_eq!(hr.claim().column(), "pds_d");
        let hr = with(json!({"values": {"namespace": "PDS", "database": 7}}));
        assert!(matches!(hr.claim(), Claim::Invalid { .. }));
        assert_eq!(hr.claim().column(), "PDS_7");
    }

    #[test]
    fn what_is_marked_claims_nothing() {
        for (namespace, database) in [
            ("core", "orders_<scrubbed>"),
            ("<left out>", "orders"),
            ("core", "<left out> core_orders"),
        ] {
            let hr = with(json!({"values": {"namespace": namespace, "database": database}}));
            assert_eq!(hr.claim(), Claim::Unresolved(Vec::new()));
            assert_eq!(hr.claim().column(), "<unknown>");
            assert!(hr.is_unread("namespace") || hr.is_unread("database"));
        }
        let hr = with(json!({"values": {"serviceAccounts": ["a", "<scrubbed>"]}}));
        assert!(hr.is_unread("serviceAccounts") && !hr.is_unread("database"));
    }

    proptest! {
        #[test]
        fn no_values_panic(text in r#"(\{"(namespace|database|serviceAccounts|encryption)":(null|1|1\.5|true|"[a-z]{0,3}"|\[\]|\[1,"x",null\]|\{\})\}|null|3|"x")"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = Values::parse(&value).claim().column().to_owned();
            }
        }
    }
}
