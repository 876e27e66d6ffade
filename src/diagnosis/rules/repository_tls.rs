//! SKVS207: the chart repository's certificate is not accepted.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::field::Field;
use crate::model::source::{SecretRef, Source};
use crate::model::source_error::{SourceError, certificate, is_of_layer};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS207",
    slug: "repository-tls",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's certificate is not accepted",
    explanation: r#"The connection to the repository fails at TLS: the certificate's authority is unknown to source-controller, or the
certificate has expired or is for another host. The network and the credentials are fine."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

- Your own authority: put its certificate as `ca.crt` into a Secret, and name the Secret in `spec.certSecretRef` of the
  HelmRepository.
- Expired, or for another host: renew the certificate at the server, or correct `spec.url`."#,
    example: r#"tls: failed to verify certificate: x509: certificate signed by unknown authority"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

/// Where a source names the Secret with its certificates.
type SecretField = fn(&Source) -> &Field<SecretRef>;
const FIELDS: [(&str, SecretField); 2] = [
    ("certSecretRef", |source| &source.cert_secret_ref),
    ("secretRef", |source| &source.secret_ref),
];

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Tls) else {
        return sources::nothing(case);
    };
    let subject = sources::repository_of(case, &told);
    let what = certificate(&told.condition.message);
    let finding = sources::finding(
        case,
        &subject,
        &sources::at_host(case, &told, &subject, &format!("is not trusted: {what}")),
        "The server is reachable; source-controller closes the connection before it sends a request.",
    )
    .seen(evidence)
    .seen(FIELDS.into_iter().filter_map(|(field, of)| {
        let secret = sources::secret(case, of)?;
        let named = format!("spec.{field}: {}", secret.name);
        Some(Evidence::new(subject.clone(), &format!(".spec.{field}"), &named))
    }));
    let own = sources::secret(case, |source| &source.cert_secret_ref);
    let step = match sources::other_host(case, &told) {
        Some(host) if is_of_layer(&told.condition.message) => format!(
            "The registry redirects the download to {host}, and source-controller applies the registry's TLS settings there too. Have the registry deliver the layers itself (turn off its redirect to the object store), or remove spec.certSecretRef if both have public certificates:"
        ),
        _ => step(&told.condition.message, own.as_ref()),
    };
    sources::look_at(
        case,
        finding,
        sources::telling(case, &told, &subject),
        &step,
    )
}

/// What to do, by what fails; `own` holds the authorities that the source trusts.
fn step(message: &str, own: Option<&Subject>) -> String {
    let has = |text: &str| message.contains(text);
    match own {
        _ if has("server gave HTTP response to HTTPS client") => {
            "If it is meant to speak plain HTTP, set spec.insecure: true for a registry (oci://), or correct spec.url to http:// for a repository with an index. Otherwise have TLS turned on at the server:".to_owned()
        }
        _ if has("tls: unrecognized name") => {
            "The server knows no host of that name: correct the host in spec.url, or have it set up at the server or the proxy in front of it:".to_owned()
        }
        Some(secret) if has("certificate signed by unknown authority") => format!(
            "{secret} holds the only authorities that this source trusts. If the server has a public certificate, remove spec.certSecretRef; if it is your own, put its authority into ca.crt of that Secret:"
        ),
        _ => "For your own authority, put ca.crt into a Secret and name it in spec.certSecretRef of the source. If the certificate has expired or is for another host, renew it at the server or correct the URL:".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::step;
    use crate::diagnosis::finding::Subject;
    use crate::diagnosis::fixture;

    #[test]
    fn what_is_to_be_done_depends_on_what_fails() {
        let own = Subject::new("Secret", "flux-system", "own-ca");
        let unknown = "x509: certificate signed by unknown authority";
        let tried = |message: &str, own: Option<&Subject>| step(message, own);
        assert!(tried(unknown, None).contains("put ca.crt into a Secret"));
        assert!(tried(unknown, Some(&own)).contains("remove spec.certSecretRef"));
        for (message, wanted) in [
            (
                "http: server gave HTTP response to HTTPS client",
                "spec.insecure: true",
            ),
            (
                "remote error: tls: unrecognized name",
                "correct the host in spec.url",
            ),
        ] {
            for own in [None, Some(&own)] {
                let step = tried(message, own);
                assert!(step.contains(wanted) && !step.contains("ca.crt"), "{step}");
            }
        }
        assert!(
            tried("x509: certificate has expired", Some(&own)).contains("renew it at the server")
        );
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-tls", "SKVS207"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm is not trusted: its certificate is of an authority that source-controller does not know"
        );
        assert_eq!(
            fixture::sentence("repository-tls-old", "SKVS207"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm is not trusted: its certificate has expired, or is not valid yet"
        );
        assert_eq!(
            fixture::sentence("repository-tls-middle", "SKVS207"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm is not trusted: its certificate is for another host than the URL's"
        );
    }
}
