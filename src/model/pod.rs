//! A pod as Kubernetes says it is: how its containers are, and what became of it as a whole.
//!
//! Own types and not those of k8s-openapi: one odd field of a pod must not lose what the others say.

use super::condition::{Condition, Conditions};
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::kubelet;
use super::owner::Owner;
use super::placement::Wanted;
use super::pod_spec::{Environment, Mount, Variable, Variables, Volume, VolumeMount, mounts};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::net::IpAddr;

/// A pod, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    pub meta: Meta,
    pub owners: Entries<Owner>,
    pub phase: Field<String>,
    pub reason: Field<String>,
    pub message: Field<String>,
    conditions: Conditions,
    /// Those that have a status, the init containers first; not all where something of one is malformed.
    pub containers: Entries<Container>,
    /// As `spec` has them, the init containers first.
    planned: Entries<Planned>,
    /// Seconds between the request to end and the end by force.
    grace: Field<i64>,
    /// Where it runs, or is to run.
    pub node: Field<String>,
    /// It has the network of its node, and no address of its own.
    host_network: Field<bool>,
    service_links: Field<bool>,
    dns: Field<Dns>,
    dns_policy: Field<String>,
    /// What it asks of its node.
    pub wanted: Wanted,
    volumes: Entries<Volume>,
    group: Field<i64>,
    group_policy: Field<String>,
    pull_secrets: Entries<Named>,
    address: Field<String>,
    addresses: Entries<Address>,
}

/// `spec.dnsConfig`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Dns {
    searches: Entries<String>,
    options: Entries<DnsOption>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct DnsOption {
    name: Field<String>,
    value: Field<String>,
}

/// Dots from which on a name is asked for as it is before the search domains, in a pod that has the cluster's DNS, and elsewhere.
const NDOTS: [usize; 2] = [5, 1];

/// An entry of `status.podIPs`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Address {
    ip: Field<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Named {
    name: String,
}

