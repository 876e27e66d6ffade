//! Remedies for a source that is not fetched and serves a folder to a Kustomization, not a chart.
//!
//! The texts are those of source-controller, and of go-git and the Git servers that it talks to.

use super::{SourceError, certificate, is_no_range};
use crate::model::condition::Condition;
use crate::model::field::Field;
use crate::model::source::Source;
use crate::text::one_line;

const ENCRYPTED_KEY: &str = "the private key in the Secret has a passphrase: add it to the Secret (entry password), or use a key without one";

/// Remedies for texts whose kind says too little; the first that fits counts.
const TEXTS: &[(&[&str], &str)] = &[
    (
        &["unable to resolve commit object for "],
        "the repository does not have the commit of spec.ref.commit on that branch: correct spec.ref",
    ),
    (
        &["unable to clone '", "object not found"],
        "the server did not send all objects of the branch, which happens after its history was rewritten or cut: push a new commit to the branch or, if that does not help, push the same content as a fresh branch and name it in spec.ref.branch",
    ),
    (
        &["git repository is empty"],
        "the repository has no commit yet: push the manifests to it",
    ),
    (
        &["remote repository is empty"],
        "the repository has no commit yet: push the manifests to it",
    ),
    (
        &["knownhosts: key is unknown"],
        "the known_hosts entry of the Secret does not have the server's host key: get the key from the server's operator, and add it there",
    ),
    (
        &["knownhosts: key mismatch"],
        "the server shows another host key than the known_hosts entry of the Secret has: ask the server's operator whether the key was renewed, and only then replace it there",
    ),
    (
        &["ssh: ", "no common algorithm for "],
        "source-controller and the server have no algorithm in common: scan the server's host keys again for the known_hosts entry of the Secret, or update the older of the two",
    ),
    (
        &["RSA key with SHA-1"],
        "the server no longer accepts the key's kind of signature: replace the identity of the Secret with an ed25519 or ecdsa key, and add its public half to the repository's deploy keys",
    ),
    (
        &["ssh-rsa", "rsa-sha2-"],
        "the server refuses the signature of the key in the Secret (ssh-rsa, which is SHA-1): create a new key pair that signs with SHA-2 (rsa-sha2-256 or rsa-sha2-512 for an RSA key), put it into the Secret, and add its public half to the server",
    ),
    (
        &["Command git-upload-pack ", "is not in expected format"],
        "correct the path of spec.url, which the server does not take for a repository's (that of Azure DevOps begins with v3 behind the host)",
    ),
    (&["SSH identity key is encrypted"], ENCRYPTED_KEY),
    (&["bcrypt_pbkdf: empty password"], ENCRYPTED_KEY),
    (&["private key is passphrase protected"], ENCRYPTED_KEY),
    (
        &["decryption password incorrect"],
        "correct the passphrase of the private key in the Secret (entry password), or use a key without one",
    ),
    (
        &[" auth option: 'host' is required"],
        "correct spec.url: it names no host",
    ),
    (
        &["sparse checkout"],
        "correct spec.sparseCheckout: each entry is a folder of the repository",
    ),
    (
        &["failed to copy '", "' include from "],
        "correct spec.include: fromPath is not in the included repository",
    ),
];

