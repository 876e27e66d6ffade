//! Remedies for the messages of a Kustomization.
//!
//! The texts are those of kustomize-controller, of the tools that it calls (kustomize, SOPS, envsubst) and of the API server's dry run.

mod texts;

use crate::model::duration::parse_duration;
use crate::model::failure::refusal::{lacks_service, service_of};
use crate::model::failure::resources;
use crate::text::{few, one_line};
use std::collections::BTreeMap;
use std::fmt;
use texts::{ELSEWHERE, FIELD, FIELD_OF_FLUX, IN_REPOSITORY, Row, UNQUOTED, WEBHOOK};

/// What to do about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// A clause.
    what: String,
    /// The GitOps repository is what has to change.
    is_in_repository: bool,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Remedy {
    /// As the beginning of a sentence, which says where.
    pub fn sentence(&self) -> String {
        if self.is_in_repository {
            return format!("In the GitOps repository, {self}");
        }
        let mut letters = self.what.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    }
}

/// Variables that are named at most.
const VARIABLES: usize = 3;

impl Remedy {
    /// A folder that is written with backslashes, which on Linux belong to the name.
    pub(super) fn of_path(path: &str) -> Self {
        Self {
            what: one_line(&format!(
                "write spec.path of the Kustomization with slashes: {path}"
            )),
            is_in_repository: true,
        }
    }

    /// Of text without quotes, the variables that may have put it there: kustomize drops the quotes around a variable that is text.
    pub(super) fn with_variables(self, variables: &BTreeMap<String, String>) -> Self {
        if self.what != UNQUOTED {
            return self;
        }
        let bare = variables.iter().filter(|(_, value)| is_no_text(value));
        // Not their values, one of which may be a password.
        let bare: Vec<String> = bare
            .take(VARIABLES)
            .map(|(name, _)| one_line(name))
            .collect();
        if bare.is_empty() {
            return self;
        }
        Self {
            what: format!(
                "{UNQUOTED}. If the value comes from a variable in spec.postBuild.substitute (for example {}), write the quotes inside it: '\"…\"', because kustomize drops those around it",
                bare.join(", ")
            ),
            ..self
        }
    }
}

/// The object that a patch is for and the folder does not have; the text writes it as `Kind.version.group/name.namespace`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'m> {
    pub(super) kind: &'m str,
    pub(super) name: &'m str,
    /// As the text writes it: `HelmRelease.v2.helm.toolkit.fluxcd.io/a.n`.
    id: &'m str,
}

/// Reads which object a patch is for.
pub(super) fn target(message: &str) -> Option<Target<'_>> {
    let (_, id) = message.split_once("no matches for Id ")?;
    let id = id.split([';', ' ', ',']).next()?;
    let (kind, name) = id.split_once('/')?;
    let (kind, (name, _)) = (kind.split('.').next()?, name.rsplit_once('.')?);
    (!kind.is_empty() && !name.is_empty()).then_some(Target { kind, name, id })
}

impl Target<'_> {
    /// What to do about the patch. `is_in_spec`: the Kustomization's own spec has it. `near`: the name that was
    /// applied before, this one or one like it.
    pub(super) fn remedy(&self, is_in_spec: bool, near: Option<&str>) -> Remedy {
        let place = match is_in_spec {
            true => "spec.patches of the Kustomization has a patch for",
            false => "a patch or a replacement names",
        };
        let like = match near {
            None => String::new(),
            Some(name) if name == self.name => {
                return Remedy {
                    what: one_line(&format!(
                        "{place} {}; the folder has none with this version, kind and namespace, although one of this name was applied before: compare them, or remove the patch",
                        self.id
                    )),
                    is_in_repository: true,
                };
            }
            Some(name) => format!(" (applied before: {})", one_line(name)),
        };
        let object = one_line(&format!("{} {}", self.kind, self.name));
        Remedy {
            what: format!(
                "{place} {object}, which the folder does not have{like}: correct the name there, or remove the patch"
            ),
            is_in_repository: true,
        }
    }
}

/// Which controller removes the finalizer of an object of Flux.
fn controller(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Kustomization" => "kustomize-controller",
        "HelmRelease" => "helm-controller",
        "GitRepository" | "OCIRepository" | "HelmRepository" | "HelmChart" | "Bucket" => {
            "source-controller"
        }
        "ImageRepository" | "ImagePolicy" => "image-reflector-controller",
        "ImageUpdateAutomation" => "image-automation-controller",
        "Receiver" => "notification-controller",
        _ => return None,
    })
}

