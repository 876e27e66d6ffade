//! SKVS310: the onboarding is Ready and its database was probably never created.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::first;
use crate::diagnosis::flux_commands::uninstall;
use crate::diagnosis::install;
use crate::diagnosis::retries::restart;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_storage::{Creation, Release, creation, creation_jobs};
use crate::model::manifest;
use crate::model::notes::Notes;
use crate::snapshot::{IfRead, Unread, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS310",
    slug: "database-never-created",
    severity: Severity::Error,
    role: Role::State,
    title: "the database was probably never created",
    explanation: r#"The creation Job is a pre-install hook: Helm runs it on installation, never on an upgrade. Here the installation failed, and
the next attempt was an upgrade of the failed revision. Flux does that whenever the revision is in Helm's storage, after a
reset of the retries as well as after a change to the manifest. The upgrade applied the rest of the chart, so the onboarding
is Ready and its notes say that a database was created, although the Job never succeeded.

Flux's status does not show this: it calls the failed revision superseded, as after any upgrade. Helm's storage does: the
first revision's hook has the phase Failed, and later hooks were not run."#,
    fix: r#"See it: `kubectl get jobs -n TARGETNAMESPACE` has no completed creation Job, and CouchDB answers 404 for the database.

If the database exists after all, leave everything as it is. If not: `helm uninstall -n NAMESPACE RELEASE`, then make Flux
start again (see SKVS110). It then installs, and the Job runs. Or remove the manifest, wait until the HelmRelease is gone,
and restore the manifest. Until then the service accounts have no access."#,
    example: r#"READY True, chart 0.1.2, revision 2; revision 1: failed pre-install: namespaces "core" not found"#,
    explains: &["SKVS323"],
    contradicted_by: &[Fact::JobComplete],
    check,
};

/// Ready, and more than one revision; or its only one was read.
fn upgraded(case: &Case<'_>) -> bool {
    case.is_installed()
}

fn check(case: &Case<'_>) -> Verdict {
    if !upgraded(case) {
        return Ok(None);
    }
    // CouchDB itself knows best.
    if case.in_couchdb().if_read().is_some() {
        return Ok(None);
    }
    let newest = match case.release() {
        Ok(Some(release)) => release,
        // One revision, and Ready: it was installed.
        _ if case.hr().revision() <= Some(1) => return Ok(None),
        Ok(None) => return Ok(None),
        Err(unread) => return Err(unread),
    };
    if creation(&newest.hooks) != Creation::NotRun {
        return Ok(None);
    }
    let Some(first) = first::revision(case)? else {
        return Ok(None);
    };
    match creation(&first.hooks) {
        // An upgrade as well: the installation is no longer stored.
        Creation::NotRun if first.version > 1 => return Ok(None),
        _ if install::created(case) == Some(true) => return Ok(None),
        Creation::Failed | Creation::NotRun => {}
        Creation::None | Creation::Succeeded => return Ok(None),
        Creation::Unknown => {
            let why = Why::Broken("Helm's storage does not say".to_owned());
            return Err(Unread::new("how the creation Job ended", why));
        }
    }
    found(case, newest, first).into()
}

