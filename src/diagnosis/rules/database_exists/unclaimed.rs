//! A database that no other onboarding is seen to claim: whose it may be, and what to do with it.
//!
//! Its deletion is offered only where everything that could claim it was read.

use super::age::{YOUNGER, may_be_its_own};
use crate::diagnosis::case::Case;
use crate::diagnosis::deletion::{self, Deletion};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::job::Death;
use crate::diagnosis::retries::{Fixes, then, upgrade};
use crate::model::event::Event;
use crate::snapshot::databases::Found;
use crate::snapshot::{Checked, IfRead};
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;

/// The finding with the likeliest origin of the database and its fix.
pub(super) fn advised(case: &Case<'_>, finding: Finding, database: Option<&str>) -> Finding {
    let before = installed_before(case);
    if let Ok(Some(event)) = &before {
        return finding
            .why(format!("This onboarding was installed before ({event}), so the database is its own and holds its team's data: Helm's record of it is gone."))
            .step("Do not delete it. Skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.")
            .then(then(case, Fixes::Back));
    }
    let former = removed_before(case);
    if let Ok(Some(former)) = former {
        return moved(case, finding, former);
    }
    if let Some(race) = case.job_as_far_as_read().lost_race() {
        return raced(case, finding, race, database);
    }
    let deletion = database.map(|database| case.deletion(database));
    if let Some(Deletion::Own(by)) = &deletion {
        return deletion::own(finding, by).then(Some(upgrade(case)));
    }
    let claims = claims(case, deletion.as_ref());
    // The data may be this onboarding's own: no deletion is offered until that is known.
    // Where the deletion is not offered anyway, something else is said to be unknown.
    let former = former
        .err()
        .filter(|_| matches!(deletion, Some(Deletion::Agreed)));
    let doubt = before.err().or(former).map(|unread| {
        let why = unread.why.clause();
        format!("It is unknown whether this onboarding was installed before: {why}.")
    });
    let doubt = doubt.or_else(|| {
        let unread = case.all_job_pods().err().filter(|_| may_be_its_own(case))?;
        let why = unread.why.clause();
        Some(format!(
            "It is unknown whether an earlier attempt of this Job created it: {why}."
        ))
    });
    let deletion = match (&doubt, deletion) {
        (Some(doubt), Some(Deletion::Agreed)) => Some(Deletion::Open(doubt.clone())),
        (_, deletion) => deletion,
    };
    let finding = finding.whys(doubt.as_deref());
    if let Some(first) = case.job_as_far_as_read().own_creation()
        && may_be_its_own(case)
    {
        let finding = finding.whys(claims.as_deref());
        return own_attempt(case, finding, first, deletion.as_ref().zip(database));
    }
    let finding = origins(case, finding, claims);
    let finding = match (deletion, database) {
        (Some(agreed @ Deletion::Agreed), Some(database)) => finding
            .step("If its data is not needed: remove this manifest, wait until the HelmRelease is gone, delete the database, and restore the manifest.")
            .command(kubectl(case, "get"))
            .command(deletion::command(&agreed, database)),
        (Some(open), Some(database)) => finding
            .step("First find out who uses it. This reads everything that could claim it, and deletes nothing:")
            .command(deletion::command(&open, database)),
        _ => finding
            .step("First read its values: they name the database, and so lead to any other claim.")
            .command(kubectl(case, "describe")),
    };
    finding
        .step("If its data is needed, skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value. Ask its former owner first.")
        .then(then(case, Fixes::Back))
}

/// What claims the database, or that this is unknown, in a sentence; `None` where everything was read and nothing does.
fn claims(case: &Case<'_>, deletion: Option<&Deletion>) -> Option<String> {
    let unknown = match deletion {
        Some(Deletion::Claimed(claim)) => return Some(format!("{claim}.")),
        // Everything was read.
        Some(Deletion::Agreed) => return None,
        Some(Deletion::Open(why)) => Some(case.unknown_claims().unwrap_or_else(|| why.clone())),
        Some(Deletion::Own(_)) | None => case.unknown_claims(),
    };
    unknown.map(|why| format!("Whether anything else claims it is unknown: {why}."))
}

/// Adds every origin that the database may have.
fn origins(case: &Case<'_>, mut finding: Finding, claims: Option<String>) -> Finding {
    let younger = finding.why.iter().any(|w| w == YOUNGER);
    finding = finding.why(match claims {
        Some(claims) => claims,
        None if younger => "Nothing else claims it.".to_owned(),
        None => "Nothing else claims it: an earlier onboarding was removed, and its database stayed. Its owner is unknown: Helm keeps no record of a removed release.".to_owned(),
    });
    if let Some(pod) = case.job_as_far_as_read().silent_attempt() {
        finding = finding.why(format!("Or an earlier attempt of this Job created it: {pod} was ended, and no log says how far it came."));
    }
    let failed = case.hr().status.install_failures;
    if failed > 1 {
        finding = finding.why(format!("Or an earlier attempt of this onboarding created it and failed later (failed installs: {failed})."));
    }
    if is_long_before_its_job(case) {
        finding = finding
            .why("Or this onboarding itself created it: it is much older than this Job, and Helm's record of it may be gone.")
            .step("Ask its team first whether it worked before. If so, the data is its own and the database must stay.");
    }
    finding
}