/// Objects that are named at most.
const TERMINATING: usize = 3;

/// What keeps objects that are being deleted, where a message waits for them.
fn terminating(message: &str) -> Option<String> {
    let mut objects = resources(message);
    objects.retain(|object| object.status == "Terminating");
    let first = objects.first()?;
    let ids = objects.iter().map(|o| format!("{} {}", o.kind, o.id()));
    let ids = one_line(&few(&ids.collect::<Vec<_>>(), ", ", TERMINATING));
    let has = |kinds: &[&str]| objects.iter().any(|o| kinds.contains(&o.kind.as_str()));
    if has(&["PersistentVolumeClaim", "PersistentVolume"]) {
        return Some(format!(
            "{ids}: being deleted, and its data may go with it. Keep the pods and finalizers that hold it; first set the reclaim policy of the volume to Retain"
        ));
    }
    if has(&["Namespace"]) {
        return Some(format!(
            "{ids}: being deleted, and a namespace stays until all that is in it is gone; its conditions name what is left"
        ));
    }
    let same = controller(&first.kind).filter(|own| {
        objects
            .iter()
            .all(|object| controller(&object.kind) == Some(own))
    });
    let whose = match same {
        // Their objects have nothing outside the cluster.
        Some(controller) if controller.starts_with("image-") => format!(
            "check that {controller} runs, which removes its own. If that controller was removed on purpose, remove finalizers.fluxcd.io by hand"
        ),
        Some(controller) => format!("check that {controller} runs, which removes its own"),
        None => "check that the controller that removes it runs".to_owned(),
    };
    Some(format!(
        "{ids}: being deleted, and usually held by a finalizer (metadata.finalizers); {whose}"
    ))
}

/// Without quotes YAML reads it as true, false, a number or nothing.
fn is_no_text(value: &str) -> bool {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "", ".inf",
    ];
    WORDS.contains(&value.to_ascii_lowercase().as_str()) || value.parse::<f64>().is_ok()
}

/// Kinds of Flux, for messages that do not say the group.
const KINDS: [&str; 6] = [
    "HelmRelease",
    "HelmChart",
    "HelmRepository",
    "GitRepository",
    "OCIRepository",
    "Kustomization",
];

/// What to do about a message; `None` where the text is not known.
pub fn remedy(message: &str) -> Option<Remedy> {
    let at = |is_in_repository: bool, what: &str| {
        Some(Remedy {
            what: what.to_owned(),
            is_in_repository,
        })
    };
    // What follows are the webhook's own words, which may hold any of those below.
    if let Some((before, denial)) = message.split_once(" denied the request: ")
        && before.contains("admission webhook \"")
    {
        let denial = one_line(denial);
        let denial = denial.trim_end_matches('.');
        return at(
            true,
            &format!("meet what the admission webhook demands: {denial}"),
        );
    }
    if let Some(what) = hours(message) {
        return at(true, &what);
    }
    if let Some(what) = terminating(message) {
        return at(false, &what);
    }
    // A part that is looked for with a colon before it may also be the beginning.
    let text = format!(": {message}");
    let says = |part: &&str| text.contains(part);
    let find = |rows: &[Row]| {
        let mut rows = rows.iter();
        let found = rows.find(|(parts, _)| parts.iter().all(|any| any.iter().any(says)));
        found.map(|(_, remedy)| *remedy)
    };
    if let Some(what) = find(ELSEWHERE) {
        let service = service_of(message).filter(|_| what == WEBHOOK);
        let service = service.map(|(namespace, name)| one_line(&format!("{namespace}/{name}")));
        return match service {
            Some(service) if lacks_service(message) => at(
                false,
                &format!(
                    "change nothing in the manifest: Service {service} of the admission webhook does not exist, so the webhook's configuration was left over; have its owners remove it"
                ),
            ),
            Some(service) => at(false, &format!("{what}: those behind Service {service}")),
            None => at(false, what),
        };
    }
    match find(IN_REPOSITORY)? {
        FIELD if is_of_flux(message) => at(true, FIELD_OF_FLUX),
        what => at(true, what),
    }
}

