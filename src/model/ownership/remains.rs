//! What an onboarding leaves behind beside its HelmRelease: the releases in Helm's storage and the policies of a database.
//!
//! A verdict says who claims a database, and of the same onboarding only the strongest claim. Here everything of it is listed, since each
//! part must be gone.

use super::object::Object;
use super::policies::Every;
use super::storage::{Driver, Stored};
use super::verdict::Claimant;
use super::{Ownership, Part, Storage, loose};
use crate::advice::Command;
use crate::model::field::Field;
use crate::model::names::{composed_release_name, shortened_release_name};
use crate::model::not_read::NotRead;
use std::collections::BTreeSet;

/// What was found of one kind, and why that may not be all.
#[derive(Clone, Debug)]
pub struct Remains<T> {
    pub known: Vec<T>,
    pub not_all: Option<NotRead>,
}

/// A release in Helm's storage that is of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemainingRelease {
    /// Namespace of its storage, and its name.
    pub helm: (String, String),
    pub driver: Driver,
    /// In words.
    pub words: String,
    /// It is an onboarding's. Others, such as a team's own release with a policy for the database, are not removed with it.
    pub onboarding: bool,
    /// The HelmReleases of it that exist, `namespace/name`.
    pub kept_by: Vec<String>,
    /// Gives it back the labels by which Helm finds it, where they are lost.
    pub relabel: Option<Command>,
}

/// A live AuthorizationPolicy that lets pods in to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemainingPolicy {
    pub object: Object,
    /// The HelmRelease that made it, `namespace/name`, as Flux labels it.
    pub made_by: Option<String>,
    /// It is about other databases too, or may be.
    pub shared: bool,
    /// Who is let in; absent where a rule does not say it by principals.
    pub principals: Field<Vec<String>>,
}

/// A policy that is not about one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EveryPolicy {
    pub object: String,
    /// It surely lets in to every database.
    pub surely: bool,
    /// Nothing but its pods limits it, and it does not name principals.
    pub anybody: bool,
}

impl Ownership {
    /// Whether a HelmRelease, `namespace/name`, is an onboarding's: by its label, its chart or its release.
    pub fn has_onboarding(&self, id: &str) -> bool {
        let all = self.helm_releases().into_iter();
        let mut all = all.flat_map(|all| &all.all);
        all.any(|live| live.object.id() == id && self.is_onboarding(live))
    }

    /// The releases of a database that are not uninstalled.
    pub fn releases_of(&self, name: &str) -> Remains<RemainingRelease> {
        let mut remains = Remains {
            known: Vec::new(),
            not_all: None,
        };
        for part in self.storages() {
            remains.lacks(part.unread.clone());
            let Some(storage) = &part.known else {
                continue;
            };
            for (stored, spoken) in storage.says(&loose(name)) {
                let left = stored.uninstalled().is_none() && self.claims(stored, spoken);
                if let Some(release) = self.remaining(stored).filter(|_| left)
                    && !remains.known.contains(&release)
                {
                    remains.known.push(release);
                }
            }
            let unreadable = storage.unreadable.first();
            remains.lacks(unreadable.map(|(object, why)| {
                NotRead::new(object.to_string(), format!("it cannot be decoded: {why}"))
            }));
            let nameless = storage.releases.iter().find(|s| self.is_nameless(s));
            remains.lacks(nameless.map(|stored| {
                let release = format!("Helm release {}/{}", stored.key.namespace, stored.key.name);
                NotRead::new(release, "it is an onboarding's, of an unknown database")
            }));
        }
        remains
    }

    fn remaining(&self, stored: &Stored) -> Option<RemainingRelease> {
        let claimant = Claimant::revision(stored, stored.newest()?, self.has_helm_release(stored));
        let kept_by = self.helm_releases_of(stored).filter(|live| !live.remote);
        Some(RemainingRelease {
            helm: (stored.key.namespace.clone(), stored.key.name.clone()),
            driver: stored.driver,
            words: claimant.words(),
            onboarding: self.is_onboardings(stored),
            kept_by: kept_by.map(|live| live.object.id()).collect(),
            relabel: claimant.relabel(),
        })
    }

    /// The live policies that let pods in to a database by its name.
    pub fn policies_of(&self, name: &str) -> Remains<RemainingPolicy> {
        let name = &*loose(name);
        let policies = &self.parts.policies;
        let mut remains = Remains {
            known: Vec::new(),
            not_all: policies.unread.clone(),
        };
        let all = policies.known.iter().flatten();
        for policy in all.flat_map(|policies| &policies.all) {
            let object = policy.object.to_string();
            if policy.paths.exact.iter().any(|(known, _)| known == name) {
                remains.known.push(RemainingPolicy {
                    object: policy.object.clone(),
                    made_by: policy.made_by.clone(),
                    shared: policy.paths.exact.iter().any(|(known, _)| known != name)
                        || !policy.paths.patterns.is_empty()
                        || policy.paths.unread.is_some(),
                    principals: policy.principals.clone(),
                });
            } else if let Some(pattern) = policy.paths.patterns.iter().find(|p| p.covers(name)) {
                let why = format!("its path {} covers the database", pattern.path);
                remains.lacks(Some(NotRead::new(object, why)));
            } else if let Some(why) = &policy.paths.unread {
                remains.lacks(Some(NotRead::new(object, why)));
            }
        }
        remains
    }

