//! SKVS211: the Secret for the chart repository is missing or incomplete.

use crate::advice::Command;
use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, quoted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS211",
    slug: "repository-secret-unusable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the Secret for the chart repository is missing or incomplete",
    explanation: r#"The repository was not asked at all: the Secret in `spec.secretRef` or `spec.certSecretRef` of the source does not exist in
its namespace, or lacks keys (`username` and `password`; `tls.crt` and `tls.key`, or `ca.crt`; for an OCI registry
`.dockerconfigjson` with an entry for its host; for Git over ssh `identity` and `known_hosts`, for a Bucket `accesskey` and
`secretkey`)."#,
    fix: r#"See it: `kubectl get secret -n flux-system`

Create the Secret with its keys, or correct the reference. If a controller copies it from a vault, check there."#,
    example: r#"AuthenticationFailed: failed to get authentication secret 'flux-system/artifactory': secrets "artifactory" not found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Secret) else {
        return sources::nothing(case);
    };
    let source = sources::repository_of(case, &told);
    let text = &told.condition.message;
    let named = [
        "authentication secret ",
        "invalid ",
        "docker-registry Secret ",
        "secret ",
        "secrets ",
        "Secret ",
    ]
    .iter()
    // `invalid 'ssh' auth option` names a protocol.
    .filter(|lead| **lead != "invalid " || text.contains(" secret data"))
    .find_map(|lead| quoted(text, lead));
    let missing = is_absent(text, named);
    let is_host_key = text.contains("knownhosts: ");
    // Git over ssh does not name its Secret.
    let own = sources::secret(case, |source| &source.secret_ref).filter(|_| named.is_none());
    let subject = match named.map(|n| n.split_once('/').unwrap_or((&source.namespace, n))) {
        Some((namespace, name)) => Subject::new("Secret", namespace, name),
        None => own.clone().unwrap_or_else(|| source.clone()),
    };
    let sentence = match (named, missing) {
        _ if is_host_key => {
            let secret = own.map_or("its Secret".to_owned(), |secret| secret.to_string());
            format!("the host key of the server of {source} is not in known_hosts of {secret}")
        }
        (None, _) if own.is_some() => format!("{subject} cannot be used for {source}"),
        (Some(_), true) => {
            format!("{subject} does not exist, and {source} gets its credentials from it")
        }
        (Some(_), false) => format!("{subject} lacks a key for {source}"),
        (None, _) => format!("the Secret with the credentials of {source} cannot be used"),
    };
    let (step, command) = if is_host_key {
        (
            "Confirm the server's present host key with its operators first (a changed key may also mean a different server). Then put it into known_hosts of the Secret:",
            sources::describe(&subject),
        )
    } else if missing {
        let all = ["kubectl", "get", "secrets", "-n", &subject.namespace];
        (
            "List the Secrets; then create it, or correct spec.secretRef or spec.certSecretRef of the source:",
            Command::new(all),
        )
    } else if text.contains("invalid secret type: 'kubernetes.io/dockerconfigjson'") {
        (
            "An HTTP repository needs a Secret of type Opaque with username and password; one of type kubernetes.io/dockerconfigjson is for registries (oci://). Create another one and name it in spec.secretRef; its present keys:",
            sources::describe(&subject),
        )
    } else {
        (
            "Check its type and keys, then add the missing ones:",
            sources::describe(&subject),
        )
    };
    let why = match is_host_key {
        true => {
            "source-controller closes the connection before it logs in: it cannot tell whether this is the right server."
        }
        false => {
            "source-controller reads the credentials first, and has not contacted the repository yet."
        }
    };
    let finding = sources::finding(case, &subject, &sentence, why)
        .seen(evidence)
        .step(step)
        .command(command);
    // The Secret itself is not read: the condition may be older than it.
    let finding = match missing && !is_host_key {
        true => finding
            .step("If it has been created since, have source-controller try again:")
            .command(sources::reconcile(case, &told.subject)),
        false => finding,
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// The text says of the Secret itself, not of a key in it, that it was not found. Flux names it with its namespace, the API server
/// without.
fn is_absent(text: &str, named: Option<&str>) -> bool {
    let Some(named) = named else { return false };
    let bare = named.split_once('/').map_or(named, |(_, name)| name);
    ['\'', '"'].into_iter().any(|quote| {
        let end = format!("{quote} not found");
        text.match_indices(&end).any(|(at, _)| {
            let Some((lead, word)) = text[..at].rsplit_once(quote) else {
                return false;
            };
            [named, bare].contains(&word) && !lead.ends_with("key ")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::diagnosis::texts::of_source;
    use serde_json::{Value, json};

    #[test]
    fn a_missing_key_is_no_missing_secret() {
        let absent = |text: &str, name: &str| is_absent(text, Some(name));
        for (text, name) in [
            (
                "failed to get authentication secret 'flux-system/art': secrets \"art\" not found",
                "flux-system/art",
            ),
            (
                "failed to get secret 'flux-system/art': secret 'flux-system/art' not found",
                "flux-system/art",
            ),
            ("secrets \"art\" not found", "art"),
        ] {
            assert!(absent(text, name), "{text}");
        }
        for (text, name) in [
            (
                "failed to get authentication: secret 'flux-system/creds': key 'password' not found",
                "flux-system/creds",
            ),
            (
                "invalid 'flux-system/creds' secret data: key 'ca.crt' not found",
                "flux-system/creds",
            ),
            (
                "secret 'flux-system/password': key 'password' not found",
                "flux-system/password",
            ),
            (
                "secret 'flux-system/password': key \"password\" not found",
                "flux-system/password",
            ),
        ] {
            assert!(!absent(text, name), "{text}");
        }
        assert!(!is_absent("key 'password' not found", None));
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-secret-missing", "SKVS211"),
            "Secret flux-system/artifactory does not exist, and HelmRepository flux-system/wit-artifactory gets its credentials from it"
        );
        assert_eq!(
            fixture::sentence("repository-secret-incomplete", "SKVS211"),
            "Secret flux-system/artifactory lacks a key for HelmRepository flux-system/wit-artifactory"
        );
        assert_eq!(
            fixture::sentence("repository-secret-missing-old", "SKVS211"),
            "Secret flux-system/artifactory does not exist, and HelmRepository flux-system/wit-artifactory gets its credentials from it"
        );
    }

    #[test]
    fn a_host_key_is_confirmed_before_it_is_known() {
        let text = "failed to checkout and determine revision: unable to clone 'ssh://git@g.example/a.git': ssh: handshake failed: knownhosts: key mismatch";
        let of = |spec: &Value| of_source("GitRepository", spec, text, "SKVS211");
        let url = "ssh://git@g.example/a.git";
        insta::assert_snapshot!(of(&json!({"url": url, "secretRef": {"name": "git"}})), @"
        the host key of the server of GitRepository flux-system/wit-artifactory is not in known_hosts of Secret flux-system/git
        Confirm the server's present host key with its operators first (a changed key may also mean a different server). Then put it into known_hosts of the Secret:
        $ kubectl describe -n flux-system secret git
        ");
        insta::assert_snapshot!(of(&json!({"url": url})), @"
        the host key of the server of GitRepository flux-system/wit-artifactory is not in known_hosts of its Secret
        Confirm the server's present host key with its operators first (a changed key may also mean a different server). Then put it into known_hosts of the Secret:
        $ kubectl describe -n flux-system gitrepositories.source.toolkit.fluxcd.io wit-artifactory
        ");
    }
}
