//! SKVS331: `encryption` was changed after the installation.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Change, Finding};
use crate::diagnosis::first;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS331",
    slug: "encryption-changed",
    severity: Severity::Warning,
    role: Role::State,
    title: "encryption was changed after the installation",
    explanation: r#"`values.encryption` decides which endpoint the team gets: Steelcouch, which encrypts, or CouchDB itself. A change moves the
access and leaves the documents as they are: what was written before is then read as ciphertext, or stays in clear where all
is thought to be encrypted. The runbook says that it should not be changed.

It is found by the values of the first revision in Helm's storage."#,
    fix: r#"See it: `helm get values -n NAMESPACE RELEASE --revision 1` beside `spec.values`.

Set it back, before documents of both kinds are mixed. If the change is meant, the team writes its documents anew through the
new endpoint."#,
    example: r#"revision 1: encryption true; spec.values: encryption false"#,
    needs: &[],
    explains: &[],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let first = match first::revision(case) {
        Ok(first) => first,
        Err(verdict) => return verdict,
    };
    if let Some(skipped) = case.unread_values(&["encryption"]) {
        return skipped;
    }
    // Not set is the chart's default.
    let was = first::values(first).encryption.unwrap_or(true);
    let is = case.hr().values().encryption.unwrap_or(true);
    if was == is {
        return Verdict::Clear;
    }
    let (left, stands) = if was {
        ("encrypted", "in clear")
    } else {
        ("in clear", "encrypted")
    };
    Finding::new(
        case.subject(),
        format!("encryption was changed from {was} to {is} after the installation"),
    )
    .why(format!(
        "Documents from before are stored {left}; what is written through the new endpoint is stored {stands}. The same database then holds both."
    ))
    .seen(first::evidence(
        case,
        first,
        "encryption",
        &was.to_string(),
        &is.to_string(),
    ))
    .change(Change::new(
        &format!("The documents from before are {left}"),
        &["spec", "values", "encryption"],
        json!(was),
    ))
    .step("Leave it only if the team knows of it and writes its documents again.")
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn a_change_is_found_in_the_first_revision() {
        assert_eq!(
            fixture::sentence("ready-and-encryption-changed", "SKVS331"),
            "encryption was changed from true to false after the installation"
        );
    }
}
