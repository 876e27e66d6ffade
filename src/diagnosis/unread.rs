//! What was not read is never taken for fine: every case with one part after the other taken away. Test code only.

use super::{Case, Diagnosis, Severity, diagnose, fixture};
use crate::snapshot::{
    Controllers, CouchPods, CouchService, CreationJob, Events, Listing, LostJob, Mesh,
    NetworkPolicies, Nodes, OnDemand, Part, Parts, Read, Related, ServingPod, Snapshot,
    WaitedClaim, Webhook, Why,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Takes one part away; gives whether it was there.
pub(super) type Take = fn(&mut Snapshot) -> bool;

fn why() -> Why {
    Why::Forbidden("as a test has it".to_owned())
}

fn take<T>(part: &mut Read<T>) -> bool {
    let there = part.unknown().is_none();
    *part = Read::Unknown(why());
    there
}

fn take_shared<T>(part: &mut Arc<Read<T>>) -> bool {
    let there = part.unknown().is_none();
    *part = Arc::new(Read::Unknown(why()));
    there
}

fn take_each<'a, T: 'a>(parts: impl Iterator<Item = &'a mut Part<T>>) -> bool {
    parts.map(|part| take(part)).max().unwrap_or(false)
}

/// Cuts a list before its first object.
fn cut<T>(list: &mut Listing<T>) -> bool {
    *list = Listing::new(Vec::new(), Some(why()));
    true
}

/// What may not be readable for someone, by its name.
pub(super) const PARTS: &[(&str, Take)] = &[
    ("chart", |s| take(&mut s.chart)),
    ("source", |s| take(&mut s.source)),
    ("revisions", |s| take(&mut s.revisions)),
    ("release", |s| take(&mut s.release)),
    ("first release", |s| take(&mut s.first_release)),
    ("creation Job", |s| {
        s.lost_job = None;
        take(&mut s.creation_job)
    }),
    ("pods", |s| match &mut s.creation_job {
        Read::Seen(job) => take(&mut job.pods),
        _ => false,
    }),
    ("logs", |s| {
        let Read::Seen(job) = &mut s.creation_job else {
            return false;
        };
        let Some(pods) = job.pods.seen_mut() else {
            return false;
        };
        let logs = pods.known_mut().iter_mut().flat_map(|pod| &mut pod.logs);
        logs.map(|(_, log)| take(log)).max().unwrap_or(false)
    }),
    ("events of the Job", |s| match &mut s.creation_job {
        Read::Seen(job) => take(&mut job.events),
        _ => s.lost_job.as_mut().is_some_and(|job| take(&mut job.events)),
    }),
    ("events of the Job that is gone", |s| {
        s.gone_job.as_mut().is_some_and(|job| take(&mut job.events))
    }),
    ("events", |s| take(&mut s.events)),
    ("events of former objects", |s| {
        take(&mut s.on_demand.former_events)
    }),
    ("some of the events", |s| {
        s.events = Read::Seen(Events::new(Vec::new(), Some(why())));
        true
    }),
    ("some of the pods", |s| {
        let Read::Seen(job) = &mut s.creation_job else {
            return false;
        };
        job.pods.seen_mut().is_some_and(cut)
    }),
    ("the older pods", |s| {
        let Read::Seen(job) = &mut s.creation_job else {
            return false;
        };
        let pods = job.pods.seen_mut();
        pods.map(|pods| pods.lacks(Some(why()))).is_some()
    }),
    ("some of the pods of the release", |s| {
        s.on_demand.pods.seen_mut().is_some_and(cut)
    }),
    ("some of the Service's addresses", |s| {
        let service = s.on_demand.service.seen_mut();
        let slices = service.and_then(|found| found.slices.seen_mut());
        slices.is_some_and(cut)
    }),
    ("target namespace", |s| take(&mut s.target_namespace)),
    ("service account", |s| take(&mut s.service_account)),
    ("policy", |s| take(&mut s.policy)),
    ("dependencies", |s| {
        let all = s.dependencies.iter_mut();
        all.map(|d| take(&mut d.helm_release))
            .max()
            .unwrap_or(false)
    }),
    ("others", |s| take_shared(&mut s.others)),
    ("other namespaces", |s| {
        s.not_elsewhere = Some(why());
        true
    }),
    ("rights", |s| take(&mut s.on_demand.rights)),
    ("controllers", |s| take(&mut s.on_demand.controllers)),
    ("service", |s| take(&mut s.on_demand.service)),
    ("kustomizations", |s| {
        take_shared(&mut s.on_demand.kustomizations)
    }),
    ("log of the controller", |s| {
        take(&mut s.on_demand.controller_log)
    }),
    ("pods of the release", |s| take(&mut s.on_demand.pods)),
    ("databases", |s| take_shared(&mut s.on_demand.databases)),
    ("ownership", |s| take_shared(&mut s.on_demand.ownership)),
    ("the other Job", |s| match &mut s.creation_job {
        Read::Seen(job) => take(&mut job.of_database),
        _ => false,
    }),
    ("pods of the controllers", |s| {
        take(&mut s.on_demand.controller_pods)
    }),
    ("some of the pods of the controllers", |s| {
        s.on_demand.controller_pods.seen_mut().is_some_and(cut)
    }),
    ("CouchDB's pods", |s| take(&mut s.on_demand.couch_pods)),
    ("some of CouchDB's pods", |s| {
        let found = s.on_demand.couch_pods.seen_mut();
        found.is_some_and(|found| cut(&mut found.pods))
    }),
    ("events and logs of pods that do not serve", |s| {
        let on_demand = &mut s.on_demand;
        let controllers = on_demand.controller_pods.seen_mut().into_iter();
        let couchdb = on_demand.couch_pods.seen_mut().map(|found| &mut found.pods);
        let pods = controllers.chain(couchdb).flat_map(Listing::known_mut);
        pods.map(|pod| take(&mut pod.events) | take(&mut pod.log))
            .max()
            .unwrap_or(false)
    }),
    ("nodes", |s| take(&mut s.on_demand.nodes)),
    ("each node", |s| {
        let found = s.on_demand.nodes.seen_mut();
        found.is_some_and(|found| take_each(found.nodes.iter_mut().map(|(_, node)| node)))
    }),
    ("events of nodes", |s| {
        let found = s.on_demand.nodes.seen_mut();
        found.is_some_and(|found| take_each(found.events.iter_mut().map(|(_, events)| events)))
    }),
    ("attachments of volumes", |s| {
        let found = s.on_demand.nodes.seen_mut();
        found.is_some_and(|found| take(&mut found.attachments))
    }),
    ("webhook", |s| take(&mut s.on_demand.webhook)),
    ("configurations of webhooks", |s| {
        let found = s.on_demand.webhook.seen_mut();
        found.is_some_and(|found| take(&mut found.configurations))
    }),
    ("some of the configurations of webhooks", |s| {
        let found = s.on_demand.webhook.seen_mut();
        let listed = found.and_then(|found| found.configurations.seen_mut());
        listed.is_some_and(cut)
    }),
    ("pods of the webhook", |s| {
        let found = s.on_demand.webhook.seen_mut();
        found.is_some_and(|found| take(&mut found.pods))
    }),
    ("refusals of the webhook's pods", |s| {
        let found = s.on_demand.webhook.seen_mut();
        found.is_some_and(|found| take(&mut found.refusals))
    }),
    ("mesh", |s| take(&mut s.on_demand.mesh)),
    ("injectors", |s| {
        let found = s.on_demand.mesh.seen_mut();
        found.is_some_and(|found| take(&mut found.injectors))
    }),
    ("PeerAuthentications", |s| {
        let found = s.on_demand.mesh.seen_mut();
        found.is_some_and(|found| take(&mut found.peers))
    }),
    ("pods of Istio's CNI plugin", |s| {
        let found = s.on_demand.mesh.seen_mut();
        found.is_some_and(|found| take(&mut found.cni))
    }),
    ("pods of source-controller in the mesh", |s| {
        let found = s.on_demand.mesh.seen_mut();
        found.is_some_and(|found| take(&mut found.source_controller))
    }),
    ("NetworkPolicies", |s| {
        take(&mut s.on_demand.network_policies)
    }),
    ("NetworkPolicies of the Job", |s| {
        let found = s.on_demand.network_policies.seen_mut();
        found.is_some_and(|found| take(&mut found.of_job))
    }),
    ("NetworkPolicies of CouchDB", |s| {
        let found = s.on_demand.network_policies.seen_mut();
        found.is_some_and(|found| take(&mut found.of_couchdb))
    }),
    ("namespaces that NetworkPolicies ask for", |s| {
        let found = s.on_demand.network_policies.seen_mut();
        found.is_some_and(|found| take_each(found.namespaces.iter_mut().map(|(_, own)| own)))
    }),
    ("hook Jobs", |s| take(&mut s.on_demand.hook_jobs)),
    ("some of the hook Jobs", |s| {
        s.on_demand.hook_jobs.seen_mut().is_some_and(cut)
    }),
    ("hook pods", |s| take(&mut s.on_demand.hook_pods)),
    ("some of the hook pods", |s| {
        s.on_demand.hook_pods.seen_mut().is_some_and(cut)
    }),
    ("what else it is about", |s| take(&mut s.on_demand.related)),
    ("APIServices", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.apis.iter_mut().map(|(_, api)| api)))
    }),
    ("volumes", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.volumes.iter_mut().map(|own| &mut own.volume)))
    }),
    ("claims", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.claims.iter_mut().map(|own| &mut own.claim)))
    }),
    ("events of claims", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.claims.iter_mut().map(|own| &mut own.events)))
    }),
    ("classes of claims", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.claims.iter_mut().map(|own| &mut own.class)))
    }),
    ("volumes of claims", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.claims.iter_mut().map(|own| &mut own.volume)))
    }),
    ("the StorageClasses", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take(&mut found.classes))
    }),
    ("volumes that earlier claims left", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take(&mut found.released))
    }),
    ("StatefulSets", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take_each(found.sets.iter_mut().map(|own| &mut own.set)))
    }),
    ("the Service that is refused", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take(&mut found.service))
    }),
    ("pods that look like CouchDB's", |s| {
        let found = s.on_demand.related.seen_mut();
        found.is_some_and(|found| take(&mut found.couchdb))
    }),
    ("CouchDB's Service", |s| match &mut s.on_demand.service {
        Read::Seen(couchdb) => take(&mut couchdb.service),
        _ => false,
    }),
    ("the Service's addresses", |s| {
        match &mut s.on_demand.service {
            Read::Seen(couchdb) => take(&mut couchdb.slices),
            _ => false,
        }
    }),
];

