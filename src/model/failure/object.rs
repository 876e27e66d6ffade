//! Why an object of the chart could not be applied, read out of a failure's text: the API server's and Helm's own words
//! on one object. Admission has its own file ([`super::refusal`]).

use super::text::unwrap_action;

/// What is wrong with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectError {
    /// The cluster does not serve the kind.
    NoKind {
        kind: String,
        version: String,
        /// It stands in the stored release, not in the chart.
        stored: bool,
    },
    /// The object is there and is not this release's.
    Foreign {
        kind: String,
        name: String,
        namespace: String,
        /// The release that its annotations name.
        owner: Option<String>,
    },
    /// A field that must not change was to change.
    Immutable { object: String, field: String },
    /// Another field manager owns a field.
    Conflict { manager: String },
    /// An object of that name is there: `jobs.batch`, `x`.
    Exists { resource: String, name: String },
    /// Somebody wrote the object at the same time.
    Modified { resource: String, name: String },
    /// It exists, and the last stored revision does not have it: `Deployment`, `x`.
    Unlisted { kind: String, name: String },
    /// A patch cannot be made of the stored, the rendered and the present object; Helm's words.
    Unpatchable(String),
    /// The object, or the release with the whole chart in it, is too large.
    TooLarge(Large),
    /// A name or label made of other names that is too long.
    NameTooLong {
        object: String,
        field: String,
        rule: String,
    },
}

/// What is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Large {
    /// The Secret of the release.
    Release,
    /// One object.
    Object,
    /// Annotations: client-side apply keeps the object in one.
    Annotations,
    /// A request.
    Request,
}

impl ObjectError {
    /// Reads `text`, the inner cause before the words around it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        foreign(text)
            .or_else(|| large(text).map(Self::TooLarge))
            .or_else(|| name_too_long(text))
            .or_else(|| immutable(text))
            .or_else(|| modified(text))
            .or_else(|| conflict(text))
            .or_else(|| no_kind(text))
            .or_else(|| exists(text))
            .or_else(|| unlisted(text))
            .or_else(|| vanished(text))
            .or_else(|| unpatchable(text))
    }
}