/// Another request created it at the same time.
fn raced(case: &Case<'_>, finding: Finding, race: &Death, database: Option<&str>) -> Finding {
    let finding = finding
        .why("CouchDB answered an attempt with a conflict: another request created the database at the same time.")
        .seen([race.evidence()]);
    let finding = match database {
        Some(database) => finding
            .step("Find out who did that. What claims it, and how much is in it:")
            .command(["kubectl", "skvs", "databases", database]),
        None => finding,
    };
    finding
        .step("If it was meant for this onboarding, skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.")
        .then(then(case, Fixes::Back))
}

/// An earlier attempt of the same Job created it, although CouchDB answered that with an error or not at all.
fn own_attempt(
    case: &Case<'_>,
    finding: Finding,
    first: &Death,
    deletion: Option<(&Deletion, &str)>,
) -> Finding {
    let line = first.lines.last().map_or("an error", String::as_str);
    let finding = finding
        .why(format!("An earlier attempt of this Job ended with \"{line}\". CouchDB can carry out a creation and answer with an error all the same, so that attempt most likely created the database."))
        .seen([first.evidence()]);
    let documents = match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => found.documents,
        _ => None,
    };
    let finding = finding.why(match documents {
        Some(0) => "It is empty.",
        _ => "Whether it is empty is unknown.",
    });
    let finding = finding.step("Check CouchDB's members first: such an answer means that one of them was away or overloaded.");
    let finding = match case.databases().if_read() {
        Some(asked) => finding.command(["kubectl", "get", "pods", "-n", &asked.namespace]),
        None => finding,
    };
    let finding = finding.step("Then keep the database and leave the creation out: values.databaseCreationJob.enabled: false, where the chart has this value.");
    match deletion {
        Some((deletion, database)) => finding
            .step("Or delete it if it is empty, and let Flux try again:")
            .command(deletion::command(deletion, database)),
        None => finding,
    }
    .then(then(case, Fixes::Back))
}

/// The event of a successful installation or upgrade of this onboarding, or of the uninstallation of its release: Flux uninstalls it when
/// the release's name or namespace changes. The uninstallation of a failed attempt has another message.
///
/// # Errors
/// The events were not read, or not all.
fn installed_before<'a>(case: &Case<'a>) -> Checked<Option<&'a str>> {
    let tells = |event: &Event| match event.reason.as_str() {
        "InstallSucceeded" | "UpgradeSucceeded" => true,
        "UninstallSucceeded" => event
            .message
            .starts_with("Helm uninstall succeeded for release "),
        _ => false,
    };
    let event = case.newest_event(tells)?;
    Ok(event.map(|event| event.reason.as_str()))
}

/// The event by which a former HelmRelease of this name says that the same release was uninstalled with it.
pub(super) fn removed_before<'a>(case: &Case<'a>) -> Checked<Option<&'a Event>> {
    let hr = case.hr();
    let release = format!("{}/{}", hr.release_namespace(), hr.release_name());
    // A failed installation is uninstalled too, although it did not create the database.
    if case
        .newest_former_event(|event| event.reason == "InstallFailed")?
        .is_some()
    {
        return Ok(None);
    }
    let created = hr.metadata.creation_timestamp.as_deref();
    let created: Option<Timestamp> = created.and_then(|created| created.parse().ok());
    let chart = hr.installed_chart();
    case.newest_former_event(|event| {
        let is_earlier = event
            .last_seen
            .zip(created)
            .is_some_and(|(seen, created)| seen <= created);
        is_earlier && event.is_uninstall_of(&release, chart)
    })
}

/// The HelmRelease was removed with its release, and created again: the database stayed.
fn moved(case: &Case<'_>, finding: Finding, former: &Event) -> Finding {
    let at = former
        .last_seen
        .map_or_else(String::new, |at| format!(" at {at}"));
    let finding = finding
        .why(format!("A HelmRelease of this name was removed{at}, and Flux uninstalled its release. The database stayed: it is most likely this onboarding's own and holds its team's data."))
        .seen([Evidence::new(case.subject(), "events", &format!("{}: {}", former.reason, one_line(&former.message)))])
        .step("Do not delete it. Skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.");
    let finding = match case.applied_by().if_read() {
        Some((namespace, name)) => finding.step(format!(
            "It is applied by Kustomization {} now. If it was moved there from another one, that one has pruned it: before the next move, annotate the HelmRelease in Git with kustomize.toolkit.fluxcd.io/prune: disabled, and move it after that is applied.",
            one_line(&format!("{namespace}/{name}"))
        )),
        None => finding,
    };
    finding.then(then(case, Fixes::Back))
}

/// The onboarding was there for a while when the Job was made that fails.
fn is_long_before_its_job(case: &Case<'_>) -> bool {
    let Some(found) = case.creation_job().if_read() else {
        return false;
    };
    let job = case.seconds_since(found.job.meta.created.as_str());
    let own = case.seconds_since(case.hr().metadata.creation_timestamp.as_deref());
    own.zip(job).is_some_and(|(own, job)| own - job > WHILE)
}

/// Seconds in which a first installation begins.
const WHILE: i64 = 600;
