//! NetworkPolicies that keep the creation Job from CouchDB, or CouchDB's members from each other. They are judged by what their rules say:
//! whether the network plugin enforces them is not read.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::object_commands;
use crate::model::creation_log::Unresolved;
use crate::model::endpoint::COUCHDB_NAMESPACE;
use crate::model::field::Meta;
use crate::model::network_policy::{
    self, DNS_NAMESPACE, DNS_PORT, Direction, End, NetworkPolicy, Protocol,
};
use crate::model::pod::Pod;
use crate::snapshot::{Checked, CouchPods, IfRead, Listing, NetworkPolicies, Why};
use k8s_openapi::jiff::Timestamp;
use std::net::IpAddr;
use std::ops::ControlFlow;

/// CouchDB's port for clients.
const COUCHDB: u16 = 5984;
/// Those by which its members find and reach each other: epmd, and Erlang's own.
const MEMBERS: [u16; 2] = [4369, 9100];
/// Policies that are named.
const SHOWN: usize = 3;

const ENFORCED: &str = "A network plugin that enforces NetworkPolicies drops these connections.";

/// The finding about a pod of the Job that had no connection, with the policies that say so and the rules to add; as it was where none does.
/// `unresolved` is how the pod failed to learn CouchDB's address.
pub(super) fn of_job(
    case: &Case<'_>,
    finding: Finding,
    pod: &Subject,
    unresolved: Option<Unresolved>,
) -> Finding {
    let Some(policies) = policies(case) else {
        return finding;
    };
    let mut own = job_pods(case).filter(|own| own.is_for_policies());
    let Some(pod) = own.find(|own| Subject::from(&own.meta) == *pod) else {
        return finding;
    };
    // DNS has answered.
    if matches!(unresolved, Some(Unresolved::NoName)) {
        return finding;
    }
    let (own, of_couchdb) = (policies.of_job(), policies.of_couchdb());
    // One line says that none were read.
    let is_said = own.is_err() && of_couchdb.is_err();
    let finding = outbound(case, finding, pod, own, unresolved.is_some());
    match unresolved.is_some() || is_said {
        true => finding,
        false => inbound(case, finding, pod, of_couchdb),
    }
}

/// What keeps the Job's pod from DNS and CouchDB.
fn outbound(
    case: &Case<'_>,
    finding: Finding,
    pod: &Pod,
    policies: Checked<Option<&Listing<NetworkPolicy>>>,
    is_unresolved: bool,
) -> Finding {
    let wanted = match is_unresolved {
        true => "DNS",
        false => "CouchDB",
    };
    let what = format!("the Job's pod reach {wanted}");
    let known = match known(policies, &what) {
        Ok(Some(known)) => known,
        Ok(None) => return finding,
        Err(unknown) => return finding.why(unknown),
    };
    let place = Place::of(case);
    let reaches_dns = |protocol| {
        let inside: Vec<IpAddr> = inside(case).collect();
        network_policy::allow_dns(known.policies, &pod.meta, protocol, &inside, of_dns(case))
    };
    let (udp, tcp) = (reaches_dns(Protocol::Udp), reaches_dns(Protocol::Tcp));
    let couchdb = place.allowed(known.policies, &pod.meta);
    let decides = match is_unresolved {
        true => udp,
        false => couchdb,
    };
    if decides != Some(false) {
        return finding.whys(
            known
                .doubt(decides, &what, &pod.meta, Direction::Egress)
                .as_deref(),
        );
    }
    let blamed = known.isolating(&pod.meta, &[Direction::Egress]);
    let dns = match tcp {
        Some(true) => {
            format!("DNS over UDP (port {DNS_PORT}; a rule without a protocol is for TCP)")
        }
        _ => format!("DNS (port {DNS_PORT})"),
    };
    let at_couchdb = format!("CouchDB ({}, port {})", place.namespace, place.port);
    let lacks: Vec<String> = [(udp, dns), (couchdb, at_couchdb)]
        .into_iter()
        .filter_map(|(is, what)| (is == Some(false)).then_some(what))
        .collect();
    let to_dns = format!("to {DNS_NAMESPACE} on port {DNS_PORT} (UDP and TCP) for DNS");
    let to_couchdb = format!("to {} on port {} for CouchDB", place.namespace, place.port);
    let rules: Vec<String> = [(udp, to_dns), (couchdb, to_couchdb)]
        .into_iter()
        .filter_map(|(is, rule)| match is {
            Some(true) => None,
            Some(false) => Some(rule),
            None => Some(format!("{rule} (unless a rule allows that already)")),
        })
        .collect();
    let lets = match blamed[..] {
        [only] if only.has_no_rule(Direction::Egress) => " and lets it connect to nothing",
        _ => "",
    };
    let only = match blamed[..] {
        [only] => only.only_addresses(),
        _ => None,
    };
    let only = only.map_or(lets.to_owned(), |addresses| {
        format!(" and lets it out only to addresses outside the cluster ({addresses})")
    });
    let sentence = format!(
        "{} the pod{only}: no rule allows {}.",
        selecting(&blamed),
        lacks.join(" or ")
    );
    let step = format!(
        "Add egress rules for the Job's pods, to {} or in a policy of their own: {}. The present rules:",
        this(&blamed),
        rules.join(", and ")
    );
    let observed = format!("no rule for {}", lacks.join(" and "));
    blame(
        finding,
        &known,
        &blamed,
        &Charge {
            sentence: &sentence,
            field: ".spec.egress",
            observed: &observed,
            step: &step,
            since: pod.ended_at(),
        },
    )
}

