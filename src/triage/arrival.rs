//! An onboarding that does not exist: whether its manifest was refused on its way from the GitOps repository.

use super::folder_controllers::Controllers;
use super::folder_sources::{Fetched, fetched};
use super::{folder_controllers, impersonated};
use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::cluster::kustomizations::GROUP;
use crate::error::Error;
use crate::model::condition::Condition;
use crate::model::kustomization::{Kustomization, State, is_cut_off, is_of_download, names};
use crate::model::lookup::typed;
use crate::text::{few, one_line};
use k8s_openapi::jiff::Timestamp;

/// The most Kustomizations that are named.
const SHOWN: usize = 3;

/// Adds the Kustomizations' messages about an onboarding that does not exist to its error.
pub(super) async fn explained(
    cluster: &Cluster,
    name: &str,
    now: Timestamp,
    error: Error,
) -> Error {
    match cluster.kustomizations().await {
        Ok(all) => {
            let all: Vec<_> = all.iter().map(Kustomization::from_value).collect();
            let sources = fetched(cluster, &all).await;
            // The accounts of another cluster are not in this one.
            let mut own = all.iter().filter(|k| k.is_of_own_cluster());
            let refused = own.find_map(|k| match k.state() {
                State::Failed(failure) => Some(failure.message.as_str()),
                _ => None,
            });
            let is_idle =
                sources.unknown.is_some() || !sources.behind.is_empty() || all.iter().any(is_idle);
            let (account, controllers) = futures::join!(
                async {
                    match refused {
                        Some(message) => impersonated::account(cluster, message).await,
                        None => None,
                    }
                },
                async {
                    match is_idle {
                        true => folder_controllers::down(cluster, now).await,
                        false => Controllers::default(),
                    }
                }
            );
            let error = judged(&all, name, sources, controllers.restart, error);
            account
                .into_iter()
                .chain(controllers.hints)
                .fold(error, Error::hint)
        }
        Err(why) => error.hint(format!(
            "whether its manifest was refused is unknown: the Kustomizations were not read: {why}"
        )),
    }
}

/// Its controller may be down: it has no result for the present spec, or did not reach source-controller.
fn is_idle(kustomization: &Kustomization) -> bool {
    match kustomization.state() {
        State::Pending(_) | State::Unknown(_) => true,
        State::Failed(failure) => is_of_download(&failure.message),
        State::Applied | State::Waits(_) | State::Suspended(_) => false,
    }
}

/// `restart`: what to do if the controllers run, and one does not reach the other.
fn judged(
    all: &[Kustomization],
    name: &str,
    sources: Fetched,
    restart: Option<Hint>,
    error: Error,
) -> Error {
    if all.is_empty() {
        return error;
    }
    let name = typed(name);
    let mut all_said = all.iter().filter_map(|k| Some((k, said(k)?)));
    let Fetched {
        not,
        behind,
        unknown,
    } = sources;
    let (error, unknown) = match all_said.find(|(_, c)| names(&c.message, name)) {
        // That it says so is the answer, whatever its source is.
        Some((k, condition)) => (of_its_manifest(k, condition, error), None),
        None => {
            let is_old = !not.is_empty() || !behind.is_empty();
            let error = of_others(all, is_old, restart, error);
            (behind.into_iter().fold(error, Error::hint), unknown)
        }
    };
    let error = not.into_iter().fold(error, Error::hint);
    match unknown {
        Some(why) => error.hint(format!("what is applied may be an old revision: {why}")),
        None => error,
    }
}