/// Seconds in the longest length of time that Go reads.
const LONGEST: u64 = i64::MAX as u64 / 1_000_000_000;

/// How to write a length of time for Flux's API, whose pattern knows no hours in some fields.
fn hours(message: &str) -> Option<String> {
    let parts: Vec<&str> = message.split(": Invalid value: \"").collect();
    parts.windows(2).find_map(|pair| {
        let (value, rest) = pair[1].split_once('"')?;
        let is_pattern = rest.contains("in body should match") && rest.contains("(ms|s|m))");
        let length = parse_duration(value).ok().filter(|_| is_pattern)?;
        let field = pair[0].rsplit([' ', '[']).next()?;
        let whole = length.as_secs();
        let written = match (length.subsec_nanos(), whole % 60) {
            _ if whole > LONGEST || !value.contains('h') => return None,
            (0, _) if whole == 0 => "0s".to_owned(),
            (0, 0) => format!("{}m", whole / 60),
            (0, _) => format!("{whole}s"),
            (nanos, _) if nanos % 1_000_000 == 0 => format!("{}ms", length.as_millis()),
            _ => return None,
        };
        let field = one_line(field);
        Some(format!(
            "write {field} as {written}: this field takes no hours"
        ))
    })
}

/// kustomize-controller did not get the folder from source-controller.
pub fn is_of_download(message: &str) -> bool {
    message.contains("failed to download a")
}

/// As [`is_of_download`], and nothing answered it: its connection to source-controller failed.
pub fn is_cut_off(message: &str) -> bool {
    let texts = [
        "i/o timeout",
        "connection refused",
        "connection reset",
        "no route to host",
        "context deadline exceeded",
        "Client.Timeout exceeded",
        ": EOF",
    ];
    let is_silent = texts.iter().any(|text| message.contains(text));
    is_of_download(message) && is_silent && !message.contains("dial tcp: lookup ")
}

