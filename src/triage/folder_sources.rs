//! The sources of the folders that Kustomizations apply: one that is not fetched, or is fetched at a fixed tag or commit, leaves an old
//! revision applied, and nothing reports an error.

use super::folder_behind::{Behind, behind};
use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::model::kustomization::Kustomization;
use crate::model::source::{Source, SourceRef, resource};
use crate::model::source_error::of_folder;
use crate::snapshot::Read;
use crate::text::{count, one_line};
use futures::future::join_all;

/// The most sources that are read.
const MOST: usize = 5;

/// What the sources say of the revision that is applied.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fetched {
    /// Of each one that is not fetched, or does not follow its branch.
    pub(super) not: Vec<Hint>,
    /// Of each Kustomization that has not applied what its source has.
    pub(super) behind: Vec<Hint>,
    /// It is not known whether one is; the reason, as a sentence.
    pub(super) unknown: Option<String>,
}

/// What one source says.
enum Judged {
    Fetched,
    /// What is wrong, and what to do about it.
    Not(Vec<Hint>),
    Unknown(String),
}

/// Reads the sources of these Kustomizations.
pub(super) async fn fetched(cluster: &Cluster, all: &[Kustomization]) -> Fetched {
    let (sources, unread) = named(all);
    let read = sources.iter().map(|(namespace, source)| async move {
        let (kind, name) = (&source.kind, &source.name);
        cluster.source(kind, namespace, name).await
    });
    let read = join_all(read).await;
    let found = sources.iter().zip(&read);
    let judged = found.clone().map(|((namespace, source), read)| {
        let id = [source.kind.as_str(), namespace, source.name.as_str()];
        judged(id, read)
    });
    let fetched = Fetched::collect(judged.collect(), unread);
    let of = |k: &Kustomization| {
        let own = source_of(k)?;
        let (_, read) = found.clone().find(|(source, _)| **source == own)?;
        Some(behind(k, read))
    };
    all.iter().filter_map(of).fold(fetched, Fetched::with)
}

impl Fetched {
    fn collect(all: Vec<Judged>, unread: Option<String>) -> Self {
        let mut fetched = Self {
            unknown: unread,
            ..Self::default()
        };
        for one in all {
            match one {
                Judged::Fetched => {}
                Judged::Not(hints) => fetched.not.extend(hints),
                Judged::Unknown(why) => fetched.unknown = Some(why),
            }
        }
        fetched
    }

    fn with(mut self, one: Behind) -> Self {
        match one {
            Behind::No => {}
            Behind::Yes(hint) => self.behind.push(hint),
            Behind::Unknown(why) => self.unknown = self.unknown.or(Some(why)),
        }
        self
    }
}

/// The source of the Kustomization, with its namespace; `None` if that cannot be read.
fn source_of(kustomization: &Kustomization) -> Option<(&str, &SourceRef)> {
    let source = kustomization.source_ref.set()?;
    let own = kustomization.meta.namespace.as_str();
    Some((source.namespace.as_deref().unwrap_or(own), &source.object))
}

