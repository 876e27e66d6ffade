//! The Job of a later hook, where neither Helm's text nor the stored release names it: the only Job of the namespace whose annotation and
//! times fit the failed attempt. No Job is named where another one may fit as well.

use super::case::Case;
use super::finding::Subject;
use crate::model::field::Field;
use crate::model::helm_release::HelmRelease;
use crate::model::job::Job;
use crate::snapshot::{IfRead, Listing};
use k8s_openapi::jiff::Timestamp;

/// Labels by which charts name the release of an object.
const RELEASE: [&str; 2] = ["app.kubernetes.io/instance", "release"];

/// The attempt that failed.
struct Attempt {
    since: Timestamp,
    until: Timestamp,
    /// Helm waited until its time was over: nothing says that the Job has failed.
    timed_out: bool,
}

/// The Job of that hook that failed in this attempt or, after a time-out, had not ended. `None` where it is not known.
pub(super) fn of_attempt(case: &Case<'_>, hook: &str, timed_out: bool) -> Option<Subject> {
    let attempt = Attempt::of(case, timed_out)?;
    let jobs = case.hook_jobs().if_read()?.all().ok()?;
    let mut fitting = Vec::new();
    for job in jobs {
        let fits = [
            job.is_of_hook(hook),
            attempt.has(job),
            may_be_own(case, job),
            job.meta.malformed.is_empty().then_some(true),
        ];
        if fits.contains(&Some(false)) {
            continue;
        }
        if fits.contains(&None) {
            return None;
        }
        fitting.push(job);
    }
    match fitting[..] {
        [only] => Some(Subject::from(&only.meta)),
        _ => None,
    }
}

/// Whether the Job is among those that were read, and complete.
pub(super) fn is_complete(case: &Case<'_>, job: &Subject) -> bool {
    let jobs = case.hook_jobs().if_read();
    let mut jobs = jobs.into_iter().flat_map(Listing::known);
    jobs.any(|read| Subject::from(&read.meta) == *job && read.is_complete() == Some(true))
}

/// What an upgrade does with a hook that an installation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    RunsIt,
    SkipsIt,
    NotKnown,
}

/// The same for a post-install hook, as the stored release or the Job's annotation says.
pub(super) fn upgrade(case: &Case<'_>, hook: &Subject) -> Upgrade {
    match runs_on_upgrade(case, hook) {
        Some(true) => Upgrade::RunsIt,
        Some(false) => Upgrade::SkipsIt,
        None => Upgrade::NotKnown,
    }
}

fn runs_on_upgrade(case: &Case<'_>, hook: &Subject) -> Option<bool> {
    let stored = case.release().if_read().map(|release| release.hooks.iter());
    let mut stored = stored.into_iter().flatten();
    let stored = stored.find(|h| h.kind == hook.kind && h.name == hook.name);
    if let Some(stored) = stored.filter(|h| !h.events.is_empty()) {
        let mut events = stored.events.iter();
        return Some(events.any(|event| event.ends_with("-upgrade")));
    }
    let jobs = case.hook_jobs().if_read();
    let mut jobs = jobs.into_iter().flat_map(Listing::known);
    let job = jobs.find(|job| Subject::from(&job.meta) == *hook)?;
    if job.is_of_hook("post-install") != Some(true) {
        return None;
    }
    let upgrades = ["pre-upgrade", "post-upgrade"];
    Some(
        upgrades
            .iter()
            .any(|hook| job.is_of_hook(hook) == Some(true)),
    )
}

impl Attempt {
    fn of(case: &Case<'_>, timed_out: bool) -> Option<Self> {
        let deployed = case.hr().status.history.first()?.last_deployed.as_deref();
        let condition = &case.failure.as_ref()?.condition;
        Some(Self {
            since: time(deployed?)?,
            until: time(condition.last_transition_time.as_deref()?)?,
            timed_out,
        })
    }

    /// Whether the Job was created during the attempt, and ended as the attempt did.
    fn has(&self, job: &Job) -> Option<bool> {
        let is_within = |time: Timestamp| (self.since..=self.until).contains(&time);
        if !is_within(time(job.meta.created.as_str()?)?) {
            return Some(false);
        }
        let end = job.failed().or_else(|| job.holds("Complete"));
        let ended = match end {
            Some(condition) => Some(time(condition.last_transition_time.as_deref()?)?),
            None => None,
        };
        let is_over = job.is_complete()?;
        match (ended, self.timed_out) {
            (Some(ended), true) => Some(ended > self.until),
            (Some(ended), false) => Some(!is_over && is_within(ended)),
            // Its count of pods says that it is complete, and nothing since when.
            (None, true) if is_over => None,
            (None, timed_out) => Some(timed_out),
        }
    }
}

/// Whether nothing says that the Job is of another release: its labels, or a name that another onboarding explains better. `None` where its
/// labels cannot be read, or only onboardings that were not read could explain its name.
fn may_be_own(case: &Case<'_>, job: &Job) -> Option<bool> {
    let hr = case.hr();
    let release = hr.release_name();
    let [instance, of_release] = RELEASE.map(|key| is_own(job.meta.label(key), &*release));
    let labels = [instance, of_release, is_own(job.made_by(), hr.id())];
    if labels.contains(&Some(false)) {
        return Some(false);
    }
    if labels.contains(&None) {
        return None;
    }
    let own = explained(&job.meta.name, hr);
    let others = case.others().ok();
    let is_neighbour = |other: &&HelmRelease| {
        other.id() != hr.id() && other.release_namespace() == hr.release_namespace()
    };
    let others_known = others.is_some() && case.elsewhere().is_ok();
    let others = others.unwrap_or_default().iter().filter(is_neighbour);
    let other = others.map(|other| explained(&job.meta.name, other)).max();
    match other.unwrap_or(0) {
        other if other > own => Some(false),
        _ if own > 0 || others_known => Some(true),
        _ => None,
    }
}

/// Whether a label, if it is set, has the onboarding's own value.
fn is_own<T: PartialEq>(label: Field<T>, own: T) -> Option<bool> {
    match label {
        Field::Set(value) => Some(value == own),
        Field::Absent => Some(true),
        Field::Malformed => None,
    }
}

/// How much of the name is that of the onboarding's database or release, which charts put before the names of their objects.
fn explained(name: &str, hr: &HelmRelease) -> usize {
    let claim = hr.claim();
    let database = claim.joined().map(|joined| joined.replace('_', "-"));
    let before = [database, Some(hr.release_name())].into_iter().flatten();
    let lengths = before.filter_map(|own| {
        let rest = name.strip_prefix(&own)?;
        (rest.is_empty() || rest.starts_with('-')).then_some(own.len())
    });
    lengths.max().unwrap_or(0)
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
