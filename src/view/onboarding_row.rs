//! One onboarding as a row of `list`.

use crate::model::helm_release::HelmRelease;
use crate::model::status;
use crate::text::age;
use k8s_openapi::jiff::Timestamp;

/// What stands for a value that was not read.
const UNKNOWN: &str = "<unknown>";

/// Which columns a table has.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// NAMESPACE first.
    pub namespace: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
}

impl Columns {
    /// The header cells. STATUS is last, since it alone is long.
    pub fn headers(self) -> Vec<&'static str> {
        let mut headers = Vec::new();
        if self.namespace {
            headers.push("NAMESPACE");
        }
        headers.extend(["NAME", "DATABASE", "READY", "AGE"]);
        if self.wide {
            headers.extend([
                "ENCRYPTION",
                "SERVICE ACCOUNTS",
                "CHART",
                "REVISION",
                "SUSPENDED",
                "FAILURES",
            ]);
        }
        headers.push("STATUS");
        headers
    }

    /// The cells of one onboarding. `shared`: another onboarding claims its database too.
    pub fn cells(self, hr: &HelmRelease, shared: bool, now: Timestamp) -> Vec<String> {
        let headline = status::headline(hr);
        let mut cells = Vec::with_capacity(12);
        if self.namespace {
            cells.push(hr.metadata.namespace.clone());
        }
        cells.push(hr.metadata.name.clone());
        cells.push(hr.claim().column().to_owned());
        cells.push(headline.ready.word().to_owned());
        cells.push(age::age(created(hr), now));
        if self.wide {
            cells.extend(wide(hr));
        }
        let line = headline.line();
        cells.push(if shared {
            format!("SHARED: {line}")
        } else {
            line
        });
        cells
    }
}

fn wide(hr: &HelmRelease) -> [String; 6] {
    let values = hr.values();
    let encryption = match values.encryption {
        Some(yes) => yes.to_string(),
        None if hr.is_unread("encryption") => UNKNOWN.to_owned(),
        // What the chart does when nobody says otherwise.
        None => "true (default)".to_owned(),
    };
    let accounts = if hr.is_unread("serviceAccounts") {
        UNKNOWN.to_owned()
    } else {
        values.accounts().join(",")
    };
    let or_none = |text: String| {
        if text.is_empty() {
            "<none>".to_owned()
        } else {
            text
        }
    };
    [
        encryption,
        or_none(accounts),
        or_none(hr.chart_version().unwrap_or_default().to_owned()),
        or_none(hr.revision().map(|r| r.to_string()).unwrap_or_default()),
        hr.spec.suspend.to_string(),
        hr.status.failures.to_string(),
    ]
}

/// When the object was made; `None` when its metadata does not tell.
pub fn created(hr: &HelmRelease) -> Option<Timestamp> {
    hr.metadata.creation_timestamp.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wide_of(spec: Value) -> [String; 2] {
        let object = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec});
        let [encryption, accounts, ..] = wide(&HelmRelease::from_value(&object).unwrap());
        [encryption, accounts]
    }

    #[test]
    fn what_values_from_may_bring_is_unknown() {
        let from = json!([{"kind": "ConfigMap", "name": "c"}]);
        assert_eq!(wide_of(json!({})), ["true (default)", "<none>"]);
        assert_eq!(
            wide_of(json!({"valuesFrom": from})),
            ["<unknown>", "<unknown>"]
        );
        let inline = json!({"namespace": "pds", "encryption": false, "serviceAccounts": []});
        assert_eq!(
            wide_of(json!({"values": inline, "valuesFrom": from})),
            ["false", "<none>"]
        );
    }
}