    /// The policies of these namespaces that let pods in to every database, or perhaps.
    pub fn policies_of_every_database(&self, namespaces: [&str; 2]) -> Vec<EveryPolicy> {
        let policies = self.parts.policies.known.iter().flatten();
        let all = policies.flat_map(|policies| &policies.all);
        let all = all.filter(|policy| {
            policy.paths.every != Every::No
                && namespaces.contains(&policy.object.namespace.as_str())
        });
        all.map(|policy| EveryPolicy {
            object: policy.object.to_string(),
            surely: policy.paths.every == Every::Yes,
            anybody: policy.paths.every >= Every::OfPods
                && !matches!(&policy.principals, Field::Set(_)),
        })
        .collect()
    }

    /// The databases of a HelmRelease that may be gone, by what is left of it: revisions of its release, and policies that Flux made for
    /// it.
    pub fn databases_of(&self, helm_release: &str) -> BTreeSet<String> {
        let storages = self.storages().into_iter();
        let storages: Vec<&Storage> = storages.filter_map(|p| p.known.as_ref()).collect();
        let mut databases: BTreeSet<String> = BTreeSet::new();
        for storage in storages {
            let own = storage.releases.iter().filter(|stored| {
                let composed = composed_release_name(None, Some(&stored.namespace), helm_release);
                let name = &stored.key.name;
                name == helm_release || *name == shortened_release_name(&composed)
            });
            databases.extend(own.flat_map(|s| storage.databases_of(s)).map(str::to_owned));
        }
        let policies = self.parts.policies.known.iter().flatten();
        for policy in policies.flat_map(|policies| &policies.all) {
            let made_by = policy.made_by.as_deref().and_then(|id| id.split_once('/'));
            if made_by.is_some_and(|(_, name)| name == helm_release) {
                databases.extend(policy.paths.exact.iter().map(|(name, _)| name.to_owned()));
            }
        }
        databases
    }

    fn storages(&self) -> [&Part<Storage>; 2] {
        [&self.parts.secrets, &self.parts.config_maps]
    }
}

