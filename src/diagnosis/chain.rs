//! The chain of an onboarding, from the chart's source to the database: which links are fine, which are broken, and which are not
//! known.
//!
//! A link is good only with the evidence that shows it, and never behind a broken one. A root cause breaks the link that
//! [`place`] names for it.

mod place;

pub use place::Place;
pub(super) use place::broken_by;

use super::case::Case;
use super::contradiction::ready_now;
use super::engine::Root;
use super::finding::{Evidence, Subject};
use super::rule::{Role, Severity};
use super::{first, install, sources};
use crate::model::helm_storage::{Creation, creation};
use crate::model::names::release_secret;
use crate::model::source::Source;
use crate::snapshot::databases::Found;
use crate::snapshot::{Checked, IfRead, Unread};
use crate::text::one_line;

/// What comes after a broken link.
const BEHIND: &str = "it comes after a broken link";

/// What is known of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Seen to be fine, by this.
    Good(Evidence),
    /// A root cause is here.
    Broken {
        code: &'static str,
        sentence: String,
    },
    /// Not seen to be fine: why.
    NotKnown(String),
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub place: Place,
    /// The object, as far as its name is known.
    pub object: Option<Subject>,
    pub state: State,
}

/// All links, from the source to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    links: Vec<Link>,
}

impl Chain {
    /// Judges by what was read, with the root causes that were found in it.
    pub fn judge(case: &Case<'_>, roots: &[Root]) -> Self {
        let breaks: Vec<(Option<Place>, &Root)> = roots
            .iter()
            .filter(|root| is_break(case, root))
            .map(|root| {
                (
                    place::broken_by(root.rule.code, &root.finding.subject),
                    root,
                )
            })
            .collect();
        let link = |place: Place| {
            let at = |wanted| breaks.iter().find(|(at, _)| *at == wanted);
            let state = if let Some((_, root)) = at(Some(place)) {
                State::Broken {
                    code: root.rule.code,
                    sentence: root.finding.sentence.clone(),
                }
            } else if let Some((_, root)) = at(None) {
                State::NotKnown(format!("{} may break it", root.rule.code))
            } else {
                match seen(case, place) {
                    Ok(evidence) => State::Good(evidence),
                    Err(why) => State::NotKnown(one_line(&why)),
                }
            };
            Link {
                place,
                object: object(case, place),
                state,
            }
        };
        Self::of(Place::ALL.map(link))
    }

    /// Nothing behind a broken link is good.
    pub(crate) fn of(links: impl IntoIterator<Item = Link>) -> Self {
        let mut is_broken = false;
        let mut links: Vec<Link> = links.into_iter().collect();
        for link in &mut links {
            match link.state {
                State::Broken { .. } => is_broken = true,
                State::Good(_) | State::NotKnown(_) if is_broken => {
                    link.state = State::NotKnown(BEHIND.to_owned());
                }
                State::Good(_) | State::NotKnown(_) => {}
            }
        }
        Self { links }
    }

    /// The links in their order.
    pub fn links(&self) -> &[Link] {
        &self.links
    }
}

/// Whether a root cause breaks a link: an error does, and so does a milder cause of a failure.
fn is_break(case: &Case<'_>, root: &Root) -> bool {
    match root.severity() {
        Severity::Error => true,
        Severity::Warning => case.failure.is_some() && root.rule.role != Role::State,
        Severity::Info => false,
    }
}

fn object(case: &Case<'_>, place: Place) -> Option<Subject> {
    match place {
        Place::Source => sources::source(case),
        Place::Chart => sources::chart(case),
        Place::Release => Some(case.subject()),
        Place::Job => case.job_as_far_as_read().subject.clone(),
        Place::Database => Some(Subject::new("database", "", &case.database()?)),
    }
}

/// What shows that a link is fine, or why nothing does.
fn seen(case: &Case<'_>, place: Place) -> Result<Evidence, String> {
    match place {
        Place::Source if sources::is_own_source(case) => fetched(case.chart()),
        Place::Source => fetched(case.source()),
        Place::Chart => chart(case),
        Place::Release => release(case),
        Place::Job => job(case),
        Place::Database => database(case),
    }
}

fn unread(unread: &Unread) -> String {
    format!("not read: {}", unread.why.clause())
}

/// An object of source-controller is good if Ready is True for its present spec and no field or condition contradicts that.
fn fetched(read: Checked<Option<&Source>>) -> Result<Evidence, String> {
    let source = read.map_err(|why| unread(&why))?;
    let source = source.ok_or("it does not exist")?;
    let subject = Subject::from(&source.meta);
    if source.is_suspended() {
        return Err("suspended: Flux ignores it".to_owned());
    }
    if !source.meta.malformed.is_empty() {
        let fields = source.meta.malformed.join(", ");
        return Err(format!("malformed: {fields}"));
    }
    if source.is_stalled() {
        return Err("Stalled is True: Flux has stopped".to_owned());
    }
    if let Some(ready) = ready_now(source) {
        return Ok(Evidence::condition(subject, ready));
    }
    Err(match source.complaint() {
        Some(complaint) => Evidence::condition(subject, complaint).observed,
        None if source.is_static() => "an OCI registry: Flux records no status for it".to_owned(),
        None => "Ready is not True for its present spec".to_owned(),
    })
}

