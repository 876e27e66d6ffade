//! An object that the API server's admission refused, read out of the sentence that it answers with.
//!
//! The same sentence stands in what Flux writes of its own requests and in the Job controller's events. The form that comes
//! first in the text decides: a webhook may quote anything in its own words. What a chart's author wrote is never read.

/// Who refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A ResourceQuota has no room.
    QuotaUsedUp {
        quota: String,
        /// `requested: requests.cpu=100m, used: …, limited: …`
        figures: String,
    },
    /// A ResourceQuota wants requests or limits that the pod does not have.
    QuotaNeeds { quota: String, needs: String },
    /// The namespace's pod security level.
    PodSecurity { level: String, violations: String },
    /// A webhook said no.
    Webhook { name: String, said: String },
    /// A ValidatingAdmissionPolicy said no.
    Policy { name: String, said: String },
    /// The pod's ServiceAccount does not exist.
    AccountMissing { namespace: String, name: String },
    /// A LimitRange: `maximum cpu usage per Container is 200m, but limit is 500m`.
    Limits(String),
    /// A webhook gave no answer.
    WebhookDown { name: String, why: String },
    /// Flux's account may not grant rights that it does not have.
    Escalation { object: String, says: String },
    /// Another part of the API server's admission refused it, without giving its name.
    Plugin { object: String, said: String },
}

/// Reads a form from what stands after its first words.
type Read = fn(&str) -> Option<Refusal>;

/// The forms: their first words, and how each is read.
const FORMS: [(&str, Read); 11] = [
    ("exceeded quota: ", used_up),
    ("failed quota: ", needs),
    ("violates PodSecurity \"", pod_security),
    ("admission webhook \"", webhook),
    ("ValidatingAdmissionPolicy '", policy),
    ("error looking up service account ", account),
    (" is forbidden: ", limits),
    ("failed calling webhook \"", webhook_down),
    ("failed to call webhook \"", webhook_down),
    ("conversion webhook for ", conversion),
    ("no endpoints available for service \"", no_endpoints),
];

impl Refusal {
    /// Reads the first refusal in `text`.
    pub fn parse(text: &str) -> Option<Self> {
        FORMS
            .iter()
            .flat_map(|(lead, read)| {
                text.match_indices(lead)
                    .map(move |(at, _)| (at, lead, read))
            })
            .filter_map(|(at, lead, read)| Some((at, read(&text[at + lead.len()..])?)))
            .min_by_key(|(at, _)| *at)
            .map(|(_, refusal)| refusal)
    }
}

impl Refusal {
    /// `roles.rbac.authorization.k8s.io "x" is forbidden: …` for any reason but missing rights: the plugins of the API server's admission,
    /// each with its own words.
    pub(super) fn of_plugin(text: &str) -> Option<Self> {
        let (before, said) = text.split_once("\" is forbidden: ")?;
        let (resource, name) = before
            .rsplit_once(" \"")
            .or_else(|| before.split_once('"'))?;
        let resource = resource.rsplit(char::is_whitespace).next()?;
        // The quota's controller is behind: this passes.
        if said.starts_with("User \"") || said.starts_with("status unknown for quota: ") {
            return None;
        }
        if said.contains("because it is being terminated") || name.contains('"') {
            return None;
        }
        let object = format!("{resource} {name}");
        let said = first_line(said);
        Some(
            match said.contains("is attempting to grant RBAC permissions not currently held") {
                true => Self::Escalation {
                    object,
                    says: text.trim().to_owned(),
                },
                false => Self::Plugin { object, said },
            },
        )
    }
}

/// The service behind a webhook, `(namespace, name)`, where the text names its address.
pub fn service_of(why: &str) -> Option<(String, String)> {
    let (_, address) = why.split_once("https://")?;
    let host = address.split(['/', ':', '"', '?']).next()?;
    let mut parts = host.split('.');
    let (name, namespace, svc) = (parts.next()?, parts.next()?, parts.next()?);
    (svc == "svc" && !name.is_empty() && !namespace.is_empty())
        .then(|| (namespace.to_owned(), name.to_owned()))
}

