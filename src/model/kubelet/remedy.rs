//! Remedies for the messages of the kubelet, its volume and network plugins and the scheduler about a pod that does not start.

/// Parts that a message must have, all of them, and the remedy; the first row that fits counts.
type Row = (&'static [&'static str], &'static str);

const KUBELET: &[Row] = &[
    (
        &["configmap \"istio-ca-root-cert\" not found"],
        "istiod writes this ConfigMap into every namespace of the mesh: check that istiod runs, and that it watches this namespace (discoverySelectors)",
    ),
    (
        &["configmap", "\" not found"],
        "Create the ConfigMap in the pod's namespace, or correct its name where the pod is defined",
    ),
    (
        &["secrets \"", "\" not found"],
        "Create the Secret in the pod's namespace, or correct its name where the pod is defined",
    ),
    (
        &["secret \"", "\" not found"],
        "Create the Secret in the pod's namespace, or correct its name where the pod is defined",
    ),
    (
        &["couldn't find key "],
        "Add the key to the Secret or ConfigMap that the message names, or correct the key where the pod is defined",
    ),
    (
        &["references non-existent secret key"],
        "Add the key to the Secret, or correct the key in the pod's volume",
    ),
    (
        &["references non-existent config key"],
        "Add the key to the ConfigMap, or correct the key in the pod's volume",
    ),
    (
        &[
            "failed to sync ",
            " cache: timed out waiting for the condition",
        ],
        "The kubelet did not get the object from the API server in time. If it stays so, check that the object exists, and that the node reaches the API server",
    ),
    (
        &["object \"", "\" not registered"],
        "The kubelet has not seen the object yet; this passes. If it stays so, restart the kubelet of the node",
    ),
    (
        &["failed to fetch token"],
        "The kubelet gets no token for the pod's ServiceAccount: check that the account exists, and whether the node reaches the API server",
    ),
    (
        &["image will run as root"],
        "The pod must not run as root: set securityContext.runAsUser to another user than 0, or use an image whose user is not root",
    ),
    (
        &["image has non-numeric user"],
        "The kubelet does not know whether the image's user is root: set securityContext.runAsUser to its number",
    ),
    (
        &["AppArmor"],
        "The node does not have the AppArmor profile, or does not support AppArmor: load the profile there, or correct it where the pod is defined",
    ),
    (
        &["seccomp"],
        "The node does not have the seccomp profile: put it there, or correct it where the pod is defined",
    ),
    (
        &["no space left on device"],
        "The node's disk is full: free space on it, or let the pod run on another node",
    ),
    (
        &["too many open files"],
        "The node has reached its limit of open files or watches (fs.inotify): raise it, or let the pod run on another node",
    ),
    (
        &["failed to assign an IP address"],
        "The node has no free IP address for pods: remove pods from it, or enlarge its share of the network",
    ),
    (
        &["no IP addresses available"],
        "The node has no free IP address for pods: remove pods from it, or enlarge its share of the network",
    ),
    (
        &["istio-cni"],
        "Istio's CNI plugin on the pod's node failed: check the plugin's pod there (label k8s-app=istio-cni-node), its log, and istiod",
    ),
    (
        &["cni plugin not initialized"],
        "The node has no network yet: check the pod of the network plugin on that node",
    ),
    (
        &["network is not ready"],
        "The node has no network yet: check the pod of the network plugin on that node",
    ),
    (
        &["failed to setup network for sandbox"],
        "The node's network plugin failed: check the plugin's pod on that node, and its log",
    ),
    (
        &["failed to set up sandbox container"],
        "The node's network plugin failed: check the plugin's pod on that node, and its log",
    ),
    (
        &["Multi-Attach error for volume "],
        "Its volume is still attached to another node, and has to be detached there first",
    ),
    (
        &["Unable to attach or mount volumes"],
        "The kubelet waited too long for the pod's volumes: check the storage driver's pods, and whether a volume is still attached to another node",
    ),
    (
        &["AttachVolume.Attach failed"],
        "The volume cannot be attached to the node: check that it exists in the storage system and is in the node's zone, and the log of the storage driver's controller",
    ),
    (
        &["MountVolume."],
        "The volume cannot be mounted on the node: check the storage driver's pod on that node, and whether the storage answers",
    ),
    (
        &["MapVolume."],
        "The volume cannot be mounted on the node: check the storage driver's pod on that node, and whether the storage answers",
    ),
    (
        &["failed to reserve container name"],
        "The node's container runtime is slower than the kubelet waits: check the node's load and disk",
    ),
    (
        &["Node didn't have enough resource"],
        "The node was full when the pod arrived. A Job or a workload makes another pod; if it recurs, free or add capacity",
    ),
    (
        &["Allocate failed"],
        "The node could not give the pod a device that it asks for: check the device plugin on that node",
    ),
    (
        &["Predicate NodeAffinity failed"],
        "The node's labels no longer fit the pod: correct the pod's nodeSelector or affinity, or the node's labels",
    ),
    (
        &["Head \"https://", "context deadline exceeded"],
        "The image's registry did not answer in time: check the way to it from the node",
    ),
    (
        &["Get \"https://", "context deadline exceeded"],
        "The image's registry did not answer in time: check the way to it from the node",
    ),
    (
        &["context deadline exceeded"],
        "The node's container runtime did not answer in time: check the node's load and disk",
    ),
    (
        &["DeadlineExceeded desc"],
        "The node's container runtime did not answer in time: check the node's load and disk",
    ),
];