fn chart(case: &Case<'_>) -> Result<Evidence, String> {
    let evidence = fetched(case.chart())?;
    match case.chart().if_read() {
        Some(chart) if sources::is_wanted(case, chart) => Ok(evidence),
        _ => Err("it is not the chart that the manifest asks for".to_owned()),
    }
}

/// The release is fine if its newest revision is deployed and the status is about the present spec.
fn release(case: &Case<'_>) -> Result<Evidence, String> {
    let hr = case.hr();
    if hr.metadata.deletion_timestamp.is_some() {
        return Err("it is being deleted".to_owned());
    }
    if install::is_of_another_release(case) {
        return Err("the stored revision is of another release".to_owned());
    }
    if hr.spec.suspend {
        return Err("suspended: Flux ignores it".to_owned());
    }
    let revisions = match case.revisions() {
        Ok(revisions) => revisions,
        Err(why) => {
            // Flux's status never shows that the newest revision is deployed, but that it is not.
            let latest = hr.latest().filter(|latest| latest.status != "deployed");
            return Err(latest.map_or_else(
                || unread(&why),
                |latest| format!("revision {} is {}", latest.version, latest.status),
            ));
        }
    };
    let newest = revisions.and_then(|all| all.first());
    let newest = newest.ok_or("no revision is stored")?;
    let observed = format!("revision {} is {}", newest.revision, newest.status);
    if newest.status != "deployed" {
        return Err(observed);
    }
    if let Some(revision) = hr.revision().filter(|r| *r != newest.revision) {
        return Err(format!(
            "{observed}, but the status is about revision {revision}"
        ));
    }
    if !case.is_ready() {
        return Err(format!(
            "{observed}, but READY is not True for the present spec"
        ));
    }
    let secret = Subject::new("Secret", hr.storage_namespace(), &newest.secret);
    Ok(Evidence::new(secret, ".metadata.labels.status", &observed))
}

/// The Job is fine if it is complete, or if the revision that ran it says so.
fn job(case: &Case<'_>) -> Result<Evidence, String> {
    let read = case.creation_job();
    if let Some(job) = install::creating_job(case)
        && job.meta.malformed.is_empty()
    {
        let subject = Subject::from(&job.meta);
        return Ok(Evidence::new(subject, ".status", "the Job is complete"));
    }
    let own = match &read {
        Ok(Some(_)) => "the Job may not be complete".to_owned(),
        Ok(None) => "the Job is gone".to_owned(),
        Err(why) => unread(why),
    };
    let first = match first::revision(case) {
        Ok(Some(first)) if !install::is_of_another_release(case) => first,
        Ok(Some(_)) => return Err(format!("{own}; the stored revision is of another release")),
        Ok(None) => return Err(format!("{own}; no revision is stored")),
        Err(why) => {
            let stored = unread(&why);
            return Err(match stored == own {
                true => own,
                false => format!("{own}; the first revision was {stored}"),
            });
        }
    };
    let revision = first.version;
    let stored = match creation(&first.hooks) {
        Creation::Succeeded => {
            let secret = release_secret(&first.name, revision);
            let secret = Subject::new("Secret", case.hr().storage_namespace(), &secret);
            let observed = format!("creation Job of revision {revision}: Succeeded");
            return Ok(Evidence::new(secret, "hooks[].last_run.phase", &observed));
        }
        Creation::None => format!("revision {revision} has no creation Job"),
        Creation::NotRun => format!("revision {revision} did not run it"),
        Creation::Failed => format!("it failed in revision {revision}"),
        Creation::Unknown => format!("revision {revision} does not say how it ended"),
    };
    Err(format!("{own}; {stored}"))
}

/// The database is fine if the CouchDB that the release notes name serves it.
fn database(case: &Case<'_>) -> Result<Evidence, String> {
    match case.in_couchdb() {
        Err(why) => return Err(unread(&why)),
        Ok(None) => return Err("CouchDB does not have it".to_owned()),
        Ok(Some(Found::Unserved(why))) => return Err(format!("CouchDB cannot serve it: {why}")),
        Ok(Some(Found::Served(_))) => {}
    }
    let (Some(name), Some(asked), Some(_)) =
        (case.database(), case.databases().if_read(), case.endpoint())
    else {
        return Err("the release notes, which name its CouchDB, were not read".to_owned());
    };
    let pod = Subject::new("Pod", &asked.namespace, &asked.pod);
    let field = format!("GET /{name}");
    Ok(Evidence::new(pod, &field, "CouchDB serves the database"))
}

#[cfg(test)]
mod tests;