fn found(case: &Case<'_>, newest: &Release, first: &Release) -> Finding {
    let database = case
        .database()
        .unwrap_or_else(|| "of this onboarding".to_owned());
    let mut finding = Finding::new(
        case.subject(),
        format!(
            "the database {database} was probably never created, although the onboarding is Ready"
        ),
    );
    finding = if first.version == newest.version {
        finding.why("Its installation did not run the creation Job: hooks were disabled.")
    } else {
        finding.why(format!(
            "The creation Job runs only on installation. That failed in revision {}; upgrades followed.",
            first.version
        ))
    };
    for release in [first, newest] {
        let secret = Subject::new(
            "Secret",
            case.hr().storage_namespace(),
            &format!("sh.helm.release.v1.{}.v{}", release.name, release.version),
        );
        let phase = creation_jobs(&release.hooks)
            .find_map(|h| h.last_run.as_ref())
            .map_or("", |r| &r.phase);
        let run = if phase.is_empty() { "not run" } else { phase };
        let observed = format!("creation Job: {run}. {}", release.info.description);
        finding = finding.seen([Evidence::new(secret, "hooks[].last_run.phase", &observed)]);
        if first.version == newest.version {
            break;
        }
    }
    finding = finding.step("Check whether the Job ever completed:");
    for hook in creation_jobs(&newest.hooks) {
        let object = manifest::objects(&hook.manifest)
            .into_iter()
            .find(|o| o.kind == "Job");
        let (name, namespace) = object.map_or((hook.name.clone(), None), |o| {
            (o.metadata.name, o.metadata.namespace)
        });
        let namespace = namespace.unwrap_or_else(|| case.hr().release_namespace().to_owned());
        finding = finding.command(["kubectl", "get", "jobs", "-n", &namespace, &name]);
    }
    if let Some(endpoint) = Notes::parse(&newest.info.notes).endpoint {
        let url = format!("{}/{database}", endpoint.trim_end_matches('/'));
        finding = finding.step(format!(
            "Then ask from a pod with access; 404 means it does not exist: curl {}",
            crate::text::shell_quote(&url)
        ));
    }
    finding
        .step("If the database exists after all, leave everything as it is.")
        .step("If not, remove the release and let Flux install it again:")
        .command(uninstall(case))
        .then(Some(restart(case)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::Read;
    use crate::snapshot::databases::{Answer, Database};

    #[test]
    fn it_is_found_in_helms_storage() {
        let finding = fixture::finding("ready-and-database-never-created", "SKVS310");
        assert_eq!(
            finding.sentence,
            "the database expone_one was probably never created, although the onboarding is Ready"
        );
        assert!(
            finding.evidence[0]
                .observed
                .starts_with("creation Job: Failed. Release ")
        );
        assert_eq!(
            finding.evidence[1].observed,
            "creation Job: not run. Upgrade complete"
        );
        let acts = finding.then.unwrap().acts;
        assert_eq!(acts.len(), 1, "{acts:?}");
    }

    /// The codes of the case after a change of what was read.
    fn codes(
        change: impl FnOnce(&mut crate::snapshot::Snapshot),
    ) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut snapshot = fixture::snapshot("ready-and-database-never-created");
        // What CouchDB says is another check's.
        snapshot.on_demand.databases = crate::snapshot::OnDemand::default().databases;
        change(&mut snapshot);
        let case = Case::new(
            &snapshot,
            fixture::meta("ready-and-database-never-created").now,
        );
        let diagnosis = diagnose(&case);
        (
            diagnosis.roots.iter().map(|r| r.rule.code).collect(),
            diagnosis
                .not_run
                .iter()
                .flat_map(|n| n.codes.iter().copied())
                .filter(|c| *c != "SKVS323")
                .collect(),
        )
    }

    #[test]
    fn an_upgrade_of_a_good_installation_is_fine() {
        let (found, _) = codes(|s| {
            let Read::Seen(first) = &mut s.first_release else {
                panic!("the fixture has two revisions");
            };
            for hook in &mut first.hooks {
                hook.last_run.as_mut().unwrap().phase = "Succeeded".to_owned();
            }
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn without_a_creation_job_there_is_nothing_to_run() {
        let (found, _) = codes(|s| {
            if let Read::Seen(newest) = &mut s.release {
                newest.hooks.clear();
            }
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_database_that_is_there_was_created() {
        let there = crate::snapshot::databases::Databases {
            namespace: "secure-kvs".to_owned(),
            pod: "db-agora-kvs-secure-kvs-agora-couchdb-0".to_owned(),
            asked: [("expone_one".to_owned(), Answer::There(Database::default()))].into(),
        };
        let (found, _) = codes(|s| s.on_demand.databases = Read::Seen(there).into());
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_was_not_read_is_not_judged() {
        let (found, not_run) = codes(|s| {
            s.release = Read::not_asked("forbidden (get secrets)");
        });
        assert!(
            found.is_empty() && not_run.contains(&"SKVS310"),
            "{not_run:?}"
        );
    }
}