/// A container, as `spec` has it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Planned {
    name: String,
    image: Field<String>,
    command: Entries<String>,
    resources: Field<Resources>,
    volume_mounts: Entries<VolumeMount>,
    env: Entries<Variable>,
    env_from: Entries<Variables>,
    readiness_probe: Field<Probe>,
    startup_probe: Field<Probe>,
    liveness_probe: Field<Probe>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Probe {
    timeout_seconds: Field<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Resources {
    limits: Field<Limits>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", default)]
struct Limits {
    memory: Field<String>,
    ephemeral_storage: Field<String>,
}

/// The status of one container.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub name: String,
    pub image: Field<String>,
    ready: Field<bool>,
    state: Field<State>,
    last_state: Field<State>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct State {
    running: Field<Running>,
    terminated: Field<Ended>,
    waiting: Field<Waiting>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Running {
    #[serde(default)]
    started_at: Field<Timestamp>,
}

/// How a container ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub exit_code: i64,
    /// `Error`, `Completed`, `OOMKilled`, …
    #[serde(default)]
    pub reason: String,
    /// The termination message.
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub finished_at: Field<Timestamp>,
}

/// What keeps a container from running.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
#[derive(Default)]
pub struct Waiting {
    /// `ImagePullBackOff`, …
    pub reason: String,
    pub message: String,
}

impl Pod {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let [mut planned, own] =
            ["/spec/initContainers", "/spec/containers"].map(|path| fields.list(path));
        let own: Entries<Planned> = own;
        planned.known.extend(own.known);
        planned.all &= own.all;
        let mut containers = Entries::default();
        for path in ["/status/initContainerStatuses", "/status/containerStatuses"] {
            let own: Entries<Container> = fields.list(path);
            let all = own.all && own.known.iter().all(Container::is_whole);
            if !all {
                fields.note(path);
            }
            containers.known.extend(own.known);
            containers.all &= all;
        }
        Self {
            owners: fields.list("/metadata/ownerReferences"),
            containers,
            planned,
            grace: fields.at("/spec/terminationGracePeriodSeconds"),
            node: fields.at("/spec/nodeName"),
            host_network: fields.at("/spec/hostNetwork"),
            service_links: fields.at("/spec/enableServiceLinks"),
            dns: fields.at("/spec/dnsConfig"),
            dns_policy: fields.at("/spec/dnsPolicy"),
            wanted: Wanted {
                selector: fields.at("/spec/nodeSelector"),
                affinity: fields.at(
                    "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
                ),
            },
            volumes: fields.list("/spec/volumes"),
            group: fields.at("/spec/securityContext/fsGroup"),
            group_policy: fields.at("/spec/securityContext/fsGroupChangePolicy"),
            pull_secrets: fields.list("/spec/imagePullSecrets"),
            address: fields.at("/status/podIP"),
            addresses: fields.list("/status/podIPs"),
            phase: fields.at("/status/phase"),
            reason: fields.at("/status/reason"),
            message: fields.at("/status/message"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Pod"),
        }
    }

    /// It runs, no container of it ended badly, and it is known not to be ready.
    pub fn runs_unready(&self) -> bool {
        !self.is_over()
            && self.culprit().is_none()
            && self.unready_container().is_some()
            && self.meta.deleted.is_absent()
    }

    /// Its addresses, as far as they are known.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let listed = self.addresses.known.iter().map(|address| &address.ip);
        let all = std::iter::once(&self.address).chain(listed);
        all.filter_map(|text| text.text().parse().ok())
    }

    fn condition(&self, kind: &str) -> Option<&Condition> {
        // The kubelet keeps them up to date, whatever the generation is.
        self.conditions.of_untracked().present(kind)
    }

    /// The memory limit of a container, if it has one.
    pub fn memory_limit(&self, container: &str) -> Option<&str> {
        let own = self.planned.known.iter().find(|c| c.name == container)?;
        own.resources.set()?.limits.set()?.memory.as_str()
    }

    /// When a container of it ended with another code than 0, the last one of them.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let containers = self.containers.known.iter();
        let ended = containers.filter_map(Container::ended_badly);
        ended.filter_map(|end| end.finished_at.set().copied()).max()
    }

    /// Since when it has not been ready.
    pub fn unready_since(&self) -> Option<Timestamp> {
        let ready = self.condition("Ready").filter(|ready| !ready.is_true())?;
        ready.last_transition_time.as_deref()?.parse().ok()
    }

    /// NetworkPolicies are meant for it: most network plugins do not apply them to pods that have their node's network.
    pub fn is_for_policies(&self) -> bool {
        self.host_network.is_absent() || self.host_network.is(&false)
    }

    /// How many seconds a probe of a container (`readiness`, `startup`, `liveness`) waits for an answer; `None` where that is not known.
    pub fn probe_timeout(&self, container: &str, probe: &str) -> Option<i64> {
        let own = self.planned.known.iter().find(|c| c.name == container)?;
        let probe = match probe {
            "readiness" => &own.readiness_probe,
            "startup" => &own.startup_probe,
            "liveness" => &own.liveness_probe,
            _ => return None,
        };
        match &probe.set()?.timeout_seconds {
            Field::Set(seconds) => Some(*seconds),
            // The API's default.
            Field::Absent => Some(1),
            Field::Malformed => None,
        }
    }

    /// The program of a container, where `spec` names it; an image's own is not known.
    pub fn program(&self, container: &str) -> Option<&str> {
        let own = self.planned.known.iter().find(|c| c.name == container)?;
        own.command.known.first().map(String::as_str)
    }

    /// A container of it was killed (137), and neither its own limit nor Kubernetes' decision about the pod says why.
    pub fn is_killed(&self) -> bool {
        let mut containers = self.containers.known.iter();
        let is_ended_pod = self.disruption().is_some() || !self.meta.deleted.is_absent();
        let has_deadline = self.reason.as_str() == Some("DeadlineExceeded");
        !is_ended_pod
            && !has_deadline
            && containers.any(|c| c.ended_badly().is_some_and(Ended::is_killed))
    }

    /// The limits of its containers for what they write to the node's disk.
    pub fn disk_limits(&self) -> impl Iterator<Item = &str> {
        let limits = self.planned.known.iter();
        let limits = limits.filter_map(|c| c.resources.set()?.limits.set());
        limits.filter_map(|limits| limits.ephemeral_storage.as_str())
    }

    /// The volumes of a container by where they are mounted; not all where the container or an entry cannot be read.
    pub fn mounts(&self, container: &str) -> Entries<Mount> {
        let own = self.planned.known.iter().find(|c| c.name == container);
        let Some(own) = own else {
            return Entries {
                known: Vec::new(),
                all: false,
            };
        };
        mounts(&self.volumes, &own.volume_mounts)
    }

    /// The search domains of its own in which this host is looked for before the name itself is; empty where there are none, where the
    /// name comes first, and where that is not known.
    pub fn searched_first(&self, host: &str) -> &[String] {
        // Those of the cluster come first, and the node's are not known.
        let labels = host.trim_end_matches('.').split('.').count();
        let is_service = labels <= 2 || host.split('.').nth(2) == Some("svc");
        let Some(dns) = self
            .dns
            .set()
            .filter(|_| !is_service && self.is_for_policies())
        else {
            return &[];
        };
        let mut options = dns.options.known.iter();
        let of_policy = match &self.dns_policy {
            Field::Absent => Some(NDOTS[0]),
            Field::Set(policy) if policy.starts_with("ClusterFirst") => Some(NDOTS[0]),
            Field::Set(policy) if policy == "None" => Some(NDOTS[1]),
            // The node's.
            Field::Set(_) | Field::Malformed => None,
        };
        let own = options.find(|option| option.name.is(&"ndots".to_owned()));
        let ndots = match own {
            Some(own) => own.value.text().parse().ok(),
            None => of_policy.filter(|_| dns.options.all),
        };
        let is_short = ndots.is_some_and(|ndots| host.matches('.').count() < ndots);
        match is_short && !host.ends_with('.') {
            true => &dns.searches.known,
            false => &[],
        }
    }

    /// What a container's program gets as its environment; `None` where the container cannot be read.
    pub fn environment(&self, container: &str) -> Option<Environment> {
        let own = self.planned.known.iter().find(|c| c.name == container)?;
        let links = self.service_links;
        Some(Environment::new(links, &own.env, &own.env_from))
    }

    /// The image of a container, as `spec` has it.
    pub fn image(&self, container: &str) -> Option<&str> {
        let own = self.planned.known.iter().find(|c| c.name == container)?;
        own.image.as_str()
    }

    /// Its claims of volumes.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.volumes.known.iter().filter_map(Volume::claim)
    }

    /// Every volume of it can be read, so that [`Pod::claims`] are all.
    pub fn has_whole_volumes(&self) -> bool {
        self.volumes.all && self.volumes.known.iter().all(Volume::is_whole)
    }

    /// The group that the kubelet gives all files of its volumes at each start; `None` where it does not, or that cannot be read.
    pub fn group_of_every_file(&self) -> Option<i64> {
        let always = self.group_policy.is_absent() || self.group_policy.text() == "Always";
        self.group.set().copied().filter(|_| always)
    }

    /// No node takes it because of its claims, in the scheduler's words.
    pub fn is_held_by_claims(&self) -> bool {
        self.unscheduled().is_some_and(kubelet::is_held_by_claims)
    }

    /// The Secrets with which its images are to be pulled.
    pub fn pull_secrets(&self) -> impl Iterator<Item = &str> {
        let names = self.pull_secrets.known.iter().map(|s| s.name.as_str());
        names.filter(|name| !name.is_empty())
    }

    /// No Secret is named for pulling its images.
    pub fn has_no_pull_secret(&self) -> bool {
        self.pull_secrets.all && self.pull_secrets().next().is_none()
    }

    /// The node that took it did not have the labels that it asks for.
    pub fn is_rejected_for_labels(&self) -> bool {
        self.reason.as_str() == Some("NodeAffinity")
    }

    /// No node fits it because of where its volumes are, in the scheduler's words.
    pub fn is_held_by_volumes(&self) -> bool {
        self.unscheduled().is_some_and(|said| {
            [
                "volume node affinity conflict",
                "no available volume zone",
                "didn't match PersistentVolume's node affinity",
            ]
            .iter()
            .any(|part| said.contains(part))
        })
    }

    /// The kubelet's word that it takes requests.
    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(Condition::is_true)
    }

    /// The pod is ready, or nothing says that it is not.
    pub fn may_be_ready(&self) -> bool {
        let ready = self.condition("Ready");
        ready.map_or(!self.conditions.are_whole(), |ready| !ready.is_false())
    }

    /// How long the kubelet waits for a container's end before it ends it by force.
    pub fn grace(&self) -> SignedDuration {
        SignedDuration::from_secs(self.grace.set().copied().unwrap_or(30))
    }

    /// The first container that is not ready because it does not start, or has failed.
    pub fn culprit(&self) -> Option<&Container> {
        let mut containers = self.containers.known.iter();
        let has_failed = |c: &Container| c.end().is_some_and(|end| end.exit_code != 0);
        containers.find(|c| c.is_surely_unready() && (c.is_kept_from_start() || has_failed(c)))
    }

    /// Each of its containers is ready, as far as the kubelet has reported.
    pub fn has_ready_containers(&self) -> bool {
        let containers = &self.containers;
        containers.all
            && !containers.known.is_empty()
            && containers.known.iter().all(Container::is_ready)
    }

    /// The first container that runs and is not ready.
    pub fn unready_container(&self) -> Option<&Container> {
        let mut containers = self.containers.known.iter();
        containers.find(|c| c.ready.is(&false) && c.is_running())
    }

    /// Seen that no field of its status is malformed.
    pub fn has_whole_status(&self) -> bool {
        let malformed = &self.meta.malformed;
        !malformed.iter().any(|path| path.starts_with("status"))
    }

    /// All its containers ended, or Kubernetes ended it: it does not start again.
    pub fn is_over(&self) -> bool {
        ["Failed", "Succeeded"].contains(&self.phase.text())
    }

    /// It ended and failed, or a container of it did and may be started again.
    pub fn is_failed(&self) -> bool {
        self.phase.text() == "Failed" || self.culprit().is_some_and(|c| c.ended_badly().is_some())
    }

    /// Names and images of its containers, as `spec` and the status have them.
    pub fn container_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let planned = self.planned.known.iter();
        let planned = planned.map(|c| (c.name.as_str(), c.image.text()));
        let seen = self.containers.known.iter();
        planned.chain(seen.map(|c| (c.name.as_str(), c.image.text())))
    }

    /// What the scheduler says of a pod that no node takes.
    pub fn unscheduled(&self) -> Option<&str> {
        let scheduled = self.condition("PodScheduled")?;
        scheduled.is_false().then_some(scheduled.message.as_str())
    }

    /// The condition that says of a running pod that it is not ready: its readiness probe fails, or has not run yet.
    pub fn unready(&self) -> Option<&Condition> {
        let ready = self.condition("Ready")?;
        (self.phase.text() == "Running" && ready.is_false()).then_some(ready)
    }

    /// Whether it is ready is not known: its node does not answer.
    pub fn unheard(&self) -> Option<&Condition> {
        self.condition("Ready").filter(|c| c.status == "Unknown")
    }

    /// What it is waiting for in a usual start.
    pub fn starting(&self) -> Option<&str> {
        let mut waits = self.containers.known.iter().filter_map(Container::waiting);
        waits
            .find(|waiting| waiting.is_usual())
            .map(|waiting| waiting.reason.as_str())
    }

    /// Why the kubelet does not start it: what a container waits for beyond its usual start, or why the whole pod was refused.
    pub fn not_started(&self) -> Option<(&str, &str)> {
        let mut waits = self.containers.known.iter().filter_map(Container::waiting);
        let named = waits.find(|waiting| !waiting.message.is_empty());
        let named = named.map(|waiting| (waiting.reason.as_str(), waiting.message.as_str()));
        let reason = self.reason.text();
        let refused = self.phase.text() == "Failed" && !reason.is_empty();
        named.or_else(|| refused.then_some((reason, self.message.text())))
    }

    /// The container that waits, in these words of the kubelet.
    pub fn waits_with(&self, message: &str) -> Option<&str> {
        let mut own = self.containers.known.iter();
        let found = own.find(|c| c.waiting().is_some_and(|w| w.message == message));
        found.map(|c| c.name.as_str())
    }

    /// Its node may be what keeps it from its work: the node was lost or ended it, could not set it up, or did not let Istio's containers
    /// prepare its network.
    pub fn may_be_of_its_node(&self) -> bool {
        if self.is_ready() || self.phase.text() == "Succeeded" {
            return false;
        }
        let culprit = self.culprit();
        let has_nothing_run = !self.containers.known.iter().any(Container::has_run);
        self.unheard().is_some()
            || self.disruption().is_some()
            || (self.phase.text() == "Running" && self.has_ready_containers())
            || (culprit.is_none() && has_nothing_run)
            || self.is_unprepared()
    }

    /// One of Istio's containers that prepare its network has failed.
    pub fn is_unprepared(&self) -> bool {
        let mut containers = self.containers.known.iter();
        containers.any(|c| {
            ["istio-init", "istio-validation"].contains(&c.name.as_str())
                && c.ended_badly().is_some()
        })
    }

    /// Whether a container of that name is in it; `None` where not all are known.
    pub fn has_container(&self, name: &str) -> Option<bool> {
        let mut names = self.container_names();
        let has = names.any(|(own, _)| own == name);
        (has || (self.containers.all && self.planned.all)).then_some(has)
    }

    /// It has a node, and a container still waits for its first start.
    pub fn is_to_start(&self) -> bool {
        let mut containers = self.containers.known.iter();
        self.phase.text() == "Pending" && containers.any(|c| c.waiting().is_some() && !c.has_run())
    }

    /// Whether Kubernetes ended the pod, and its own words for it, which may be empty.
    ///
    /// The condition `DisruptionTarget` says so since Kubernetes 1.26, the pod's reason and message in every version.
    pub fn disruption(&self) -> Option<(Disruption, &str)> {
        let message = self.message.text();
        let target = self.condition("DisruptionTarget").filter(|c| c.is_true());
        let says = |texts: &[&str]| {
            let condition = target.map_or("", |c| c.message.as_str());
            texts
                .iter()
                .any(|t| message.contains(t) || condition.contains(t))
        };
        let reason = self.reason.text();
        let cause = target.map_or("", |c| c.reason.as_str());
        let kind = if reason == "Evicted" || says(&["low on resource", "exceeds the limit"]) {
            Disruption::Evicted
        } else if cause == "PreemptionByScheduler"
            || reason == "Preempting"
            || says(&["Preempted in order to admit", "reempting to accommodate"])
        {
            Disruption::Preempted
        } else if reason == "NodeLost"
            || ["DeletionByTaintManager", "DeletionByPodGC"].contains(&cause)
        {
            Disruption::NodeLost
        } else if ["Terminated", "NodeShutdown", "Shutdown"].contains(&reason)
            || says(&["node shutdown", "shutting down"])
        {
            Disruption::NodeShutdown
        } else if cause == "EvictionByEvictionAPI" {
            Disruption::Drained
        } else if cause == "TerminationByKubelet" {
            Disruption::Evicted
        } else {
            return None;
        };
        let words = Some(message).filter(|m| !m.is_empty());
        let words = words.or(target.map(|c| c.message.as_str()));
        Some((kind, words.unwrap_or_default()))
    }
}

