//! SKVS223: the chart's signature is missing or from another key.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS223",
    slug: "chart-not-verified",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's signature is missing or from another key",
    explanation: r#"`spec.chart.spec.verify` (or `spec.verify` of an OCIRepository) requires a signature, and none matches: the chart is not
signed, was signed with another key or identity, or the Secret holds the wrong public keys. Flux does not install it."#,
    fix: r#"See it: `cosign verify --key cosign.pub REGISTRY/PATH:VERSION`

Have the chart signed, or correct the key or identity in `verify`. Do not switch the check off without asking."#,
    example: r#"ChartVerificationError: chart verification error: failed to verify oci://registry.example/charts/x: no matching signatures were found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Signature) else {
        return sources::nothing(case);
    };
    let (chart, version) = sources::wanted(case);
    let subject = told.subject;
    // Only charts of OCI registries can be verified.
    if told.condition.message.ends_with("not implemented") {
        return sources::finding(
            case,
            &subject,
            &format!("the signature of chart {chart} cannot be checked: it does not come from an OCI registry"),
            "spec.chart.spec.verify works for charts of OCI registries only.",
        )
        .seen(evidence)
        .step("Remove verify from spec.chart.spec in the manifest, or use the chart from an OCI registry")
        .then(then(case, Fixes::Manifest))
        .into();
    }
    if let Some((wrong, step)) = uncheckable(&told.condition.message) {
        let sentence =
            format!("the signature of chart {chart} {version} cannot be checked: {wrong}");
        let why = "verify requires a signature, but source-controller did not get as far as checking it. It is not known whether the chart is signed.";
        let finding = sources::finding(case, &subject, &sentence, why).seen(evidence);
        return sources::look_at(case, finding, &subject, step);
    }
    let finding = sources::finding(
        case,
        &subject,
        &format!("the signature of chart {chart} {version} is not accepted"),
        "verify requires a signature: it is missing, is from another key or identity, or the public keys to check it are wrong.",
    )
    .seen(evidence);
    sources::look_at(
        case,
        finding,
        &subject,
        "Ask the chart's publisher for a signed one, or correct the key named in verify:",
    )
}

/// The means of checking a signature are missing: the fault, and the step to fix it.
fn uncheckable(text: &str) -> Option<(&'static str, &'static str)> {
    let has = |texts: &[&str]| texts.iter().any(|t| text.contains(t));
    if has(&[
        "no public keys found in secret",
        "no certificates found in secret",
        "' not found in secret '",
        "verification secret cannot be empty",
        "public keys secret error: ",
        "public keys found in secret",
        "error occurred while parsing trustpolicy",
        "trust policy cannot be empty",
        "failed to read trusted root",
    ]) || text.contains("secrets \"") && text.contains("\" not found")
    {
        return Some((
            "the Secret named in verify lacks the keys for it",
            "Put the publisher's public keys (files that end in .pub), certificates or trust policy into the Secret that verify.secretRef names:",
        ));
    }
    // What they answered, or what is wrong with a signature, names them too.
    let named = has(&[
        "Rekor",
        "rekor.",
        "Fulcio",
        "fulcio.",
        "CTLog",
        "trusted root",
        "tuf:",
        "tuf-repo",
        "TUF",
    ]);
    let failed = has(&[
        "Get \"",
        "Post \"",
        ": lookup ",
        "timeout",
        "Timeout",
        "deadline exceeded",
        ": EOF",
        "unexpected EOF",
        "connection refused",
        "connection reset by peer",
        "failed to download",
    ]);
    (named && failed).then_some((
        "the services for checking keyless signatures cannot be reached",
        "Let source-controller reach them (tuf-repo-cdn.sigstore.dev, rekor.sigstore.dev; proxy, network policy), or name a key in verify.secretRef:",
    ))
}

#[cfg(test)]
mod tests {
    use super::uncheckable;
    use crate::diagnosis::fixture;

    #[test]
    fn a_service_was_not_reached_only_where_a_request_failed() {
        let of = |text: &str| uncheckable(text).map(|(wrong, _)| wrong);
        for refused in [
            "no matching signatures: cert verification failed: x509: certificate signed by unknown authority. Check your TUF root (see cosign initialize) or set a custom root with env var SIGSTORE_ROOT_FILE",
            "no matching signatures: payload hash does not match value in Rekor bundle",
            "no matching signatures: signature not found in transparency log (Rekor)",
            "failed to verify signature of stuff: invalid signature when validating ASN.1 encoded signature",
            // A request failed, and not one to these services.
            "failed to verify oci://r.example/stuff:1: Get \"https://r.example/v2/\": EOF",
        ] {
            assert_eq!(of(refused), None, "{refused}");
        }
        for unreached in [
            "unable to initialize Rekor client: Get \"https://rekor.sigstore.dev/api/v1/log\": dial tcp 1.2.3.4:443: i/o timeout",
            "getting trusted root: dial tcp: lookup tuf-repo-cdn.sigstore.dev on 10.96.0.10:53: no such host",
            "getting Fulcio roots: initializing tuf: unable to fetch: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            "tuf: failed to download timestamp.json",
        ] {
            assert_eq!(
                of(unreached),
                Some("the services for checking keyless signatures cannot be reached"),
                "{unreached}"
            );
        }
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-not-verified", "SKVS223"),
            "the signature of chart secure-kvs-onboarding 0.1.2 is not accepted"
        );
    }
}
