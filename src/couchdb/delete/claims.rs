//! What claims a database: judged object by object, without asking anything.
//!
//! Every HelmRelease counts, labelled or not, suspended or not, in every namespace; so do the values of every retained Helm revision, since
//! an edited `database` leaves the live one behind, and the objects of the later generation. Names are compared joined, and
//! loosely: what a chart would have made of a sloppy value claims too. What cannot be read is a refusal, never "none".

use super::refusal::Refusal;
use crate::model::helm_release::{HelmRelease, ONBOARDING_CHART, ONBOARDING_SELECTOR};
use crate::model::helm_storage::{self, Release};
use crate::model::names::DatabaseName;
use crate::model::onboarding::{Claim, Values};
use serde_json::Value;
use std::collections::BTreeSet;

/// What was looked at and claims nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unclaimed {
    /// HelmReleases in all namespaces.
    pub helm_releases: usize,
    /// Revisions of the onboarding chart's releases.
    pub revisions: usize,
    /// Objects of the later generation; `None` where they are not served.
    pub database_objects: Option<usize>,
}

/// The judgement while objects come in.
pub struct Judge<'a> {
    name: &'a DatabaseName,
    seen: Unclaimed,
    onboardings: usize,
    refusals: Vec<Refusal>,
    /// Helm releases that have been refused for one revision already.
    releases: BTreeSet<(String, String)>,
}

impl<'a> Judge<'a> {
    pub fn new(name: &'a DatabaseName) -> Self {
        Self {
            name,
            seen: Unclaimed::default(),
            onboardings: 0,
            refusals: Vec::new(),
            releases: BTreeSet::new(),
        }
    }

    /// One HelmRelease.
    pub fn helm_release(&mut self, object: &Value) {
        self.seen.helm_releases += 1;
        let by = format!("HelmRelease {}", id(object));
        let hr = match HelmRelease::from_value(object) {
            Ok(hr) => hr,
            Err(error) => {
                let why = error.to_string();
                return self.refusals.push(Refusal::ClaimNotKnown { by, why });
            }
        };
        let labelled = ONBOARDING_SELECTOR
            .split_once('=')
            .is_some_and(|(key, value)| hr.metadata.labels.get(key).is_some_and(|v| v == value));
        let onboarding = labelled || hr.installs_onboarding_chart();
        self.onboardings += usize::from(onboarding);
        // A chart that neither spec nor history names may be the onboarding chart.
        let may_be = onboarding || (hr.names_no_chart() && hr.status.history.is_empty());
        let claim = hr.claim();
        let claims = claim.joined().is_some_and(|joined| self.is_meant(joined));
        if may_be && hr.is_remote() && !claims {
            self.not_read(
                format!("Helm's revisions of {by}"),
                "they are on another cluster (spec.kubeConfig)",
            );
        }
        match (&claim, claim.joined()) {
            (_, Some(joined)) if self.is_meant(joined) => {
                let database = joined.to_owned();
                self.refusals.push(Refusal::Claimed { by, database });
            }
            (Claim::Unresolved(from), None) if may_be => {
                let from: Vec<String> = from
                    .iter()
                    .map(|f| format!("{} {}", f.kind, f.name))
                    .collect();
                let why = format!("it comes from {}", from.join(", "));
                self.refusals.push(Refusal::ClaimNotKnown { by, why });
            }
            (Claim::Incomplete(what), None) if onboarding => {
                let why = format!("{what} is not a plain value");
                self.refusals.push(Refusal::ClaimNotKnown { by, why });
            }
            _ => {}
        }
    }

    /// The HelmReleases of this cluster could not be read, or it has none.
    pub fn no_helm_releases(&mut self) {
        self.refusals.push(Refusal::NoHelmReleases);
    }

