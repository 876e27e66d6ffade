//! What the other onboardings of the cluster agree on: the likeliest value where this one's is wrong.
//!
//! Unknown is not agreement: nothing is suggested where not all of them were read, where one differs, or where none is Ready.

use super::case::Case;
use super::finding::Change;
use crate::model::condition::Stated;
use crate::model::helm_release::{ChartTemplate, HelmRelease, ObjectRef};
use crate::model::status::{self, Ready};
use serde_json::{Value, json};

/// The label that says which shard serves an object.
pub(super) const SHARD: &str = "sharding.fluxcd.io/key";

/// The others, if all of them were read and one of them works.
fn peers<'a>(case: &Case<'a>) -> Option<Vec<&'a HelmRelease>> {
    case.elsewhere().ok()?;
    let me = &case.hr().metadata;
    let others = case.others().ok()?.iter();
    let others =
        others.filter(|o| (&o.metadata.namespace, &o.metadata.name) != (&me.namespace, &me.name));
    let peers: Vec<&HelmRelease> = others.collect();
    let works = |hr: &&HelmRelease| status::ready(hr) == Stated::Present(Ready::True);
    peers.iter().any(works).then_some(peers)
}

/// Another version of this chart than that of the last attempt, with an onboarding that is Ready with it. That some were not read does not
/// make it less true.
pub(super) fn version<'a>(case: &Case<'a>) -> Option<(&'a str, &'a HelmRelease)> {
    let me = case.hr();
    let attempted = me.status.last_attempted_revision.as_deref()?;
    let own = named(me)?;
    let others = case.others().ok()?.iter();
    let mut ready = others.filter(|other| {
        let theirs = named(other);
        let is_same = |theirs: Named<'_>| theirs.name == own.name && theirs.source == own.source;
        theirs.is_some_and(is_same)
            && other.metadata.deletion_timestamp.is_none()
            && status::ready(other) == Stated::Present(Ready::True)
    });
    ready.find_map(|other| {
        let version = other.deployed_version()?;
        (version != attempted).then_some((version, other))
    })
}

/// The value that each of them has.
fn agreed<'a, T: PartialEq>(
    case: &Case<'a>,
    of: impl Fn(&'a HelmRelease) -> Option<T>,
) -> Option<T> {
    let peers = peers(case)?;
    let first = of(peers.first()?)?;
    let same = |hr: &&'a HelmRelease| of(hr).as_ref() == Some(&first);
    peers.iter().all(same).then_some(first)
}

/// `Every other onboarding here installs into core`
fn reason(case: &Case<'_>, does: &str) -> String {
    match peers(case).map_or(0, |peers| peers.len()) {
        1 => format!("The only other onboarding here {does}"),
        _ => format!("Every other onboarding here {does}"),
    }
}

/// Another target namespace than `wrong`, which none of the others uses.
pub(super) fn target_namespace(case: &Case<'_>, wrong: &str) -> Option<Change> {
    if case.hr().is_remote() || wrong != case.hr().release_namespace() {
        return None;
    }
    let target = agreed(case, |hr| {
        (!hr.is_remote()).then_some(hr.spec.target_namespace.as_deref()?)
    });
    let target = target.filter(|t| !t.is_empty() && *t != wrong)?;
    let reason = reason(case, &format!("installs into {target}"));
    Some(Change::new(
        &reason,
        &["spec", "targetNamespace"],
        json!(target),
    ))
}