/// Takes the types apart completely: a new part does not compile until it is named here. It needs a row above, or a comment that says why
/// not.
#[expect(dead_code, reason = "only the patterns count")]
fn every_part(parts: Parts) {
    let Parts {
        // A case always has these.
        origin: _,
        object: _,
        helm_release: _,
        // Where `release` was looked for, whether or not it was read.
        release_secret: _,
        chart: _,
        source: _,
        revisions: _,
        release: _,
        first_release: _,
        creation_job,
        lost_job,
        gone_job,
        events: _,
        target_namespace: _,
        service_account: _,
        policy: _,
        dependencies: _,
        others: _,
        not_elsewhere: _,
        on_demand,
    } = parts;
    let OnDemand {
        rights: _,
        controllers,
        controller_pods,
        service,
        couch_pods,
        controller_log: _,
        pods: _,
        nodes,
        webhook,
        mesh,
        network_policies,
        hook_jobs: _,
        hook_pods: _,
        former_events: _,
        related,
        kustomizations: _,
        databases: _,
        ownership: _,
    } = on_demand;
    if let (Read::Seen(job), Some(lost)) = (creation_job, lost_job.or(gone_job)) {
        let CreationJob {
            job: _,
            pods: _,
            events: _,
            of_database: _,
        } = job;
        let LostJob {
            namespace: _,
            name: _,
            events: _,
        } = lost;
    }
    if let (Read::Seen(controllers), Read::Seen(couchdb)) = (controllers, service) {
        let Controllers {
            namespace: _,
            deployments: _,
        } = controllers;
        let CouchService {
            namespace: _,
            name: _,
            port: _,
            named_by: _,
            service: _,
            slices: _,
        } = couchdb;
    }
    if let (Read::Seen(nodes), Read::Seen(webhook)) = (nodes, webhook) {
        let Nodes {
            nodes: _,
            events: _,
            attachments: _,
        } = nodes;
        let Webhook {
            configurations: _,
            pods: _,
            refusals: _,
            // How the pods were found.
            of_service: _,
        } = webhook;
    }
    if let (Read::Seen(mesh), Read::Seen(policies)) = (mesh, network_policies) {
        let Mesh {
            injectors: _,
            peers: _,
            cni: _,
            source_controller: _,
        } = mesh;
        let NetworkPolicies {
            of_job: _,
            of_couchdb: _,
            namespaces: _,
        } = policies;
    }
    if let Read::Seen(related) = related {
        let Related {
            apis: _,
            volumes: _,
            claims,
            classes: _,
            released: _,
            sets: _,
            service: _,
            couchdb: _,
        } = related;
        for claim in claims {
            let WaitedClaim {
                namespace: _,
                name: _,
                claim: _,
                events: _,
                class: _,
                volume: _,
            } = claim;
        }
    }
    if let (Read::Seen(_), Read::Seen(couchdb)) = (controller_pods, couch_pods) {
        let CouchPods {
            // How the pods were found.
            of_service: _,
            namespace: _,
            pods,
        } = couchdb;
        for pod in pods.into_parts().0 {
            let ServingPod {
                pod: _,
                events: _,
                log: _,
            } = pod;
        }
    }
}

