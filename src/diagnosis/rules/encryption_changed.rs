//! SKVS331: `encryption` was changed after the installation.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Change, Finding};
use crate::diagnosis::first;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS331",
    slug: "encryption-changed",
    severity: Severity::Warning,
    role: Role::State,
    title: "encryption was changed after the installation",
    explanation: r#"`values.encryption` decides which endpoint the team gets: Steelcouch, which encrypts, or CouchDB itself. A change moves
access and leaves the documents as they are: older documents are then read as ciphertext, or stay in clear text although
everyone thinks they are encrypted. The runbook says not to change it.

The first revision in Helm's storage shows the change."#,
    fix: r#"See it: `helm get values -n NAMESPACE RELEASE --revision 1` beside `spec.values`.

Set it back before both kinds of documents are mixed. If the change is intended, the team writes its documents again through
the new endpoint."#,
    example: r#"revision 1: encryption true; spec.values: encryption false"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(first) = first::revision(case)? else {
        return Ok(None);
    };
    if let Some(unread) = case.unread_values(&["encryption"]) {
        return Err(unread);
    }
    let [was, is] = first::encryption(case, first)?;
    if was == is {
        return Ok(None);
    }
    let (left, stands) = if was {
        ("encrypted", "in clear text")
    } else {
        ("in clear text", "encrypted")
    };
    Finding::new(
        case.subject(),
        format!("encryption was changed from {was} to {is} after the installation"),
    )
    .why(format!(
        "Older documents are stored {left}; new ones written through the new endpoint are stored {stands}. The same database then holds both."
    ))
    .seen(first::evidence(
        case,
        first,
        "encryption",
        &was.to_string(),
        &is.to_string(),
    ))
    .change(Change::new(
        &format!("The older documents are {left}"),
        &["spec", "values", "encryption"],
        json!(was),
    ))
    .step("Keep it only if the team knows and writes its documents again.")
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use serde_json::{Value, json};

    #[test]
    fn a_change_is_found_in_the_first_revision() {
        assert_eq!(
            fixture::sentence("ready-and-encryption-changed", "SKVS331"),
            "encryption was changed from true to false after the installation"
        );
    }

    #[test]
    fn values_that_are_no_onboardings_do_not_say_what_encryption_was() {
        let name = "ready-and-encryption-changed";
        let mut snapshot = fixture::snapshot(name);
        let mut check = |config: Value, chart: Value| {
            let parts = &mut *snapshot;
            let first = match parts.first_release.seen_mut() {
                Some(first) => first,
                None => parts.release.seen_mut().unwrap(),
            };
            (first.config, first.chart.values) = (config, chart);
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            found
                .map(|found| found.is_some())
                .map_err(|unread| unread.what)
        };
        let own = |encryption: Value| json!({"namespace": "pds", "database": "database", "encryption": encryption});
        let unread = || Err("the values of the first revision".to_owned());
        for (config, chart, found) in [
            (own(json!(true)), json!(null), Ok(true)),
            (own(json!(false)), json!(null), Ok(false)),
            // The chart's default.
            (own(json!(null)), json!(null), Ok(true)),
            (own(json!(null)), json!({"encryption": false}), Ok(false)),
            (json!({}), json!({"encryption": false}), unread()),
            (json!(null), json!(null), unread()),
            (own(json!("true")), json!(null), unread()),
            (own(json!(null)), json!({"encryption": 1}), unread()),
        ] {
            let shown = format!("{config} {chart}");
            assert_eq!(check(config, chart), found, "{shown}");
        }
    }
}