/// Where the others install, most of them first: `core (12), core-own (1)`; `None` where they were not all read.
pub(super) fn target_namespaces(case: &Case<'_>) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for peer in peers(case)? {
        let target = peer.release_namespace();
        match counts.iter_mut().find(|(name, _)| *name == target) {
            Some((_, count)) => *count += 1,
            None => counts.push((target, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.truncate(3);
    let counts = counts
        .iter()
        .map(|(name, count)| format!("{name} ({count})"));
    Some(counts.collect::<Vec<_>>().join(", "))
}

/// Another ServiceAccount for Flux to act as.
pub(super) fn service_account(case: &Case<'_>, wrong: &str) -> Option<Change> {
    let namespace = &case.hr().metadata.namespace;
    let account = agreed(case, |hr| {
        let account = hr.spec.service_account_name.as_deref()?;
        // An account is looked up in the HelmRelease's own namespace.
        (hr.metadata.namespace == *namespace).then_some(account)
    });
    let account = account.filter(|a| !a.is_empty() && *a != wrong)?;
    let reason = reason(case, &format!("uses {account}"));
    Some(Change::new(
        &reason,
        &["spec", "serviceAccountName"],
        json!(account),
    ))
}

/// Which field of `spec.chart.spec` is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Name,
    Version,
    Source,
}

/// The chart as the others name it, where this one differs in the wrong field alone.
pub(super) fn chart(case: &Case<'_>, wrong: Wrong) -> Option<Change> {
    let own = named(case.hr())?;
    let theirs = agreed(case, named)?;
    let same = [
        (Wrong::Name, own.name == theirs.name),
        (Wrong::Version, own.version == theirs.version),
        (Wrong::Source, own.source == theirs.source),
    ];
    let differs = |field: Wrong| same.iter().any(|(f, same)| *f == field && !same);
    let others_same = match wrong {
        // A wrong name or range says nothing of the other one.
        Wrong::Name => !differs(Wrong::Source),
        Wrong::Version => !differs(Wrong::Source) && !differs(Wrong::Name),
        Wrong::Source => !differs(Wrong::Name),
    };
    if !differs(wrong) || !others_same {
        return None;
    }
    let (path, shown, value): (&[&str], String, Value) = match wrong {
        Wrong::Name => (&["chart"], theirs.name.to_owned(), json!(theirs.name)),
        Wrong::Version => {
            let version = theirs.version?;
            (&["version"], version.to_owned(), json!(version))
        }
        Wrong::Source => {
            let (kind, namespace, name) = theirs.source;
            let shown = format!("{kind} {namespace}/{name}");
            if (own.source.0, own.source.1) == (kind, namespace) {
                (&["sourceRef", "name"], shown, json!(name))
            } else {
                let source = json!({"kind": kind, "name": name, "namespace": namespace});
                (&["sourceRef"], shown, source)
            }
        }
    };
    let reason = reason(case, &format!("uses {shown}"));
    let path: Vec<&str> = ["spec", "chart", "spec"]
        .iter()
        .chain(path)
        .copied()
        .collect();
    Some(Change::new(&reason, &path, value))
}

/// `spec.chart.spec`, with the source's namespace resolved.
#[derive(PartialEq)]
struct Named<'a> {
    name: &'a str,
    version: Option<&'a str>,
    source: (&'a str, &'a str, &'a str),
}

fn named(hr: &HelmRelease) -> Option<Named<'_>> {
    let ChartTemplate { spec } = hr.spec.chart.as_ref()?;
    let ObjectRef {
        kind,
        name,
        namespace,
    } = &spec.source_ref;
    let namespace = namespace.as_deref().filter(|n| !n.is_empty());
    Some(Named {
        name: &spec.chart,
        version: spec.version.as_deref(),
        source: (kind, namespace.unwrap_or(&hr.metadata.namespace), name),
    })
}

/// Takes a field out that none of the others has.
pub(super) fn without_values_files(case: &Case<'_>) -> Option<Change> {
    let own = case.hr().spec.chart.as_ref()?;
    let none = |hr: &HelmRelease| {
        hr.spec
            .chart
            .as_ref()?
            .spec
            .values_files
            .is_empty()
            .then_some(())
    };
    if own.spec.values_files.is_empty() {
        return None;
    }
    agreed(case, none)?;
    let reason = reason(case, "has no values files");
    let path = ["spec", "chart", "spec", "valuesFiles"];
    Some(Change::new(&reason, &path, Value::Null))
}

/// Takes a value out that this onboarding sets and none of the others does.
pub(super) fn without_value(case: &Case<'_>, keys: &[&str]) -> Option<Change> {
    let pointer: String = keys.iter().flat_map(|key| ["/", key]).collect();
    let own = case.hr().spec.values.pointer(&pointer);
    own.filter(|value| !value.is_null())?;
    agreed(case, |hr| {
        // What references bring was not read.
        let set = hr
            .spec
            .values
            .pointer(&pointer)
            .is_some_and(|v| !v.is_null());
        (!set && hr.spec.values_from.is_empty()).then_some(())
    })?;
    let reason = reason(case, "uses the chart's default");
    let path: Vec<&str> = ["spec", "values"].iter().chain(keys).copied().collect();
    Some(Change::new(&reason, &path, Value::Null))
}

/// Takes the label of a shard out that none of the others has.
pub(super) fn without_shard(case: &Case<'_>) -> Option<Change> {
    case.hr().metadata.labels.get(SHARD)?;
    agreed(case, |hr| {
        (!hr.metadata.labels.contains_key(SHARD)).then_some(())
    })?;
    let reason = reason(case, "has no shard label");
    Some(Change::new(
        &reason,
        &["metadata", "labels", SHARD],
        Value::Null,
    ))
}

#[cfg(test)]
mod tests;
