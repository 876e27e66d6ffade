//! Whose a database is: the one judgement that every command asks, from every object that can say it.
//!
//! Each kind of object is read into a part of its own ([`HelmReleases`], [`Storage`], [`Policies`], [`DatabaseObjects`]), once, into an
//! index of names. [`Ownership`] is made of all parts together, each read or not read and why, so nothing that was not read can pass for
//! "nothing there". A [`Verdict`] on a name holds every claim, every mention that may be a claim, and every gap; only a verdict without
//! any is [`Unclaimed`].
//!
//! Names are compared joined and loosely: what a chart or a URL would make of a sloppy value claims too.

mod database_objects;
mod live;
mod object;
mod part;
mod policies;
mod remains;
mod storage;
mod verdict;
mod words;

pub use database_objects::DatabaseObjects;
pub use live::{HelmReleases, Reference, Resolved, may_claim};
pub use object::Object;
pub use part::Part;
pub use policies::Policies;
pub use remains::{EveryPolicy, RemainingPolicy, RemainingRelease, Remains};
pub use storage::{Driver, Storage};
pub use verdict::{Claim, ClaimKind, Claimant, Gap, LookedAt, Mention, Past, Unclaimed, Verdict};

use super::helm_release::HelmRelease;
use live::Live;
use storage::{Key, Stored};
use words::How;

pub(crate) use words::{loose, names_in};

/// Everything that can say whose a database is. Each part has its own reader, and none can be left out.
#[derive(Clone, Debug)]
pub struct Parts {
    /// `None`: the cluster serves no HelmReleases.
    pub helm_releases: Part<Option<HelmReleases>>,
    pub secrets: Part<Storage>,
    pub config_maps: Part<Storage>,
    /// `None`: the cluster serves no AuthorizationPolicies.
    pub policies: Part<Option<Policies>>,
    /// `None`: the cluster serves none.
    pub database_objects: Part<Option<DatabaseObjects>>,
}

/// What all objects of a cluster say.
#[derive(Clone, Debug)]
pub struct Ownership {
    parts: Parts,
}

/// An onboarding that is thought away, with its revisions that never came to be.
struct Without {
    id: String,
    key: Key,
}

impl Ownership {
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Whose the database is.
    pub fn verdict(&self, name: &str) -> Verdict {
        self.judge(name, None)
    }

    /// The proof that nothing claims the database.
    ///
    /// # Errors
    /// The verdict, where something does or is not known.
    pub fn unclaimed(&self, name: &str) -> Result<Unclaimed, Box<Verdict>> {
        let all = self.helm_releases();
        let ids = all.into_iter().flat_map(HelmReleases::ids).collect();
        self.verdict(name).unclaimed(ids)
    }

    /// Whose the database would be if this onboarding and its revisions that were never deployed were gone. A deployed revision of its
    /// own is still a claim: the data is its own.
    pub fn verdict_without(&self, name: &str, hr: &HelmRelease) -> Verdict {
        let without = Without {
            id: hr.id(),
            key: Key::expected_of(hr),
        };
        self.judge(name, Some(&without))
    }

    fn judge(&self, name: &str, without: Option<&Without>) -> Verdict {
        let name = &*loose(name);
        let mut verdict = Verdict::new(self.looked_at());
        verdict.gaps = self.gaps();
        self.live(name, without, &mut verdict);
        let storages = [&self.parts.secrets, &self.parts.config_maps];
        for storage in storages.into_iter().filter_map(|part| part.known.as_ref()) {
            self.stored(storage, name, without, &mut verdict);
        }
        if let Some(Some(policies)) = &self.parts.policies.known {
            self.policies(policies, name, without, &mut verdict);
        }
        if let Some(Some(objects)) = &self.parts.database_objects.known {
            let said = objects.says(name);
            verdict.claims.extend(said.map(|object| Claim {
                by: Claimant::Object {
                    kind: object.kind.clone(),
                    id: object.id(),
                },
                kind: ClaimKind::Names,
                database: name.to_owned(),
            }));
        }
        verdict.settled()
    }

    fn live(&self, name: &str, without: Option<&Without>, verdict: &mut Verdict) {
        let Some(all) = self.helm_releases() else {
            return;
        };
        let left = |live: &Live| without.is_none_or(|w| w.id != live.object.id());
        for (live, how) in all.says(name).filter(|(live, _)| left(live)) {
            if self.is_onboarding(live) {
                let own = live
                    .joined
                    .as_deref()
                    .filter(|joined| loose(joined) == name);
                verdict.claims.push(Claim {
                    by: Claimant::HelmRelease {
                        id: live.object.id(),
                        suspended: live.suspended,
                        deployed: live.deployed.clone(),
                    },
                    kind: ClaimKind::Names,
                    database: own.unwrap_or(name).to_owned(),
                });
            } else {
                let says = match how {
                    How::Word => "mentions",
                    _ => "names",
                };
                verdict.mentions.push(Mention {
                    object: live.object.clone(),
                    what: format!("{} {says} {name}", live.object),
                    // Of one on another cluster the release is there too.
                    covers: (!live.remote).then(|| live.key.clone()),
                });
            }
        }
        let others = all.all.iter().filter(|live| left(live));
        for live in others {
            if let Some(open) = live.open.as_ref().filter(|open| open.may_be(name))
                && self.release_of(live).is_none()
            {
                let what = format!(
                    "which database {} has is not known: {}",
                    live.object, open.why
                );
                verdict.may(&live.object, what);
            } else if live.remote
                && self.is_onboarding(live)
                && live.joined.as_deref().map(loose).as_deref() != Some(name)
            {
                let what = format!(
                    "Helm's revisions of {} are on another cluster (spec.kubeConfig)",
                    live.object
                );
                verdict.may(&live.object, what);
            }
        }
        for unreadable in &all.unreadable {
            let what = format!(
                "which database {} has is not known: {}",
                unreadable.object, unreadable.why
            );
            verdict.may(&unreadable.object, what);
        }
    }