/// Whether a message is about an object of Flux: by the group that it says or, where it says none, by the kind at its beginning.
fn is_of_flux(message: &str) -> bool {
    match message.split_once(", Kind=") {
        Some((before, _)) => before.contains(".toolkit.fluxcd.io/"),
        None => KINDS.iter().any(|kind| {
            message
                .strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with('/'))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_without_an_object_names_the_one_that_is_meant() {
        let applied = |id: &str| serde_json::json!({"id": id, "v": "v2"});
        let of = |patches: serde_json::Value, id: &str| {
            let object = serde_json::json!({"spec": {"patches": patches}, "status": {"inventory": {"entries": [
                applied("n_team--order_helm.toolkit.fluxcd.io_HelmRelease"),
                applied("n_team--orders2_apps_Deployment"),
                applied("n_other_helm.toolkit.fluxcd.io_HelmRelease"),
            ]}}});
            let message = format!(
                "kustomize build failed: no resource matches strategic merge patch \"{id}\": no matches for Id {id}; failed to find unique target for patch {id}"
            );
            let kustomization = super::super::Kustomization::from_value(&object);
            kustomization.remedy(&message).unwrap().to_string()
        };
        let id = "HelmRelease.v2.helm.toolkit.fluxcd.io/team--orders.n";
        let own =
            serde_json::json!([{"patch": "kind: HelmRelease\nmetadata:\n  name: team--orders\n"}]);
        insta::assert_snapshot!(of(own.clone(), id), @"spec.patches of the Kustomization has a patch for HelmRelease team--orders, which the folder does not have (applied before: team--order): correct the name there, or remove the patch");
        let same = of(
            own.clone(),
            "HelmRelease.v2beta1.helm.toolkit.fluxcd.io/team--order.[noNs]",
        );
        assert!(
            same.contains("although one of this name was applied before"),
            "{same}"
        );
        assert!(!same.contains("correct the name"), "{same}");
        // Another name, and another kind.
        let other = of(
            own.clone(),
            "HelmRelease.v2.helm.toolkit.fluxcd.io/team--order2.n",
        );
        assert!(
            other.starts_with("a patch or a replacement names HelmRelease team--order2,"),
            "{other}"
        );
        let service = of(
            serde_json::json!(null),
            "Service.v1.[noGrp]/team--orders.[noNs]",
        );
        insta::assert_snapshot!(service, @"a patch or a replacement names Service team--orders, which the folder does not have: correct the name there, or remove the patch");
        // A text that does not say which.
        for odd in [
            "no matches for Id ",
            "no matches for Id x",
            "no matches for Id /x.n",
            "no matches for Id A.v1/x",
        ] {
            assert_eq!(target(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_path_with_backslashes_is_written_with_slashes() {
        let of = |path: &str, said: &str| {
            let object = serde_json::json!({"spec": {"path": path}});
            let message = format!(
                "kustomization path not found: stat /tmp/kustomization-1/{said}: no such file or directory"
            );
            let kustomization = super::super::Kustomization::from_value(&object);
            kustomization.remedy(&message).unwrap().to_string()
        };
        for (path, written) in [(r"./a\b", "./a/b"), (r"a\b\c", "a/b/c")] {
            let said = of(path, path.trim_start_matches("./"));
            assert_eq!(
                said,
                format!("write spec.path of the Kustomization with slashes: {written}")
            );
        }
        let usual =
            "correct spec.path of the Kustomization, or restore the folder in the repository";
        assert_eq!(of("./a/b", "a/b"), usual);
        // A message of an older path.
        assert_eq!(of(r"./a\b", "c"), usual);
    }

    #[test]
    fn objects_that_stay_in_deletion_name_their_controller() {
        let of = |objects: &str| {
            let message =
                format!("health check failed after 5m0.03s: timeout waiting for: [{objects}]");
            remedy(&message).map(|remedy| remedy.to_string())
        };
        let [image, chart, own] = ["ImagePolicy/n/a", "HelmChart/n/b", "Widget/n/c"]
            .map(|id| format!("{id} status: 'Terminating'"));
        insta::assert_snapshot!(of(&image).unwrap(), @"ImagePolicy n/a: being deleted, and usually held by a finalizer (metadata.finalizers); check that image-reflector-controller runs, which removes its own. If that controller was removed on purpose, remove finalizers.fluxcd.io by hand");
        insta::assert_snapshot!(of(&chart).unwrap(), @"HelmChart n/b: being deleted, and usually held by a finalizer (metadata.finalizers); check that source-controller runs, which removes its own");
        insta::assert_snapshot!(of(&format!("{image}, {chart}")).unwrap(), @"ImagePolicy n/a, HelmChart n/b: being deleted, and usually held by a finalizer (metadata.finalizers); check that the controller that removes it runs");
        insta::assert_snapshot!(of(&own).unwrap(), @"Widget n/c: being deleted, and usually held by a finalizer (metadata.finalizers); check that the controller that removes it runs");
        assert_eq!(of("HelmRelease/n/a status: 'InProgress'"), None);
        let data = of(&format!(
            "PersistentVolumeClaim/n/d status: 'Terminating', {image}"
        ))
        .unwrap();
        assert!(
            data.contains("to Retain") && !data.contains("by hand"),
            "{data}"
        );
        let namespace = of("Namespace/n status: 'Terminating'").unwrap();
        assert!(
            namespace.contains("its conditions name what is left"),
            "{namespace}"
        );
    }

    #[test]
    fn hours_are_written_in_minutes() {
        let of = |value: &str, units: &str| {
            let message = format!(
                "HelmRelease/n/a dry-run failed (Invalid): HelmRelease.helm.toolkit.fluxcd.io \"a\" is invalid: spec.timeout: Invalid value: \"{value}\": spec.timeout in body should match '^([0-9]+(\\.[0-9]+)?({units}))+$'"
            );
            remedy(&message).map(|remedy| remedy.sentence())
        };
        for (value, written) in [("2h0m0s", "120m"), ("1h30m5s", "5405s"), ("1.5h", "90m")] {
            let said = format!(
                "In the GitOps repository, write spec.timeout as {written}: this field takes no hours"
            );
            assert_eq!(of(value, "ms|s|m"), Some(said));
        }
        let several = r#"x is invalid: [spec.a: Invalid value: "1": must be true, spec.timeout: Invalid value: "1h1ms": spec.timeout in body should match '^([0-9]+(\.[0-9]+)?(ms|s|m))+$']"#;
        let told = remedy(several).map(|remedy| remedy.to_string());
        let said = "write spec.timeout as 3600001ms: this field takes no hours";
        assert_eq!(told.as_deref(), Some(said));
        for (value, units) in [
            ("2h", "ms|s|m|h"),
            ("5 min", "ms|s|m"),
            ("90", "ms|s|m"),
            ("9999999h", "ms|s|m"),
            ("1h1us", "ms|s|m"),
        ] {
            let said = of(value, units).unwrap_or_default();
            assert!(!said.contains("takes no hours"), "{said}");
        }
    }

    #[test]
    fn text_without_quotes_names_the_variables_that_may_be_it() {
        let message = "HelmRelease/n/a dry-run failed: failed to create typed patch object (n/a; helm.toolkit.fluxcd.io/v2, Kind=HelmRelease): .metadata.labels.critical: expected string, got &value.valueUnstructured{Value:true}";
        let of = |message: &str, substitute: serde_json::Value| {
            let object = serde_json::json!({"spec": {"postBuild": {"substitute": substitute}}});
            let kustomization = super::super::Kustomization::from_value(&object);
            kustomization.remedy(message).unwrap().to_string()
        };
        let named = of(
            message,
            serde_json::json!({"critical": "yes", "team": "acme", "port": "5984"}),
        );
        assert!(
            named.contains("(for example critical, port)") && !named.contains("5984"),
            "{named}"
        );
        let go = "&value.valueUnstructured{Value:";
        for value in [
            &format!(r#"{go}map[string]interface {{}}{{"a":"b"}}}}"#),
            &format!(r#"{go}[]interface {{}}{{"a"}}}}"#),
            &format!("{go}interface {{}}(nil)}}"),
            "&{map[a:b]}",
            "&{[a b]}",
            "&{<nil>}",
        ] {
            let message = message.replace(&format!("{go}true}}"), value);
            let said = of(&message, serde_json::json!({"critical": "yes"}));
            assert!(said.contains("a map, a list or nothing"), "{said}");
        }
        for none in [
            serde_json::json!({"team": "acme"}),
            serde_json::json!(null),
            serde_json::json!(7),
        ] {
            assert_eq!(of(message, none.clone()), UNQUOTED, "{none}");
        }
        let other = of(
            "MalformedYAMLError: x",
            serde_json::json!({"critical": "yes"}),
        );
        assert_eq!(other, remedy("MalformedYAMLError: x").unwrap().to_string());
        for text in [
            "HelmRelease.helm.toolkit.fluxcd.io \"a\" is invalid: spec.chart.spec.version: Invalid value: \"number\": spec.chart.spec.version in body must be of type string: \"number\"",
            "HelmRelease/n/a dry-run failed: json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
        ] {
            assert_eq!(remedy(text).unwrap().to_string(), UNQUOTED, "{text}");
        }
    }

    #[test]
    fn a_remote_base_says_why_it_was_not_fetched() {
        let of = |why: &str| {
            let message = format!(
                "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'https://git.example/base//deploy?ref=main': URL is a git repository': failed to run '/usr/bin/git fetch --depth=1 https://git.example/base main': fatal: {why}: exit status 128"
            );
            remedy(&message).unwrap().to_string()
        };
        for (why, part) in [
            (
                "unable to access 'https://git.example/base/': SSL certificate problem: self-signed certificate in certificate chain",
                "does not know the authority",
            ),
            (
                "unable to access 'https://git.example/base/': server certificate verification failed. CAfile: none CRLfile: none",
                "does not know the authority",
            ),
            (
                "unable to access 'https://git.example/base/': SSL certificate problem: certificate has expired",
                "out of date",
            ),
            (
                "could not read Username for 'https://git.example': terminal prompts disabled",
                "no credentials",
            ),
            (
                "unable to access 'https://git.example/base/': Could not resolve host: git.example",
                "does not reach",
            ),
            (
                "couldn't find remote ref main",
                "not fetched as it should be",
            ),
        ] {
            let said = of(why);
            assert!(said.contains(part), "{why}: {said}");
        }
    }

    #[test]
    fn the_part_that_says_most_decides() {
        for (message, part) in [
            (
                "HelmRelease/flux-system/a dry-run failed: failed to create typed patch object (flux-system/a; helm.toolkit.fluxcd.io/v2, Kind=HelmRelease): .sops: field not declared in schema",
                "spec.decryption",
            ),
            (
                "HelmRelease/flux-system/a dry-run failed: failed to create typed patch object (x): .spec.y: field not declared in schema",
                "remove the field",
            ),
            (
                "HelmRelease/n/a dry-run failed: .spec.chart.spec.valuesFile: field not declared in schema",
                "valuesFiles, a list",
            ),
            (
                "decryption failed for 'a': cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.",
                "Secret that spec.decryption",
            ),
            (
                "kustomization path not found: stat /tmp/x/onboardings: no such file or directory",
                "spec.path",
            ),
            (
                "post build failed for 'a': envsubst error: variable substitution failed: variable not set (strict mode): \"A\"",
                "spec.postBuild",
            ),
            (
                "HelmRelease/a namespace not specified: the server could not find the requested resource",
                "metadata.namespace",
            ),
            (
                "HelmRelease/n/a dry-run failed: no matches for kind \"HelmRelease\" in version \"helm.toolkit.fluxcd.io/v3\"",
                "version of the kind",
            ),
            (
                "HelmRelease/n/a dry-run failed: helmreleases is forbidden: User \"x\" cannot patch",
                "spec.serviceAccountName",
            ),
            (
                "kustomize build failed: accumulating resources: a.yaml: MalformedYAMLError: yaml: line 3",
                "correct the YAML",
            ),
            (
                "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'acme/x.yaml': open /tmp/x/acme/x.yaml: no such file or directory': must build at directory: '/tmp/x/acme/x.yaml': file is not directory",
                "restore the file",
            ),
            (
                "kustomize build failed: accumulating resources: accumulation err='merging resources from 'a.yaml': may not add resource with an already registered id: HelmRelease.v2.helm.toolkit.fluxcd.io/x.flux-system': in b.yaml: x",
                "twice",
            ),
            (
                "HelmRelease/n/a dry-run failed: InternalError: Internal error occurred: failed calling webhook \"validate.kyverno.svc\": failed to call webhook: Post \"https://kyverno-svc.kyverno.svc:443/validate?timeout=10s\": context deadline exceeded",
                "the admission webhook",
            ),
            (
                "HelmRelease/n/a dry-run failed: Timeout: request did not complete within requested timeout - context deadline exceeded",
                "the API server",
            ),
            (
                "Deployment/monitoring/grafana dry-run failed: failed to create typed patch object (monitoring/grafana; apps/v1, Kind=Deployment): .spec.template.spec.hostIPs: field not declared in schema",
                "remove or correct the field",
            ),
            (
                "HelmRelease/n/x dry-run failed: admission webhook \"v.kyverno.svc-fail\" denied the request: unknown field policies",
                "the admission webhook demands: unknown field policies",
            ),
            (
                "decryption failed for 'x': cannot get sops data key: Failed to get the data key: AccessDeniedException: User is not authorized to perform: kms:Decrypt",
                "the identity of kustomize-controller",
            ),
            (
                "HelmRelease/flux-systen/a dry-run failed: namespaces \"flux-systen\" not found",
                "create the namespace",
            ),
            (
                "Secret/apps/yaml: x is forbidden: User \"system:serviceaccount:flux-system:x\" cannot patch",
                "spec.serviceAccountName",
            ),
        ] {
            let remedy = remedy(message).unwrap().to_string();
            assert!(remedy.contains(part), "{message}: {remedy}");
        }
        let fields = [
            "GitRepository/n/a dry-run failed: .spec.x: field not declared in schema",
            "Gadget/n/a dry-run failed: failed to create typed patch object (n/a; x.toolkit.fluxcd.io/v1, Kind=Gadget): .spec.x: field not declared in schema",
        ];
        assert!(
            fields
                .iter()
                .all(|message| remedy(message).unwrap().to_string().contains("Flux's CRDs"))
        );
        assert!(remedy("Source artifact not found, retrying in 30s").is_none());
    }

    #[test]
    fn only_a_connection_that_failed_cuts_off() {
        let of = |said: &str| {
            is_cut_off(&format!(
                "failed to download archive: GET http://source-controller.flux-system.svc/x giving up after 10 attempt(s): {said}"
            ))
        };
        assert!(of("dial tcp 10.0.0.1:80: i/o timeout"));
        assert!(of("dial tcp 10.0.0.1:80: connect: connection refused"));
        assert!(!of("unexpected status code: 404"));
        assert!(!of(
            "dial tcp: lookup source-controller on 10.0.0.2:53: i/o timeout"
        ));
        assert!(!is_cut_off("git.example: i/o timeout"));
    }

    #[test]
    fn each_text_of_a_controllers_tools_has_its_remedy() {
        for (message, part) in [
            (
                "x: error: unknown field \"sops\"",
                "spec.decryption of the Kustomization",
            ),
            ("decryption failed for 'a': x", "compare the keys"),
            ("cannot get sops data key", "compare the keys"),
            ("failed to decrypt and format 'a'", "compare the keys"),
            ("failed to find path 'a'", "spec.path"),
            ("variable substitution failed", "$${ where ${"),
            ("envsubst error: x", "$${ where ${"),
            ("var substitution failed for 'a'", "$${ where ${"),
            ("x: unknown field \"spec.y\"", "remove or correct the field"),
            (
                "kustomize build failed: json: unknown field \"spec\"",
                "rename the file",
            ),
            (
                "kustomize build failed: invalid Kustomization: json: unknown field \"stringData\"",
                "rename the file",
            ),
            (
                "kustomize build failed: invalid Kustomization: json: unknown field \"resource\"",
                "that kustomize does not know",
            ),
            (
                "HelmRelease/n/a dry-run failed (BadRequest): metadata.managedFields must be nil",
                "remove metadata.managedFields",
            ),
            (
                "failed to download archive: GET http://source-controller.flux-system.svc/x giving up after 10 attempt(s)",
                "check that source-controller runs",
            ),
            (
                "failed to untar artifact, error: x",
                "source's next revision",
            ),
            (
                "HelmRelease/n/a dry-run failed (Forbidden): helmreleases \"a\" is forbidden: exceeded quota: q, requested: count/x=1",
                "ResourceQuota",
            ),
            (
                "HelmRelease/n/a dry-run failed (Forbidden): x because it is being terminated",
                "being deleted",
            ),
            ("HelmRelease/n/a dry-run failed: Unauthorized", "own token"),
            (
                "decryption failed for 'a': cannot get sops data key: GET https://v.vault.azure.net: 401 Unauthorized: Unauthorized",
                "the identity of kustomize-controller",
            ),
            (
                "failed to untar artifact, error: write /tmp/kustomization-1/a.yaml: no space left on device",
                "disk of kustomize-controller",
            ),
            (
                "can't access 'GitRepository/m/x', cross-namespace references have been blocked",
                "in one namespace",
            ),
            (
                "KubeConfig secret 'n/a' does not contain a 'value' key",
                "spec.kubeConfig",
            ),
            (
                "failed to create custom status evaluator from healthchecks expressions: x",
                "healthCheckExprs",
            ),
            (
                "dependency 'n/infra' is not ready",
                "first fix the Kustomization that the message names",
            ),
            (
                "cannot get sops decryption Secret 'n/a': secrets \"a\" not found",
                "create or complete the Secret",
            ),
            (
                "post build failed for 'a': substitute from 'ConfigMap/a' error: configmaps \"a\" not found",
                "optional: true",
            ),
            (
                "kustomize build failed: may not add resource with an already registered id: x",
                "twice",
            ),
            (
                "kustomize build failed: security; file '/a' is not in or below '/b'",
                "outside the folder",
            ),
            (
                "kustomize build failed: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory 'a'",
                "add a kustomization.yaml",
            ),
            (
                "kustomize build failed: no matches for Id HelmRelease.v2/x.[noNs]; failed to find unique target for patch HelmRelease.v2/x.[noNs]",
                "a patch or a replacement",
            ),
            (
                "kustomize build failed: cycle detected: candidate root 'a' contains visited root 'b'",
                "list each other",
            ),
            (
                "kustomize build failed: missing metadata.name in object {{v1 List} x}",
                "metadata.name",
            ),
            (
                "HelmRelease/n/a dry-run failed (Invalid): spec.x: field is immutable",
                "undo the change",
            ),
            ("MalformedYAMLError: x", "correct the YAML"),
            ("error converting YAML to JSON: x", "correct the YAML"),
            ("a.yaml: yaml: line 3: x", "correct the YAML"),
            (
                "kustomize build failed: accumulating resources: x",
                "build the folder with kubectl kustomize",
            ),
            (
                "Job/n/a dry-run failed (Invalid): x",
                "correct what the API server refuses",
            ),
        ] {
            let remedy = remedy(message).unwrap().to_string();
            assert!(remedy.contains(part), "{message}: {remedy}");
        }
    }
}
