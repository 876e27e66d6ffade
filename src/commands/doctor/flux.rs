//! Flux: the kinds that are read, in which versions, its controllers, and the sources of the onboardings' charts.

use crate::advice::{Command, current_context};
use crate::cluster::helm_releases::{self, is_not_installed};
use crate::cluster::onboardings::{Listed, Unreadable};
use crate::cluster::{Cluster, ClusterError, Served, kustomizations, sources};
use crate::lookup::sources as of_onboardings;
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::model::helm_release;
use crate::snapshot::{Controllers, Read};
use crate::text::{count, one_line};
use crate::view::doctor::{Area, Check, State};
use crate::view::status::{Source, SourceState};
use k8s_openapi::jiff::Timestamp;

/// A kind of Flux's that is read.
struct Kind {
    name: &'static str,
    group: &'static str,
    plural: &'static str,
    /// Versions that can be read, the one that is tried first before the others; empty for any.
    versions: &'static [&'static str],
    /// What a cluster without it lacks: only some installations use it.
    optional: bool,
}

const fn kind(name: &'static str, plural: &'static str, optional: bool) -> Kind {
    Kind {
        name,
        group: sources::GROUP,
        plural,
        versions: &sources::VERSIONS,
        optional,
    }
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "HelmRelease",
        group: helm_release::GROUP,
        plural: helm_release::PLURAL,
        versions: &helm_releases::VERSIONS,
        optional: false,
    },
    kind("HelmChart", "helmcharts", false),
    kind("HelmRepository", "helmrepositories", false),
    kind("OCIRepository", "ocirepositories", true),
    Kind {
        name: "Kustomization",
        group: kustomizations::GROUP,
        plural: "kustomizations",
        versions: &[],
        optional: true,
    },
];

/// Its controllers that onboardings need.
const CONTROLLERS: [&str; 3] = [
    "helm-controller",
    "source-controller",
    "kustomize-controller",
];

/// What discovery says of a group.
type Group = Result<Option<Vec<Served>>, ClusterError>;

/// The checks of kinds and controllers.
pub(super) async fn checks(cluster: &Cluster) -> Vec<Check> {
    let (helm, source, kustomize, controllers) = futures::join!(
        cluster.served(helm_release::GROUP),
        cluster.served(sources::GROUP),
        cluster.served(kustomizations::GROUP),
        cluster.controllers(&CONTROLLERS)
    );
    let kinds = KINDS.iter().map(|kind| {
        let group = match kind.group {
            helm_release::GROUP => &helm,
            kustomizations::GROUP => &kustomize,
            _ => &source,
        };
        let check = of_kind(kind, group);
        match check.state {
            State::Failed => check.next(
                current_context().after("is it the right cluster?"),
                cluster.origin(),
            ),
            _ => check,
        }
    });
    let controllers = CONTROLLERS.iter().map(|name| {
        let (check, see) = of_controller(name, &controllers);
        match see {
            Some(command) => check.next(command.after("see:"), cluster.origin()),
            None => check,
        }
    });
    kinds.chain(controllers).collect()
}

fn of_kind(kind: &Kind, group: &Group) -> Check {
    let check = |state, message: String| Check::new(Area::Flux, kind.name, state, message);
    let absent = match kind.optional {
        true => State::Warning,
        false => State::Failed,
    };
    let served = match group {
        Ok(Some(served)) => served,
        Ok(None) => {
            let why = format!(
                "{} is not served: this part of Flux is not installed",
                kind.group
            );
            return check(absent, why);
        }
        Err(error) => return check(State::NotKnown, error.clause()),
    };
    let mut unknown = None;
    let mut versions = Vec::new();
    for version in served {
        match version.has(kind.plural) {
            Ok(true) => versions.push(version.version.as_str()),
            Ok(false) => {}
            Err(error) => {
                unknown.get_or_insert_with(|| format!("{}: {}", version.version, error.clause()));
            }
        }
    }
    let first = kind.versions.first();
    let is_read = |v: &&str| kind.versions.is_empty() || kind.versions.contains(v);
    let is_first = |v: &&str| first.is_none_or(|first| first == v);
    let readable = versions.iter().copied().filter(is_read);
    let used = readable.clone().find(is_first).or(readable.clone().next());
    match (used, unknown) {
        // What is not known could only be tried later.
        (Some(used), None) => check(State::Ok, of_version(kind, used, &versions)),
        (Some(used), Some(_)) if first == Some(&used) => {
            check(State::Ok, of_version(kind, used, &versions))
        }
        (_, Some(why)) => check(State::NotKnown, why),
        (None, None) if versions.is_empty() => {
            let why = format!("{} is served without it", kind.group);
            check(absent, why)
        }
        (None, None) => {
            let why = format!(
                "served in {}, and of it only {} can be read",
                versions.join(", "),
                kind.versions.join(", ")
            );
            check(absent, why)
        }
    }
}