fn look(snapshot: &Snapshot, now: Timestamp) -> Diagnosis {
    diagnose(&Case::new(snapshot, now))
}

/// The codes of everything that was found.
fn found(diagnosis: &Diagnosis) -> BTreeMap<&'static str, Severity> {
    let all = diagnosis.roots.iter().flat_map(|root| {
        let follows = root.follows.iter().map(|(rule, finding)| (*rule, finding));
        std::iter::once((root.rule, &root.finding)).chain(follows)
    });
    all.map(|(rule, finding)| (rule.code, finding.severity.unwrap_or(rule.severity)))
        .collect()
}

/// What a report says of `less`, a snapshot with a part of `whole` taken away, that it must not: a finding that is gone, or
/// milder, and not listed as not run.
fn silent_losses(whole: &Diagnosis, less: &Diagnosis) -> Vec<String> {
    let not_run: BTreeSet<&str> = less
        .not_run
        .iter()
        .flat_map(|n| n.codes.iter().copied())
        .collect();
    let left = found(less);
    let before = found(whole);
    let lost = before.iter().filter_map(|(&code, &severity)| {
        let now = left.get(code).copied();
        let is_fallback = code == FALLBACK;
        // It was not there before.
        let same = SAME
            .iter()
            .filter(|(own, other)| *own == code && !before.contains_key(other));
        let other = same.filter_map(|(_, other)| left.get(other).copied()).max();
        let fine = now.max(other) >= Some(severity) || not_run.contains(code) || is_fallback;
        (!fine).then(|| match now {
            Some(_) => format!("{code} is milder"),
            None => format!("{code} is gone"),
        })
    });
    lost.collect()
}