/// Adds what a Kustomization says of the onboarding's manifest.
fn of_its_manifest(k: &Kustomization, condition: &Condition, error: Error) -> Error {
    let id = id(k);
    let kind = format!("kustomizations.{GROUP}");
    let (namespace, name) = (&k.meta.namespace, &k.meta.name);
    let describe = Command::new(["kubectl", "describe", "-n", namespace, &kind, name]);
    let said = one_line(&condition.message);
    match k.state() {
        // It was applied, and is gone or not ready.
        State::Waits(_) => error
            .hint(format!("Kustomization {id} waits for it: {said}"))
            .hint(describe.after("the whole message:")),
        State::Suspended(_) => error
            .hint(format!(
                "Kustomization {id} could not apply its manifest and is now suspended: {said}"
            ))
            .hint(describe.after("fix what it says, and resume it; the whole message:")),
        _ => error
            .hint(format!(
                "Kustomization {id} could not apply its manifest: {said}"
            ))
            .hint(describe.after(format!(
                    "{}; the whole message:",
                    k.remedy(&condition.message)
                        .map_or("fix what it says".to_owned(), |r| r.to_string())
                ))),
    }
}

/// Adds which Kustomizations may not have applied their folders; where what is applied is old, "no error" is not said.
fn of_others(
    all: &[Kustomization],
    is_old: bool,
    restart: Option<Hint>,
    mut error: Error,
) -> Error {
    let list = Command::new(["kubectl", "get", &format!("kustomizations.{GROUP}"), "-A"]);
    let rank = |k: &&Kustomization| match k.state() {
        State::Failed(_) => Some(0),
        State::Suspended(_) => Some(1),
        State::Pending(_) | State::Unknown(_) => Some(2),
        State::Applied | State::Waits(_) => None,
    };
    let mut held: Vec<&Kustomization> = all.iter().filter(|k| rank(k).is_some()).collect();
    held.sort_by_key(rank);
    if held.is_empty() {
        let waits = all.iter().any(|k| k.state() != State::Applied);
        let lead = match waits {
            true => "each Kustomization has applied its folder",
            false => "no Kustomization reports an error",
        };
        return match is_old {
            true => error,
            false => error.hint(list.after(format!(
                "{lead}, so check that its manifest is in the GitOps repository:"
            ))),
        };
    }
    // Several may wait for one.
    let mut explained: Vec<&Kustomization> = Vec::new();
    for k in held.iter().take(SHOWN) {
        let (id, said) = (id(k), said(k));
        let message = said.map(|condition| one_line(&condition.message));
        error = match k.state() {
            State::Failed(failure) => {
                let error = error.hint(format!(
                    "Kustomization {id} fails, so the manifest may not have been applied: {}",
                    one_line(&failure.message)
                ));
                match (&restart, k.remedy(&failure.message)) {
                    (Some(restart), _) if is_cut_off(&failure.message) => {
                        error.hint(restart.clone())
                    }
                    (_, Some(remedy)) => error.hint(remedy.to_string()),
                    (_, None) => error,
                }
            }
            State::Suspended(_) => error.hint(format!(
                "Kustomization {id} is suspended, so nothing new in its folder is applied"
            )),
            _ => {
                let error = error.hint(format!(
                    "Kustomization {id} is not Ready for its current spec, so its folder may not have been applied yet{}",
                    message.map_or(String::new(), |message| format!(" ({message})"))
                ));
                match (awaited(all, k), said) {
                    (Some(awaited), _) => {
                        let ends = match &awaited {
                            Awaited::Last(last, _) => vec![*last],
                            Awaited::Circle(all) => all.clone(),
                        };
                        let is_new = !explained.contains(&ends[0]);
                        explained.extend(ends);
                        match is_new {
                            true => of_awaited(&awaited, error),
                            false => error,
                        }
                    }
                    (None, Some(condition)) => match k.remedy(&condition.message) {
                        Some(remedy) => error.hint(remedy.to_string()),
                        None => error,
                    },
                    (None, None) => error,
                }
            }
        };
    }
    match held.len().saturating_sub(SHOWN) {
        0 => error.hint(list.after("all of them:")),
        more => error.hint(list.after(format!("{more} more may not be applied; all of them:"))),
    }
}