const TOLERATE: &str = "Give the pod a toleration for the taint that the message names if it may run there, or use other nodes";

/// Words of the scheduler about a claim, whatever the node.
const DELETED: [&str; 2] = ["persistentvolumeclaim \"", "\" is being deleted"];
const UNBOUND: [&str; 1] = ["unbound immediate PersistentVolumeClaims"];
/// Its words where a claim would get its volume with the pod.
const NONE_FREE: [&str; 1] = ["didn't find available persistent volumes to bind"];
const OF_CLAIMS: [&[&str]; 3] = [&DELETED, &UNBOUND, &NONE_FREE];

const SCHEDULER: &[Row] = &[
    (
        &DELETED,
        "Keep the pod and the finalizers for now: its PersistentVolumeClaim is being deleted, and the data may go with it. First set the reclaim policy of the claim's volume to Retain",
    ),
    (
        &["Insufficient "],
        "Free or add capacity, or lower what the pod requests",
    ),
    (
        &["Too many pods"],
        "Add nodes, or remove pods: the nodes have as many as they may",
    ),
    (
        &["node.kubernetes.io/unreachable"],
        "Bring the unreachable nodes back",
    ),
    (
        &["node.kubernetes.io/not-ready"],
        "Bring the nodes back that are not ready",
    ),
    (
        &["-pressure"],
        "Free memory, disk space or process IDs on the nodes that lack them",
    ),
    (
        &["were unschedulable"],
        "Uncordon the nodes that are cordoned, once their maintenance is over",
    ),
    (&["untolerated taint"], TOLERATE),
    (
        &["didn't match Pod's node affinity/selector"],
        "Correct the pod's nodeSelector or affinity, or label a node that fits",
    ),
    (
        &["didn't match PersistentVolume's node affinity"],
        "Its volume is in another zone than the nodes that have room: make room in the volume's zone",
    ),
    (
        &["had volume node affinity conflict"],
        "Its volume is in another zone than the nodes that have room: make room in the volume's zone",
    ),
    (
        &UNBOUND,
        "Its PersistentVolumeClaim has no volume yet: check the claim, its storage class and the storage driver",
    ),
    (
        &NONE_FREE,
        "No free PersistentVolume fits the pod's claim: check the claim, its storage class and the volumes of that class",
    ),
    (
        &["persistentvolumeclaim \"", "\" not found"],
        "Create the PersistentVolumeClaim that the message names, or correct its name where the pod is defined",
    ),
    (
        &["didn't have free ports for the requested pod ports"],
        "Another pod on each node has the host port: use another port, or other nodes",
    ),
    (
        &["didn't match pod anti-affinity rules"],
        "Add a node, or loosen the pod's anti-affinity",
    ),
    (
        &["didn't match pod topology spread constraints"],
        "Add nodes where pods are missing, or loosen the pod's topologySpreadConstraints",
    ),
];

/// The remedy for the kubelet's message, as the beginning of a sentence; `None` where the message is not known.
pub fn remedy(message: &str) -> Option<&'static str> {
    all(KUBELET, message).next()
}

/// The nodes of its volume's zone have as many of these pods as they may.
const SPREAD: &str = "Its volume can only be used on some nodes, and the pod's topologySpreadConstraints allow no further pod there: set whenUnsatisfiable: ScheduleAnyway or a larger maxSkew where the pod is defined. Do not delete the claim or the volume, which hold the data";

