//! Which fields of which resources a bundle holds: what checks and views read, and nothing else.
//!
//! One table. What is not in it is not kept, whatever it holds; docs/capture.md is made of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a leaf may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A word of a fixed vocabulary: letters and hyphens. Anything else is left out.
    Word,
    /// A time, a duration, a number, true or false, a UID or a digest. Anything else is left out.
    Figure,
    /// The name of something: kept as it is where it is a DNS name, else scrubbed as a text is.
    Name,
    /// The name of a database or a part of one: kept as it is where CouchDB takes it, else scrubbed as a text is.
    Database,
    /// Free text, which is scrubbed.
    Text,
    /// A list of arguments, scrubbed as one text.
    Arguments,
    /// A URL of http or https: scheme, host and port, and as its path names of databases that are claimed. Anything else is left out.
    Url,
    /// Keys and types are kept, values are left out.
    Shape,
}

impl Class {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "word:" => Self::Word,
            "figure:" => Self::Figure,
            "name:" => Self::Name,
            "database:" => Self::Database,
            "text:" => Self::Text,
            "arguments:" => Self::Arguments,
            "url:" => Self::Url,
            "shape:" => Self::Shape,
            _ => return None,
        })
    }
}

/// One kind of object.
#[derive(Debug)]
pub(super) struct Resource {
    /// API group and plural as paths have them; `secrets`, `jobs.batch`.
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// Several of it.
    pub(super) plural: &'static str,
    /// Classes, each with the paths of its fields; `*` is every item or key.
    fields: &'static str,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It has `metadata`, and a path names it or a list of it.
    Object,
    /// A document of its own, whatever its path looks like.
    Document,
    /// Lines of text.
    Lines,
}

const fn object(
    name: &'static str,
    kind: &'static str,
    plural: &'static str,
    fields: &'static str,
) -> Resource {
    Resource {
        name,
        kind,
        plural,
        fields,
        form: Form::Object,
    }
}

const fn document(
    name: &'static str,
    kind: &'static str,
    plural: &'static str,
    fields: &'static str,
) -> Resource {
    Resource {
        name,
        kind,
        plural,
        fields,
        form: Form::Document,
    }
}

/// Of every object.
const METADATA: &str = "
    word: kind
    name: apiVersion metadata/name metadata/namespace
    figure: metadata/uid metadata/resourceVersion metadata/generation metadata/creationTimestamp metadata/deletionTimestamp";

/// Of every document.
const HEAD: &str = "word: kind  name: apiVersion";

/// Of every object whose status has conditions.
const CONDITIONS: &str = "
    word: status/conditions/*/type status/conditions/*/status status/conditions/*/reason
    figure: status/conditions/*/lastTransitionTime status/conditions/*/observedGeneration
    text: status/conditions/*/message";

/// Of every source of a chart, and of the HelmChart.
const SOURCE: &str = "
    name: metadata/labels/sharding.fluxcd.io~key spec/chart spec/version spec/sourceRef/kind spec/sourceRef/name spec/ref/tag spec/ref/semver spec/ref/digest
        status/artifact/revision
    word: spec/type
    figure: spec/suspend spec/passCredentials status/observedGeneration status/artifact/lastUpdateTime
    text: spec/url spec/endpoint status/artifact/url";