/// What a Kustomization waits for in the end.
enum Awaited<'k> {
    /// Another one, with those between the two.
    Last(&'k Kustomization, Vec<&'k Kustomization>),
    /// They wait for each other.
    Circle(Vec<&'k Kustomization>),
}

/// What `k` waits for, by the messages of those that wait too; `None` where it names none that was read.
fn awaited<'k>(all: &'k [Kustomization], k: &'k Kustomization) -> Option<Awaited<'k>> {
    let next = |k: &Kustomization| {
        let id = Kustomization::waited_for(&said(k)?.message)?;
        all.iter().find(|other| other.meta.id() == id)
    };
    let mut chain = vec![next(k)?];
    while let Some(next) = next(chain[chain.len() - 1]) {
        if next == k {
            chain.insert(0, next);
            return Some(Awaited::Circle(chain));
        }
        if let Some(at) = chain.iter().position(|own| *own == next) {
            return Some(Awaited::Circle(chain.split_off(at)));
        }
        chain.push(next);
    }
    let last = chain.pop()?;
    Some(Awaited::Last(last, chain))
}

/// Adds why what a Kustomization waits for is not ready.
fn of_awaited(awaited: &Awaited<'_>, error: Error) -> Error {
    let ids = |all: &[&Kustomization]| {
        let ids: Vec<String> = all.iter().map(|k| id(k)).collect();
        few(&ids, " and ", SHOWN)
    };
    match awaited {
        Awaited::Circle(all) if all.len() == 1 => error.hint(format!(
            "Kustomization {} waits for itself: correct its spec.dependsOn",
            ids(all)
        )),
        Awaited::Circle(all) => error.hint(format!(
            "Kustomizations {} wait for each other: remove one entry of spec.dependsOn",
            ids(all)
        )),
        Awaited::Last(k, between) => {
            let between = match between.as_slice() {
                [] => String::new(),
                all => format!(", by way of {},", ids(all)),
            };
            of_dependency(k, &between, error)
        }
    }
}

/// Adds why the Kustomization that another one waits for is not ready.
fn of_dependency(k: &Kustomization, between: &str, error: Error) -> Error {
    let waits = format!("it waits{between} for Kustomization {}", id(k));
    let Some(condition) = said(k) else {
        return match k.state() {
            State::Applied => error.hint(format!("{waits}, which is Ready now")),
            State::Suspended(_) => error.hint(format!("{waits}, which is suspended")),
            _ => error.hint(format!(
                "{waits}, and it is not known why that is not Ready"
            )),
        };
    };
    let error = error.hint(format!(
        "{waits}, which is not Ready: {}",
        one_line(&condition.message)
    ));
    match k.remedy(&condition.message) {
        Some(remedy) => error.hint(remedy.to_string()),
        None => error,
    }
}

/// What a Kustomization says of what it cannot do now.
fn said(kustomization: &Kustomization) -> Option<&Condition> {
    match kustomization.state() {
        State::Failed(said) | State::Waits(said) | State::Pending(said) => Some(said),
        State::Suspended(said) => said,
        State::Applied | State::Unknown(_) => None,
    }
}