    /// One Secret of Helm's storage.
    pub fn revision(&mut self, secret: &Value) {
        let place = id(secret);
        let release = match helm_storage::from_secret(secret) {
            Ok(release) => release,
            Err(error) => {
                return self.not_read(format!("Helm's Secret {place}"), error.to_string());
            }
        };
        let claim = claim_of(&release);
        let ours = release.chart.metadata.name == ONBOARDING_CHART;
        self.seen.revisions += usize::from(ours);
        let by = format!(
            "revision {} of Helm release {}/{} (Secret {place})",
            release.version, release.namespace, release.name
        );
        match claim.joined() {
            Some(joined) if self.is_meant(joined) => {
                let database = joined.to_owned();
                let namespace = place.split('/').next().unwrap_or_default().to_owned();
                if self.releases.insert((namespace, release.name)) {
                    self.refusals
                        .push(Refusal::ClaimedByRevision { by, database });
                }
            }
            None if ours => self.refusals.push(Refusal::ClaimNotKnown {
                by,
                why: "its values do not name a database".to_owned(),
            }),
            _ => {}
        }
    }

    /// Objects of the later generation are served.
    pub fn database_objects_served(&mut self) {
        self.seen.database_objects.get_or_insert(0);
    }

    /// One object of the later generation. Its fields are not settled, so any that can mean this database does.
    pub fn database_object(&mut self, kind: &str, object: &Value) {
        *self.seen.database_objects.get_or_insert(0) += 1;
        let alike =
            |text: &str, name: &str| loose(text).replace('_', "-") == name.replace('_', "-");
        let spec = object.get("spec").unwrap_or(&Value::Null);
        let named = object.pointer("/metadata/name").and_then(Value::as_str);
        let mut texts = Vec::new();
        scalars(spec, &mut texts);
        texts.extend(named);
        let whole = texts.iter().any(|t| alike(t, self.name.as_str()));
        let here = [object.pointer("/metadata/namespace"), spec.get("namespace")]
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|n| loose(n) == self.name.namespace());
        let part = here && texts.iter().any(|t| alike(t, self.name.database()));
        if whole || part {
            self.refusals.push(Refusal::Claimed {
                by: format!("{kind} {}", id(object)),
                database: self.name.to_string(),
            });
        }
    }

    /// Something that may claim could not be read.
    pub fn not_read(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.refusals.push(Refusal::NotRead {
            what: what.into(),
            why: why.into(),
        });
    }

    /// The judgement.
    ///
    /// # Errors
    /// Every refusal; a release's revisions are not told beside a HelmRelease that claims.
    pub fn finish(mut self) -> Result<Unclaimed, Vec<Refusal>> {
        let blind = self
            .refusals
            .iter()
            .any(|r| matches!(r, Refusal::NoHelmReleases | Refusal::NotRead { .. }));
        if self.onboardings == 0 && !blind {
            let looked_at = self.seen.helm_releases;
            self.refusals.push(Refusal::NoOnboardings { looked_at });
        }
        if self
            .refusals
            .iter()
            .any(|r| matches!(r, Refusal::Claimed { .. }))
        {
            self.refusals
                .retain(|r| !matches!(r, Refusal::ClaimedByRevision { .. }));
        }
        if self.refusals.is_empty() {
            Ok(self.seen)
        } else {
            Err(self.refusals)
        }
    }

    fn is_meant(&self, joined: &str) -> bool {
        loose(joined) == self.name.as_str()
    }
}

/// What a URL or a template may make of a sloppy value: blanks gone, lower case, no `/` at the ends.
fn loose(name: &str) -> String {
    let kept: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    kept.trim_matches('/').to_lowercase()
}

/// The claim of a revision: the values that were given, over the chart's own.
fn claim_of(release: &Release) -> Claim {
    let given = Values::read(&release.config);
    let default = Values::read(&release.chart.values);
    Values {
        namespace: given.namespace.or(default.namespace),
        database: given.database.or(default.database),
        ..Values::default()
    }
    .claim()
}

fn id(object: &Value) -> String {
    let part = |key: &str| {
        let text = object.pointer(key).and_then(Value::as_str);
        crate::text::one_line(text.unwrap_or("?"))
    };
    format!("{}/{}", part("/metadata/namespace"), part("/metadata/name"))
}

/// Every text in a document.
fn scalars<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|i| scalars(i, into)),
        Value::Object(fields) => fields.values().for_each(|f| scalars(f, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