/// The remedy for a source's complaint, as a clause; `None` where its text is not known.
pub fn of_folder(source: &Source, complaint: &Condition) -> Option<String> {
    let text = complaint.message.as_str();
    let is_in = |parts: &[&str]| parts.iter().all(|part| text.contains(part));
    if let Some((_, what)) = TEXTS.iter().find(|(parts, _)| is_in(parts)) {
        return Some((*what).to_owned());
    }
    let wait = "Flux tries again on its own; if it lasts";
    Some(match SourceError::of_condition(complaint)? {
        SourceError::Unauthorized => login(source, text),
        SourceError::Secret => secret(source, text),
        SourceError::CloudLogin => "check spec.provider, and the identity of source-controller in the cloud".to_owned(),
        SourceError::Tls => format!(
            "{}: see whether spec.url names the right host; a private authority belongs as ca.crt into the Secret that {} names",
            certificate(text),
            match source.meta.kind.as_str() {
                "GitRepository" => "spec.secretRef",
                _ => "spec.certSecretRef",
            }
        ),
        SourceError::Unreachable if text.contains("proxyconnect tcp: ") => format!(
            "source-controller does not reach its proxy: {wait}, check the address in the Secret of spec.proxySecretRef, or without one HTTPS_PROXY and HTTP_PROXY of source-controller, and whether the proxy runs"
        ),
        SourceError::Unreachable => format!(
            "source-controller does not reach {}: {wait}, check the host and port of spec.url, the cluster's DNS, firewalls and network policies, and a proxy that is needed",
            match port(text) {
                Some(port) => format!("port {port} of the host"),
                None => "the host".to_owned(),
            }
        ),
        SourceError::Server => format!(
            "the server did not answer as it should: {wait}, check the server; for a large repository raise spec.timeout"
        ),
        SourceError::NotFound => "correct spec.url; many Git servers also answer so to an account that may not see the repository, so check its access too".to_owned(),
        SourceError::NotInRegistry => "correct spec.url or spec.ref, or push the artifact to the registry".to_owned(),
        SourceError::NoRef => "correct spec.ref, or push the branch or tag that it names".to_owned(),
        SourceError::NoVersion if is_no_range(text) => "correct spec.ref.semver: it is not a range of versions".to_owned(),
        SourceError::NoVersion => "correct spec.ref.semver, or push a tag in that range".to_owned(),
        SourceError::Signature => signature(source, text),
        SourceError::Url => "correct spec.url".to_owned(),
        SourceError::Storage | SourceError::ArtifactGone => "check source-controller's disk: it cannot write or lost what it had stored, and fetches it again once that works".to_owned(),
        SourceError::Archive => "correct spec.url or spec.layerSelector: the artifact is not an archive of manifests".to_owned(),
        SourceError::NoArtifact => "fix the source that spec.include names: it was not fetched".to_owned(),
        SourceError::NotLooked => "check whether source-controller runs: it did not process the present spec".to_owned(),
        _ => return None,
    })
}

/// The server wants another login than it gets.
fn login(source: &Source, text: &str) -> String {
    if let Some(provider) = source.provider.as_str().filter(|p| *p != "generic") {
        let provider = one_line(provider);
        return format!(
            "source-controller logs in with its own identity (spec.provider: {provider}): give that identity the right to read the repository"
        );
    }
    let name = match &source.secret_ref {
        Field::Set(secret) => &secret.name,
        Field::Absent => {
            return "the server wants a login: put one into a Secret, and name it in spec.secretRef"
                .to_owned();
        }
        Field::Malformed => {
            return "the server refuses the login: check the Secret of spec.secretRef".to_owned();
        }
    };
    let secret = one_line(&format!("Secret {}/{name}", source.meta.namespace));
    match text.contains("ssh: ") {
        true => format!(
            "the server does not take the key of {secret} (spec.secretRef): add its public half (identity.pub) to the repository's deploy keys, or renew it"
        ),
        false => format!(
            "the login comes from {secret} (spec.secretRef): its account may not read the repository, or its token is no longer valid; have the account given access, or renew the token"
        ),
    }
}

/// The port that did not answer, as Go names the connection: `dial tcp 192.0.2.1:22: i/o timeout`, or `read tcp 10.0.0.1:4711->192.0.2.1:22: …`.
/// A proxy's port is none of the server's.
fn port(text: &str) -> Option<u16> {
    if ["proxyconnect", "socks connect"]
        .iter()
        .any(|part| text.contains(part))
    {
        return None;
    }
    let mut verbs = ["dial tcp ", "read tcp ", "write tcp "].into_iter();
    let (_, address) = verbs.find_map(|verb| text.split_once(verb))?;
    let address = address.split(": ").next()?;
    let remote = address.rsplit("->").next()?;
    let (host, port) = remote.rsplit_once(':')?;
    (!host.is_empty()).then(|| port.parse().ok()).flatten()
}