/// What keeps CouchDB from being asked.
fn inbound(
    case: &Case<'_>,
    finding: Finding,
    pod: &Pod,
    policies: Checked<Option<&Listing<NetworkPolicy>>>,
) -> Finding {
    let what = "the Job's pod connect to CouchDB's pods";
    let known = match known(policies, what) {
        Ok(Some(known)) => known,
        Ok(None) => return finding,
        Err(unknown) => return finding.why(unknown),
    };
    let place = Place::of(case);
    let Some(own) = place.pods.first().filter(|own| own.is_for_policies()) else {
        return finding;
    };
    let namespace = case.target_namespace().if_read().map(|found| &found.meta);
    let namespace = namespace.filter(|own| own.name == pod.meta.namespace);
    let allowed = place.ports().map(|port| {
        let end = End {
            namespace: &pod.meta.namespace,
            labels: namespace,
            pods: &[pod],
            service: None,
            port,
        };
        network_policy::allow(known.policies, &own.meta, Direction::Ingress, &end)
    });
    let allowed = place.surely(either(allowed));
    if allowed != Some(false) {
        return finding.whys(
            known
                .doubt(allowed, what, &own.meta, Direction::Ingress)
                .as_deref(),
        );
    }
    let blamed = known.isolating(&own.meta, &[Direction::Ingress]);
    let lets = match blamed[..] {
        [only] if only.has_no_rule(Direction::Ingress) => " and lets nobody in",
        _ => "",
    };
    let (from, port) = (&pod.meta.namespace, place.port);
    let sentence = format!(
        "{} CouchDB's pods{lets}: no rule allows the Job's pod (namespace {from}) on port {port}.",
        selecting(&blamed)
    );
    let step = format!(
        "Add an ingress rule for CouchDB's pods, to {} or in a policy of their own: from namespace {from} on port {port}. The present rules:",
        this(&blamed)
    );
    let observed = format!("no rule for namespace {from} on port {port}");
    blame(
        finding,
        &known,
        &blamed,
        &Charge {
            sentence: &sentence,
            field: ".spec.ingress",
            observed: &observed,
            step: &step,
            since: pod.ended_at(),
        },
    )
}

