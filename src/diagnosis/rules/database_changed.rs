//! SKVS330: `namespace` or `database` was changed after the installation.

use crate::diagnosis::case::{Case, LEFT_OUT};
use crate::diagnosis::finding::{Change, Finding};
use crate::diagnosis::first;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_storage::{Creation, Release, creation};
use crate::model::onboarding::Claim;
use crate::snapshot::{Unread, Why};
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS330",
    slug: "database-changed",
    severity: Severity::Error,
    role: Role::State,
    title: "namespace or database was changed after the installation",
    explanation: r#"The chart creates the database once, at installation. A later change of `values.namespace` or `values.database` is an
upgrade: it gives the service accounts access to a database of the new name, which nobody has created, and Flux reports
Ready. The team's data stays in the old database, and nobody has access to it any more.

The first revision in Helm's storage shows the change. Flux keeps five revisions: once the first is gone, an older change
cannot be detected."#,
    fix: r#"See it: `helm get values -n NAMESPACE RELEASE --revision 1` beside `spec.values`.

Set the values back to those of the installation: the team gets its data back.

If the team wants another database, create another onboarding: a new manifest with its own name. Remove the old one when the
team has finished with its data."#,
    example: r#"revision 1: pds_database; spec.values: pds_database2"#,
    explains: &["SKVS160", "SKVS323"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(first) = first::revision(case)? else {
        return Ok(None);
    };
    // An installation that failed before it created anything may well be mended by another name.
    if matches!(creation(&first.hooks), Creation::Failed | Creation::NotRun) {
        return Ok(None);
    }
    let claim = case.hr().claim();
    let Some(is) = claim.joined() else {
        let unread = case.unread_values(&["namespace", "database"]);
        return unread.map_or(Ok(None), Err);
    };
    let claimed = first::values(first).claim();
    let Some(was) = claimed.joined() else {
        return match claimed {
            Claim::Unresolved(_) => Err(Unread::new(
                "the database of the first revision",
                Why::NotAsked(LEFT_OUT.to_owned()),
            )),
            _ => Ok(None),
        };
    };
    if was == is {
        return Ok(None);
    }
    let verb = if case.is_ready() { "was" } else { "will be" };
    Finding::new(
        case.subject(),
        format!("its database was changed from {was} to {is}, which no installation has created"),
    )
    .why(format!(
        "The chart creates the database at installation: that created {was}. An upgrade does not create one; access {verb} moved to {is}."
    ))
    .why(format!("The team's data is in {was}."))
    .seen(first::evidence(case, first, "database", was, is))
    .change(back(case, first, was))
    .step(format!(
        "Set values.namespace and values.database back to {was}, unless {is} was created by hand on purpose."
    ))
    .step("If the team wants another database, create a new manifest with its own name, and keep this one until the data is moved.")
    .into()
}

/// The one value that was changed, set back.
fn back(case: &Case<'_>, first: &Release, was: &str) -> Option<Change> {
    let (before, now) = (first::values(first), case.hr().values());
    let changed = [
        ("namespace", before.namespace, now.namespace),
        ("database", before.database, now.database),
    ];
    let changed = changed.into_iter().filter(|(_, before, now)| before != now);
    let changed: Vec<(&str, String)> = changed
        .map(|(key, before, _)| Some((key, before?)))
        .collect::<Option<_>>()?;
    match &changed[..] {
        [(key, before)] => Some(Change::new(
            &format!("The data is in {was}"),
            &["spec", "values", key],
            json!(before),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::Read;

    #[test]
    fn a_changed_name_is_found_in_the_first_revision() {
        let finding = fixture::finding("ready-and-database-changed", "SKVS330");
        assert_eq!(
            finding.sentence,
            "its database was changed from pds_database to pds_store, which no installation has created"
        );
        assert_eq!(finding.evidence[0].observed, "database: pds_database");
        assert_eq!(finding.evidence[1].observed, "database: pds_store");
    }

    #[test]
    fn access_is_moved_once_flux_has_processed_the_spec() {
        let moved = |newer: i64| {
            let mut snapshot = fixture::snapshot("ready-and-database-changed");
            snapshot.helm_release.metadata.generation += newer;
            let now = fixture::meta("ready-and-database-changed").now;
            let found = super::check(&Case::new(&snapshot, now)).unwrap();
            found.unwrap().why.remove(0)
        };
        assert!(moved(0).ends_with("access was moved to pds_store."));
        assert!(moved(1).ends_with("access will be moved to pds_store."));
    }

    #[test]
    fn another_name_after_a_failed_installation_is_no_change() {
        let mut snapshot = fixture::snapshot("ready-and-database-changed");
        let Read::Seen(first) = &mut snapshot.first_release else {
            panic!("the fixture has two revisions");
        };
        for hook in &mut first.hooks {
            hook.last_run.as_mut().unwrap().phase = "Failed".to_owned();
        }
        let case = Case::new(&snapshot, fixture::meta("ready-and-database-changed").now);
        let roots = diagnose(&case).roots;
        assert!(roots.iter().all(|r| r.rule.code != "SKVS330"));
    }

    #[test]
    fn what_helm_keeps_and_was_not_read_is_not_judged() {
        let mut snapshot = fixture::snapshot("ready-and-database-changed");
        snapshot.first_release = Read::not_asked("forbidden (get secrets)");
        let case = Case::new(&snapshot, fixture::meta("ready-and-database-changed").now);
        let not_run: Vec<&str> = diagnose(&case)
            .not_run
            .iter()
            .flat_map(|n| n.codes.iter().copied())
            .collect();
        assert!(not_run.contains(&"SKVS330"), "{not_run:?}");
    }

    #[test]
    fn a_name_that_a_bundle_holds_in_part_is_not_judged() {
        let mut snapshot = fixture::snapshot("ready-and-database-changed");
        let Read::Seen(first) = &mut snapshot.first_release else {
            panic!("the fixture has two revisions");
        };
        first.config["database"] = "orders_<scrubbed>".into();
        let case = Case::new(&snapshot, fixture::meta("ready-and-database-changed").now);
        let not_run: Vec<&str> = diagnose(&case)
            .not_run
            .iter()
            .flat_map(|n| n.codes.iter().copied())
            .collect();
        assert!(not_run.contains(&"SKVS330"), "{not_run:?}");
    }
}