/// The signature is not one of those that `spec.verify` takes, or the keys to check it with are not to be had.
fn signature(source: &Source, text: &str) -> String {
    if ["public keys secret error", " public keys found in secret"]
        .iter()
        .any(|part| text.contains(part))
    {
        return "check the Secret of spec.verify, in which source-controller found no key: it must exist and have the signer's public key (for Git under a name with the suffix .asc or .pub)".to_owned();
    }
    let keys = source.verify.set().map(|verify| &verify.secret_ref);
    match keys {
        Some(Field::Set(secret)) => {
            let secret = one_line(&format!("Secret {}/{}", source.meta.namespace, secret.name));
            format!(
                "have it signed with a key that {secret} (spec.verify) has, or add the signer's key to that Secret, if the signer is to be trusted"
            )
        }
        Some(Field::Absent) if source.meta.kind == "OCIRepository" => {
            "have it signed by an identity that spec.verify.matchOIDCIdentity allows, or add the signer's there, if the signer is to be trusted".to_owned()
        }
        _ => "have it signed with a key that the Secret of spec.verify has, or add the signer's key to that Secret, if the signer is to be trusted".to_owned(),
    }
}

/// A Secret is missing or incomplete. Only the one of `spec.secretRef` has these entries; those of `spec.proxySecretRef` and `spec.verify`
/// have others.
fn secret(source: &Source, text: &str) -> String {
    let entries = match source.url.as_str() {
        _ if !is_of_secret_ref(source, text) => {
            return "create or complete the Secret that the message names".to_owned();
        }
        Some(url) if url.starts_with("ssh://") => "identity and known_hosts",
        Some(url) if source.meta.kind == "GitRepository" && url.starts_with("https://") => {
            "username and password, or bearerToken"
        }
        _ => return "create or complete the Secret that the message names".to_owned(),
    };
    let named = source.secret_ref.set().map_or("", |secret| &secret.name);
    let secret = one_line(&format!("Secret {}/{named}", source.meta.namespace));
    format!(
        "create or complete {secret} (spec.secretRef): for this spec.url its entries are {entries}"
    )
}