/// The finding that CouchDB's members, of which this one runs and is not ready, do not reach each other or DNS; `Continue` has the finding
/// where no policy says so.
pub(super) fn of_members(
    case: &Case<'_>,
    finding: Finding,
    pods: &CouchPods,
    first: &Subject,
) -> ControlFlow<Finding, Finding> {
    let mut all = pods.pods.known().iter().map(|found| &found.pod);
    let is_meant = |pod: &&Pod| {
        Subject::from(&pod.meta) == *first && pod.runs_unready() && pod.is_for_policies()
    };
    let Some(own) = all.find(is_meant) else {
        return ControlFlow::Continue(finding);
    };
    let Some(policies) = policies(case) else {
        return ControlFlow::Continue(finding);
    };
    let what = "CouchDB's members reach each other";
    let known = match known(policies.of_couchdb(), what) {
        Ok(Some(known)) => known,
        Ok(None) => return ControlFlow::Continue(finding),
        Err(unknown) => return ControlFlow::Continue(finding.why(unknown)),
    };
    let members = pods.pods.known().iter().map(|found| &found.pod);
    let members: Vec<&Pod> = members
        .filter(|pod| pod.meta.name != own.meta.name)
        .collect();
    let ways = [Direction::Egress, Direction::Ingress];
    let goes = |way: Direction, port: u16| {
        let end = End {
            namespace: &own.meta.namespace,
            labels: Place::of(case).labels,
            pods: &members,
            service: None,
            port,
        };
        match members.is_empty() {
            // A member without others has nobody to reach; of a cut list they are not known.
            true => pods.pods.all().is_ok().then_some(true),
            false => network_policy::allow(known.policies, &own.meta, way, &end),
        }
    };
    let reach = |port: u16| match ways.map(|way| goes(way, port)) {
        [Some(true), Some(true)] => Some(true),
        ways if ways.contains(&Some(false)) => Some(false),
        _ => None,
    };
    let closed: Vec<u16> = MEMBERS
        .into_iter()
        .filter(|port| reach(*port) == Some(false))
        .collect();
    let inside: Vec<IpAddr> = inside(case).collect();
    let dns = network_policy::allow_dns(
        known.policies,
        &own.meta,
        Protocol::Udp,
        &inside,
        of_dns(case),
    );
    if closed.is_empty() && dns != Some(false) {
        let unknown = MEMBERS.into_iter().any(|port| reach(port).is_none()) || dns.is_none();
        let is = (!unknown).then_some(true);
        let doubts = ways.map(|way| known.doubt(is, what, &own.meta, way));
        return ControlFlow::Continue(
            finding.whys(doubts.iter().flatten().take(1).map(String::as_str)),
        );
    }
    let ports = match closed.as_slice() {
        [one] => format!("port {one}"),
        several => {
            let several: Vec<String> = several.iter().map(u16::to_string).collect();
            format!("ports {}", several.join(" and "))
        }
    };
    let each_other = format!("each other ({ports})");
    let to_dns = format!("DNS (port {DNS_PORT})");
    let lacks = match (closed.is_empty(), dns == Some(false)) {
        (false, true) => format!("the members reach neither {each_other} nor {to_dns}"),
        (false, false) => format!("the members do not reach {each_other}"),
        (true, _) => format!("the members do not reach {to_dns}"),
    };
    let blamed = known.isolating(&own.meta, &[Direction::Egress, Direction::Ingress]);
    let sentence = format!(
        "{} CouchDB's pods. By the rules for them, {lacks}. A member that does not find the others does not become ready.",
        selecting(&blamed)
    );
    // A rule for another direction would isolate them there.
    let shut = ways.map(|way| closed.iter().any(|port| goes(way, *port) == Some(false)));
    let which = match shut {
        [true, false] => "egress",
        [false, true] => "ingress",
        _ => "ingress and egress",
    };
    let between = (!closed.is_empty()).then(|| {
        format!(
            "{which} between them on ports {COUCHDB}, {} and {}",
            MEMBERS[0], MEMBERS[1]
        )
    });
    let dns = (dns != Some(true))
        .then(|| format!("egress to {DNS_NAMESPACE} on port {DNS_PORT} (UDP and TCP) for DNS"));
    let rules: Vec<String> = between.into_iter().chain(dns).collect();
    let step = format!(
        "Add rules for CouchDB's pods, to {} or in a policy of their own: {}. The present rules:",
        this(&blamed),
        rules.join(", and ")
    );
    ControlFlow::Break(blame(
        finding,
        &known,
        &blamed,
        &Charge {
            sentence: &sentence,
            field: ".spec",
            observed: &lacks,
            step: &step,
            since: own.unready_since(),
        },
    ))
}