impl Parsed for Pod {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// How Kubernetes itself ended a pod, whatever its containers did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// The node ran low on memory, disk or process IDs.
    Evicted,
    /// A pod with a higher priority took its place.
    Preempted,
    /// The node is gone or does not answer.
    NodeLost,
    /// The node was shut down or restarted.
    NodeShutdown,
    /// Somebody drained the node, or evicted the pod by the API.
    Drained,
}

impl Ended {
    /// It used more memory than its limit, or than its node had.
    pub fn is_out_of_memory(&self) -> bool {
        self.reason == "OOMKilled"
    }

    /// Somebody else ended its process by force, and not for its own memory limit.
    pub fn is_killed(&self) -> bool {
        self.exit_code == 137 && self.has_run() && !self.is_out_of_memory()
    }

    /// Its process was started, so that it may have a log.
    pub fn has_run(&self) -> bool {
        !["StartError", "ContainerCannotRun", "ContainerStatusUnknown"]
            .contains(&self.reason.as_str())
    }
}

impl Waiting {
    /// A part of each start.
    fn is_usual(&self) -> bool {
        ["ContainerCreating", "PodInitializing"].contains(&self.reason.as_str())
    }
}

impl Container {
    /// No field of it is malformed.
    fn is_whole(&self) -> bool {
        let is_whole = |state: &Field<State>| match state {
            Field::Set(State {
                running,
                terminated,
                waiting,
            }) => {
                let ended = terminated.set().map(|ended| &ended.finished_at);
                let started = running.set().map(|running| &running.started_at);
                let times = [ended, started].into_iter().flatten();
                !(running.is_malformed()
                    || terminated.is_malformed()
                    || waiting.is_malformed()
                    || times.into_iter().any(Field::is_malformed))
            }
            Field::Absent => true,
            Field::Malformed => false,
        };
        is_whole(&self.state)
            && is_whole(&self.last_state)
            && !self.ready.is_malformed()
            && !self.image.is_malformed()
    }

