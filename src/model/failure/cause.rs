//! Why something failed, as the text says it: one cause of each text.
//!
//! The order of the readers is the rule. What a chart's author wrote may quote anything, so it comes first; then admission, whose
//! webhooks may quote anything too. An inner cause comes before the text around it: a step that failed (definitions, the
//! comparison, a wait) is the cause only where the text says nothing else. A text that joins several errors of one attempt counts
//! as the first in this order; the next attempt reports the others.

use super::chart::ChartError;
use super::field::FieldError;
use super::flux::{ClusterConfig, Dependency, SourceDenied, Uninstall};
use super::namespace::NamespaceError;
use super::object::ObjectError;
use super::refusal::Refusal;
use super::release::ReleaseError;
use super::schema::{Violation, violations};
use super::server::ServerError;
use super::template::{TemplateError, is_charts_own};
use super::text::unwrap_action;
use super::wait::Wait;
use crate::model::forbidden::Forbidden;
use crate::model::source_error::{SourceError, is_of_disk};
use crate::model::values_reference::{Reference, reference};

/// What a failure's text says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The chart or its source.
    Source(Source),
    /// Flux may not use the source.
    SourceDenied(SourceDenied),
    /// A reference of `spec.valuesFrom`.
    Values(Reference),
    /// An onboarding that `spec.dependsOn` names.
    Dependency(Dependency),
    /// A CEL expression of the manifest; the controller's words.
    Expression(String),
    /// `spec.kubeConfig`.
    ClusterConfig(ClusterConfig),
    /// An uninstall that does not finish.
    Uninstall(Uninstall),
    /// A template of the chart, or what it renders.
    Template(TemplateError),
    /// The values do not match the chart's schema; the list may be empty.
    Schema(Vec<Violation>),
    /// The chart as a whole.
    Chart(ChartError),
    /// Admission refused an object.
    Refusal(Refusal),
    /// A right is missing.
    Right(Forbidden),
    /// The API server or etcd.
    Server(ServerError),
    /// Helm's storage of releases.
    Release(ReleaseError),
    /// One object.
    Object(ObjectError),
    /// One field of an object.
    Field(FieldError),
    /// A namespace.
    Namespace(NamespaceError),
    /// Flux's step that applies the chart's `crds` folder, for a reason that is not recognised; its words.
    Definitions(String),
    /// Flux's comparison of the release with the cluster, for a reason that is not recognised; its words.
    Comparison(String),
    /// helm-controller cannot write to its own disk; its words.
    Disk(String),
    /// helm-controller was stopped, or stopped itself, in the middle of an action; its words.
    Interrupted(String),
    /// Helm's wait for the objects that it applied.
    Wait(Wait),
    /// No version is known to write this. The text is [`super::FailureText::raw`].
    Unrecognised,
}

/// What the HelmRelease says of its chart or source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// `None` for texts that no version is known to write.
    pub error: Option<SourceError>,
    /// The text repeats what the chart or the source reported of itself.
    pub is_repeated: bool,
}

impl Cause {
    /// Reads a text, with the reason of the condition that holds it.
    pub(super) fn parse(reason: &str, text: &str) -> Self {
        let cause = match reason {
            // What these texts quote is not Helm's and not about the chart's objects.
            "SourceNotReady" | "HelmChartNotReady" | "ArtifactFailed" | "ChartMutateError" => {
                return source(reason, text);
            }
            "ValuesError" => return input(text, &[values]),
            "InitFailed" => return input(text, &[values, cluster_config]),
            "RESTClientError" => cluster_config(text),
            "AccessDenied" => SourceDenied::parse(text).map(Self::SourceDenied),
            "DependencyNotReady" => Some(Self::Dependency(Dependency::parse(text))),
            "InvalidCELExpression" => Some(Self::Expression(expression(text).to_owned())),
            "UninstallFailed" => Uninstall::parse(text).map(Self::Uninstall),
            _ => None,
        };
        cause.unwrap_or_else(|| helm(text))
    }
}

/// Reads what Helm and the API server say.
fn helm(text: &str) -> Cause {
    let readers: [Reader; 18] = [
        |t| Refusal::parse(t).map(Cause::Refusal),
        right,
        |t| Refusal::of_plugin(t).map(Cause::Refusal),
        // Their texts speak of disks that are not the controller's, and of a wait that was cut off when it was lost already.
        |t| ServerError::of_etcd(t).map(Cause::Server),
        |t| Wait::of_failed_job(t).map(Cause::Wait),
        disk,
        |t| ServerError::parse(t).map(Cause::Server),
        |t| ReleaseError::parse(t).map(Cause::Release),
        |t| ObjectError::parse(t).map(Cause::Object),
        |t| FieldError::parse(t).map(Cause::Field),
        |t| violations(t).map(Cause::Schema),
        |t| ChartError::parse(t).map(Cause::Chart),
        |t| TemplateError::parse(t).map(Cause::Template),
        |t| NamespaceError::parse(t).map(Cause::Namespace),
        |t| definitions(t).map(Cause::Definitions),
        |t| comparison(t).map(Cause::Comparison),
        interrupted,
        |t| Wait::parse(t).map(Cause::Wait),
    ];
    if is_charts_own(text) {
        let refused = TemplateError::parse(text);
        return refused.map_or(Cause::Unrecognised, Cause::Template);
    }
    first(text, &readers)
}