/// What policies are blamed for.
struct Charge<'a> {
    sentence: &'a str,
    field: &'a str,
    observed: &'a str,
    /// What changes it.
    step: &'a str,
    /// When the failure was seen.
    since: Option<Timestamp>,
}

/// Adds what the policies say, and the step that changes it.
fn blame(
    finding: Finding,
    known: &Known<'_>,
    blamed: &[&NetworkPolicy],
    charge: &Charge<'_>,
) -> Finding {
    let others = known.not_all.map(|why| {
        format!(
            "Policies that were not read may allow them: {}.",
            why.clause()
        )
    });
    let shown = blamed
        .iter()
        .take(SHOWN)
        .map(|policy| Subject::from(&policy.meta));
    let shown: Vec<Subject> = shown.collect();
    let is_younger = |policy: &&NetworkPolicy| {
        let created = policy.meta.created.as_str();
        let created: Option<Timestamp> = created.and_then(|created| created.parse().ok());
        created
            .zip(charge.since)
            .is_some_and(|(created, since)| created > since)
    };
    let are_younger = !blamed.is_empty() && blamed.iter().all(is_younger);
    let finding = finding
        .why(charge.sentence)
        .why(match are_younger {
            true => "It was created after this failure: something else caused it, and the policy stops the next attempt.",
            false => ENFORCED,
        })
        .whys(others.as_deref())
        .seen(
            shown
                .iter()
                .map(|of| Evidence::new(of.clone(), charge.field, charge.observed)),
        )
        .step(charge.step);
    shown.iter().fold(finding, |finding, of| {
        finding.command(object_commands::describe(of))
    })
}

/// `NetworkPolicy core/a selects`
fn selecting(blamed: &[&NetworkPolicy]) -> String {
    let ids: Vec<String> = blamed
        .iter()
        .take(SHOWN)
        .map(|policy| Subject::from(&policy.meta).id())
        .collect();
    match (&ids[..], blamed.len()) {
        ([only], _) => format!("NetworkPolicy {only} selects"),
        (ids, number) if number > ids.len() => format!(
            "NetworkPolicies {} and {} more select",
            ids.join(", "),
            number - ids.len()
        ),
        (ids, _) => format!("NetworkPolicies {} select", ids.join(" and ")),
    }
}

fn this(blamed: &[&NetworkPolicy]) -> &'static str {
    match blamed.len() {
        1 => "this NetworkPolicy",
        _ => "one of these NetworkPolicies",
    }
}

fn policies<'a>(case: &Case<'a>) -> Option<&'a NetworkPolicies> {
    case.network_policies().if_read()
}

/// The policies of a namespace that were read.
struct Known<'a> {
    policies: &'a [NetworkPolicy],
    not_all: Option<&'a Why>,
}

/// The policies of a namespace; `None` where nothing asked for them, and in words that it is not known whether they let something happen where
/// they were not read.
fn known<'a>(
    policies: Checked<Option<&'a Listing<NetworkPolicy>>>,
    what: &str,
) -> Result<Option<Known<'a>>, String> {
    match policies {
        Ok(Some(listed)) => Ok(Some(Known {
            policies: listed.known(),
            not_all: listed.not_all(),
        })),
        Ok(None) => Ok(None),
        Err(unread) if unread.is_not_needed() => Ok(None),
        Err(unread) => Err(format!(
            "Whether NetworkPolicies let {what} is not known: {}.",
            unread.why.clause()
        )),
    }
}