/// The sources that are read, with their namespaces, and why others are not.
fn named(all: &[Kustomization]) -> (Vec<(&str, &SourceRef)>, Option<String>) {
    let mut sources = Vec::new();
    let mut unread = None;
    for kustomization in all {
        let Some(source) = source_of(kustomization) else {
            let id = one_line(&kustomization.meta.id());
            unread = Some(format!(
                "spec.sourceRef of Kustomization {id} cannot be read"
            ));
            continue;
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    if sources.len() > MOST {
        let all = count(sources.len() as u64, "source");
        unread = Some(format!("only {MOST} of {all} were read"));
        sources.truncate(MOST);
    }
    (sources, unread)
}

fn judged([kind, namespace, name]: [&str; 3], read: &Read<Source>) -> Judged {
    let id = one_line(&format!("{kind} {namespace}/{name}"));
    let mut remedy = None;
    let wrong = match read {
        Read::Absent => "does not exist".to_owned(),
        Read::Unknown(why) => {
            return Judged::Unknown(format!("{id} was not read: {}", why.clause()));
        }
        Read::Seen(source) if source.is_suspended() => "is suspended".to_owned(),
        Read::Seen(source) if source.well().is_some() => {
            return match pinned(&id, source) {
                Some(hint) => Judged::Not(vec![hint]),
                None => Judged::Fetched,
            };
        }
        Read::Seen(source) => match source.complaint() {
            Some(complaint) => {
                remedy = of_folder(source, complaint);
                format!("cannot be fetched: {}", one_line(&complaint.message))
            }
            None => {
                return Judged::Unknown(format!(
                    "{id} is not known to be Ready for its current spec"
                ));
            }
        },
    };
    let describe = [
        "kubectl",
        "describe",
        "-n",
        namespace,
        &resource(kind),
        name,
    ];
    let hint = format!("{id} {wrong}; what Flux applies may be an old revision:");
    let hint = Command::new(describe).after(hint);
    Judged::Not(
        std::iter::once(hint)
            .chain(remedy.map(Hint::from))
            .collect(),
    )
}

/// Of one that is Ready, but not for what is pushed to a branch.
fn pinned(id: &str, source: &Source) -> Option<Hint> {
    let (field, value) = source.pinned_by()?;
    let value = one_line(value);
    let revision = source
        .artifact
        .set()
        .map(|artifact| artifact.revision.text());
    let revision = one_line(revision.filter(|revision| !revision.is_empty())?);
    let branch = source.reference.set().and_then(|r| r.branch.as_deref());
    let branch = branch.filter(|branch| !branch.is_empty() && field != "commit");
    let (ignored, change) = match branch {
        Some(branch) => (
            format!(
                ", which takes precedence over spec.ref.branch ({})",
                one_line(branch)
            ),
            format!("remove spec.ref.{field} to follow the branch"),
        ),
        None => (
            String::new(),
            match field {
                "semver" => "push a tag in that range that has it".to_owned(),
                _ => format!("set spec.ref.{field} to a revision that has it"),
            },
        ),
    };
    Some(Hint::from(format!(
        "{id} is Ready at {revision} because of spec.ref.{field} ({value}){ignored}: check that this revision has the manifest, or {change}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use crate::snapshot::Why;
    use serde_json::{Value, json};

    fn told(read: &Read<Source>) -> String {
        match judged(["GitRepository", "n", "gitops"], read) {
            Judged::Fetched => "all".to_owned(),
            Judged::Not(hints) => hints
                .iter()
                .map(Hint::plain)
                .collect::<Vec<_>>()
                .join(" | "),
            Judged::Unknown(why) => format!("unknown: {why}"),
        }
    }

    fn seen(suspend: &Value, generation: i64, conditions: &Value) -> Read<Source> {
        let object = json!({
            "metadata": {"name": "gitops", "namespace": "n", "generation": generation},
            "spec": {"suspend": suspend},
            "status": {"observedGeneration": 2, "conditions": conditions, "artifact": {"revision": "main@sha1:1"}},
        });
        Read::Seen(Source::from_value(&object, "GitRepository"))
    }

    #[test]
    fn only_a_source_that_is_surely_fetched_says_nothing() {
        let ready = |status: &str| json!([{"type": "Ready", "status": status, "reason": "R", "message": "no login", "observedGeneration": 2}]);
        let all = [
            seen(&json!(null), 2, &ready("True")),
            seen(&json!(true), 2, &ready("True")),
            seen(&json!("yes"), 2, &ready("True")),
            seen(&json!(false), 2, &ready("False")),
            seen(&json!(false), 3, &ready("False")),
            seen(&json!(false), 3, &ready("True")),
            seen(&json!(false), 2, &json!([])),
            Read::Absent,
            Read::Unknown(Why::Forbidden("get gitrepositories in n".to_owned())),
        ];
        insta::assert_snapshot!(all.iter().map(told).collect::<Vec<_>>().join("\n"), @"
        all
        GitRepository n/gitops is suspended; what Flux applies may be an old revision: kubectl describe -n n gitrepositories.source.toolkit.fluxcd.io gitops
        unknown: GitRepository n/gitops is not known to be Ready for its current spec
        GitRepository n/gitops cannot be fetched: no login; what Flux applies may be an old revision: kubectl describe -n n gitrepositories.source.toolkit.fluxcd.io gitops
        unknown: GitRepository n/gitops is not known to be Ready for its current spec
        unknown: GitRepository n/gitops is not known to be Ready for its current spec
        unknown: GitRepository n/gitops is not known to be Ready for its current spec
        GitRepository n/gitops does not exist; what Flux applies may be an old revision: kubectl describe -n n gitrepositories.source.toolkit.fluxcd.io gitops
        unknown: GitRepository n/gitops was not read: forbidden (get gitrepositories in n)
        ");
    }

    #[test]
    fn a_source_that_does_not_follow_a_branch_says_where_it_is() {
        let of = |reference: Value| {
            let ready =
                json!({"type": "Ready", "status": "True", "reason": "R", "observedGeneration": 2});
            let object = json!({
                "metadata": {"name": "gitops", "namespace": "n", "generation": 2},
                "spec": {"ref": reference},
                "status": {"observedGeneration": 2, "conditions": [ready], "artifact": {"revision": "v3@sha1:1"}},
            });
            told(&Read::Seen(Source::from_value(&object, "GitRepository")))
        };
        insta::assert_snapshot!([
            of(json!({"branch": "main", "tag": "v3"})),
            of(json!({"semver": ">=3"})),
            of(json!({"branch": "main", "commit": "abc"})),
            of(json!({"branch": "main"})),
        ].join("\n"), @"
        GitRepository n/gitops is Ready at v3@sha1:1 because of spec.ref.tag (v3), which takes precedence over spec.ref.branch (main): check that this revision has the manifest, or remove spec.ref.tag to follow the branch
        GitRepository n/gitops is Ready at v3@sha1:1 because of spec.ref.semver (>=3): check that this revision has the manifest, or push a tag in that range that has it
        GitRepository n/gitops is Ready at v3@sha1:1 because of spec.ref.commit (abc): check that this revision has the manifest, or set spec.ref.commit to a revision that has it
        all
        ");
    }

    #[tokio::test]
    async fn each_source_is_read_in_its_own_namespace() {
        let of = |name: &str, namespace: &Value| {
            let source = json!({"kind": "GitRepository", "name": name, "namespace": namespace});
            Kustomization::from_value(&json!({
                "metadata": {"namespace": "n", "name": "k"}, "spec": {"sourceRef": source},
            }))
        };
        let repository = |namespace: &str, name: &str, status: &str| {
            let ready = json!({"type": "Ready", "status": status, "reason": "R", "message": "no route", "observedGeneration": 1});
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
                "metadata": {"namespace": namespace, "name": name, "generation": 1}, "spec": {},
                "status": {"observedGeneration": 1, "conditions": [ready], "artifact": {"revision": "main@sha1:1"}}})
        };
        let saved = [
            repository("n", "a", "True"),
            repository("m", "a", "False"),
            repository("n", "b", "False"),
        ];
        let cluster = Cluster::saved(Scene::new(&saved.each_ref(), "").plain(), 0);
        let look = async |all: &[Kustomization]| {
            let Fetched { not, unknown, .. } = fetched(&cluster, all).await;
            let not = not.iter().map(Hint::plain);
            not.chain(unknown).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(look(&[of("a", &json!(null))]).await, "");
        insta::assert_snapshot!(look(&[of("a", &json!("m")), of("b", &json!(null))]).await, @"
        GitRepository m/a cannot be fetched: no route; what Flux applies may be an old revision: kubectl describe -n m gitrepositories.source.toolkit.fluxcd.io a
        GitRepository n/b cannot be fetched: no route; what Flux applies may be an old revision: kubectl describe -n n gitrepositories.source.toolkit.fluxcd.io b
        ");
        insta::assert_snapshot!(look(&[of("c", &json!(null))]).await, @"GitRepository n/c was not read: not in the saved files");
    }

    #[test]
    fn each_source_that_is_not_fetched_is_shown_whatever_is_not_known() {
        let of = |name: &str, read: &Read<Source>| judged(["GitRepository", "n", name], read);
        let unread = Read::Unknown(Why::Forbidden("x".to_owned()));
        let all = [
            of("a", &Read::Absent),
            of("b", &unread),
            of("c", &Read::Absent),
        ];
        let fetched = Fetched::collect(all.into(), None);
        let not: Vec<String> = fetched.not.iter().map(Hint::plain).collect();
        assert!(not[0].starts_with("GitRepository n/a does not exist"));
        assert!(not[1].starts_with("GitRepository n/c does not exist"));
        let why = "GitRepository n/b was not read: forbidden (x)";
        assert_eq!((not.len(), fetched.unknown.as_deref()), (2, Some(why)));
        let well = Fetched::collect(vec![Judged::Fetched], Some("only".to_owned()));
        assert_eq!((well.not.len(), well.unknown.as_deref()), (0, Some("only")));
    }

    #[test]
    fn a_source_that_is_not_named_and_the_sixth_are_not_known() {
        let one = |source: Value| {
            Kustomization::from_value(&json!({
                "metadata": {"namespace": "n", "name": "k"}, "spec": {"sourceRef": source},
            }))
        };
        let of = |n: usize| one(json!({"kind": "GitRepository", "name": format!("s{n}")}));
        let all: Vec<_> = (0..=MOST).chain(0..MOST).map(of).collect();
        let (sources, unread) = named(&all[1..=MOST]);
        assert_eq!((sources.len(), unread), (MOST, None));
        let (sources, unread) = named(&all);
        assert_eq!(sources.len(), MOST);
        assert_eq!(unread.unwrap(), "only 5 of 6 sources were read");
        let malformed = [one(json!({"kind": 5}))];
        let (sources, unread) = named(&malformed);
        assert!(sources.is_empty());
        let why = "spec.sourceRef of Kustomization n/k cannot be read";
        assert_eq!(unread.unwrap(), why);
        let elsewhere = [one(
            json!({"kind": "Bucket", "name": "s", "namespace": "m"}),
        )];
        assert_eq!(named(&elsewhere).0[0].0, "m");
        let own =
            |namespace: Value| one(json!({"kind": "Bucket", "name": "s", "namespace": namespace}));
        assert_eq!(named(&[own(json!(null)), own(json!("n"))]).0.len(), 1);
    }
}