/// The remedy for a refused pod, by the message alone; the beginning of a sentence.
pub fn of_pod(said: &str) -> Option<&'static str> {
    const REMEDIES: [(&[&str], &str); 5] = [
        (
            &["the integer value of priority (", "must not be provided"],
            "Have the chart leave spec.priority out of the pod, or name a class in priorityClassName: the API server takes the value from the pod's PriorityClass, without a name from the one with globalDefault, which may be new",
        ),
        (
            &["no PriorityClass with name "],
            "Create the PriorityClass that the message names, or have the chart name one that exists",
        ),
        (
            &["pod rejected: RuntimeClass "],
            "Create the RuntimeClass that the message names, or have the chart name one that exists",
        ),
        (
            &["unable to validate against any security context constraint"],
            "Let the pod's ServiceAccount use a security context constraint that allows what the message names, or have the chart leave those fields out",
        ),
        (
            &["Timeout: request did not complete within "],
            "Find out which admission webhook for pods is slow. Mutating webhooks are asked one after another, so their timeoutSeconds may add up to more than a request may take, even with failurePolicy: Ignore. Have the slow one answer (check NetworkPolicies in front of it too), or lower timeoutSeconds",
        ),
    ];
    let fits = |parts: &[&str]| parts.iter().all(|part| said.contains(part));
    let found = REMEDIES.iter().find(|(parts, _)| fits(parts));
    found.map(|(_, remedy)| *remedy)
}

/// OpenShift's security context constraints do not allow what the pod asks for.
pub fn is_of_security_context(said: &str) -> bool {
    said.contains("unable to validate against any security context constraint")
}

/// The webhook was asked and gave no answer in time.
pub fn is_late(why: &str) -> bool {
    let texts = ["deadline exceeded", "i/o timeout", "Client.Timeout"];
    texts.iter().any(|text| why.contains(text))
}

/// The API server's own time for the request was over. That does not say which part of its admission was late.
pub fn is_bare_timeout(text: &str) -> bool {
    text.contains("Timeout: request did not complete within ")
}

/// Its certificate was not accepted: it answers, and a restart renews what it serves.
pub fn is_distrusted(why: &str) -> bool {
    why.contains("x509: ")
}

/// Something answered in the webhook's place, or the webhook itself, and not as a webhook does.
pub fn is_answered(why: &str) -> bool {
    let texts = [
        "the server could not find the requested resource",
        "an error on the server (",
        "the server rejected our request",
        "received invalid webhook response",
        "expected webhook response of ",
        "unexpected response code: ",
        "the server has asked for the client to provide credentials",
        "the server does not allow access to the requested resource",
    ];
    texts.iter().any(|text| why.contains(text))
}

/// The Service does not have the port that the webhook's configuration names.
pub fn lacks_port(why: &str) -> bool {
    why.contains("no service port ") && why.contains(" found for service ")
}

/// The Service behind the webhook does not exist: its configuration was left over.
pub fn lacks_service(why: &str) -> bool {
    why.contains("service \"") && why.contains("\" not found")
}

/// Istio refuses a policy with a rule that names nobody.
pub fn names_nobody(said: &str) -> bool {
    said.contains("from.source") && said.contains("must not be empty")
}

fn used_up(rest: &str) -> Option<Refusal> {
    let (quota, figures) = rest.split_once(", ")?;
    figures
        .starts_with("requested: ")
        .then(|| Refusal::QuotaUsedUp {
            quota: quota.to_owned(),
            figures: first_line(figures),
        })
}

fn needs(rest: &str) -> Option<Refusal> {
    let (quota, needs) = rest.split_once(": must specify ")?;
    Some(Refusal::QuotaNeeds {
        quota: word(quota)?.to_owned(),
        needs: first_line(needs),
    })
}

