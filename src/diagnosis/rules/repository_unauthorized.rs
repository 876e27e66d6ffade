//! SKVS204: the chart repository refuses the credentials.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Complaint, Fault};
use crate::model::source::Source;
use crate::model::source_error::SourceError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS204",
    slug: "repository-unauthorized",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository refuses the credentials",
    explanation: r#"The repository answers 401 or 403: the user name and password in the Secret of `spec.secretRef` are wrong, outdated or
missing, or the account may not read the chart. Many registries give the same answer for a path that does not exist."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.secretRef.name}'`

Renew the Secret (keys `username` and `password`; for an OCI registry one of type docker-registry), or have the account given
access."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://… : 401 Unauthorized"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Unauthorized,
    wrong: "refuses the credentials",
    why: "The repository answers, but refuses source-controller.",
    step: "Find its Secret, and renew it:",
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Unauthorized) else {
        return sources::nothing(case);
    };
    // Credentials that exist are renewed; where none are configured, that is the finding.
    let source = case.source().if_read();
    let provider = source.and_then(|source| source.provider.as_str());
    if let Some(provider) = provider.filter(|p| *p != "generic") {
        return of_cloud(case, &told, evidence, provider);
    }
    let without = source.is_some_and(Source::has_no_credentials);
    if !without && !told.condition.message.contains("anonymous token") {
        return of_secret(case, &told, evidence);
    }
    let subject = sources::repository_of(case, &told);
    let sentence = sources::at_host(case, &told, &subject, "refuses anonymous access");
    if let Some(host) = sources::other_host(case, &told) {
        return sources::finding(case, &subject, &sentence, "The repository leads to another host, which source-controller asked without credentials.")
            .seen(evidence)
            .step(format!("Have {host} allow reading without credentials, or have the file moved to the repository's own host:"))
            .command(sources::describe(sources::telling(case, &told, &subject)))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let why = match without {
        _ if sources::has_query(case) => {
            "spec.url has its credentials in a query (after the question mark), and the server refuses them."
        }
        true => "No credentials are configured for it (spec.secretRef is not set).",
        false => "source-controller asked without credentials.",
    };
    let finding = sources::finding(case, &subject, &sentence, why).seen(evidence);
    let url = sources::url(case);
    if sources::has_query(case) {
        return finding
            .step("Check whether they have expired. If the error has %!…(MISSING), source-controller has mangled the query's percent signs: a URL with such a signature cannot be used. Publish the chart at a place that accepts a user name and password (spec.secretRef) or a cloud identity (an OCI registry with spec.provider):")
            .command(sources::describe(&subject))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let finding = match sources::named_twice(case) {
        Some(chart) => finding
            .why(format!("Flux appends the chart's name to spec.url, which ends in /{chart} already: it asks for a path that does not exist, and a registry answers that with 403 too."))
            .step(format!("Remove /{chart} from the end of spec.url:")),
        None => finding.step("Check first that spec.url is right: for a path that does not exist a registry answers 401 or 403 too."),
    };
    finding
        .command(sources::describe(&subject))
        .step("If the path is right, the chart is private: create a Secret with credentials and name it in spec.secretRef.")
        .steps(cloud(&url).map(|provider| {
            format!("Or let source-controller log in with its own identity in the cloud: spec.provider: {provider}.")
        }))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The credentials come from a Secret.
fn of_secret(case: &Case<'_>, told: &Complaint, evidence: Vec<Evidence>) -> Verdict {
    let Some(secret) = sources::secret(case, |source| &source.secret_ref) else {
        return sources::repository(case, &FAULT);
    };
    let subject = sources::repository_of(case, told);
    let sentence = sources::at_host(case, told, &subject, FAULT.wrong);
    let finding = sources::finding(case, &subject, &sentence, FAULT.why).seen(evidence);
    let finding = match sources::named_twice(case) {
        Some(chart) => finding.step(format!("Remove /{chart} from the end of spec.url first: Flux appends the chart's name, and for a path that does not exist a registry answers 403 too.")),
        None => finding,
    };
    // An index leads to archives on other hosts, which get no credentials.
    let passes = case
        .source()
        .if_read()
        .map(|source| &source.pass_credentials);
    let keeps = passes.is_some_and(|passes| passes.is_absent() || passes.is(&false));
    if subject.kind == "HelmRepository"
        && keeps
        && let Some(host) = sources::other_host(case, told)
    {
        return finding
            .why(format!("source-controller sends the credentials of {secret} to the repository's own host alone, and not to {host}."))
            .step(format!("If {host} may have these credentials, set spec.passCredentials: true in the manifest of the source. Otherwise have the archives moved to the repository's host:"))
            .command(sources::describe(&subject))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    // A registry's login is looked up by the host.
    let renew = match registry(&sources::url(case)) {
        // Without an entry for the host, an OCIRepository is asked for anonymously.
        Some(host) => format!(
            "Check whether {secret}, which spec.secretRef names, holds a login for {host} (a .dockerconfigjson has one entry for each host): add the entry if it is missing, else renew it. Its keys, without their content:"
        ),
        None => {
            format!("Renew {secret}, which spec.secretRef names. Its keys, without their content:")
        }
    };
    finding
        .step(renew)
        .command([
            "kubectl",
            "describe",
            "-n",
            &secret.namespace,
            "secret",
            &secret.name,
        ])
        .steps((subject.kind == "GitRepository").then(|| {
            "For Git over https its keys are username and password, or bearerToken; a token under another key is not read.".to_owned()
        }))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The host of an OCI registry, with its port.
fn registry(url: &str) -> Option<&str> {
    url.strip_prefix("oci://")?.split('/').next()
}

/// The cloud whose registry the URL is of, as `spec.provider` has it.
fn cloud(url: &str) -> Option<&'static str> {
    let host = registry(url)?;
    let of = |ends: &[&str]| ends.iter().any(|end| host.ends_with(end));
    if of(&[".pkg.dev", "gcr.io"]) {
        Some("gcp")
    } else if of(&[".azurecr.io"]) {
        Some("azure")
    } else if of(&[".amazonaws.com"]) {
        Some("aws")
    } else {
        None
    }
}

/// The credentials are the cloud's: those of source-controller's own identity.
fn of_cloud(case: &Case<'_>, told: &Complaint, evidence: Vec<Evidence>, provider: &str) -> Verdict {
    let subject = sources::repository_of(case, told);
    let sentence = sources::at_host(case, told, &subject, "does not let source-controller in");
    let why = format!(
        "spec.provider is {provider}, so source-controller logs in with its own cloud identity, which may not read this repository. No Secret holds these credentials."
    );
    sources::finding(case, &subject, &sentence, &why)
        .seen(evidence)
        .step("Give the identity of source-controller's ServiceAccount the right to pull from this repository. Its annotations name the identity:")
        .command(["kubectl", "get", "serviceaccounts", "-A", "--field-selector", "metadata.name=source-controller", "-o", "yaml"])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::model::field::Field;
    use crate::model::source::SecretRef;
    use crate::snapshot::{Read, Snapshot};

    #[test]
    fn a_secret_is_renewed_only_where_one_is_named() {
        let name = "repository-unauthorized";
        let mut snapshot = fixture::snapshot(name);
        let Read::Seen(source) = &mut snapshot.source else {
            panic!("the case has its source");
        };
        let now = fixture::meta(name).now;
        let fix = |snapshot: &Snapshot| {
            let found = super::check(&Case::new(snapshot, now)).unwrap();
            format!("{:?}", found.expect("it is found").fix)
        };
        source.secret_ref = Field::Set(SecretRef {
            name: "artifactory".to_owned(),
        });
        let renewed = "Renew Secret flux-system/artifactory";
        assert!(fix(&snapshot).contains(renewed), "{}", fix(&snapshot));
        let Read::Seen(source) = &mut snapshot.source else {
            panic!("the case has its source");
        };
        source.secret_ref = Field::Absent;
        assert!(!fix(&snapshot).contains("enew"), "{}", fix(&snapshot));
    }

    #[test]
    fn credentials_are_not_asked_for_where_they_would_not_be_sent() {
        let name = "repository-unauthorized";
        let mut snapshot = fixture::snapshot(name);
        let Read::Seen(source) = &mut snapshot.source else {
            panic!("the case has its source");
        };
        source.conditions.edit().clear();
        source.secret_ref = Field::Absent;
        let Read::Seen(chart) = &mut snapshot.chart else {
            panic!("the case has its chart");
        };
        for condition in chart.conditions.edit() {
            condition.message = "chart pull error: failed to download chart for remote reference: failed to fetch https://cdn.example/a-1.tgz : 403 Forbidden".to_owned();
        }
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().expect("it is found");
        assert!(
            finding
                .sentence
                .starts_with("cdn.example, used by HelmRepository"),
            "{}",
            finding.sentence
        );
        let fix = format!("{:?}", finding.fix);
        assert!(
            !fix.contains("Secret") && fix.contains("cdn.example"),
            "{fix}"
        );
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-unauthorized", "SKVS204"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm refuses anonymous access"
        );
    }
}