/// Reads one kind of cause.
type Reader = fn(&str) -> Option<Cause>;

fn first(text: &str, readers: &[Reader]) -> Cause {
    let mut found = readers.iter().filter_map(|read| read(text));
    found.next().unwrap_or(Cause::Unrecognised)
}

/// Reads a text about an input, which may also be a right to read it.
fn input(text: &str, readers: &[Reader]) -> Cause {
    first(text, &[readers, &[right]].concat())
}

fn source(reason: &str, text: &str) -> Cause {
    let error = SourceError::parse(reason, text);
    let is_repeated = text.contains(" is not ready");
    // The API server's answer to a request for the chart's object.
    let of_server = || {
        first(
            text,
            &[
                |t| ServerError::parse(t).map(Cause::Server),
                |t| ObjectError::parse(t).map(Cause::Object),
            ],
        )
    };
    match (error, right(text)) {
        (None, Some(right)) => right,
        (None, None) if text.starts_with("could not get ") => of_server(),
        (None, None) if !is_repeated => Cause::Unrecognised,
        (error, _) => Cause::Source(Source { error, is_repeated }),
    }
}

fn values(text: &str) -> Option<Cause> {
    reference(text).map(Cause::Values)
}

fn cluster_config(text: &str) -> Option<Cause> {
    ClusterConfig::parse(text).map(Cause::ClusterConfig)
}

/// A right that is missing. Without a user's name the sentence is another one. In a namespace that cannot exist nobody has rights: a
/// template asked for it.
fn right(text: &str) -> Option<Cause> {
    let right = Forbidden::parse(text).filter(|r| r.user.is_some())?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let can_exist = |namespace: &str| namespace.chars().all(plain);
    let namespace = right.namespace.as_deref();
    namespace
        .is_none_or(can_exist)
        .then_some(Cause::Right(right))
}

fn disk(text: &str) -> Option<Cause> {
    is_of_disk(text).then(|| Cause::Disk(unwrap_action(text).1.trim().to_owned()))
}

/// Only the controller itself cancels an action of Flux.
fn interrupted(text: &str) -> Option<Cause> {
    text.contains("context canceled")
        .then(|| Cause::Interrupted(text.trim().to_owned()))
}

fn expression(text: &str) -> &str {
    let lead = "Reconciliation failed terminally due to configuration error: ";
    text.strip_prefix(lead).unwrap_or(text)
}

/// `failed to create CustomResourceDefinition c: …`.
fn definitions(text: &str) -> Option<String> {
    let at = ["apply", "create", "update", "get", "wait for", "parse"]
        .iter()
        .flat_map(|verb| {
            [
                format!("failed to {verb} CustomResourceDefinition"),
                format!("failed to {verb} CRD"),
            ]
        })
        .filter_map(|lead| text.find(&lead))
        .min()?;
    let line = text[at..].lines().next()?;
    Some(line.trim().to_owned())
}