/// `helm.toolkit.fluxcd.io/v2 (also served: v2beta2)`.
fn of_version(kind: &Kind, used: &str, served: &[&str]) -> String {
    let others = served.iter().filter(|version| **version != used);
    let others: Vec<&str> = others.copied().collect();
    match others.as_slice() {
        [] => format!("{}/{used}", kind.group),
        others => format!("{}/{used} (also served: {})", kind.group, others.join(", ")),
    }
}

/// The check of a controller, and how to look at it.
fn of_controller(name: &str, read: &Read<Controllers>) -> (Check, Option<Command>) {
    let check = |state, message: &str| Check::new(Area::Flux, name, state, message);
    let controllers = match read {
        Read::Seen(controllers) => controllers,
        Read::Absent => return (check(State::NotKnown, "its Deployment was not read"), None),
        Read::Unknown(why) => return (check(State::NotKnown, &why.clause()), None),
    };
    let namespace = &controllers.namespace;
    let all: Vec<&Deployment> = controllers.of(name).collect();
    if all.is_empty() {
        let why = format!("no Deployment of it in {namespace}; Flux may run elsewhere");
        let look = ["kubectl", "get", "deployments", "-A"];
        return (check(State::NotKnown, &why), Some(Command::new(look)));
    }
    let states: Vec<State> = all.iter().map(|d| state(d)).collect();
    let has = |state| states.contains(&state);
    let worst = [State::Failed, State::NotKnown, State::Ok]
        .into_iter()
        .find(|state| has(*state));
    let worst = worst.unwrap_or(State::NotKnown);
    let texts: Vec<String> = all.iter().map(|d| words(d, all.len() > 1)).collect();
    let at = states.iter().position(|state| *state == worst);
    let see = at.filter(|_| worst != State::Ok).map(|at| {
        let name = &all[at].meta.name;
        Command::new(["kubectl", "describe", "deployment", "-n", namespace, name])
    });
    (check(worst, &texts.join("; ")), see)
}

/// Only one whose available pods are known is up or down.
fn state(deployment: &Deployment) -> State {
    match deployment.available {
        Field::Malformed => State::NotKnown,
        _ if deployment.is_available() => State::Ok,
        _ => State::Failed,
    }
}

/// `v1.3.0, 1 of 1 available`.
fn words(deployment: &Deployment, is_named: bool) -> String {
    let number = |field: &Field<i64>, absent: i64| match field {
        Field::Set(number) => number.to_string(),
        Field::Absent => absent.to_string(),
        Field::Malformed => "?".to_owned(),
    };
    let available = number(&deployment.available, 0);
    // Kubernetes' own default.
    let wanted = number(&deployment.replicas, 1);
    let version = deployment.tag().unwrap_or("version not known");
    let text = format!("{version}, {available} of {wanted} available");
    match is_named {
        true => format!("{}: {text}", deployment.meta.name),
        false => text,
    }
}

/// The checks of the onboardings and of what they take their chart from.
pub(super) async fn sources(
    cluster: &Cluster,
    namespace: &str,
    listed: &Result<Listed, ClusterError>,
) -> Vec<Check> {
    let onboardings = of_list(namespace, listed);
    let Ok(listed) = listed else {
        let why = "the onboardings, which name them, were not read";
        let sources = Check::new(Area::Flux, "chart sources", State::NotKnown, why);
        return vec![onboardings, sources];
    };
    let (sources, left_out) = of_onboardings::load(cluster, &listed.typed).await;
    let now = Timestamp::now();
    let sources = sources.iter().map(|source| {
        let check = of_source(source, now);
        match check.state {
            State::Ok => check,
            _ => check.next(
                Command::skvs(["troubleshoot"]).after("evidence and what to do:"),
                cluster.origin(),
            ),
        }
    });
    let left_out = left_out.map(|part| {
        let why = format!("{}: {}", part.what, part.why);
        Check::new(Area::Flux, "chart sources", State::NotKnown, why)
    });
    std::iter::once(onboardings)
        .chain(sources)
        .chain(left_out)
        .collect()
}

fn of_list(namespace: &str, listed: &Result<Listed, ClusterError>) -> Check {
    let check = |state, message: String| Check::new(Area::Flux, "onboardings", state, message);
    match listed {
        Ok(listed) => match Unreadable::all(&listed.unreadable) {
            Some(why) => check(State::NotKnown, why),
            None => {
                let number = count(listed.typed.len() as u64, "HelmRelease");
                check(State::Ok, format!("{number} in {namespace}"))
            }
        },
        Err(error) if is_not_installed(error) => {
            check(State::NotKnown, "HelmReleases are not served".to_owned())
        }
        Err(error) => check(State::NotKnown, error.clause()),
    }
}