    fn stored(
        &self,
        storage: &Storage,
        name: &str,
        without: Option<&Without>,
        verdict: &mut Verdict,
    ) {
        let left =
            |stored: &Stored| without.is_none_or(|w| w.key != stored.key || stored.was_deployed());
        for (stored, spoken) in storage.says(name).filter(|(stored, _)| left(stored)) {
            let newest = stored.newest().map(|r| r.version) == Some(spoken.revision);
            let claims = self.claims(stored, spoken);
            let Some(revision) = stored.revision(spoken.revision) else {
                continue;
            };
            match (stored.uninstalled(), claims) {
                (Some(at), true) => verdict.past(stored, revision, at),
                (Some(_), false) => {}
                (None, true) => verdict.claims.push(Claim {
                    by: Claimant::revision(stored, revision, self.has_helm_release(stored)),
                    kind: match spoken.how {
                        How::Job => ClaimKind::Creates,
                        How::Policy if newest => ClaimKind::LetsIn,
                        How::Policy | How::Word | How::Pair | How::Values => {
                            ClaimKind::InstalledWith
                        }
                    },
                    database: name.to_owned(),
                }),
                (None, false) if newest => verdict.mentions.push(Mention::of_release(
                    stored,
                    revision,
                    format!("mentions {name} ({})", revision.object),
                )),
                (None, false) => {}
            }
        }
        for stored in storage.releases.iter().filter(|r| left(r)) {
            if let Some(newest) = stored.newest().filter(|_| self.is_nameless(stored)) {
                let what =
                    "belongs to an onboarding, but its database cannot be determined".to_owned();
                verdict
                    .mentions
                    .push(Mention::of_release(stored, newest, what));
            }
        }
        let covering = |r: &&Stored| !r.patterns.is_empty() && left(r) && r.uninstalled().is_none();
        for stored in storage.releases.iter().filter(covering) {
            let covering = stored.patterns.iter().find(|p| p.covers(name));
            if let (Some(pattern), Some(newest)) = (covering, stored.newest()) {
                let what = format!(
                    "lets pods in to {name} and to others by the path {}",
                    pattern.path
                );
                verdict
                    .mentions
                    .push(Mention::of_release(stored, newest, what));
            }
        }
        for (object, why) in &storage.unreadable {
            let what = format!(
                "{object} of Helm cannot be decoded ({why}), so its release may be of any database"
            );
            verdict.may(object, what);
        }
    }

    /// Whether what a release says of a name is a claim.
    fn claims(&self, stored: &Stored, spoken: storage::Spoken) -> bool {
        match spoken.how {
            How::Job => true,
            // A policy of a revision that is past lets nobody in; as a word of an onboarding it counts all the same.
            How::Policy => {
                let newest = stored.newest().map(|r| r.version);
                newest == Some(spoken.revision) || self.is_onboardings(stored)
            }
            How::Word | How::Pair | How::Values => self.is_onboardings(stored),
        }
    }

    fn policies(
        &self,
        policies: &Policies,
        name: &str,
        without: Option<&Without>,
        verdict: &mut Verdict,
    ) {
        let goes = |policy: &policies::Policy| {
            without.is_some_and(|w| {
                let stored = self.decoded(&w.key);
                policy.made_by.as_ref() == Some(&w.id) && !stored.is_some_and(Stored::was_deployed)
            })
        };
        for policy in policies.all.iter().filter(|policy| !goes(policy)) {
            let object = &policy.object;
            if policy.paths.exact.iter().any(|(known, _)| known == name) {
                verdict.claims.push(Claim {
                    by: Claimant::Policy {
                        object: object.clone(),
                    },
                    kind: ClaimKind::LetsIn,
                    database: name.to_owned(),
                });
            } else if let Some(pattern) = policy.paths.patterns.iter().find(|p| p.covers(name)) {
                let path = &pattern.path;
                let what =
                    format!("{object} lets pods in to {name} and to others by the path {path}");
                verdict.may(object, what);
            } else if let Some(why) = &policy.paths.unread {
                let what = format!("which databases {object} lets pods in to is not known: {why}");
                verdict.may(object, what);
            }
        }
    }

