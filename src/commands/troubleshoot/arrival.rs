//! An onboarding that does not exist: whether its manifest was refused on its way from the GitOps repository.

use super::folder_sources::{Fetched, fetched};
use crate::advice::Command;
use crate::cluster::Cluster;
use crate::cluster::kustomizations::GROUP;
use crate::error::Error;
use crate::model::condition::Condition;
use crate::model::kustomization::{Kustomization, State, names, remedy};
use crate::model::lookup::typed;
use crate::text::one_line;

/// Adds to the error of a name that no onboarding answers to what the Kustomizations say of it.
pub(super) async fn explained(cluster: &Cluster, name: &str, error: Error) -> Error {
    match cluster.kustomizations().await {
        Ok(all) => {
            let all: Vec<_> = all.iter().map(Kustomization::from_value).collect();
            if all.iter().any(|k| k.state() != State::Applied) {
                return judged(&all, name, error);
            }
            match fetched(cluster, &all).await {
                Fetched::All => judged(&all, name, error),
                Fetched::Not(hint) => error.hint(hint),
                Fetched::Unknown(why) => judged(&all, name, error)
                    .hint(format!("what is applied may be an old revision: {why}")),
            }
        }
        Err(why) => error.hint(format!(
            "whether its manifest was refused is unknown: the Kustomizations were not read: {why}"
        )),
    }
}

fn judged(all: &[Kustomization], name: &str, error: Error) -> Error {
    if all.is_empty() {
        return error;
    }
    let name = typed(name);
    let named = |condition: &Condition| names(&condition.message, name);
    if let Some((k, condition)) = all
        .iter()
        .find_map(|k| Some((k, said(k)?)).filter(|(_, c)| named(c)))
    {
        let id = id(k);
        let kind = format!("kustomizations.{GROUP}");
        let describe = Command::new([
            "kubectl",
            "describe",
            "-n",
            &k.meta.namespace,
            &kind,
            &k.meta.name,
        ]);
        let said = one_line(&condition.message);
        return match k.state() {
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
                    remedy(&condition.message).unwrap_or("fix what it says")
                ))),
        };
    }
    let first = |is: fn(&State<'_>) -> bool| all.iter().find(|k| is(&k.state()));
    let list = Command::new(["kubectl", "get", &format!("kustomizations.{GROUP}"), "-A"]);
    if let Some(k) = first(|state| matches!(state, State::Suspended(_))) {
        return error.hint(list.after(format!(
            "Kustomization {} is suspended, so nothing new in its folder is applied:",
            id(k)
        )));
    }
    if let Some(k) = first(|state| matches!(state, State::Failed(_))) {
        let message = said(k).map_or("", |condition| &condition.message);
        let error = error.hint(format!(
            "Kustomization {} fails and may hold its manifest back: {}",
            id(k),
            one_line(message)
        ));
        return match remedy(message) {
            Some(remedy) => error.hint(list.after(format!("{remedy}; all of them:"))),
            None => error.hint(list.after("all of them:")),
        };
    }
    match first(|state| *state != State::Applied) {
        Some(k) => error.hint(list.after(format!(
            "Kustomization {} is not Ready for its present spec, so its folder may not be applied yet{}:",
            id(k),
            said(k).map_or(String::new(), |c| format!(" ({})", one_line(&c.message)))
        ))),
        None => error.hint(list.after(
            "no Kustomization reports an error, so check that its manifest is in the GitOps repository:",
        )),
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
    use serde_json::{Value, json};

    /// The hints about an onboarding `a` that is not found, where this is the only Kustomization.
    fn hints(suspend: bool, generation: i64, conditions: &Value) -> String {
        let one = Kustomization::from_value(&json!({
            "metadata": {"namespace": "flux-system", "name": "k", "generation": generation},
            "spec": {"suspend": suspend},
            "status": {"observedGeneration": 2, "conditions": conditions},
        }));
        let error = judged(&[one], "a", Error::not_saved("no onboarding a"));
        format!("{:?}", error.hints())
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
                "fails and may hold its manifest back: no source",
            ),
            (false, 2, &path, "correct spec.path of the Kustomization"),
            (false, 2, &field, "remove the field, or update Flux's CRDs"),
            (false, 2, &own, "waits for it: HelmRelease/n/a"),
            (
                false,
                2,
                &other,
                "is not Ready for its present spec, so its folder may not be applied yet (HelmRelease/n/b: InProgress)",
            ),
            (false, 2, &applied, "no Kustomization reports an error"),
            (true, 2, &applied, "is suspended, so nothing new"),
            (false, 2, &json!([]), "is not Ready for its present spec"),
            (false, 3, &refused, "is not Ready for its present spec"),
        ] {
            let hints = hints(suspend, generation, conditions);
            assert!(hints.contains(part), "{part}: {hints}");
        }
        let old = hints(false, 3, &refused);
        assert!(!old.contains("could not apply"), "{old}");
        let none = judged(&[], "a", Error::not_saved("no onboarding a"));
        assert!(none.hints().is_empty());
    }
}