/// Whether something was found that must not be lost in silence.
fn can_fail(whole: &Diagnosis) -> bool {
    found(whole).keys().any(|code| *code != FALLBACK)
}

/// A cause that takes another's place: SKVS221 says why a pod of source-controller does not run, and SKVS150 that no pod does.
const SAME: [(&str, &str); 1] = [("SKVS221", "SKVS150")];

/// The code of a failure that no rule knows: it is gone once a rule cannot tell whether it knows it.
const FALLBACK: &str = "SKVS900";

/// What came of taking parts away.
#[derive(Default)]
struct Taken {
    wrong: Vec<String>,
    /// Findings that could be lost, a part at a time.
    findings: usize,
    pairs: usize,
    failing: usize,
}

impl Taken {
    /// Takes each part away, then all of them.
    fn each_part(
        &mut self,
        name: &str,
        seen: &Snapshot,
        now: Timestamp,
        untaken: &mut BTreeSet<&str>,
    ) {
        let whole = look(seen, now);
        for (part, take) in PARTS {
            let mut snapshot = seen.clone();
            if !take(&mut snapshot) {
                continue;
            }
            self.findings += found(&whole).len();
            self.pairs += 1;
            self.failing += usize::from(can_fail(&whole));
            untaken.remove(part);
            self.compare(
                &whole,
                &look(&snapshot, now),
                &format!("{name} without {part}"),
            );
        }
        let mut snapshot = seen.clone();
        for (_, take) in PARTS {
            take(&mut snapshot);
        }
        self.compare(
            &whole,
            &look(&snapshot, now),
            &format!("{name} with nothing"),
        );
    }

    fn compare(&mut self, whole: &Diagnosis, less: &Diagnosis, what: &str) {
        let losses = silent_losses(whole, less).into_iter();
        self.wrong
            .extend(losses.map(|loss| format!("{what}: {loss}")));
    }
}