    /// Seen that it is not ready: a malformed field may mean that it is.
    fn is_surely_unready(&self) -> bool {
        !self.ready.is_malformed() && !self.is_ready()
    }

    /// It waits for something beyond its usual start.
    fn is_kept_from_start(&self) -> bool {
        self.waiting().is_some_and(|waiting| !waiting.is_usual())
    }

    pub fn is_running(&self) -> bool {
        let state = self.state.set();
        state.is_some_and(|state| state.running.set().is_some())
    }

    /// The kubelet's word that it can do its work.
    pub fn is_ready(&self) -> bool {
        self.ready.is(&true)
    }

    /// How it ended, if it does not run.
    pub fn ended(&self) -> Option<&Ended> {
        self.state.set()?.terminated.set()
    }

    /// How it ended before it was started again.
    pub fn ended_before(&self) -> Option<&Ended> {
        self.last_state.set()?.terminated.set()
    }

    /// When its present run began.
    pub fn started(&self) -> Option<Timestamp> {
        let running = self.state.set()?.running.set()?;
        running.started_at.set().copied()
    }

    /// The end that keeps it from running: the present one, or the last one while the kubelet waits with its restart. An end
    /// before a run, or before another obstacle, is history.
    pub fn end(&self) -> Option<&Ended> {
        let backs_off = self
            .waiting()
            .is_some_and(|w| w.reason == "CrashLoopBackOff");
        let before = self.ended_before().filter(|_| backs_off);
        self.ended().or(before)
    }