/// Remedies for the scheduler's message. Each alone would let a node accept the pod.
fn scheduling(message: &str) -> Vec<&'static str> {
    // What follows repeats it for pods that would have to go.
    let own = message.split(" preemption: ").next().unwrap_or_default();
    // A toleration does not mend an unhealthy node.
    let mut taints = own.split("untolerated taint").skip(1);
    let is_own_taint = taints.any(|rest| {
        !rest
            .trim_start_matches([' ', '(', '{'])
            .starts_with("node.kubernetes.io/")
    });
    let found = all(SCHEDULER, own).filter(|what| is_own_taint || *what != TOLERATE);
    let found: Vec<&str> = found.collect();
    match is_held_by_spread(own) {
        // What each of the two would take alone does not help.
        true => vec![SPREAD],
        false => found,
    }
}

/// The remedies as a step; `None` where none is known.
pub fn scheduling_step(message: &str) -> Option<String> {
    let remedies = scheduling(message);
    if remedies.is_empty() {
        return None;
    }
    let own = message.split(" preemption: ").next().unwrap_or_default();
    let of_claims = OF_CLAIMS.iter().filter(|parts| are_in(parts, own)).count();
    let end = match remedies.len() > of_claims {
        true => ". One node that takes it is enough:",
        false => ":",
    };
    Some(remedies.join(". ") + end)
}

/// Whether the pod's topologySpreadConstraints exclude every node on which its volume can be used.
pub fn is_held_by_spread(message: &str) -> bool {
    let own = message.split(" preemption: ").next().unwrap_or_default();
    let of_volume = [
        "had volume node affinity conflict",
        "didn't match PersistentVolume's node affinity",
    ];
    let of_spread = "didn't match pod topology spread constraints";
    let is_of_volume = |reason: &str| of_volume.iter().any(|part| reason.contains(part));
    let (_, reasons) = own
        .split_once(" nodes are available: ")
        .unwrap_or(("", own));
    let mut reasons = reasons.split(", ");
    // A node that lacks something else may fit once it has it.
    let is_all = reasons.all(|reason| reason.contains(of_spread) || is_of_volume(reason));
    is_all && own.contains(of_spread) && is_of_volume(own)
}

/// Whether a claim keeps nodes from taking the pod, in the scheduler's words.
pub fn is_held_by_claims(message: &str) -> bool {
    let own = message.split(" preemption: ").next().unwrap_or_default();
    OF_CLAIMS.iter().any(|parts| are_in(parts, own))
}

/// Whether no volume is free for a claim of the pod.
pub fn lacks_free_volume(message: &str) -> bool {
    let own = message.split(" preemption: ").next().unwrap_or_default();
    are_in(&NONE_FREE, own)
}

fn are_in(parts: &[&str], message: &str) -> bool {
    parts.iter().all(|part| message.contains(part))
}