fn pod_security(rest: &str) -> Option<Refusal> {
    let (level, violations) = rest.split_once("\": ")?;
    Some(Refusal::PodSecurity {
        level: word(level)?.to_owned(),
        violations: first_line(violations),
    })
}

fn webhook(rest: &str) -> Option<Refusal> {
    let (name, after) = rest.split_once("\" denied the request")?;
    let said = after.strip_prefix(": ").unwrap_or_default();
    Some(Refusal::Webhook {
        name: word(name)?.to_owned(),
        said: said.trim().to_owned(),
    })
}

/// `conversion webhook for example.com/v1, Kind=Foo failed: Post "https://…": …`.
fn conversion(rest: &str) -> Option<Refusal> {
    let (kind, why) = rest.split_once(" failed: ")?;
    (!kind.contains('\n')).then(|| Refusal::WebhookDown {
        name: format!("that converts {kind}"),
        why: first_line(why),
    })
}

/// Without the webhook's name: `no endpoints available for service "x"`.
fn no_endpoints(rest: &str) -> Option<Refusal> {
    let (service, _) = rest.split_once('"')?;
    let service = word(service)?;
    Some(Refusal::WebhookDown {
        name: format!("of service {service}"),
        why: format!("no endpoints available for service \"{service}\""),
    })
}

fn policy(rest: &str) -> Option<Refusal> {
    let (name, after) = rest.split_once('\'')?;
    let (between, said) = after.split_once(" denied request: ")?;
    (!between.contains('\n') && between.starts_with(" with binding '")).then(|| Refusal::Policy {
        name: name.to_owned(),
        said: said.trim().to_owned(),
    })
}