fn of_source(source: &Source, now: Timestamp) -> Check {
    let state = match source.state {
        SourceState::Ready | SourceState::Static => State::Ok,
        SourceState::Suspended => State::Warning,
        SourceState::Failing | SourceState::Absent => State::Failed,
        SourceState::Unanswered | SourceState::Unknown => State::NotKnown,
    };
    let words = one_line(&source.words(now));
    Check::new(Area::Flux, "chart source", state, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ApiResource;
    use crate::snapshot::Why;
    use serde_json::{Value, json};

    fn served(version: &str, plurals: &[&str]) -> Served {
        let resource = |name: &&str| ApiResource {
            name: (*name).to_owned(),
            kind: String::new(),
        };
        Served {
            version: version.to_owned(),
            resources: Ok(plurals.iter().map(resource).collect()),
        }
    }

    fn unread(version: &str) -> Served {
        Served {
            version: version.to_owned(),
            resources: Err(ClusterError::Other("timed out".to_owned())),
        }
    }

    fn told(kind: &Kind, served: Vec<Served>) -> (State, String) {
        let check = of_kind(kind, &Ok(Some(served)));
        (check.state, check.message)
    }

    #[test]
    fn the_version_that_is_used_is_known_or_said_not_to_be() {
        let [helm, chart, ..] = &KINDS;
        let hr = ["helmreleases"];
        let both = vec![served("v2beta2", &hr), served("v2", &hr)];
        let text = "helm.toolkit.fluxcd.io/v2 (also served: v2beta2)".to_owned();
        assert_eq!(told(helm, both), (State::Ok, text));
        let beta = told(helm, vec![served("v2beta1", &hr)]);
        assert_eq!(
            beta,
            (State::Ok, "helm.toolkit.fluxcd.io/v2beta1".to_owned())
        );
        let newer = told(helm, vec![served("v3", &hr)]);
        assert_eq!(newer.0, State::Failed);
        assert!(newer.1.starts_with("served in v3, and of it only v2, "));
        // The first choice may be served.
        let open = told(helm, vec![served("v2beta1", &hr), unread("v2")]);
        assert_eq!(open, (State::NotKnown, "v2: timed out".to_owned()));
        let settled = told(helm, vec![served("v2", &hr), unread("v2beta1")]);
        assert_eq!(settled.0, State::Ok);
        let without = told(chart, vec![served("v1", &["buckets"])]);
        assert_eq!(without.0, State::Failed);
        assert_eq!(told(chart, vec![unread("v1")]).0, State::NotKnown);
    }

    #[test]
    fn a_group_that_is_not_served_is_not_one_that_was_not_read() {
        let [helm, .., kustomization] = &KINDS;
        assert_eq!(of_kind(helm, &Ok(None)).state, State::Failed);
        assert_eq!(of_kind(kustomization, &Ok(None)).state, State::Warning);
        let unread = Err(ClusterError::Other("timed out".to_owned()));
        assert_eq!(of_kind(helm, &unread).state, State::NotKnown);
    }

    fn deployment(name: &str, image: &str, status: Value) -> Deployment {
        let container = json!({"name": "manager", "image": image});
        Deployment::from_value(&json!({
            "metadata": {"name": name, "namespace": "flux-system"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
            "status": status}))
    }

    fn controller(deployments: Vec<Deployment>) -> (State, String) {
        let read = Read::Seen(Controllers {
            namespace: "flux-system".to_owned(),
            deployments,
        });
        let (check, _) = of_controller("helm-controller", &read);
        (check.state, check.message)
    }

    #[test]
    fn a_controller_is_up_only_if_each_of_its_deployments_is() {
        let image = "ghcr.io/fluxcd/helm-controller:v1.3.0";
        let with = |name: &str, available: Value| {
            deployment(name, image, json!({"availableReplicas": available}))
        };
        assert_eq!(
            controller(vec![with("helm-controller", json!(1))]),
            (State::Ok, "v1.3.0, 1 of 1 available".to_owned())
        );
        let down = controller(vec![with("a", json!(1)), with("b", json!(0))]);
        assert_eq!(
            down,
            (
                State::Failed,
                "a: v1.3.0, 1 of 1 available; b: v1.3.0, 0 of 1 available".to_owned()
            )
        );
        let odd = controller(vec![with("a", json!("1"))]);
        assert_eq!(
            odd,
            (State::NotKnown, "v1.3.0, ? of 1 available".to_owned())
        );
        let bare = controller(vec![deployment("a", "helm-controller", json!({}))]);
        let text = "version not known, 0 of 1 available".to_owned();
        assert_eq!(bare, (State::Failed, text));
    }

    #[test]
    fn a_controller_that_is_not_seen_may_run_elsewhere() {
        assert_eq!(controller(Vec::new()).0, State::NotKnown);
        let unread = Read::Unknown(Why::Forbidden("list deployments".to_owned()));
        assert_eq!(
            of_controller("helm-controller", &unread).0.state,
            State::NotKnown
        );
        assert_eq!(
            of_controller("helm-controller", &Read::Absent).0.state,
            State::NotKnown
        );
    }
}