/// `AuthorizationPolicy "x" in namespace "n" exists and cannot be imported into the current release: …`
fn foreign(text: &str) -> Option<ObjectError> {
    let (before, after) =
        text.split_once(" exists and cannot be imported into the current release: ")?;
    let (before, namespace) = before.rsplit_once("\" in namespace \"")?;
    let (kind, name) = before.rsplit_once(" \"")?;
    let kind = kind.rsplit(char::is_whitespace).next()?;
    let owner = after
        .split_once("key \"meta.helm.sh/release-name\" must equal ")
        .and_then(|(_, rest)| rest.split_once("current value is \""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(owner, _)| owner.to_owned());
    Some(ObjectError::Foreign {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.trim_end_matches('"').to_owned(),
        owner,
    })
}

fn large(text: &str) -> Option<Large> {
    let has = |part: &str| text.contains(part);
    if has("metadata.annotations: Too long") {
        Some(Large::Annotations)
    } else if has(": Too long: ") && has("1048576") {
        Some(if has("Secret \"sh.helm.release.") {
            Large::Release
        } else {
            Large::Object
        })
    } else if has("etcdserver: request is too large")
        || has("Request entity too large: limit is ")
        // Of a proxy in front of the API server.
        || has("the server responded with the status code 413 ")
        || has("trying to send message larger than max")
    {
        Some(Large::Request)
    } else {
        None
    }
}

/// `Job.batch "x" is invalid: spec.template: Invalid value: …: field is immutable`
fn immutable(text: &str) -> Option<ObjectError> {
    let line = text.lines().find(|l| {
        let is_fixed = l.contains(": Forbidden: ")
            && [
                "may not change",
                "may not be changed",
                "is immutable",
                "updates to ",
            ]
            .iter()
            .any(|t| l.contains(t));
        is_fixed || l.contains(": field is immutable") || l.contains(": cannot change roleRef")
    })?;
    let (object, field) = invalid(line)?;
    Some(ObjectError::Immutable { object, field })
}

/// The object and the field of `KIND.GROUP "NAME" is invalid: FIELD: …`.
fn invalid(line: &str) -> Option<(String, String)> {
    let (before, after) = line.split_once("\" is invalid: ")?;
    let (kind, name) = before.rsplit_once(" \"")?;
    let kind = kind.rsplit(char::is_whitespace).next()?.split('.').next()?;
    let field = after.trim_start_matches('[').split(": ").next()?;
    Some((format!("{kind} {name}"), field.to_owned()))
}

/// `… is invalid: metadata.labels: Invalid value: "…": must be no more than 63 bytes`
fn name_too_long(text: &str) -> Option<ObjectError> {
    let line = text.lines().find(|l| l.contains("\" is invalid: "))?;
    let rule = ["must be no more than 63 ", "must be no more than 253 "]
        .iter()
        .find_map(|r| line.find(r).map(|at| &line[at..]))?;
    let (object, field) = invalid(line)?;
    let named = field.starts_with("metadata.name")
        || field.starts_with("metadata.labels")
        || field.starts_with("spec.template.labels")
        || field.starts_with("spec.template.metadata.labels");
    let rule = rule.split([',', '(', ']']).next()?.trim();
    named.then(|| ObjectError::NameTooLong {
        object,
        field,
        rule: rule.to_owned(),
    })
}

/// `Operation cannot be fulfilled on secrets "x": the object has been modified; …`
fn modified(text: &str) -> Option<ObjectError> {
    let (_, rest) = text.split_once("Operation cannot be fulfilled on ")?;
    let (resource, rest) = rest.split_once(" \"")?;
    let (name, rest) = rest.split_once('"')?;
    let is_lost = rest.contains("Precondition failed: UID in precondition");
    (is_lost || rest.contains("the object has been modified")).then(|| ObjectError::Modified {
        resource: resource.to_owned(),
        name: name.to_owned(),
    })
}

/// `conflict occurred while applying object …: Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec`
fn conflict(text: &str) -> Option<ObjectError> {
    let at = [
        "conflict occurred while applying object",
        "Apply failed with ",
    ]
    .iter()
    .find_map(|lead| text.find(lead))?;
    let rest = &text[at..];
    let (_, rest) = rest
        .split_once("conflict with \"")
        .or_else(|| rest.split_once("conflicts with \""))?;
    let (manager, _) = rest.split_once('"')?;
    Some(ObjectError::Conflict {
        manager: manager.to_owned(),
    })
}

/// `no matches for kind "K" in version "V"`
fn no_kind(text: &str) -> Option<ObjectError> {
    // An uninstallation reads nothing but the stored release.
    let stored = text.contains("from current release manifest")
        || text.contains("unable to build kubernetes objects for delete")
        || text.contains("current release manifest contains removed kubernetes api(s)");
    let Some((_, rest)) = text.split_once("no matches for kind \"") else {
        return text
            .contains("current release manifest contains removed kubernetes api(s)")
            .then(|| ObjectError::NoKind {
                kind: String::new(),
                version: String::new(),
                stored: true,
            });
    };
    let (kind, rest) = rest.split_once("\" in ")?;
    let rest = rest
        .strip_prefix("version \"")
        .or_else(|| rest.strip_prefix("versions [\""))?;
    let (version, _) = rest.split_once('"')?;
    Some(ObjectError::NoKind {
        kind: kind.to_owned(),
        version: version.to_owned(),
        stored,
    })
}

/// `jobs.batch "x" already exists`
fn exists(text: &str) -> Option<ObjectError> {
    let line = text.lines().find(|l| {
        let after = l
            .rsplit_once("\" already exists")
            .map(|(_, after)| after.trim());
        after.is_some_and(|a| a.is_empty() || a.starts_with([':', ',', ']', '&']))
    })?;
    let (before, _) = line.rsplit_once("\" already exists")?;
    let (resource, name) = before.rsplit_once(" \"").or_else(|| {
        let (resource, name) = before.split_once('"')?;
        Some((resource, name))
    })?;
    let resource = resource.rsplit(char::is_whitespace).next()?;
    // Resources are small letters, dots and nothing else: sentences are not.
    let plain = !resource.is_empty()
        && resource
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-');
    plain.then(|| ObjectError::Exists {
        resource: resource.to_owned(),
        name: name.to_owned(),
    })
}

/// `no Deployment with the name "x" found`, of Helm 4 `original object Deployment with the name "x" not found`.
fn unlisted(text: &str) -> Option<ObjectError> {
    // Revisions never have the objects of the chart's crds folder.
    if text.contains("CustomResourceDefinition(s): ") {
        return None;
    }
    let (before, rest) = text.split_once(" with the name \"")?;
    let (name, rest) = rest.split_once('"')?;
    let kind = before.rsplit(char::is_whitespace).next()?;
    let said = rest.starts_with(" found") || rest.starts_with(" not found");
    let lead = before.ends_with(&format!("no {kind}")) || before.contains("original object ");
    (said && lead && !kind.is_empty()).then(|| ObjectError::Unlisted {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

/// Somebody deleted the object that Helm was changing: `cannot patch "x" with kind Job: jobs.batch "x" not found`.
fn vanished(text: &str) -> Option<ObjectError> {
    let (_, rest) = text
        .split_once("update: failed to update: ")
        .or_else(|| text.split_once("cannot patch \"")?.1.split_once(": "))?;
    let (resource, rest) = rest.split_once(" \"")?;
    let (name, after) = rest.split_once('"')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    (after.trim_end() == " not found" && resource.chars().all(plain)).then(|| {
        ObjectError::Modified {
            resource: resource.to_owned(),
            name: name.to_owned(),
        }
    })
}

/// The error of making a patch.
fn unpatchable(text: &str) -> Option<ObjectError> {
    const SAID: [&str; 5] = [
        "does not contain declared merge key",
        "doesn't match $setElementOrder list",
        "unable to find api field in struct ",
        "failed to create manifest patch: ",
        "nvalid JSON Patch",
    ];
    let lead = "failed to create patch: ";
    let said = text.contains(lead) || SAID.iter().any(|s| text.contains(s));
    said.then(|| {
        let text = unwrap_action(text).1;
        let why = text.split_once(lead).map_or(text, |(_, why)| why);
        let lines: Vec<&str> = why
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        ObjectError::Unpatchable(lines.join(" "))
    })
}

/// The Secret in which Helm keeps a revision.
pub fn is_of_storage(name: &str) -> bool {
    name.starts_with("sh.helm.release.v1.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        let told = |text: &str| format!("{:?}", ObjectError::parse(text));
        insta::assert_snapshot!([
            "unable to build kubernetes objects from release manifest: resource mapping not found for name: \"pds-database\" namespace: \"secure-kvs\" from \"\": no matches for kind \"AuthorizationPolicy\" in version \"security.istio.io/v1beta1\"\nensure CRDs are installed first",
            "unable to build kubernetes objects from current release manifest: resource mapping not found for name: \"x\" namespace: \"\" from \"\": no matches for kind \"PodSecurityPolicy\" in version \"policy/v1beta1\"",
            "current release manifest contains removed kubernetes api(s) for this kubernetes version and it is therefore unable to build the kubernetes objects for performing the diff",
            "rendered manifests contain a resource that already exists. Unable to continue with install: AuthorizationPolicy \"pds-database\" in namespace \"secure-kvs\" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key \"meta.helm.sh/release-name\" must equal \"core-a\": current value is \"core-b\"",
            "cannot patch \"x-create\" with kind Job: Job.batch \"x-create\" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable",
            "server-side apply failed for object core/x apps/v1, Kind=StatefulSet: StatefulSet.apps \"x\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
            "conflict occurred while applying object core/x security.istio.io/v1, Kind=AuthorizationPolicy: Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using security.istio.io/v1: .spec.rules",
            "warning: Hook pre-install a.yaml failed: jobs.batch \"pds-database-create\" already exists",
            "Operation cannot be fulfilled on secrets \"sh.helm.release.v1.a.v1\": the object has been modified; please apply your changes to the latest version and try again",
            "create: failed to create: Secret \"sh.helm.release.v1.a.v1\" is invalid: data: Too long: may not be more than 1048576 bytes",
            "etcdserver: request is too large",
            "create: failed to create: the server responded with the status code 413 but did not return more information (post secrets)",
            "CustomResourceDefinition.apiextensions.k8s.io \"c\" is invalid: metadata.annotations: Too long: must have at most 262144 bytes",
            "failed to run server-side apply: HelmChart.source.toolkit.fluxcd.io \"flux-system-x\" is invalid: metadata.labels: Invalid value: \"x\": must be no more than 63 bytes",
            "ConfigMap \"c\" is invalid: []: Too long: may not be more than 1048576 bytes",
        ]
        .map(told)
        .join("\n"), @r#"
        Some(NoKind { kind: "AuthorizationPolicy", version: "security.istio.io/v1beta1", stored: false })
        Some(NoKind { kind: "PodSecurityPolicy", version: "policy/v1beta1", stored: true })
        Some(NoKind { kind: "", version: "", stored: true })
        Some(Foreign { kind: "AuthorizationPolicy", name: "pds-database", namespace: "secure-kvs", owner: Some("core-b") })
        Some(Immutable { object: "Job x-create", field: "spec.template" })
        Some(Immutable { object: "StatefulSet x", field: "spec" })
        Some(Conflict { manager: "kubectl-client-side-apply" })
        Some(Exists { resource: "jobs.batch", name: "pds-database-create" })
        Some(Modified { resource: "secrets", name: "sh.helm.release.v1.a.v1" })
        Some(TooLarge(Release))
        Some(TooLarge(Request))
        Some(TooLarge(Request))
        Some(TooLarge(Annotations))
        Some(NameTooLong { object: "HelmChart flux-system-x", field: "metadata.labels", rule: "must be no more than 63 bytes" })
        Some(TooLarge(Object))
        "#);
    }

    #[test]
    fn near_texts_are_left_alone() {
        for text in [
            "the database pds_database already exists",
            "rendered manifests contain a resource that already exists",
            "create: failed to create: release: already exists",
            "a conflict occurred in the values",
            "the field is immutable by our policy",
            "Job.batch \"x\" is invalid: spec.template.spec.restartPolicy: Unsupported value: \"Always\"",
            "Secret \"x\" is invalid: metadata.annotations: Invalid value: \"x\"",
            "data: Too long: must have at most 63 bytes",
            "no matches for the kind of chart",
            "Job.batch \"Pds\" is invalid: metadata.name: Invalid value: \"Pds\": a lowercase RFC 1123 subdomain must consist of",
            "Operation cannot be fulfilled on resourcequotas \"q\": StorageError: invalid object",
        ] {
            assert_eq!(ObjectError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "( \"|\"|\" is invalid: |: field is immutable|metadata\\.name: |must be no more than 63 |no matches for kind \"|\" in |version \"|versions \\[\"| exists and cannot be imported into the current release: |\" in namespace \"|conflict with \"|Apply failed with |Operation cannot be fulfilled on |\" already exists|é|\n){0,12}") {
            let _ = ObjectError::parse(&text);
        }
    }
}