/// `namespace/name`.
fn id(kustomization: &Kustomization) -> String {
    one_line(&kustomization.meta.id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use serde_json::{Value, json};

    /// The hints about an onboarding `a` that is not found, where this is the only Kustomization.
    fn hints(suspend: bool, generation: i64, conditions: &Value) -> String {
        let one = Kustomization::from_value(&json!({
            "metadata": {"namespace": "flux-system", "name": "k", "generation": generation},
            "spec": {"suspend": suspend},
            "status": {"observedGeneration": 2, "conditions": conditions},
        }));
        let error = judged(
            &[one],
            "a",
            Fetched::default(),
            None,
            Error::not_saved("no onboarding a"),
        );
        format!("{:?}", error.hints())
    }

    #[tokio::test]
    async fn an_account_of_another_cluster_is_not_looked_for_in_this_one() {
        let hints = async |kube_config: Value| {
            let message = "HelmRelease/n/a dry-run failed: helmreleases.helm.toolkit.fluxcd.io \"a\" is forbidden: User \"system:serviceaccount:n:onboarder\" cannot patch resource \"helmreleases\" in API group \"helm.toolkit.fluxcd.io\" in the namespace \"n\"";
            let ready = json!({"type": "Ready", "status": "False", "reason": "ReconciliationFailed", "message": message, "observedGeneration": 1});
            let one = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "metadata": {"namespace": "n", "name": "k", "generation": 1}, "spec": {"kubeConfig": kube_config},
                "status": {"observedGeneration": 1, "conditions": [ready]}});
            let cluster = Cluster::saved(Scene::new(&[&one], "").plain(), 0);
            let now = "2026-11-24T00:00:00Z".parse().unwrap();
            let error = explained(&cluster, "a", now, Error::not_saved("no onboarding a")).await;
            format!("{:?}", error.hints())
        };
        let account = "ServiceAccount n/onboarder";
        let own = hints(json!(null)).await;
        assert!(own.contains(account), "{own}");
        for other in [json!({"secretRef": {"name": "other"}}), json!(7)] {
            let said = hints(other.clone()).await;
            assert!(said.contains("is forbidden"), "{said}");
            assert!(!said.contains(account), "{other}: {said}");
        }
    }

    #[test]
    fn a_hint_follows_from_the_present_state() {
        let of = |kind: &str, status: &str, reason: &str, message: &str| json!([{"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 2}]);
        let failed = |message: &str| of("Ready", "False", "ReconciliationFailed", message);
        let waits = |message: &str| of("Ready", "False", "HealthCheckFailed", message);
        let refused = failed("HelmRelease/n/a: no");
        let stalled = of("Stalled", "True", "InvalidSource", "no source");
        let path = failed("kustomization path not found: stat /tmp/a: no such file or directory");
        let field = failed("HelmRelease/n/a dry-run failed: .spec.x: field not declared in schema");
        let applied = of("Ready", "True", "ReconciliationSucceeded", "a");
        let (own, other) = (
            waits("HelmRelease/n/a: InProgress"),
            waits("HelmRelease/n/b: InProgress"),
        );
        for (suspend, generation, conditions, part) in [
            (
                false,
                2,
                &refused,
                "could not apply its manifest: HelmRelease/n/a: no",
            ),
            (
                true,
                2,
                &refused,
                "could not apply its manifest and is now suspended",
            ),
            (
                false,
                2,
                &stalled,
                "fails, so the manifest may not have been applied: no source",
            ),
            (false, 2, &path, "correct spec.path of the Kustomization"),
            (false, 2, &field, "remove the field, or update Flux's CRDs"),
            (false, 2, &own, "waits for it: HelmRelease/n/a"),
            (
                false,
                2,
                &other,
                "each Kustomization has applied its folder, so check",
            ),
            (false, 2, &applied, "no Kustomization reports an error"),
            (true, 2, &applied, "is suspended, so nothing new"),
            (false, 2, &json!([]), "is not Ready for its current spec"),
            (false, 3, &refused, "is not Ready for its current spec"),
        ] {
            let hints = hints(suspend, generation, conditions);
            assert!(hints.contains(part), "{part}: {hints}");
        }
        let old = hints(false, 3, &refused);
        assert!(!old.contains("could not apply"), "{old}");
        let none = judged(
            &[],
            "a",
            Fetched::default(),
            None,
            Error::not_saved("no onboarding a"),
        );
        assert!(none.hints().is_empty());
    }

    #[test]
    fn none_that_is_not_at_fault_hides_another() {
        let one = |name: &str, suspend: bool, reason: &str| {
            let status = if reason == "ReconciliationSucceeded" {
                "True"
            } else {
                "False"
            };
            let ready = json!({"type": "Ready", "status": status, "reason": reason, "message": reason, "observedGeneration": 2});
            Kustomization::from_value(&json!({
                "metadata": {"namespace": "n", "name": name, "generation": 2},
                "spec": {"suspend": suspend},
                "status": {"observedGeneration": 2, "conditions": [ready]},
            }))
        };
        let hints = |all: &[Kustomization], sources: Fetched| {
            let error = judged(all, "a", sources, None, Error::not_saved("no onboarding a"));
            let hints = error.hints().iter().map(Hint::plain);
            hints.collect::<Vec<_>>().join("\n")
        };
        let not = |names: &[&str]| Fetched {
            not: names
                .iter()
                .map(|name| Hint::from((*name).to_owned()))
                .collect(),
            ..Fetched::default()
        };
        let unknown = || Fetched {
            unknown: Some("s was not read".to_owned()),
            ..Fetched::default()
        };
        let waits = one("waits", false, "HealthCheckFailed");
        let applied = one("applied", false, "ReconciliationSucceeded");
        let suspended = one("monitoring", true, "ReconciliationSucceeded");
        let failed = one("onboardings", false, "BuildFailed");
        let pending = one("pending", false, "DependencyNotReady");
        let all = [
            hints(
                &[waits.clone(), applied.clone()],
                not(&["s1 fails", "s2 fails"]),
            ),
            hints(&[waits.clone(), applied.clone()], Fetched::default()),
            hints(std::slice::from_ref(&applied), unknown()),
            hints(&[suspended.clone(), failed.clone()], not(&["s1 fails"])),
            hints(
                &[pending.clone(), pending, suspended, failed.clone()],
                unknown(),
            ),
        ];
        insta::assert_snapshot!(all.join("\n\n"), @"
        s1 fails
        s2 fails

        each Kustomization has applied its folder, so check that its manifest is in the GitOps repository: kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A

        no Kustomization reports an error, so check that its manifest is in the GitOps repository: kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A
        what is applied may be an old revision: s was not read

        Kustomization n/onboardings fails, so the manifest may not have been applied: BuildFailed
        Kustomization n/monitoring is suspended, so nothing new in its folder is applied
        all of them: kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A
        s1 fails

        Kustomization n/onboardings fails, so the manifest may not have been applied: BuildFailed
        Kustomization n/monitoring is suspended, so nothing new in its folder is applied
        Kustomization n/pending is not Ready for its current spec, so its folder may not have been applied yet (DependencyNotReady)
        1 more may not be applied; all of them: kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A
        what is applied may be an old revision: s was not read
        ");
        let mut own = failed;
        own.conditions.edit()[0].message = "HelmRelease/n/a: no".to_owned();
        let named = hints(&[own], unknown());
        assert!(!named.contains("s was not read"), "{named}");
    }

    #[test]
    fn what_a_kustomization_waits_for_says_why() {
        let one = |name: &str, suspend: bool, reason: &str, message: &str| {
            let status = ["False", "True"][usize::from(reason == "ReconciliationSucceeded")];
            let ready = json!({"type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": 2});
            Kustomization::from_value(&json!({
                "metadata": {"namespace": "n", "name": name, "generation": 2},
                "spec": {"suspend": suspend},
                "status": {"observedGeneration": 2, "conditions": [ready]},
            }))
        };
        let waits = |name: &str, on: &str| {
            let message = format!("dependency 'n/{on}' is not ready");
            one(name, false, "DependencyNotReady", &message)
        };
        let hints = |last: &[Kustomization]| {
            let mut all = vec![waits("onboardings", "b"), waits("b", "c")];
            all.extend_from_slice(last);
            let error = judged(
                &all,
                "a",
                Fetched::default(),
                None,
                Error::not_saved("no onboarding a"),
            );
            let hints = error.hints().iter().map(Hint::plain);
            hints.take(4).collect::<Vec<_>>().join("\n")
        };
        let ready = one("c", false, "ReconciliationSucceeded", "m");
        let objects = "health check failed after 5m0s: timeout waiting for: [ImagePolicy/n/i status: 'Terminating']";
        let all = [
            hints(&[one("c", false, "HealthCheckFailed", objects)]),
            hints(&[ready]),
            hints(&[one("c", true, "ReconciliationSucceeded", "m")]),
            hints(&[waits("c", "b")]),
            hints(&[]),
        ];
        insta::assert_snapshot!(all.join("\n\n"), @"
        Kustomization n/onboardings is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)
        it waits, by way of n/b, for Kustomization n/c, which is not Ready: health check failed after 5m0s: timeout waiting for: [ImagePolicy/n/i status: 'Terminating']
        ImagePolicy n/i: being deleted, and usually held by a finalizer (metadata.finalizers); check that image-reflector-controller runs, which removes its own. If that controller was removed on purpose, remove finalizers.fluxcd.io by hand
        Kustomization n/b is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/c' is not ready)

        Kustomization n/onboardings is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)
        it waits, by way of n/b, for Kustomization n/c, which is Ready now
        Kustomization n/b is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/c' is not ready)
        all of them: kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A

        Kustomization n/c is suspended, so nothing new in its folder is applied
        Kustomization n/onboardings is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)
        it waits, by way of n/b, for Kustomization n/c, which is suspended
        Kustomization n/b is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/c' is not ready)

        Kustomization n/onboardings is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)
        Kustomizations n/b and n/c wait for each other: remove one entry of spec.dependsOn
        Kustomization n/b is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/c' is not ready)
        Kustomization n/c is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)

        Kustomization n/onboardings is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/b' is not ready)
        it waits for Kustomization n/b, which is not Ready: dependency 'n/c' is not ready
        first fix the Kustomization that the message names, or correct spec.dependsOn
        Kustomization n/b is not Ready for its current spec, so its folder may not have been applied yet (dependency 'n/c' is not ready)
        ");
    }

    #[test]
    fn an_old_revision_is_not_a_missing_manifest() {
        let well = json!([{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "a", "observedGeneration": 1}]);
        let one = Kustomization::from_value(
            &json!({"metadata": {"namespace": "n", "name": "k", "generation": 1},
            "status": {"observedGeneration": 1, "conditions": well}}),
        );
        let sources = Fetched {
            behind: vec![Hint::from("k is behind".to_owned())],
            ..Fetched::default()
        };
        let error = judged(
            &[one],
            "a",
            sources,
            None,
            Error::not_saved("no onboarding a"),
        );
        let hints: Vec<_> = error.hints().iter().map(Hint::plain).collect();
        assert_eq!(hints, ["k is behind"]);
    }

    #[test]
    fn a_controller_that_is_cut_off_is_restarted() {
        let hints = |message: &str| {
            let failed = json!([{"type": "Ready", "status": "False", "reason": "ArtifactFailed", "message": message, "observedGeneration": 1}]);
            let one = Kustomization::from_value(
                &json!({"metadata": {"namespace": "n", "name": "k", "generation": 1},
                "status": {"observedGeneration": 1, "conditions": failed}}),
            );
            let restart = Some(Hint::from("restart it".to_owned()));
            let error = judged(
                &[one],
                "a",
                Fetched::default(),
                restart,
                Error::not_saved("no onboarding a"),
            );
            format!("{:?}", error.hints())
        };
        let cut = hints(
            "failed to download archive: GET http://x giving up after 10 attempt(s): dial tcp 10.0.0.1:80: i/o timeout",
        );
        assert!(
            cut.contains("restart it") && !cut.contains("check that source-controller runs"),
            "{cut}"
        );
        let other = hints("failed to download archive: GET http://x: status code 404");
        assert!(!other.contains("restart it"), "{other}");
    }
}