    fn helm_releases(&self) -> Option<&HelmReleases> {
        self.parts.helm_releases.known.as_ref()?.as_ref()
    }

    /// Labelled, of the onboarding chart, or with a release that is an onboarding's.
    fn is_onboarding(&self, live: &Live) -> bool {
        live.onboarding
            || self
                .decoded(&live.key)
                .is_some_and(|stored| stored.onboarding)
    }

    /// As [`Self::is_onboarding`], for a release.
    fn is_onboardings(&self, stored: &Stored) -> bool {
        stored.onboarding || self.helm_releases_of(stored).any(|live| live.onboarding)
    }

    /// It made a database, and neither it nor its HelmRelease says which: it may be any.
    fn is_nameless(&self, stored: &Stored) -> bool {
        let mut live = self.helm_releases_of(stored).filter(|live| !live.remote);
        let onboarding = stored.makes || self.helm_releases_of(stored).any(|l| l.onboarding);
        onboarding && !stored.names && stored.uninstalled().is_none() && !live.any(|l| l.names)
    }

    fn helm_releases_of<'a>(&'a self, stored: &'a Stored) -> impl Iterator<Item = &'a Live> {
        let all = self.helm_releases();
        all.into_iter().flat_map(|all| all.of_release(&stored.key))
    }

    fn has_helm_release(&self, stored: &Stored) -> bool {
        self.helm_releases_of(stored).next().is_some()
    }

    /// What this cluster stores of a HelmRelease's release.
    fn release_of(&self, live: &Live) -> Option<&Stored> {
        let stored = (!live.remote).then(|| self.decoded(&live.key)).flatten();
        // A history that was kept says nothing of what is to come.
        stored.filter(|stored| stored.uninstalled().is_none())
    }

    /// What Helm's Secrets hold of a release: helm-controller stores in nothing else.
    fn decoded(&self, key: &Key) -> Option<&Stored> {
        let storage = self.parts.secrets.known.as_ref()?;
        storage.find(Driver::Secret, key)
    }

    /// The databases that onboardings name today, each as the first of them has it: they should be there.
    pub fn expected(&self) -> impl Iterator<Item = &str> {
        let all = self.helm_releases().into_iter().flat_map(|all| &all.all);
        // One on another cluster has its database there.
        all.filter(|live| !live.remote && self.is_onboarding(live))
            .filter_map(|live| live.joined.as_deref())
    }

    /// Whether an onboarding names this database today.
    pub fn expects(&self, name: &str) -> bool {
        self.expected().any(|known| loose(known) == loose(name))
    }

    /// What may be a claim of any database at all, whatever its name.
    pub fn mentions_of_any(&self) -> Vec<Mention> {
        // Nothing names the empty name, and no path or value that says anything covers it.
        self.verdict("").mentions
    }

    /// How much was looked at.
    pub fn looked_at(&self) -> LookedAt {
        fn len<T>(part: &Part<Option<T>>, len: impl Fn(&T) -> usize) -> Option<usize> {
            part.known.as_ref()?.as_ref().map(len)
        }
        let revisions = |part: &Part<Storage>| part.known.as_ref().map_or(0, |s| s.of_onboardings);
        LookedAt {
            helm_releases: len(&self.parts.helm_releases, HelmReleases::len).unwrap_or(0),
            revisions: revisions(&self.parts.secrets) + revisions(&self.parts.config_maps),
            policies: len(&self.parts.policies, |p| p.all.len()),
            database_objects: len(&self.parts.database_objects, |o| o.all.len()),
        }
    }

    /// Every reason why nothing can be said of any database.
    pub fn gaps(&self) -> Vec<Gap> {
        let Parts {
            helm_releases,
            secrets,
            config_maps,
            policies,
            database_objects,
        } = &self.parts;
        let unread = [
            &helm_releases.unread,
            &secrets.unread,
            &config_maps.unread,
            &policies.unread,
            &database_objects.unread,
        ];
        let mut gaps: Vec<Gap> = unread
            .into_iter()
            .flatten()
            .cloned()
            .map(Gap::Read)
            .collect();
        match &helm_releases.known {
            Some(None) => gaps.push(Gap::NoHelmReleases),
            // A cluster without any onboarding may be the wrong one, unless it is blind anyway.
            Some(Some(all))
                if gaps.is_empty() && !all.all.iter().any(|l| self.is_onboarding(l)) =>
            {
                gaps.push(Gap::NoOnboardings {
                    looked_at: all.len(),
                });
            }
            Some(Some(_)) | None => {}
        }
        gaps
    }

    /// Puts HelmReleases that were read later in the place of the earlier ones.
    pub fn set_helm_releases(&mut self, helm_releases: Part<Option<HelmReleases>>) {
        self.parts.helm_releases = helm_releases;
    }

    /// Every HelmRelease whose `valuesFrom` must be read before it is known what it names.
    pub fn references(&self) -> Vec<Reference> {
        let all = self.helm_releases().into_iter().flat_map(|all| &all.all);
        all.filter(|live| self.release_of(live).is_none())
            .filter_map(Live::reference)
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