impl<'a> Known<'a> {
    /// Those that surely isolate the pod in one of the directions, first those without a rule for it.
    fn isolating(&self, pod: &Meta, ways: &[Direction]) -> Vec<&'a NetworkPolicy> {
        let isolates = |policy: &&NetworkPolicy, way| policy.isolates(pod, way) == Some(true);
        let mut all: Vec<&NetworkPolicy> = self
            .policies
            .iter()
            .filter(|policy| ways.iter().any(|way| isolates(policy, *way)))
            .collect();
        all.sort_by_key(|policy| {
            let denies = |way: &&Direction| isolates(policy, **way) && policy.has_no_rule(**way);
            std::cmp::Reverse(ways.iter().filter(denies).count())
        });
        all
    }

    /// Why it is not known whether they let something happen, where that is so.
    fn doubt(&self, is: Option<bool>, what: &str, pod: &Meta, way: Direction) -> Option<String> {
        let perhaps = |policy: &&NetworkPolicy| policy.isolates(pod, way) != Some(false);
        let perhaps: Vec<String> = self
            .policies
            .iter()
            .filter(perhaps)
            .take(SHOWN)
            .map(|policy| Subject::from(&policy.meta).to_string())
            .collect();
        match (is, self.not_all) {
            (None, _) if !perhaps.is_empty() => Some(format!(
                "Whether {} lets {what} is not known: not all that decides it was read.",
                perhaps.join(" or ")
            )),
            (_, Some(why)) if perhaps.is_empty() => Some(format!(
                "Whether NetworkPolicies let {what} is not known: {}.",
                why.clause()
            )),
            _ => None,
        }
    }
}

/// Where CouchDB is, as far as it is known.
struct Place<'a> {
    namespace: &'a str,
    labels: Option<&'a Meta>,
    pods: Vec<&'a Pod>,
    service: Option<IpAddr>,
    /// Of the Service.
    port: u16,
}

impl<'a> Place<'a> {
    fn of(case: &Case<'a>) -> Self {
        let service = case.service().if_read();
        let found = case.couch_pods().if_read();
        let namespace = found.map(|found| found.namespace.as_str());
        let namespace = namespace.or_else(|| Some(service?.namespace.as_str()));
        let pods = found.into_iter().flat_map(|found| found.pods.known());
        let namespace = namespace.unwrap_or(COUCHDB_NAMESPACE);
        Self {
            namespace,
            labels: labels_of(case, namespace),
            pods: pods.map(|found| &found.pod).collect(),
            service: service.and_then(|found| found.service().if_read()?.address()),
            port: service.and_then(|found| found.port).unwrap_or(COUCHDB),
        }
    }

    /// The ports that its pods may listen on: the Service may translate its own.
    fn ports(&self) -> impl Iterator<Item = u16> {
        [self.port, COUCHDB].into_iter()
    }

    /// What is known of its pods' port: which one the Service leads to is not read.
    fn surely(&self, allowed: Option<bool>) -> Option<bool> {
        allowed.filter(|allowed| *allowed || self.port == COUCHDB)
    }

    fn allowed(&self, policies: &[NetworkPolicy], pod: &Meta) -> Option<bool> {
        self.surely(either(self.ports().map(|port| {
            let end = End {
                namespace: self.namespace,
                labels: self.labels,
                pods: &self.pods,
                service: self.service,
                port,
            };
            network_policy::allow(policies, pod, Direction::Egress, &end)
        })))
    }
}

fn either(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let each: Vec<Option<bool>> = each.collect();
    match () {
        () if each.contains(&Some(true)) => Some(true),
        () if each.contains(&None) => None,
        () => Some(false),
    }
}

/// The namespace of DNS, where it was read.
fn of_dns<'a>(case: &Case<'a>) -> Option<&'a Meta> {
    labels_of(case, DNS_NAMESPACE)
}

/// The labels of a namespace. Without them it is not known whether a rule takes it.
fn labels_of<'a>(case: &Case<'a>, namespace: &str) -> Option<&'a Meta> {
    let found = policies(case)?.namespace(namespace).if_read();
    found.map(|found| &found.meta)
}

/// Addresses of the cluster that are known: of pods and of CouchDB's Service.
fn inside(case: &Case<'_>) -> impl Iterator<Item = IpAddr> {
    let place = Place::of(case);
    let pods = job_pods(case).chain(place.pods);
    pods.flat_map(Pod::addresses).chain(place.service)
}

fn job_pods<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Pod> {
    let pods = case.creation_job().if_read();
    let pods = pods.and_then(|found| found.pods.if_read()).into_iter();
    pods.flat_map(Listing::known).map(|found| &found.pod)
}

#[cfg(test)]
mod tests;