/// The cases, and the public reports: saved files lack much from the start, and lead to more parts than the cases do.
fn inputs() -> impl Iterator<Item = (String, Snapshot, Timestamp)> {
    let cases = fixture::names().into_iter().map(|name| {
        let (seen, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        (name, seen, now)
    });
    let reports = fixture::reports().into_iter();
    cases.chain(reports.map(|(name, seen)| (name, seen, fixture::reported())))
}

#[test]
fn a_finding_that_is_lost_with_a_part_is_listed_as_not_run() {
    let mut taken = Taken::default();
    let mut untaken: BTreeSet<&str> = PARTS.iter().map(|(part, _)| *part).collect();
    for (name, seen, now) in inputs() {
        taken.each_part(&name, &seen, now, &mut untaken);
    }
    let Taken {
        wrong,
        findings,
        pairs,
        failing,
    } = taken;
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
    assert!(findings > 2000, "only {findings} findings could be lost");
    // Files do not have them.
    assert_eq!(
        untaken,
        BTreeSet::from(["namespaces that NetworkPolicies ask for", "ownership"])
    );
    insta::assert_snapshot!(
        format!("{failing} of {pairs} pairs of an input and a part can fail"),
        @"7025 of 7313 pairs of an input and a part can fail"
    );
}

/// Fields that rules judge by, each with a value of another form than its own.
fn odd_fields() -> Vec<(&'static str, Value)> {
    let (text, number) = (|| json!("odd"), || json!(7));
    vec![
        ("/metadata/generation", text()),
        ("/metadata/creationTimestamp", number()),
        ("/metadata/deletionTimestamp", number()),
        ("/metadata/labels", text()),
        ("/metadata/ownerReferences", text()),
        ("/spec/suspend", text()),
        ("/spec/type", number()),
        ("/spec/provider", number()),
        ("/spec/secretRef", text()),
        ("/spec/url", number()),
        ("/spec/chart", number()),
        ("/spec/version", number()),
        ("/spec/valuesFiles", text()),
        ("/spec/ref", text()),
        ("/status/observedGeneration", text()),
        ("/status/artifact", text()),
        ("/status/conditions", text()),
        ("/status/conditions/0", number()),
        ("/status/conditions/0/status", number()),
        ("/status", text()),
        ("/status/succeeded", text()),
        ("/status/initContainerStatuses", text()),
        ("/status/containerStatuses", text()),
        ("/status/containerStatuses/0", number()),
        ("/status/containerStatuses/0/state", text()),
        ("/status/phase", number()),
        ("/status/reason", number()),
        ("/status/message", number()),
        ("/status/allowed", text()),
        ("/status/availableReplicas", text()),
        ("/spec/completions", text()),
        ("/spec/replicas", text()),
        ("/spec/template", text()),
        ("/spec/template/spec/containers", text()),
        ("/spec/selector", text()),
        ("/spec/ports", text()),
        ("/spec/rules", text()),
        ("/spec/rules/0/from", text()),
        ("/endpoints", text()),
        ("/endpoints/0/conditions", text()),
        ("/reason", number()),
        ("/message", number()),
    ]
}

/// Codes that hold whatever the cause is, and are only shown where no finding says more.
const GENERAL: [&str; 5] = ["SKVS105", "SKVS302", "SKVS303", "SKVS308", FALLBACK];

#[test]
fn a_finding_that_is_lost_with_a_malformed_field_is_listed_as_not_run() {
    let (mut wrong, mut changed) = (Vec::new(), 0);
    let (mut findings, mut pairs, mut failing) = (0, 0, 0);
    for name in fixture::names() {
        let (seen, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        let whole = look(&seen, now);
        let documents = fixture::documents(&name);
        let is_there = |field: &str| {
            documents
                .iter()
                .any(|object| object.pointer(field).is_some())
        };
        for (field, odd) in odd_fields()
            .into_iter()
            .filter(|(field, _)| is_there(field))
        {
            let mut snapshot = seen.clone();
            let before = changed;
            fixture::reread(&name, &mut snapshot, &mut |object| {
                if let Some(place) = object.pointer_mut(field) {
                    *place = odd.clone();
                    changed += 1;
                }
            });
            if changed == before {
                continue;
            }
            findings += found(&whole).len();
            pairs += 1;
            failing += usize::from(can_fail(&whole));
            let less = look(&snapshot, now);
            let made_up = found(&less);
            let made_up = made_up
                .keys()
                .filter(|code| !found(&whole).contains_key(*code) && !GENERAL.contains(*code));
            let made_up = made_up.map(|code| format!("{code} is made up"));
            let losses = silent_losses(&whole, &less).into_iter().chain(made_up);
            wrong.extend(losses.map(|loss| format!("{name} with an odd {field}: {loss}")));
        }
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
    assert!(changed > 5000, "only {changed} fields were changed");
    assert!(findings > 2000, "only {findings} findings could be lost");
    insta::assert_snapshot!(
        format!("{failing} of {pairs} pairs of a case and a field can fail"),
        @"4260 of 4377 pairs of a case and a field can fail"
    );
}
