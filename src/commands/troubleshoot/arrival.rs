//! An onboarding that does not exist: whether its manifest was refused on its way from the GitOps repository.

use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::cluster::kustomizations::GROUP;
use crate::error::Error;
use crate::model::condition::Condition;
use crate::model::kustomization::{FolderSource, Kustomization, State, names, remedy};
use crate::model::lookup::typed;
use crate::model::source::resource;
use crate::snapshot::Read;
use crate::text::one_line;

/// Adds to the error of a name that no onboarding answers to what the Kustomizations say of it.
pub(super) async fn explained(cluster: &Cluster, name: &str, error: Error) -> Error {
    match cluster.kustomizations().await {
        Ok(all) => {
            let all: Vec<_> = all.iter().map(Kustomization::from_value).collect();
            let applied = all.iter().all(|k| k.state() == State::Applied);
            match applied.then_some(fetched(cluster, &all)) {
                Some(asked) => match asked.await {
                    Some(hint) => error.hint(hint),
                    None => judged(&all, name, error),
                },
                None => judged(&all, name, error),
            }
        }
        Err(why) => error.hint(format!(
            "whether its manifest was refused is unknown: the Kustomizations were not read: {why}"
        )),
    }
}

/// The first source of their folders that cannot be fetched now, or of which that is not known: what is applied may be an old revision.
async fn fetched(cluster: &Cluster, all: &[Kustomization]) -> Option<Hint> {
    let mut sources: Vec<(String, &FolderSource)> = Vec::new();
    for kustomization in all {
        if let Some(source) = kustomization.source_ref.set() {
            let namespace = source.namespace.as_ref();
            let place = namespace.unwrap_or(&kustomization.meta.namespace).clone();
            let source = (place, source);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    for (namespace, source) in sources.iter().take(SOURCES) {
        let (kind, name) = (&source.object.kind, &source.object.name);
        let Read::Seen(read) = cluster.source(kind, namespace, name).await else {
            continue;
        };
        let (true, Some(complaint)) = (read.ready_now().is_none(), read.complaint()) else {
            continue;
        };
        let describe = Command::new([
            "kubectl",
            "describe",
            "-n",
            namespace,
            &resource(kind),
            name,
        ]);
        return Some(describe.after(format!(
            "{} {} cannot be fetched, so what Flux applies may be an old revision: {}; see:",
            one_line(kind),
            one_line(&read.meta.id()),
            one_line(&complaint.message)
        )));
    }
    None
}

/// As many sources are asked for.
const SOURCES: usize = 5;

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
        let contains = |hints: &str, part: &str| assert!(hints.contains(part), "{part}: {hints}");
        let refused = of(
            "Ready",
            "False",
            "ReconciliationFailed",
            "HelmRelease/n/a: no",
        );
        contains(
            &hints(false, 2, &refused),
            "could not apply its manifest: HelmRelease/n/a: no",
        );
        contains(
            &hints(true, 2, &refused),
            "could not apply its manifest and is now suspended",
        );
        let old = hints(false, 3, &refused);
        contains(&old, "is not Ready for its present spec");
        assert!(!old.contains("could not apply"), "{old}");
        let stalled = of("Stalled", "True", "InvalidSource", "no source");
        contains(
            &hints(false, 2, &stalled),
            "fails and may hold its manifest back: no source",
        );
        let own = of(
            "Ready",
            "False",
            "HealthCheckFailed",
            "HelmRelease/n/a: InProgress",
        );
        contains(&hints(false, 2, &own), "waits for it: HelmRelease/n/a");
        let other = of(
            "Ready",
            "False",
            "HealthCheckFailed",
            "HelmRelease/n/b: InProgress",
        );
        contains(
            &hints(false, 2, &other),
            "is not Ready for its present spec, so its folder may not be applied yet (HelmRelease/n/b: InProgress)",
        );
        let path = of(
            "Ready",
            "False",
            "ArtifactFailed",
            "kustomization path not found: stat /tmp/a: no such file or directory",
        );
        contains(
            &hints(false, 2, &path),
            "correct spec.path of the Kustomization",
        );
        let field = of(
            "Ready",
            "False",
            "ReconciliationFailed",
            "HelmRelease/n/a dry-run failed: .spec.x: field not declared in schema",
        );
        contains(
            &hints(false, 2, &field),
            "remove the field, or update Flux's CRDs",
        );
        let applied = of("Ready", "True", "ReconciliationSucceeded", "a");
        contains(
            &hints(false, 2, &applied),
            "no Kustomization reports an error",
        );
        contains(&hints(true, 2, &applied), "is suspended, so nothing new");
        contains(
            &hints(false, 2, &json!([])),
            "is not Ready for its present spec",
        );
        let none = judged(&[], "a", Error::not_saved("no onboarding a"));
        assert!(none.hints().is_empty());
    }
}