fn account(rest: &str) -> Option<Refusal> {
    let (id, after) = rest.split_once(": ")?;
    let (namespace, name) = word(id)?.split_once('/')?;
    let missing = after.starts_with("serviceaccount \"") && after.contains("\" not found");
    missing.then(|| Refusal::AccountMissing {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// `maximum cpu usage per Container is 200m, but limit is 500m`; several stand in brackets.
fn limits(rest: &str) -> Option<Refusal> {
    let text = first_line(rest);
    let bare = text.trim_start_matches('[');
    let bound = ["maximum ", "minimum "].iter().any(|b| bare.starts_with(b))
        && bare.contains(" usage per ")
        && bare.contains(" is ");
    let ratio = bare.contains(" max limit to request ratio per ");
    (bound || ratio).then(|| Refusal::Limits(bare.trim_end_matches(']').to_owned()))
}

fn webhook_down(rest: &str) -> Option<Refusal> {
    let (name, why) = rest.split_once("\": ")?;
    let why = why.strip_prefix("failed to call webhook: ").unwrap_or(why);
    Some(Refusal::WebhookDown {
        name: word(name)?.to_owned(),
        why: first_line(why),
    })
}

/// The text, if it is one word.
fn word(text: &str) -> Option<&str> {
    (!text.is_empty() && !text.contains(char::is_whitespace)).then_some(text)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        let told = |text: &str| format!("{:?}", Refusal::parse(text));
        insta::assert_snapshot!([
            "pods \"c-\" is forbidden: exceeded quota: small, requested: requests.cpu=100m, used: requests.cpu=1, limited: requests.cpu=1",
            "pods \"c-\" is forbidden: failed quota: compute: must specify limits.cpu for: create; requests.cpu for: create",
            "pods \"c-\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"create\" must set securityContext.allowPrivilegeEscalation=false)",
            "failed pre-install: warning: Hook pre-install a.yaml failed: 1 error occurred:\n\t* admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Job/core/c was blocked: exceeded quota: mine, requested: x",
            "admission webhook \"w.example\" denied the request without explanation",
            "jobs.batch \"c\" is forbidden: ValidatingAdmissionPolicy 'owner' with binding 'owner-all' denied request: owner label is missing",
            "pods \"c-\" is forbidden: error looking up service account core/agora-kvs: serviceaccount \"agora-kvs\" not found",
            "pods \"c-\" is forbidden: [maximum cpu usage per Container is 200m, but limit is 500m, minimum memory usage per Pod is 1Gi, but request is 64Mi]",
            "Internal error occurred: failed calling webhook \"v.example\": failed to call webhook: Post \"https://hook.policy.svc:443/validate?timeout=10s\": no endpoints available for service \"hook\"",
        ]
        .map(told)
        .join("\n"), @r#"
        Some(QuotaUsedUp { quota: "small", figures: "requested: requests.cpu=100m, used: requests.cpu=1, limited: requests.cpu=1" })
        Some(QuotaNeeds { quota: "compute", needs: "limits.cpu for: create; requests.cpu for: create" })
        Some(PodSecurity { level: "restricted:latest", violations: "allowPrivilegeEscalation != false (container \"create\" must set securityContext.allowPrivilegeEscalation=false)" })
        Some(Webhook { name: "validate.kyverno.svc-fail", said: "resource Job/core/c was blocked: exceeded quota: mine, requested: x" })
        Some(Webhook { name: "w.example", said: "" })
        Some(Policy { name: "owner", said: "owner label is missing" })
        Some(AccountMissing { namespace: "core", name: "agora-kvs" })
        Some(Limits("maximum cpu usage per Container is 200m, but limit is 500m, minimum memory usage per Pod is 1Gi, but request is 64Mi"))
        Some(WebhookDown { name: "v.example", why: "Post \"https://hook.policy.svc:443/validate?timeout=10s\": no endpoints available for service \"hook\"" })
        "#);
    }

    #[test]
    fn a_pod_that_is_refused_for_its_fields_has_a_remedy() {
        for (said, part) in [
            (
                "pods \"a-x\" is forbidden: the integer value of priority (0) must not be provided in pod spec; priority admission controller computed 100000 from the given PriorityClass name",
                "spec.priority",
            ),
            (
                "pods \"a-x\" is forbidden: no PriorityClass with name p was found",
                "PriorityClass",
            ),
            (
                "pods \"a-x\" is forbidden: pod rejected: RuntimeClass \"gvisor\" not found",
                "RuntimeClass",
            ),
            (
                "Timeout: request did not complete within requested timeout - context deadline exceeded",
                "timeoutSeconds",
            ),
        ] {
            assert!(
                of_pod(said).is_some_and(|remedy| remedy.contains(part)),
                "{said}"
            );
        }
        assert_eq!(of_pod("pods \"a-x\" is forbidden: something new"), None);
    }

    #[test]
    fn near_texts_are_left_alone() {
        for text in [
            "exceeded quota",
            "the disk quota is exceeded: sdb, used: 3",
            "pods \"x\" is forbidden: User \"u\" cannot create resource \"pods\" in API group \"\" in the namespace \"core\"",
            "pods \"x\" is forbidden: unable to create new content in namespace core because it is being terminated",
            "error looking up service account core/x: etcdserver: leader changed",
            "webhook \"x\" denied the request",
            "PodSecurity is off",
            "the maximum cpu usage per Container is high",
        ] {
            assert_eq!(Refusal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_service_behind_a_webhook_is_told_by_its_address() {
        let of = |why: &str| service_of(why).map(|(ns, name)| format!("{ns}/{name}"));
        assert_eq!(
            of("Post \"https://hook.policy.svc:443/v?timeout=10s\": x509: unknown").as_deref(),
            Some("policy/hook")
        );
        assert_eq!(of("Post \"https://policy.example.com/v\": EOF"), None);
        assert_eq!(of("EOF"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(exceeded quota: |, requested: |failed quota: |: must specify |violates PodSecurity \"|\": |admission webhook \"|\" denied the request|ValidatingAdmissionPolicy '|' with binding '| denied request: |error looking up service account |a/b: |serviceaccount \"|\" not found| is forbidden: |maximum x usage per y is |failed calling webhook \"|https://|svc|\\.|é|\n){0,12}") {
            let _ = Refusal::parse(&text);
            let _ = service_of(&text);
        }
    }
}