impl<T> Remains<T> {
    fn lacks(&mut self, why: Option<NotRead>) {
        self.not_all = self.not_all.take().or(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ownership::tests::{
        Objects, onboarding, other, pair, policy, release, secret, unread,
    };
    use serde_json::{Value, json};

    const NAME: &str = "pds_database";

    fn own(status: &str) -> Value {
        let chart = json!({"metadata": {"name": "secure-kvs-onboarding"}});
        let more = json!({"chart": chart, "config": pair("pds", "database")});
        secret(&release("core-a", 1, status, more))
    }

    fn objects(change: impl FnOnce(&mut Objects)) -> Objects {
        let mut objects = Objects::of(&[other()]);
        change(&mut objects);
        objects
    }

    fn releases(objects: &Objects) -> Vec<String> {
        let remains = objects.ownership().releases_of(NAME);
        let known = remains
            .known
            .iter()
            .map(|r| format!("{}/{} {:?}", r.helm.0, r.helm.1, r.kept_by));
        let not_all = remains
            .not_all
            .map(|unread| format!("not all: {}", unread.what));
        known.chain(not_all).collect()
    }

    #[test]
    fn a_release_is_there_beside_its_helm_release_and_after_it() {
        assert_eq!(releases(&objects(|_| {})), [""; 0]);
        let kept = objects(|all| {
            all.secrets.push(own("deployed"));
            let spec = json!({"values": pair("pds", "database"), "releaseName": "core-a"});
            all.helm_releases.push(onboarding("a", spec));
        });
        assert_eq!(releases(&kept), [r#"flux-system/core-a ["flux-system/a"]"#]);
        let left = objects(|all| all.secrets.push(own("failed")));
        assert_eq!(releases(&left), ["flux-system/core-a []"]);
        let uninstalled = objects(|all| all.secrets.push(own("uninstalled")));
        assert_eq!(releases(&uninstalled), [""; 0]);
    }

    #[test]
    fn what_cannot_be_decoded_or_was_not_read_is_not_all() {
        let broken = objects(|all| {
            let mut secret = own("deployed");
            secret["data"]["release"] = json!("x");
            all.secrets.push(secret);
        });
        assert!(releases(&broken)[0].starts_with("not all: Secret flux-system/"));
        let mut parts = objects(|_| {}).parts();
        parts.config_maps = Part::unread(unread());
        parts.policies = Part::unread(unread());
        let ownership = Ownership::new(parts);
        assert!(ownership.releases_of(NAME).not_all.is_some());
        assert!(ownership.policies_of(NAME).not_all.is_some());
    }

    #[test]
    fn a_policy_is_there_by_name_and_perhaps_by_a_pattern() {
        let of = |paths: Value| {
            let all = objects(|all| all.policies.push(policy("p", "ALLOW", paths)));
            let remains = all.ownership().policies_of(NAME);
            (remains.known.len(), remains.not_all.is_some())
        };
        assert_eq!(of(json!(["/pds_database/*"])), (1, false));
        assert_eq!(of(json!(["/pds_*"])), (0, true));
        assert_eq!(of(json!("x")), (0, true));
        assert_eq!(of(json!(["/pds_other"])), (0, false));
    }

    #[test]
    fn a_helm_release_that_is_gone_is_known_by_what_it_left() {
        let databases = |objects: &Objects, name: &str| -> Vec<String> {
            objects.ownership().databases_of(name).into_iter().collect()
        };
        let stored = objects(|all| all.secrets.push(own("deployed")));
        for name in ["a", "core-a"] {
            assert_eq!(databases(&stored, name), [NAME], "{name}");
        }
        assert_eq!(databases(&stored, "core"), [""; 0]);
        let labelled = objects(|all| {
            let mut policy = policy("p", "ALLOW", json!(["/pds_database"]));
            let label = |key: &str| format!("helm.toolkit.fluxcd.io/{key}");
            policy["metadata"]["labels"] = json!({label("name"): "a", label("namespace"): "n"});
            all.policies.push(policy);
        });
        assert_eq!(databases(&labelled, "a"), [NAME]);
        assert_eq!(databases(&labelled, "b"), [""; 0]);
    }

    #[test]
    fn only_what_an_onboarding_has_made_is_its_own() {
        let of = |objects: &Objects| {
            let remains = objects.ownership().releases_of(NAME);
            let known = remains.known.into_iter();
            known.map(|r| r.onboarding).collect::<Vec<bool>>()
        };
        assert_eq!(
            of(&objects(|all| all.secrets.push(own("deployed")))),
            [true]
        );
        // A team's release is one by its Job; its values alone say nothing.
        let app = |more: Value| {
            objects(|all| {
                all.secrets
                    .push(secret(&release("app", 1, "deployed", more)))
            })
        };
        assert_eq!(
            of(&app(json!({"config": pair("pds", "database")}))),
            [false; 0]
        );
        let job = "kind: Job\nspec:\n  env:\n  - name: DB\n    value: pds_database\n";
        assert_eq!(of(&app(json!({ "manifest": job }))), [false]);

        let mut bare = onboarding("app", json!({"values": pair("pds", "database")}));
        bare["metadata"]["labels"] = json!({});
        bare["spec"]["chart"] = json!({"spec": {"chart": "podinfo"}});
        let both = objects(|all| {
            let spec = json!({"values": pair("pds", "database")});
            all.helm_releases.extend([bare, onboarding("a", spec)]);
        });
        let ownership = both.ownership();
        assert!(ownership.has_onboarding("flux-system/a"));
        assert!(!ownership.has_onboarding("flux-system/app"));
    }

    #[test]
    fn a_release_of_an_unknown_database_is_not_all() {
        let nameless = objects(|all| {
            let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding"}}});
            all.secrets
                .push(secret(&release("core-a", 1, "deployed", chart)));
        });
        assert_eq!(
            releases(&nameless),
            ["not all: Helm release flux-system/core-a"]
        );
    }

    #[test]
    fn a_helm_release_of_another_cluster_keeps_no_release_of_this_one() {
        let left = objects(|all| {
            all.secrets.push(own("deployed"));
            let spec = json!({"values": pair("pds", "database"), "releaseName": "core-a",
                "kubeConfig": {"secretRef": {"name": "k"}}});
            all.helm_releases.push(onboarding("a", spec));
        });
        assert_eq!(releases(&left), ["flux-system/core-a []"]);
    }

    #[test]
    fn a_word_is_no_database_of_a_helm_release_that_is_gone() {
        let all = objects(|all| {
            let chart = json!({"metadata": {"name": "secure-kvs-onboarding"}});
            let info = json!({"status": "deployed", "notes": "like pds_other"});
            let more = json!({"chart": chart, "config": pair("pds", "database"), "info": info});
            let another = json!({"chart": chart, "config": pair("pds", "orders")});
            all.secrets
                .push(secret(&release("core-a", 1, "deployed", more)));
            all.secrets
                .push(secret(&release("core-b", 1, "deployed", another)));
        });
        let databases: Vec<String> = all.ownership().databases_of("a").into_iter().collect();
        assert_eq!(databases, [NAME]);
    }
}