fn comparison(text: &str) -> Option<String> {
    let leads = [
        "failed to diff release against cluster resources: ",
        "unable to determine cluster state: ",
    ];
    let (_, why) = leads.iter().find_map(|lead| text.split_once(lead))?;
    Some(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Cause {
        Cause::parse("InstallFailed", text)
    }

    #[test]
    fn a_chart_s_author_may_quote_anything() {
        for quoted in [
            "release: already exists",
            "jobs.batch \"x\" already exists",
            "admission webhook \"w\" denied the request: no",
            "namespaces \"x\" not found",
            "context deadline exceeded",
            "etcdserver: leader changed",
        ] {
            let text = format!("execution error at (c/templates/t.yaml:1:1): {quoted}");
            let Cause::Template(TemplateError::Refused { says, .. }) = of(&text) else {
                panic!("{text}");
            };
            assert_eq!(says, quoted);
        }
        assert_eq!(of("execution error at (etcdserver: "), Cause::Unrecognised);
    }

    #[test]
    fn a_webhook_may_quote_anything() {
        for quoted in [
            "release: not found",
            "User \"system:serviceaccount:a:b\" cannot get resource \"x\"",
            "etcdserver: leader changed",
            "because it is being terminated",
            "Post \"https://v.x.svc:443/apis/check\": dial tcp: connect: connection refused",
        ] {
            let text = format!("admission webhook \"w\" denied the request: {quoted}");
            assert!(matches!(of(&text), Cause::Refusal(_)), "{text}");
            let text = format!("failed calling webhook \"w\": {quoted}");
            assert!(matches!(of(&text), Cause::Refusal(_)), "{text}");
        }
    }

    #[test]
    fn an_inner_cause_comes_before_the_step_around_it() {
        let right = "secrets is forbidden: User \"system:serviceaccount:a:b\" cannot list resource \"secrets\" in API group \"\" in the namespace \"a\"";
        let etcd = "etcdserver: request timed out";
        let late = "context deadline exceeded";
        for lead in [
            "failed to create CustomResourceDefinition c: ",
            "failed to diff release against cluster resources: ",
        ] {
            assert!(matches!(of(&format!("{lead}{right}")), Cause::Right(_)));
            assert!(matches!(of(&format!("{lead}{etcd}")), Cause::Server(_)));
            // Nobody waited for an object.
            let (Cause::Definitions(says) | Cause::Comparison(says)) = of(&format!("{lead}{late}"))
            else {
                panic!("{lead}");
            };
            assert!(says.ends_with(late));
        }
        assert!(matches!(of(late), Cause::Wait(_)));
    }

    #[test]
    fn the_disk_is_the_controllers_only_where_nobody_else_is_named() {
        for etcd in [
            "create: failed to create: etcdserver: write /var/lib/etcd/member/wal/0.wal: no space left on device",
            "create: failed to create: Internal error occurred: rpc error: code = Unknown desc = write /var/lib/etcd/x: no space left on device",
        ] {
            assert!(
                matches!(of(etcd), Cause::Server(ServerError::Etcd(_))),
                "{etcd}: {:?}",
                of(etcd)
            );
        }
        for job in [
            "failed pre-install: 1 error occurred:\n\t* job acme-search-create failed: mkdir /data: permission denied",
            "pre-upgrade hooks failed: job gate failed: mkdir /data: permission denied",
            "failed pre-install: timeout waiting for: [Job/core/a status: 'Failed']: context canceled",
        ] {
            let Cause::Wait(wait) = of(job) else {
                panic!("{job}: {:?}", of(job));
            };
            assert!(wait.job_failed, "{job}");
        }
        for own in [
            "could not get Kubernetes discovery client: mkdir /.kube: read-only file system",
            "cronjob x failed: mkdir /.kube: read-only file system",
        ] {
            assert!(matches!(of(own), Cause::Disk(_)), "{own}");
        }
        for stopped in [
            "context canceled",
            "timeout waiting for: [Job/core/a status: 'InProgress']: context canceled",
            "timeout waiting for: [Deployment/core/a status: 'Failed']: context canceled",
        ] {
            assert!(matches!(of(stopped), Cause::Interrupted(_)), "{stopped}");
        }
    }

    #[test]
    fn a_template_that_looks_up_what_cannot_exist_lacks_no_right() {
        let of_namespace = |namespace: &str| {
            of(&format!(
                "template: c/templates/a.yaml:1:12: executing \"c/templates/a.yaml\" at <lookup \"v1\" \"Secret\" \"x\" \"y\">: error calling lookup: secrets \"y\" is forbidden: User \"system:serviceaccount:a:b\" cannot get resource \"secrets\" in API group \"\" in the namespace \"{namespace}\""
            ))
        };
        let literal = of_namespace("{{ .Release.Namespace }}");
        assert!(matches!(literal, Cause::Template(_)), "{literal:?}");
        assert!(matches!(of_namespace("core"), Cause::Right(_)));
    }

    #[test]
    fn the_reason_says_what_a_text_is_about() {
        let text = "HelmChart 'a/b' is not ready: namespaces \"x\" not found";
        let of_source = Cause::Source(Source {
            error: None,
            is_repeated: true,
        });
        assert_eq!(Cause::parse("SourceNotReady", text), of_source);
        assert!(matches!(of(text), Cause::Namespace(_)));
        let tomorrow = "a text of tomorrow: etcdserver: no";
        for reason in ["SourceNotReady", "ValuesError", "InitFailed"] {
            assert_eq!(Cause::parse(reason, tomorrow), Cause::Unrecognised);
        }
    }

    #[test]
    fn what_no_version_writes_is_not_recognised() {
        for text in [
            "",
            "a text of tomorrow",
            "failed to diff nothing",
            "Forbidden: User cannot",
        ] {
            assert_eq!(of(text), Cause::Unrecognised, "{text}");
        }
    }

    #[test]
    fn steps_are_read() {
        assert_eq!(
            of(
                "failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition c: no"
            ),
            Cause::Definitions(
                "failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition c: no"
                    .to_owned()
            )
        );
        assert_eq!(
            of("unable to determine cluster state: no"),
            Cause::Comparison("no".to_owned())
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(
            reason in "(SourceNotReady|ValuesError|InitFailed|RESTClientError|AccessDenied|DependencyNotReady|InvalidCELExpression|UninstallFailed|)",
            text in "(KubeConfig secret '|'|\"|dependency |could not find |not found| termination timeout: |failed to confirm ServiceAccount '|unable to determine cluster state: |failed to get CRD|é|\n){0,10}",
        ) {
            let _ = Cause::parse(&reason, &text);
        }
    }
}