/// Whether the message is about the Secret of `spec.secretRef`: it names it, or an entry that only that one has.
fn is_of_secret_ref(source: &Source, text: &str) -> bool {
    let Some(secret) = source.secret_ref.set() else {
        return false;
    };
    let name = secret.name.as_str();
    let id = format!("{}/{name}", source.meta.namespace);
    let forms = [
        format!("'{id}'"),
        format!("'{name}'"),
        format!("\"{name}\""),
    ];
    // A Secret may be named in several fields.
    let rest = text.replace(name, "");
    let is_other = ["proxy", "verif"].iter().any(|word| rest.contains(word));
    let is_named = forms.iter().any(|form| text.contains(form));
    (is_named || text.contains(" auth option: ")) && !is_other
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(url: &str, spec: Value, message: &str) -> String {
        let mut object = json!({"kind": "GitRepository", "metadata": {"namespace": "n", "name": "gitops", "generation": 1}, "spec": spec,
            "status": {"observedGeneration": 1, "conditions": [
                {"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": message, "observedGeneration": 1}]}});
        object["spec"]["url"] = json!(url);
        let source = Source::from_value(&object, "GitRepository");
        of_folder(&source, source.complaint().unwrap()).unwrap_or_default()
    }

    #[test]
    fn the_login_that_is_refused_is_the_configured_one() {
        let https = "https://git.example/a.git";
        let refused = "failed to checkout and determine revision: unable to list remote for 'https://git.example/a.git': authorization failed";
        let key = "failed to checkout and determine revision: unable to clone 'ssh://git@git.example/a.git': ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain";
        let secret = json!({"secretRef": {"name": "git"}});
        insta::assert_snapshot!([
            of(https, secret.clone(), refused),
            of(https, json!({}), refused),
            of(https, json!({"provider": "azure"}), refused),
            of("ssh://git@git.example/a.git", secret, key),
        ].join("\n"), @r"
        the login comes from Secret n/git (spec.secretRef): its account may not read the repository, or its token is no longer valid; have the account given access, or renew the token
        the server wants a login: put one into a Secret, and name it in spec.secretRef
        source-controller logs in with its own identity (spec.provider: azure): give that identity the right to read the repository
        the server does not take the key of Secret n/git (spec.secretRef): add its public half (identity.pub) to the repository's deploy keys, or renew it
        ");
    }

    #[test]
    fn entries_are_only_given_for_the_secret_of_secret_ref() {
        let of = |spec: Value, message: &str| of("ssh://git@git.example/a.git", spec, message);
        let missing =
            |name: &str| format!("failed to get secret 'n/{name}': secrets \"{name}\" not found");
        let own = json!({"secretRef": {"name": "git"}, "proxySecretRef": {"name": "proxy"}});
        let entries = "identity and known_hosts";
        let option = "failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required";
        for message in [missing("git"), option.to_owned()] {
            let said = of(json!({"secretRef": {"name": "git"}}), &message);
            assert!(said.contains("Secret n/git (spec.secretRef)"), "{said}");
        }
        // No Secret has a host.
        let host = option.replace("known_hosts", "host");
        let said = of(json!({"secretRef": {"name": "git"}}), &host);
        assert_eq!(said, "correct spec.url: it names no host");
        assert!(of(own.clone(), &missing("git")).contains(entries));
        for (spec, message) in [
            (own.clone(), missing("proxy")),
            (
                own,
                format!("failed to configure proxy options: {}", missing("git")),
            ),
            (json!({"proxySecretRef": {"name": "git"}}), missing("git")),
            (json!({"secretRef": 7}), missing("git")),
        ] {
            let said = of(spec.clone(), &message);
            assert_eq!(
                said, "create or complete the Secret that the message names",
                "{spec}: {message}"
            );
        }
    }

    #[test]
    fn the_port_is_that_of_the_server_and_only_where_the_text_has_it() {
        for (text, expected) in [
            (
                "ssh: handshake failed: read tcp 10.42.0.17:45906->192.0.2.44:22: read: connection timed out",
                Some(22),
            ),
            ("dial tcp 192.0.2.44:443: i/o timeout", Some(443)),
            (
                "dial tcp [2001:db8::1]:7999: connect: no route to host",
                Some(7999),
            ),
            // These are the proxy's.
            (
                "socks connect tcp 10.0.0.9:1080->git.example:22: dial tcp 10.0.0.9:1080: connect: connection refused",
                None,
            ),
            (
                "proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
                None,
            ),
            (
                "dial tcp: lookup git.example on 10.0.0.10:53: no such host",
                None,
            ),
            ("dial tcp 192.0.2.44: i/o timeout", None),
            ("context deadline exceeded", None),
        ] {
            assert_eq!(port(text), expected, "{text}");
        }
        let said = of(
            "ssh://git@git.example/a.git",
            json!({}),
            "unable to clone 'ssh://git@git.example/a.git': dial tcp 192.0.2.44:22: i/o timeout",
        );
        assert!(
            said.starts_with("source-controller does not reach port 22 of the host: "),
            "{said}"
        );
    }

    #[test]
    fn a_proxy_that_does_not_answer_is_not_the_host() {
        let said = of(
            "https://git.example/a.git",
            json!({}),
            "unable to list remote for 'https://git.example/a.git': Get \"https://git.example/a.git\": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
        );
        assert!(
            said.starts_with("source-controller does not reach its proxy: "),
            "{said}"
        );
    }

    #[test]
    fn the_secret_of_the_signers_is_named_where_there_is_one() {
        let message = "signature verification of commit 'abc' failed: unable to verify Git commit";
        let git = |verify: Value| {
            of(
                "ssh://git@git.example/a.git",
                json!({"verify": verify}),
                message,
            )
        };
        let named = git(json!({"mode": "HEAD", "secretRef": {"name": "pgp-team"}}));
        assert!(named.contains("Secret n/pgp-team (spec.verify)"), "{named}");
        for verify in [
            json!({"mode": "HEAD"}),
            json!({"secretRef": 7}),
            json!(7),
            json!(null),
        ] {
            let said = git(verify.clone());
            assert!(
                said.contains("the Secret of spec.verify"),
                "{verify}: {said}"
            );
        }
        let keyless = Source::from_value(
            &json!({"kind": "OCIRepository", "metadata": {"namespace": "n", "name": "a"}, "spec": {"verify": {"provider": "cosign"}}}),
            "OCIRepository",
        );
        assert!(signature(&keyless, "").contains("matchOIDCIdentity"));
        // Nothing was verified, so no signer is at fault.
        let missing = "PGP public keys secret error: secrets \"pgp-team\" not found";
        let said = signature(&keyless, missing);
        assert!(said.contains("signer's public key"), "{said}");
    }

    #[test]
    fn each_text_has_its_remedy() {
        let clone = |why: &str| {
            format!(
                "failed to checkout and determine revision: unable to clone 'ssh://git@git.example/a.git': {why}"
            )
        };
        for (message, part) in [
            (clone("object not found"), "push a new commit"),
            (
                clone(
                    "unknown error: remote: You're using ssh-rsa. Please use rsa-sha2-256 or rsa-sha2-512 instead.",
                ),
                "create a new key pair that signs with SHA-2",
            ),
            (
                clone(
                    "unknown error: remote: Command git-upload-pack '/a/b' is not in expected format.",
                ),
                "correct the path of spec.url",
            ),
            (
                clone("unable to resolve commit object for 'abc': object not found"),
                "spec.ref.commit",
            ),
            (
                clone("couldn't find remote ref \"refs/heads/main\""),
                "correct spec.ref",
            ),
            (clone("remote repository is empty"), "no commit yet"),
            ("git repository is empty".to_owned(), "no commit yet"),
            (
                clone("ssh: handshake failed: knownhosts: key is unknown"),
                "does not have the server's host key",
            ),
            (
                clone("ssh: handshake failed: knownhosts: key mismatch"),
                "another host key",
            ),
            (
                clone(
                    "ssh: handshake failed: ssh: no common algorithm for host key; client offered: [a]",
                ),
                "no algorithm in common",
            ),
            (
                clone(
                    "unknown error: ERROR: You're using an RSA key with SHA-1, which is no longer allowed.",
                ),
                "ed25519",
            ),
            (clone("repository not found"), "correct spec.url"),
            (
                clone("dial tcp: lookup git.example on 10.0.0.10:53: no such host"),
                "does not reach the host",
            ),
            (clone("context deadline exceeded"), "spec.timeout"),
            (
                clone("x509: certificate signed by unknown authority"),
                "ca.crt into the Secret that spec.secretRef",
            ),
            (
                "failed to get secret 'n/git': secrets \"git\" not found".to_owned(),
                "identity and known_hosts",
            ),
            (
                "signature verification of commit 'abc' failed: unable to verify Git commit"
                    .to_owned(),
                "spec.verify",
            ),
            (
                "unable to archive artifact to storage: write /data/a: no space left on device"
                    .to_owned(),
                "disk",
            ),
            (clone("no match found for semver: >1.0.0"), "push a tag"),
        ] {
            let spec = json!({"secretRef": {"name": "git"}});
            let said = of("ssh://git@git.example/a.git", spec, &message);
            assert!(said.contains(part), "{message}: {said}");
        }
        assert_eq!(
            of("https://git.example/a.git", json!({}), "something new"),
            ""
        );
    }
}