fn all(rows: &'static [Row], message: &str) -> impl Iterator<Item = &'static str> {
    let rows = rows.iter().filter(move |(parts, _)| are_in(parts, message));
    rows.map(|(_, what)| *what).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_the_kubelet_has_its_remedy() {
        for (message, part) in [
            ("secret \"a\" not found", "Create the Secret"),
            ("configmap \"a\" not found", "Create the ConfigMap"),
            (
                "MountVolume.SetUp failed for volume \"istiod-ca-cert\" : configmap \"istio-ca-root-cert\" not found",
                "check that istiod runs",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : secret \"b\" not found",
                "Create the Secret",
            ),
            ("couldn't find key password in Secret core/a", "Add the key"),
            (
                "MountVolume.SetUp failed for volume \"a\" : references non-existent secret key: b",
                "Add the key to the Secret",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : references non-existent config key: b",
                "Add the key to the ConfigMap",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : failed to sync secret cache: timed out waiting for the condition",
                "did not get the object",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : object \"core\"/\"a\" not registered",
                "this passes",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : failed to fetch token: serviceaccounts \"a\" is forbidden",
                "check that the account exists",
            ),
            (
                "container has runAsNonRoot and image will run as root (pod: \"a\", container: b)",
                "runAsUser",
            ),
            (
                "container has runAsNonRoot and image has non-numeric user (a), cannot verify user is non-root",
                "its number",
            ),
            (
                "failed to assign an IP address to container",
                "no free IP address",
            ),
            (
                "failed to setup network for sandbox \"a\": plugin type=\"istio-cni\" failed (add): x",
                "Istio's CNI plugin",
            ),
            (
                "failed to setup network for sandbox \"a\": plugin type=\"b\" failed (add): x",
                "network plugin failed",
            ),
            (
                "container runtime network not ready: NetworkReady=false message:Network plugin returns error: cni plugin not initialized",
                "no network yet",
            ),
            (
                "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: context deadline exceeded",
                "waited too long for the pod's volumes",
            ),
            (
                "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data]: timed out waiting for the condition",
                "waited too long for the pod's volumes",
            ),
            (
                "MapVolume.SetUpDevice failed for volume \"a\" : rpc error: code = DeadlineExceeded desc = context deadline exceeded",
                "storage driver's pod",
            ),
            (
                "Multi-Attach error for volume \"a\" Volume is already used by pod(s) b",
                "detached there first",
            ),
            ("AttachVolume.Attach failed for volume \"a\" : x", "zone"),
            (
                "MountVolume.MountDevice failed for volume \"a\" : rpc error: x",
                "storage driver's pod",
            ),
            (
                "Pod was rejected: Node didn't have enough resource: cpu, requested: 1",
                "was full",
            ),
            (
                "Error: context deadline exceeded",
                "container runtime did not answer in time",
            ),
            (
                "rpc error: code = DeadlineExceeded desc = failed to pull and unpack image \"registry.example/a:1\": failed to resolve reference: Head \"https://registry.example/v2/a/manifests/1\": context deadline exceeded",
                "registry did not answer in time",
            ),
            (
                "failed to pull image \"registry.example/a:1\": Get \"https://registry.example/v2/\": context deadline exceeded",
                "registry did not answer in time",
            ),
            (
                "MountVolume.SetUp failed for volume \"a\" : rpc error: code = Unknown desc = failed to get secretproviderclass core/a, error: secretproviderclasses.secrets-store.csi.x-k8s.io \"a\" not found",
                "storage driver's pod",
            ),
        ] {
            let said = remedy(message).unwrap_or_default();
            assert!(said.contains(part), "{message}: {said}");
        }
        assert_eq!(remedy("something new"), None);
    }

    #[test]
    fn each_reason_of_the_scheduler_has_its_remedy() {
        let said = |message: &str| scheduling(message).join("\n");
        insta::assert_snapshot!(said("0/5 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 3 node(s) were unschedulable. preemption: 0/5 nodes are available: 1 Too many pods."), @"
        Free or add capacity, or lower what the pod requests
        Bring the unreachable nodes back
        Uncordon the nodes that are cordoned, once their maintenance is over
        ");
        assert_eq!(said("0/5 nodes are available: something new"), "");
        for (message, part) in [
            (
                "3 node(s) didn't match Pod's node affinity/selector",
                "nodeSelector",
            ),
            ("3 node(s) had volume node affinity conflict", "zone"),
            (
                "pod has unbound immediate PersistentVolumeClaims",
                "storage class",
            ),
            (
                "persistentvolumeclaim \"a\" not found",
                "Create the PersistentVolumeClaim",
            ),
            (
                "persistentvolumeclaim \"a\" is being deleted",
                "First set the reclaim policy",
            ),
            (
                "3 node(s) didn't find available persistent volumes to bind",
                "No free PersistentVolume",
            ),
            ("3 Too many pods", "Add nodes"),
            (
                "0/6 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod topology spread constraints, 3 node(s) had volume node affinity conflict.",
                "Free or add capacity",
            ),
            (
                "0/6 nodes are available: 2 node(s) didn't match pod topology spread constraints, 4 node(s) didn't match PersistentVolume's node affinity. preemption: 0/6",
                "maxSkew",
            ),
            (
                "2 node(s) didn't match pod topology spread constraints. preemption: 4 node(s) had volume node affinity conflict",
                "Add nodes where pods are missing",
            ),
        ] {
            assert!(said(message).contains(part), "{message}");
        }
    }

    #[test]
    fn a_claim_is_not_said_to_be_a_matter_of_nodes() {
        let end = |message: &str| {
            let step = scheduling_step(message);
            step.map(|step| step.ends_with("One node that takes it is enough:"))
        };
        let claims = [
            "pod has unbound immediate PersistentVolumeClaims.",
            "persistentvolumeclaim \"a\" is being deleted.",
            "3 node(s) didn't find available persistent volumes to bind.",
        ];
        for said in claims {
            let message =
                format!("0/3 nodes are available: {said} preemption: 3 Insufficient cpu.");
            assert_eq!(end(&message), Some(false), "{said}");
            assert!(is_held_by_claims(&message), "{said}");
            let preempted = format!("0/3 nodes are available: x. preemption: {said}");
            assert!(!is_held_by_claims(&preempted), "{said}");
        }
        let both = "1 Insufficient cpu, 2 node(s) didn't find available persistent volumes to bind";
        assert_eq!(end(both), Some(true));
        assert!(lacks_free_volume(both) && !lacks_free_volume(claims[0]));
        assert!(!is_held_by_claims("persistentvolumeclaim \"a\" not found"));
        assert_eq!(end("something new"), None);
    }
}