    /// It ended by itself and with a fault, which its log may explain.
    pub fn has_crashed(&self) -> bool {
        self.end()
            .is_some_and(|end| end.exit_code != 0 && end.has_run() && !end.is_out_of_memory())
    }

    /// How it ended with another code than 0, now or before it was started again.
    pub fn ended_badly(&self) -> Option<&Ended> {
        let ended = [self.ended(), self.ended_before()];
        ended.into_iter().flatten().find(|e| e.exit_code != 0)
    }

    /// What it waits for, where the kubelet says it.
    pub fn waiting(&self) -> Option<&Waiting> {
        let waiting = self.state.set()?.waiting.set()?;
        (!waiting.reason.is_empty()).then_some(waiting)
    }

    /// It runs or has run: only then it has a log.
    pub fn has_run(&self) -> bool {
        self.is_running() || self.ended().is_some() || self.ended_before().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_host_with_few_dots_is_looked_for_in_the_pods_own_domains_first() {
        let first = |dns: Value, host: &str| {
            let pod = Pod::from_value(&json!({"spec": {"dnsConfig": dns}}));
            pod.searched_first(host).join(" ")
        };
        for (policy, found) in [("None", false), ("Default", false), ("ClusterFirst", true)] {
            let dns = json!({"searches": ["corp.example"]});
            let pod = json!({"spec": {"dnsPolicy": policy, "dnsConfig": dns}});
            let pod = Pod::from_value(&pod);
            assert_eq!(
                !pod.searched_first("db.a.example").is_empty(),
                found,
                "{policy}"
            );
        }
        let own = |ndots: &str| {
            let options = json!([{"name": "edns0"}, {"name": "ndots", "value": ndots}]);
            json!({"searches": ["corp.example"], "options": options})
        };
        let without = json!({"searches": ["corp.example"]});
        for (dns, host, found) in [
            (without.clone(), "db.a.example", true),
            (without.clone(), "a.b.c.d.e.example", false),
            (without.clone(), "db.a.example.", false),
            (own("3"), "db.a.example", true),
            (own("2"), "db.a.example", false),
            (own("x"), "db.a.example", false),
            (json!(null), "db.a.example", false),
            (json!({"searches": []}), "db.a.example", false),
            // A Service, which is looked for in the cluster's own domains before.
            (without.clone(), "db.secure-kvs.svc", false),
            (without.clone(), "db.secure-kvs", false),
        ] {
            let shown = format!("{dns} {host}");
            let wanted = if found { "corp.example" } else { "" };
            assert_eq!(first(dns, host), wanted, "{shown}");
        }
    }

    #[test]
    fn policies_are_not_meant_for_pods_with_the_nodes_network() {
        let is = |network: Value| {
            Pod::from_value(&json!({"spec": {"hostNetwork": network}})).is_for_policies()
        };
        assert!(is(json!(null)) && is(json!(false)));
        assert!(!is(json!(true)) && !is(json!("x")));
    }

    #[test]
    fn what_a_probe_waits_has_a_default() {
        let of = |probe: Value| {
            let container = json!({"name": "c", "readinessProbe": probe});
            let pod = Pod::from_value(&json!({"spec": {"containers": [container]}}));
            (
                pod.probe_timeout("c", "readiness"),
                pod.probe_timeout("c", "liveness"),
            )
        };
        assert_eq!(of(json!({"timeoutSeconds": 5})), (Some(5), None));
        assert_eq!(of(json!({"periodSeconds": 5})), (Some(1), None));
        assert_eq!(of(json!({"timeoutSeconds": "x"})), (None, None));
        assert_eq!(of(json!(null)), (None, None));
    }

    #[test]
    fn containers_say_how_they_ended() {
        let pod = Pod::from_value(&json!({"status": {
            "containerStatuses": [
                {"name": "create", "state": {"terminated": {"exitCode": 22, "reason": "Error", "message": "m"}}},
                {"name": "waits", "image": "i", "state": {"waiting": {"reason": "ImagePullBackOff"}}},
                {"name": "again", "state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": 1}}},
                {"name": "runs", "state": {"running": {}, "terminated": null}},
            ],
            "initContainerStatuses": [{"name": "first", "state": {"terminated": {"exitCode": 0}}}],
        }}));
        assert_eq!(pod.meta.malformed, Vec::<String>::new());
        let all = &pod.containers.known;
        let names = |kept: fn(&Container) -> bool| -> Vec<&str> {
            let kept = all.iter().filter(|c| kept(c));
            kept.map(|c| c.name.as_str()).collect()
        };
        assert_eq!(
            names(Container::has_run),
            ["first", "create", "again", "runs"]
        );
        assert_eq!(names(Container::is_running), ["runs"]);
        assert_eq!(names(|c| c.ended_badly().is_some()), ["create", "again"]);
        let ended = all[1].ended().unwrap();
        assert_eq!(
            (
                ended.exit_code,
                ended.reason.as_str(),
                ended.message.as_str()
            ),
            (22, "Error", "m")
        );
        assert_eq!(all[2].waiting().unwrap().reason, "ImagePullBackOff");
        assert_eq!((all[2].image.text(), all[3].waiting()), ("i", None));
        assert_eq!(all[3].ended_before().unwrap().exit_code, 1);
    }

    #[test]
    fn the_culprit_does_not_start_or_has_failed_and_is_surely_not_ready() {
        let culprit = |ready: Value, state: Value| {
            let last = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
            let pod = Pod::from_value(&json!({"status": {"containerStatuses": [
                {"name": "c", "ready": ready, "state": state, "lastState": last}]}}));
            let culprit = pod.culprit()?;
            Some((
                culprit.end().map(|end| end.exit_code),
                culprit.has_crashed(),
            ))
        };
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let ended =
            |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
        let no = || json!(false);
        let back_off = "CrashLoopBackOff";
        assert_eq!(culprit(no(), waiting(back_off)), Some((Some(137), false)));
        assert_eq!(culprit(no(), waiting("ErrImagePull")), Some((None, false)));
        assert_eq!(culprit(no(), ended(1, "Error")), Some((Some(1), true)));
        assert_eq!(
            culprit(json!(null), ended(1, "Error")),
            Some((Some(1), true))
        );
        assert_eq!(
            culprit(no(), ended(128, "StartError")),
            Some((Some(128), false))
        );
        for (ready, state) in [
            (no(), json!({"running": {}})),
            (no(), waiting("ContainerCreating")),
            (no(), ended(0, "Completed")),
            (json!("no"), waiting(back_off)),
            (json!(true), waiting(back_off)),
        ] {
            assert_eq!(
                culprit(ready.clone(), state.clone()),
                None,
                "{ready} {state}"
            );
        }
    }

    #[test]
    fn one_that_runs_and_is_not_ready_says_why() {
        let of = |phase: &str, kind: &str, status: &str| {
            let pod = Pod::from_value(&json!({"status": {"phase": phase, "conditions": [
                {"type": kind, "status": status, "message": "the probe fails"}]}}));
            pod.unready().map(|ready| ready.message.clone())
        };
        let says = Some("the probe fails".to_owned());
        assert_eq!(of("Running", "Ready", "False"), says);
        for (phase, kind, status) in [
            ("Running", "Ready", "True"),
            ("Running", "Ready", "Unknown"),
            ("Running", "ContainersReady", "False"),
            ("Pending", "Ready", "False"),
            ("Succeeded", "Ready", "False"),
        ] {
            assert_eq!(of(phase, kind, status), None, "{phase} {kind} {status}");
        }
    }

    #[test]
    fn an_odd_container_is_not_one_that_has_not_run() {
        let of = |status: Value| {
            let pod = Pod::from_value(&json!({"status": {"containerStatuses": [
                {"name": "create", "state": {"terminated": {"exitCode": 22}}}, status]}}));
            let known = pod
                .containers
                .known
                .first()
                .is_some_and(|c| c.ended_badly().is_some());
            (known, pod.meta.malformed.join(" "))
        };
        let odd = (true, "status.containerStatuses".to_owned());
        assert_eq!(
            of(json!({"name": "a", "state": {"running": {}}})),
            (true, String::new())
        );
        for status in [
            json!(7),
            json!({"name": 7}),
            json!({"state": "ended"}),
            json!({"ready": "yes"}),
            json!({"state": {"terminated": {"exitCode": "22"}}}),
            json!({"lastState": {"waiting": 7}}),
        ] {
            assert_eq!(of(status.clone()), odd, "{status}");
        }
    }

    #[test]
    fn the_scheduler_says_that_no_node_takes_it() {
        let pod = Pod::from_value(&json!({"status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}, 7]}}));
        assert_eq!(pod.unscheduled(), Some("0/1 nodes"));
        assert_eq!(pod.meta.malformed, ["status.conditions"]);
        assert_eq!(Pod::from_value(&json!({})).unscheduled(), None);
    }

    #[test]
    fn kubernetes_says_how_it_ended_a_pod() {
        use Disruption as D;
        let of = |status: Value| {
            Pod::from_value(&json!({"status": status}))
                .disruption()
                .map(|(kind, _)| kind)
        };
        let target = |reason: &str, message: &str| json!({"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]});
        for (status, kind) in [
            (
                json!({"reason": "Evicted", "message": "The node was low on resource: memory."}),
                Some(D::Evicted),
            ),
            (
                json!({"message": "Pod ephemeral local storage usage exceeds the limit"}),
                Some(D::Evicted),
            ),
            (
                target(
                    "TerminationByKubelet",
                    "The node was low on resource: memory.",
                ),
                Some(D::Evicted),
            ),
            (
                target(
                    "PreemptionByScheduler",
                    "default-scheduler: preempting to accommodate a higher priority pod",
                ),
                Some(D::Preempted),
            ),
            (
                json!({"reason": "Preempting", "message": "Preempted in order to admit critical pod"}),
                Some(D::Preempted),
            ),
            (
                target(
                    "DeletionByTaintManager",
                    "Taint manager: deleting due to NoExecute taint",
                ),
                Some(D::NodeLost),
            ),
            (
                target("DeletionByPodGC", "PodGC: node no longer exists"),
                Some(D::NodeLost),
            ),
            (json!({"reason": "NodeLost"}), Some(D::NodeLost)),
            (
                json!({"reason": "Terminated", "message": "Pod was terminated in response to imminent node shutdown."}),
                Some(D::NodeShutdown),
            ),
            (
                target(
                    "TerminationByKubelet",
                    "Pod was terminated in response to imminent node shutdown.",
                ),
                Some(D::NodeShutdown),
            ),
            (
                target("EvictionByEvictionAPI", "Eviction API: evicting"),
                Some(D::Drained),
            ),
            (json!({"reason": "DeadlineExceeded"}), None),
            (
                json!({"conditions": [{"type": "DisruptionTarget", "status": "False", "reason": "EvictionByEvictionAPI"}]}),
                None,
            ),
            (json!(7), None),
        ] {
            assert_eq!(of(status.clone()), kind, "{status}");
        }
    }

    proptest! {
        #[test]
        fn no_status_panics(status in r#"\{"(containerStatuses|conditions)":(null|1|\[(null|\{"state":(\{"terminated":(1|\{"exitCode":"x"\})\}|null)\})\])\}"#) {
            let status: Value = serde_json::from_str(&status).unwrap();
            let pod = Pod::from_value(&json!({"status": status}));
            prop_assert!(!pod.containers.known.iter().any(Container::has_run));
            prop_assert!(pod.conditions.shown().len() <= 1 && pod.unscheduled().is_none());
        }
    }
}
