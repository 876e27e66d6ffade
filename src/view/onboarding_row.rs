//! One onboarding as a row of `list`.

use crate::model::condition::Stated;
use crate::model::helm_release::HelmRelease;
use crate::model::lookup::short;
use crate::model::status::{self, Ready};
use crate::text::age;
use k8s_openapi::jiff::Timestamp;

/// What stands for a value that was not read.
const UNKNOWN: &str = "<unknown>";

/// Which columns a table has, and what of them is left out on a narrow terminal.
#[derive(Clone, Debug)]
pub struct Columns {
    /// CONTEXT first: several clusters are asked.
    pub context: bool,
    /// NAMESPACE before the name.
    pub namespace: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
    /// Names without the prefix that all of them share.
    pub short: bool,
    /// AGE.
    pub age: bool,
    /// STATUS of healthy rows: READY says enough.
    pub healthy_status: bool,
    /// Labels with a column each, after all others.
    pub label_columns: Vec<String>,
    /// LABELS, the very last.
    pub show_labels: bool,
}

/// What a row shows.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Where several are asked.
    pub context: Option<&'a str>,
    pub hr: &'a HelmRelease,
    /// Another onboarding claims its database too.
    pub shared: bool,
}

impl<'a> Row<'a> {
    /// Of the only cluster that is asked.
    pub fn new(hr: &'a HelmRelease, shared: bool) -> Self {
        Self {
            context: None,
            hr,
            shared,
        }
    }
}

impl Columns {
    /// The header cells. But for labels, which kubectl prints behind all columns, STATUS is last, since it alone is long.
    pub fn headers(&self) -> Vec<String> {
        let mut headers = Vec::new();
        if self.context {
            headers.push("CONTEXT");
        }
        if self.namespace {
            headers.push("NAMESPACE");
        }
        headers.extend(["NAME", "DATABASE", "READY"]);
        if self.age {
            headers.push("AGE");
        }
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
        let mut headers: Vec<String> = headers.into_iter().map(str::to_owned).collect();
        // As kubectl: what follows the last slash, in upper case.
        let heading = |label: &String| label.rsplit('/').next().unwrap_or_default().to_uppercase();
        headers.extend(self.label_columns.iter().map(heading));
        if self.show_labels {
            headers.push("LABELS".to_owned());
        }
        headers
    }

    /// Where READY is among them.
    pub fn ready(&self) -> usize {
        2 + usize::from(self.context) + usize::from(self.namespace)
    }

    /// The cells of one onboarding.
    pub fn cells(&self, row: Row<'_>, now: Timestamp) -> Vec<String> {
        let Row {
            context,
            hr,
            shared,
        } = row;
        let headline = status::headline(hr);
        let mut cells = Vec::with_capacity(13);
        if self.context {
            cells.push(context.unwrap_or_default().to_owned());
        }
        if self.namespace {
            cells.push(hr.metadata.namespace.clone());
        }
        let name = &hr.metadata.name;
        let short = short(name).filter(|_| self.short);
        cells.push(short.unwrap_or(name).to_owned());
        cells.push(hr.claim().column().to_owned());
        cells.push(headline.ready.word().to_owned());
        if self.age {
            cells.push(age::age(created(hr), now));
        }
        if self.wide {
            cells.extend(wide(hr));
        }
        let line = headline.line();
        cells.push(if shared {
            format!("SHARED: {line}")
        } else if self.healthy_status || !is_healthy(hr) {
            line
        } else {
            String::new()
        });
        let labels = &hr.metadata.labels;
        let label = |key: &String| labels.get(key).cloned().unwrap_or_default();
        cells.extend(self.label_columns.iter().map(label));
        if self.show_labels {
            let mut all: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            all.sort();
            cells.push(or_none(all.join(",")));
        }
        cells
    }
}

/// Ready by a status that is about its present spec, and not suspended.
pub fn is_healthy(hr: &HelmRelease) -> bool {
    status::ready(hr) == Stated::Present(Ready::True) && !hr.spec.suspend
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        "<none>".to_owned()
    } else {
        text
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
    fn labels_come_last_as_kubectl_prints_them() {
        let labels = json!({"a-b": "2", "a": "1", "x.io/team": "pds"});
        let object =
            json!({"metadata": {"name": "skvs-onboarding-a", "namespace": "n", "labels": labels}});
        let hr = HelmRelease::from_value(&object).unwrap();
        let columns = Columns {
            context: false,
            namespace: true,
            wide: false,
            short: true,
            age: false,
            healthy_status: true,
            label_columns: vec!["x.io/team".to_owned(), "none".to_owned()],
            show_labels: true,
        };
        let headers = columns.headers();
        assert_eq!(headers[columns.ready()], "READY");
        assert_eq!(headers[4..], ["STATUS", "TEAM", "NONE", "LABELS"]);
        let cells = columns.cells(Row::new(&hr, false), Timestamp::UNIX_EPOCH);
        assert_eq!(cells[1], "a");
        assert_eq!(cells[5..], ["pds", "", "a-b=2,a=1,x.io/team=pds"]);
        let columns = Columns {
            context: true,
            ..columns
        };
        let row = Row {
            context: Some("prod"),
            ..Row::new(&hr, false)
        };
        let headers = columns.headers();
        assert_eq!(
            (&*headers[0], &*headers[columns.ready()]),
            ("CONTEXT", "READY")
        );
        let cells = columns.cells(row, Timestamp::UNIX_EPOCH);
        assert_eq!(
            (cells.len(), &*cells[0], &*cells[1]),
            (headers.len(), "prod", "n")
        );
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