/// The values of an onboarding, of its chart, and of its release: below `values`.
const VALUES: &str = "
    database: values/namespace values/database
    name: values/serviceAccounts values/serviceAccounts/*
        values/couchdb/serviceName values/databaseCreationJob/serviceAccount
    figure: values/encryption values/couchdb/port values/databaseCreationJob/enabled
    shape: values/**";

/// Every kind of object and document that is kept.
pub(super) const RESOURCES: [Resource; 36] = [
    object("helmreleases.helm.toolkit.fluxcd.io", "HelmRelease", "HelmReleases", "
        name: metadata/labels/* metadata/annotations/reconcile.fluxcd.io~requestedAt status/lastHandledReconcileAt
            metadata/finalizers/* spec/chart/spec/chart spec/chart/spec/version
            spec/chart/spec/sourceRef/name spec/chart/spec/sourceRef/namespace spec/chart/spec/valuesFiles/*
            spec/chartRef/name spec/chartRef/namespace spec/releaseName spec/targetNamespace spec/storageNamespace
            spec/serviceAccountName spec/dependsOn/*/name spec/dependsOn/*/namespace
            spec/valuesFrom/*/name spec/valuesFrom/*/valuesKey spec/valuesFrom/*/targetPath
            status/helmChart status/storageNamespace status/lastAppliedRevision status/lastAttemptedRevision
            status/history/*/name status/history/*/namespace status/history/*/chartName status/history/*/chartVersion
            status/inventory/entries/*/id status/inventory/entries/*/v
        word: spec/chart/spec/sourceRef/kind spec/chartRef/kind spec/valuesFrom/*/kind spec/install/strategy/name
            spec/driftDetection/mode status/history/*/status
        text: metadata/annotations/skvs.kubectl.io~suspended-by metadata/annotations/skvs.kubectl.io~suspended-reason
        figure: metadata/annotations/skvs.kubectl.io~suspended-at metadata/annotations/skvs.kubectl.io~suspended-generation
            spec/suspend spec/interval spec/timeout
            spec/install/remediation/retries spec/install/strategy/retryInterval spec/valuesFrom/*/optional
            status/observedGeneration status/lastAttemptedGeneration status/lastReleaseRevision
            status/failures status/installFailures status/upgradeFailures
            status/history/*/version status/history/*/firstDeployed status/history/*/lastDeployed
        shape: spec/kubeConfig spec/postRenderers @conditions @spec/values"),
    object("helmcharts.source.toolkit.fluxcd.io", "HelmChart", "HelmCharts", "@conditions @source"),
    object("helmrepositories.source.toolkit.fluxcd.io", "HelmRepository", "HelmRepositories", "@conditions @source"),
    object("gitrepositories.source.toolkit.fluxcd.io", "GitRepository", "GitRepositories", "@conditions @source"),
    object("ocirepositories.source.toolkit.fluxcd.io", "OCIRepository", "OCIRepositories", "@conditions @source"),
    object("buckets.source.toolkit.fluxcd.io", "Bucket", "Buckets", "@conditions @source"),
    object("externalartifacts.source.toolkit.fluxcd.io", "ExternalArtifact", "ExternalArtifacts", "@conditions @source"),
    object("jobs.batch", "Job", "Jobs", "
        name: metadata/labels/job-name metadata/labels/helm.toolkit.fluxcd.io~name
            metadata/labels/helm.toolkit.fluxcd.io~namespace metadata/labels/release metadata/labels/app.kubernetes.io~instance
            metadata/annotations/helm.sh~hook
            spec/template/spec/serviceAccountName spec/template/spec/containers/*/name
            spec/template/spec/containers/*/env/*/name
            spec/template/spec/containers/*/env/*/valueFrom/secretKeyRef/name
            spec/template/spec/containers/*/env/*/valueFrom/configMapKeyRef/name
            spec/template/spec/containers/*/envFrom/*/secretRef/name
            spec/template/spec/containers/*/envFrom/*/configMapRef/name
            spec/template/spec/volumes/*/secret/secretName spec/template/spec/volumes/*/configMap/name
            spec/template/spec/volumes/*/projected/sources/*/secret/name
            spec/template/spec/volumes/*/projected/sources/*/configMap/name
            spec/template/spec/initContainers/*/env/*/valueFrom/secretKeyRef/name
            spec/template/spec/initContainers/*/env/*/valueFrom/configMapKeyRef/name
            spec/template/spec/initContainers/*/envFrom/*/secretRef/name
            spec/template/spec/initContainers/*/envFrom/*/configMapRef/name
        figure: status/active status/succeeded status/failed status/startTime
            spec/template/spec/containers/*/env/*/valueFrom/secretKeyRef/optional
            spec/template/spec/containers/*/env/*/valueFrom/configMapKeyRef/optional
            spec/template/spec/containers/*/envFrom/*/secretRef/optional
            spec/template/spec/containers/*/envFrom/*/configMapRef/optional
            spec/template/spec/volumes/*/secret/optional spec/template/spec/volumes/*/configMap/optional
            spec/template/spec/volumes/*/projected/sources/*/secret/optional
            spec/template/spec/volumes/*/projected/sources/*/configMap/optional
            spec/template/spec/initContainers/*/env/*/valueFrom/secretKeyRef/optional
            spec/template/spec/initContainers/*/env/*/valueFrom/configMapKeyRef/optional
            spec/template/spec/initContainers/*/envFrom/*/secretRef/optional
            spec/template/spec/initContainers/*/envFrom/*/configMapRef/optional
        url: spec/template/spec/containers/*/env/*/value
        arguments: spec/template/spec/containers/*/command spec/template/spec/containers/*/args
        @conditions"),
    object("pods", "Pod", "Pods", "
        name: metadata/labels/* metadata/ownerReferences/*/name
            metadata/annotations/traffic.sidecar.istio.io~excludeInboundPorts metadata/annotations/traffic.sidecar.istio.io~includeInboundPorts
            spec/nodeName spec/nodeSelector/* spec/imagePullSecrets/*/name spec/volumes/*/persistentVolumeClaim/claimName
            spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/*/matchExpressions/*/key
            spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/*/matchExpressions/*/values/*
            spec/containers/*/name spec/initContainers/*/name status/containerStatuses/*/name status/initContainerStatuses/*/name
            spec/volumes/*/name spec/volumes/*/configMap/name spec/volumes/*/secret/secretName
            spec/containers/*/volumeMounts/*/name spec/initContainers/*/volumeMounts/*/name
            spec/dnsPolicy spec/dnsConfig/searches/* spec/dnsConfig/options/*/name
            spec/containers/*/env/*/name spec/containers/*/env/*/valueFrom/configMapKeyRef/name spec/containers/*/env/*/valueFrom/secretKeyRef/name
            spec/containers/*/envFrom/*/configMapRef/name spec/containers/*/envFrom/*/secretRef/name
        word: metadata/ownerReferences/*/kind spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/*/matchExpressions/*/operator
            spec/securityContext/fsGroupChangePolicy
            status/phase status/reason status/containerStatuses/*/state/waiting/reason status/containerStatuses/*/state/terminated/reason
            status/containerStatuses/*/lastState/terminated/reason status/initContainerStatuses/*/state/waiting/reason
            status/initContainerStatuses/*/state/terminated/reason status/initContainerStatuses/*/lastState/terminated/reason
        figure: metadata/ownerReferences/*/uid metadata/ownerReferences/*/controller status/containerStatuses/*/ready status/containerStatuses/*/state/running/startedAt
            status/containerStatuses/*/state/terminated/exitCode status/containerStatuses/*/lastState/terminated/exitCode
            status/containerStatuses/*/state/terminated/finishedAt status/containerStatuses/*/lastState/terminated/finishedAt
            status/initContainerStatuses/*/state/terminated/finishedAt status/initContainerStatuses/*/lastState/terminated/finishedAt
            spec/hostNetwork spec/enableServiceLinks spec/dnsConfig/options/*/value
            spec/containers/*/readinessProbe/timeoutSeconds spec/containers/*/startupProbe/timeoutSeconds spec/containers/*/livenessProbe/timeoutSeconds
            spec/volumes/*/projected/defaultMode
            spec/securityContext/fsGroup
            spec/terminationGracePeriodSeconds status/initContainerStatuses/*/ready status/initContainerStatuses/*/state/running/startedAt
            status/initContainerStatuses/*/state/terminated/exitCode status/initContainerStatuses/*/lastState/terminated/exitCode
        arguments: spec/containers/*/command spec/initContainers/*/command
        text: spec/containers/*/resources/limits/memory spec/initContainers/*/resources/limits/memory spec/containers/*/image
            spec/containers/*/resources/limits/ephemeral-storage spec/initContainers/*/resources/limits/ephemeral-storage
            spec/containers/*/volumeMounts/*/mountPath spec/initContainers/*/volumeMounts/*/mountPath
            spec/containers/*/volumeMounts/*/subPath spec/initContainers/*/volumeMounts/*/subPath
            spec/initContainers/*/image status/podIP status/podIPs/*/ip status/message status/containerStatuses/*/image status/containerStatuses/*/state/waiting/message
            status/containerStatuses/*/state/terminated/message status/containerStatuses/*/lastState/terminated/message
            status/initContainerStatuses/*/image status/initContainerStatuses/*/state/waiting/message
            status/initContainerStatuses/*/state/terminated/message status/initContainerStatuses/*/lastState/terminated/message
        @conditions"),
    object("events", "Event", "Events", "
        word: type reason involvedObject/kind
        name: involvedObject/name involvedObject/namespace source/component reportingComponent reportingController
        figure: involvedObject/uid count series/count series/lastObservedTime firstTimestamp lastTimestamp eventTime
        text: message involvedObject/fieldPath"),
    object("namespaces", "Namespace", "Namespaces", "
        name: metadata/labels/*
        word: status/phase @conditions"),
    object("nodes", "Node", "Nodes", "name: metadata/labels/* @conditions"),
    object("persistentvolumeclaims", "PersistentVolumeClaim", "PersistentVolumeClaims", "
        name: spec/volumeName spec/storageClassName metadata/annotations/volume.beta.kubernetes.io~storage-class  word: status/phase"),
    object("storageclasses.storage.k8s.io", "StorageClass", "StorageClasses", "
        name: provisioner
        word: volumeBindingMode metadata/annotations/storageclass.kubernetes.io~is-default-class
            metadata/annotations/storageclass.beta.kubernetes.io~is-default-class"),
    object("persistentvolumes", "PersistentVolume", "PersistentVolumes", "
        name: spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*/key spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*/values/*
            spec/storageClassName spec/claimRef/namespace spec/claimRef/name
        word: spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*/operator
            spec/persistentVolumeReclaimPolicy status/phase
        figure: spec/claimRef/uid"),
    object("apiservices.apiregistration.k8s.io", "APIService", "APIServices", "name: spec/service/namespace spec/service/name @conditions"),
    object("volumeattachments.storage.k8s.io", "VolumeAttachment", "VolumeAttachments", "
        name: spec/nodeName spec/source/persistentVolumeName  figure: status/attached  text: status/detachError/message"),
    object("validatingwebhookconfigurations.admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "ValidatingWebhookConfigurations", "
        name: webhooks/*/name webhooks/*/clientConfig/service/namespace webhooks/*/clientConfig/service/name
            webhooks/*/rules/*/operations/* webhooks/*/rules/*/resources/* webhooks/*/rules/*/apiGroups/*
        figure: webhooks/*/timeoutSeconds"),
    object("mutatingwebhookconfigurations.admissionregistration.k8s.io", "MutatingWebhookConfiguration", "MutatingWebhookConfigurations", "
        name: webhooks/*/name webhooks/*/clientConfig/service/namespace webhooks/*/clientConfig/service/name
            webhooks/*/namespaceSelector/matchLabels/* webhooks/*/namespaceSelector/matchExpressions/*/key
            webhooks/*/namespaceSelector/matchExpressions/*/values/*
            webhooks/*/objectSelector/matchLabels/* webhooks/*/objectSelector/matchExpressions/*/key
            webhooks/*/objectSelector/matchExpressions/*/values/*
            webhooks/*/rules/*/operations/* webhooks/*/rules/*/resources/* webhooks/*/rules/*/apiGroups/*
        word: webhooks/*/namespaceSelector/matchExpressions/*/operator webhooks/*/objectSelector/matchExpressions/*/operator
        figure: webhooks/*/timeoutSeconds"),
    object("serviceaccounts", "ServiceAccount", "ServiceAccounts", ""),
    object("deployments.apps", "Deployment", "Deployments", "
        name: metadata/labels/app.kubernetes.io~part-of
        figure: spec/replicas status/availableReplicas
        text: spec/template/spec/containers/*/image
        arguments: spec/template/spec/containers/*/command spec/template/spec/containers/*/args
        @conditions"),
    object("statefulsets.apps", "StatefulSet", "StatefulSets", "
        name: spec/template/spec/containers/*/name spec/template/spec/initContainers/*/name status/updateRevision
        word: spec/podManagementPolicy spec/updateStrategy/type
        figure: spec/replicas spec/updateStrategy/rollingUpdate/partition spec/ordinals/start status/observedGeneration
        text: spec/template/spec/containers/*/image spec/template/spec/initContainers/*/image"),
    object("services", "Service", "Services", "figure: spec/ports/*/port  name: spec/selector/* spec/ports/*/name  word: spec/type
        text: spec/clusterIP"),
    object("endpointslices.discovery.k8s.io", "EndpointSlice", "EndpointSlices", "
        name: metadata/labels/kubernetes.io~service-name  figure: endpoints/*/conditions/ready"),
    object("authorizationpolicies.security.istio.io", "AuthorizationPolicy", "AuthorizationPolicies", "
        name: metadata/labels/helm.toolkit.fluxcd.io~name metadata/labels/helm.toolkit.fluxcd.io~namespace
            spec/rules/*/from/*/source/principals/*
        word: spec/action
        text: spec/rules/*/to/*/operation/paths/*"),
    object("peerauthentications.security.istio.io", "PeerAuthentication", "PeerAuthentications", "
        name: spec/selector/matchLabels/*
        word: spec/mtls/mode spec/portLevelMtls/*/mode"),
    object("networkpolicies.networking.k8s.io", "NetworkPolicy", "NetworkPolicies", "
        name: spec/podSelector/matchLabels/* spec/podSelector/matchExpressions/*/key spec/podSelector/matchExpressions/*/values/*
            spec/ingress/*/from/*/podSelector/matchLabels/* spec/ingress/*/from/*/podSelector/matchExpressions/*/key
            spec/ingress/*/from/*/podSelector/matchExpressions/*/values/*
            spec/ingress/*/from/*/namespaceSelector/matchLabels/* spec/ingress/*/from/*/namespaceSelector/matchExpressions/*/key
            spec/ingress/*/from/*/namespaceSelector/matchExpressions/*/values/*
            spec/ingress/*/ports/*/port
            spec/egress/*/to/*/podSelector/matchLabels/* spec/egress/*/to/*/podSelector/matchExpressions/*/key
            spec/egress/*/to/*/podSelector/matchExpressions/*/values/*
            spec/egress/*/to/*/namespaceSelector/matchLabels/* spec/egress/*/to/*/namespaceSelector/matchExpressions/*/key
            spec/egress/*/to/*/namespaceSelector/matchExpressions/*/values/*
            spec/egress/*/ports/*/port
        word: spec/policyTypes/* spec/podSelector/matchExpressions/*/operator
            spec/ingress/*/ports/*/protocol spec/egress/*/ports/*/protocol
            spec/ingress/*/from/*/podSelector/matchExpressions/*/operator spec/ingress/*/from/*/namespaceSelector/matchExpressions/*/operator
            spec/egress/*/to/*/podSelector/matchExpressions/*/operator spec/egress/*/to/*/namespaceSelector/matchExpressions/*/operator
        figure: spec/ingress/*/ports/*/endPort spec/egress/*/ports/*/endPort
        text: spec/ingress/*/from/*/ipBlock/cidr spec/ingress/*/from/*/ipBlock/except/*
            spec/egress/*/to/*/ipBlock/cidr spec/egress/*/to/*/ipBlock/except/*"),
    object("externalsecrets.external-secrets.io", "ExternalSecret", "ExternalSecrets", "name: spec/target/name"),
    object("certificates.cert-manager.io", "Certificate", "Certificates", "name: spec/secretName"),
    object("secrets", "Secret", "Secrets", "
        name: type metadata/labels/owner metadata/labels/name
        word: metadata/labels/status
        figure: metadata/labels/version"),
    document("release", "release of Helm", "releases of Helm", "
        name: name namespace chart/metadata/name chart/metadata/version chart/metadata/appVersion
            chart/metadata/dependencies/*/name chart/metadata/dependencies/*/alias hooks/*/name
        word: info/status hooks/*/kind hooks/*/events/* hooks/*/last_run/phase
        figure: version info/first_deployed info/last_deployed info/deleted
            hooks/*/weight hooks/*/last_run/started_at hooks/*/last_run/completed_at
        text: info/description info/notes
        @chart/values @config"),
    document("subjectaccessreviews.authorization.k8s.io", "SubjectAccessReview", "SubjectAccessReviews", "
        name: spec/user spec/groups/* spec/resourceAttributes/verb spec/resourceAttributes/group
            spec/resourceAttributes/resource spec/resourceAttributes/subresource spec/resourceAttributes/namespace
        figure: status/allowed  text: status/reason"),
    document("discovery", "discovery document", "discovery documents", "
        name: name versions/*/groupVersion versions/*/version preferredVersion/groupVersion preferredVersion/version
            groups/*/name groupVersion resources/*/name
        word: resources/*/kind"),
    document("couchdb", "answer of CouchDB", "answers of CouchDB", "
        name: namespace pod
        database: names/* asked/*/*
        word: asked/*/*/answer
        figure: asked/*/*/documents asked/*/*/bytes asked/*/*/created
        text: asked/*/*/why"),
    document("list", "list", "lists", "figure: metadata/resourceVersion metadata/remainingItemCount"),
    Resource { name: "log", kind: "log", plural: "logs", fields: "text: *", form: Form::Lines },
];

/// A field, with those in it.
#[derive(Debug, Default)]
pub(super) struct Field {
    /// What it is where it holds a value.
    pub(super) class: Option<Class>,
    fields: BTreeMap<String, Field>,
    /// Of what the table does not name.
    pub(super) rest: Option<Class>,
}

impl Field {
    /// The field under this key, or an item.
    pub(super) fn at(&self, key: &str) -> Option<&Self> {
        self.fields.get(key).or_else(|| self.fields.get("*"))
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.fields.is_empty() && self.rest.is_none()
    }

    fn insert(&mut self, path: &str, class: Class) {
        let mut at = self;
        for part in path.split('/') {
            if part == "**" {
                at.rest_below(class);
                return;
            }
            at = at.fields.entry(part.replace('~', "/")).or_default();
        }
        at.class = Some(class);
    }

    fn rest_below(&mut self, class: Class) {
        self.rest = Some(class);
        for (name, field) in &mut self.fields {
            if !field.fields.is_empty() && name != "*" && !field.fields.contains_key("*") {
                field.rest_below(class);
            }
        }
    }
}

impl Resource {
    /// Its fields: class and path, in the order of the table.
    pub(super) fn paths(&self) -> Vec<(Class, String)> {
        let mut all = Vec::new();
        let head = match self.form {
            Form::Object => METADATA,
            Form::Document => HEAD,
            Form::Lines => "",
        };
        parse_fields(head, "", &mut all);
        parse_fields(self.fields, "", &mut all);
        all
    }

    fn tree(&self) -> Field {
        let mut tree = Field::default();
        // What stands for all others comes last.
        let (rest, named): (Vec<_>, Vec<_>) = self
            .paths()
            .into_iter()
            .partition(|(_, path)| path.ends_with("**"));
        for (class, path) in named.into_iter().chain(rest) {
            tree.insert(&path, class);
        }
        tree
    }
}

fn parse_fields(fields: &str, values: &str, all: &mut Vec<(Class, String)>) {
    let mut class = None;
    for word in fields.split_whitespace() {
        match (word.strip_prefix('@'), Class::parse(word)) {
            (Some("conditions"), _) => parse_fields(CONDITIONS, "", all),
            (Some("source"), _) => parse_fields(SOURCE, "", all),
            (Some(values), _) => parse_fields(VALUES, values, all),
            (None, Some(next)) => class = Some(next),
            (None, None) => {
                let path = match word.strip_prefix("values/").filter(|_| !values.is_empty()) {
                    Some(rest) => format!("{values}/{rest}"),
                    None => word.to_owned(),
                };
                all.extend(class.map(|class| (class, path)));
            }
        }
    }
}

static TREES: LazyLock<BTreeMap<&str, Field>> =
    LazyLock::new(|| RESOURCES.iter().map(|r| (r.name, r.tree())).collect());

/// The fields that are kept of a resource; `None` where nothing is.
pub(super) fn find(resource: &str) -> Option<&'static Field> {
    TREES.get(resource)
}

/// Whether a path of this resource is never that of a list.
pub(super) fn is_document(resource: &str) -> bool {
    RESOURCES
        .iter()
        .any(|r| r.form == Form::Document && r.name == resource)
}

/// The resource of a kind, as manifests name it.
pub(super) fn of_kind(kind: &str) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.form == Form::Object && r.kind == kind)
}

/// What is kept of an object whose kind is not in the table.
pub(super) static IDENTITY: LazyLock<Field> = LazyLock::new(|| object("", "", "", "").tree());
