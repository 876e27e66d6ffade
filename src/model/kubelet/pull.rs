//! What the kubelet says of an image that it does not get: which registry was asked, and what it answered.

use crate::model::event::Event;

/// The kubelet's words for a container that has no image.
const NO_IMAGE: [&str; 5] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
];

/// What keeps the kubelet from an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The registry refuses the login, or wants one.
    Refused,
    /// The node does not trust who signed the registry's certificate.
    Distrusted,
    /// The registry's certificate is too old, or the node's clock is wrong.
    Expired,
    /// The certificate is for another name, or the server that answers is not a registry.
    OtherName,
    /// The registry does not have the image.
    Lacking,
    /// It has none for the node's CPU architecture.
    OtherPlatform,
    /// The registry's name has no address.
    NoAddress,
    /// The registry limits pulls.
    Limited,
    /// The registry does not answer.
    NoAnswer,
    /// It answers with an error of its own.
    Faulty,
    /// The pod wants an image that the node already has, and it has not.
    NeverPulled,
    /// The node's container runtime does not answer the kubelet.
    NoRuntime,
    /// The node's own store of images lacks a part of one.
    BrokenStore,
    /// The image's name is not valid.
    NoName,
}

/// Parts of the kubelet's message and what they mean; the first row that fits counts.
const TROUBLES: [(&[&str], Trouble); 34] = [
    (&["InvalidImageName"], Trouble::NoName),
    (&["couldn't parse image"], Trouble::NoName),
    (
        &["x509: ", "has expired or is not yet valid"],
        Trouble::Expired,
    ),
    (
        &["x509: ", "signed by unknown authority"],
        Trouble::Distrusted,
    ),
    (
        &["x509: ", "certificate is not trusted"],
        Trouble::Distrusted,
    ),
    (&["x509: ", "certificate is valid for "], Trouble::OtherName),
    (
        &["x509: ", "doesn't contain any IP SANs"],
        Trouble::OtherName,
    ),
    (
        &["x509: ", "is not valid for any names"],
        Trouble::OtherName,
    ),
    (&["toomanyrequests"], Trouble::Limited),
    (&["429 Too Many Requests"], Trouble::Limited),
    (&["no match for platform"], Trouble::OtherPlatform),
    (&["no matching manifest for"], Trouble::OtherPlatform),
    (&["dial unix "], Trouble::NoRuntime),
    (&["content store", "not found"], Trouble::BrokenStore),
    (
        &["content digest sha256:", ": not found"],
        Trouble::BrokenStore,
    ),
    (&["blob not found: not found"], Trouble::BrokenStore),
    (
        &["parent snapshot ", " does not exist"],
        Trouble::BrokenStore,
    ),
    // A proxy's or a login's page.
    (&["unexpected media type"], Trouble::OtherName),
    (
        &["is not present with pull policy of Never"],
        Trouble::NeverPulled,
    ),
    (&["500 Internal Server Error"], Trouble::Faulty),
    (&["502 Bad Gateway"], Trouble::Faulty),
    (&["503 Service Unavailable"], Trouble::Faulty),
    // However the question for an address ends, no registry was asked.
    (&["dial tcp: lookup "], Trouble::NoAddress),
    (&[": no such host"], Trouble::NoAddress),
    (&["server misbehaving"], Trouble::NoAddress),
    (&["dial tcp", "i/o timeout"], Trouble::NoAnswer),
    (&["connection refused"], Trouble::NoAnswer),
    (&["no route to host"], Trouble::NoAnswer),
    (&["TLS handshake timeout"], Trouble::NoAnswer),
    (&["connection reset by peer"], Trouble::NoAnswer),
    (
        &["https://", "context deadline exceeded"],
        Trouble::NoAnswer,
    ),
    (&["https://", "Client.Timeout exceeded"], Trouble::NoAnswer),
    (&["manifest unknown"], Trouble::Lacking),
    (&[": not found"], Trouble::Lacking),
];

impl Trouble {
    /// By the kubelet's message; `None` where it does not say, or in words that are not known.
    pub fn of(said: &str) -> Option<Self> {
        // An answer that may mean either is one to a login.
        if is_refused_pull(said) {
            return Some(Self::Refused);
        }
        let fits = |parts: &[&str]| parts.iter().all(|part| said.contains(part));
        let row = TROUBLES.iter().find(|(parts, _)| fits(parts));
        row.map(|(_, trouble)| *trouble)
    }

    /// The host that was asked, by the kubelet's message: another than the image's for a layer, a mirror, a proxy or a server of tokens. `None`
    /// where it does not say.
    pub fn asked(said: &str) -> Option<&str> {
        let looked_up = said.match_indices("lookup ").find_map(|(at, lead)| {
            let rest = &said[at + lead.len()..];
            let host = host(rest);
            let rest = &rest[host.len()..];
            let is_told = !host.is_empty() && (rest.starts_with(" on ") || rest.starts_with(": "));
            is_told.then_some(host)
        });
        // Others are links in a registry's own words.
        let leads = ["\"", "request to ", "content at "];
        let of_url = || {
            said.match_indices("://").find_map(|(at, mark)| {
                let before = ["https", "http"]
                    .iter()
                    .find_map(|scheme| said[..at].strip_suffix(scheme))?;
                let host = host(&said[at + mark.len()..]);
                let is_whole = said[at + mark.len() + host.len()..].starts_with(['/', '?', '"']);
                (is_whole && leads.iter().any(|lead| before.ends_with(lead))).then_some(host)
            })
        };
        let found = looked_up.or_else(of_url);
        found.filter(|host| !host.is_empty())
    }
}

/// Whether the reason for which a container waits is that it has no image.
pub fn is_about_image(reason: &str) -> bool {
    NO_IMAGE.contains(&reason)
}

/// The registry of an image, as a login names it.
pub fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// What a text begins with that a host may have, with its port.
fn host(text: &str) -> &str {
    let is_none = |c: char| !(c.is_ascii_alphanumeric() || ".-_".contains(c));
    let end = text.find(is_none).unwrap_or(text.len());
    let port = text[end..].strip_prefix(':').map_or(0, |rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        match digits.unwrap_or(rest.len()) {
            0 => 0,
            digits => digits + 1,
        }
    });
    &text[..end + port]
}

/// The registry does not let the kubelet pull the image, with the login that it sent or without one.
pub fn is_refused_pull(said: &str) -> bool {
    // A word with a slash is a place, which may have any name.
    let words = said.split_whitespace().filter(|word| !word.contains('/'));
    let said = words.collect::<Vec<_>>().join(" ");
    [
        "401 Unauthorized",
        "403 Forbidden",
        "unauthorized",
        "authorization failed",
        "authentication required",
        "insufficient_scope",
        "no basic auth credentials",
        "pull access denied",
        "access to the resource is denied",
        "denied: denied",
    ]
    .iter()
    .any(|part| said.contains(part))
}

/// `registry/image:2.0241127e+07`: a template printed the tag as a number.
pub fn has_numeric_tag(image: &str) -> bool {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let Some((digits, exponent)) = tag.split_once("e+") else {
        return false;
    };
    let is_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_digits(digits) && is_digits(exponent)
}

/// What the registry said to the newest attempt to pull this image. While the kubelet waits for the next one, the container's status no
/// longer has it.
pub fn pull_failure<'e>(events: &'e [Event], image: &str) -> Option<&'e str> {
    let lead = format!("Failed to pull image \"{image}\"");
    let mut messages = events.iter().rev().map(|event| event.message.as_str());
    messages.find(|message| message.starts_with(&lead))
}

/// Whether the registry's answer may also mean that it does not have the image: `repository does not exist or may require authorization`.
pub fn may_lack_image(answer: &str) -> bool {
    answer.contains("does not exist")
}

/// The Secrets for pulling images that the kubelet could not get: `Unable to retrieve some image pull secrets (a, b); …`. Empty where it does not
/// say which; `None` where it has said nothing.
pub fn lost_pull_secrets(events: &[Event]) -> Option<Vec<String>> {
    let mut own = events.iter().rev();
    let event = own.find(|event| event.reason == "FailedToRetrieveImagePullSecret")?;
    let names = event.message.split_once("image pull secrets (");
    let names = names.and_then(|(_, rest)| rest.split_once(')'));
    let names = names.into_iter().flat_map(|(names, _)| names.split(','));
    let names = names.map(|name| name.trim().to_owned());
    Some(names.filter(|name| !name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_became_a_number_has_an_exponent() {
        assert!(has_numeric_tag("registry/a:2.0241127e+07"));
        for image in [
            "registry/a:1.0",
            "registry/a",
            "registry/a:v2e+x",
            "registry:5000/a:rele+1x",
        ] {
            assert!(!has_numeric_tag(image), "{image}");
        }
    }

    #[test]
    fn the_registry_of_an_image_is_its_host_or_docker_hub() {
        for (image, expected) in [
            ("registry.example/a:1", "registry.example"),
            ("localhost:5000/a", "localhost:5000"),
            ("library/a:1", "docker.io"),
            ("a", "docker.io"),
        ] {
            assert_eq!(registry(image), expected);
        }
    }

    #[test]
    fn the_host_that_was_asked_is_that_of_the_message() {
        for (said, expected) in [
            (
                "failed to do request: Get \"https://pkg-containers.githubusercontent.com/ghcr1/blobs/sha256:00ff?se=1\": net/http: TLS handshake timeout",
                Some("pkg-containers.githubusercontent.com"),
            ),
            (
                "unexpected status from HEAD request to https://mirror.acme.example/v2/a/manifests/1?ns=ghcr.io: 403 Forbidden",
                Some("mirror.acme.example"),
            ),
            (
                "Head \"https://ghcr.io/v2/\": proxyconnect tcp: dial tcp: lookup proxy.acme on 10.0.0.10:53: no such host",
                Some("proxy.acme"),
            ),
            ("dial tcp: lookup ghcr.io: i/o timeout", Some("ghcr.io")),
            (
                "Get \"http://localhost:5000/v2/\": EOF",
                Some("localhost:5000"),
            ),
            (
                "content at https://r.example/v2/a/blobs/sha256:00ff: not found",
                Some("r.example"),
            ),
            (
                "toomanyrequests: You may increase the limit by authenticating: https://www.docker.com/increase-rate-limit",
                None,
            ),
            ("Get \"https://user:pass@r.example/v2/\": EOF", None),
            ("Get \"https:///v2/\": EOF", None),
            ("failed to lookup image", None),
            ("lookup : x", None),
            ("r.example/a:1: not found", None),
        ] {
            assert_eq!(Trouble::asked(said), expected, "{said}");
        }
    }

    #[test]
    fn an_event_that_does_not_say_which_secret_still_says_that_one_was_lost() {
        let lost = |message: &str| {
            let event = serde_json::json!({"reason": "FailedToRetrieveImagePullSecret", "message": message});
            lost_pull_secrets(&[Event::from_value(&event)])
        };
        let some = lost("Unable to retrieve some image pull secrets (a, b); x");
        assert_eq!(some, Some(vec!["a".to_owned(), "b".to_owned()]));
        for odd in [
            "",
            "Unable to retrieve image pull secret a: forbidden",
            "image pull secrets (a",
        ] {
            assert_eq!(lost(odd), Some(Vec::new()), "{odd}");
        }
        assert_eq!(lost_pull_secrets(&[]), None);
    }

    #[test]
    fn what_keeps_the_kubelet_from_an_image_follows_from_its_message() {
        for (said, expected) in [
            (
                "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://r.example/token: 403 Forbidden: denied",
                Some(Trouble::Refused),
            ),
            (
                "denied: requested access to the resource is denied",
                Some(Trouble::Refused),
            ),
            (
                "pull access denied, repository does not exist or may require authorization",
                Some(Trouble::Refused),
            ),
            (
                "failed to do request: Head \"https://r.example/v2/a/manifests/1\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Some(Trouble::Distrusted),
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026-11-27T05:00:00Z is after 2026-11-26T05:00:00Z",
                Some(Trouble::Expired),
            ),
            (
                "x509: certificate is valid for proxy.example, not r.example",
                Some(Trouble::OtherName),
            ),
            (
                "r.example/a:1: failed to resolve reference \"r.example/a:1\": r.example/a:1: not found",
                Some(Trouble::Lacking),
            ),
            (
                "no match for platform in manifest: not found",
                Some(Trouble::OtherPlatform),
            ),
            (
                "dial tcp: lookup r.example on 10.0.0.1:53: no such host",
                Some(Trouble::NoAddress),
            ),
            (
                "dial tcp 192.0.2.1:443: i/o timeout",
                Some(Trouble::NoAnswer),
            ),
            (
                "Head \"https://r.example/v2/a/manifests/1\": context deadline exceeded",
                Some(Trouble::NoAnswer),
            ),
            (
                "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit",
                Some(Trouble::Limited),
            ),
            (
                "couldn't parse image name \"A\": invalid reference format",
                Some(Trouble::NoName),
            ),
            (
                "dial tcp: lookup ghcr.io on 10.0.0.10:53: read udp 10.0.0.1:4242->10.0.0.10:53: i/o timeout",
                Some(Trouble::NoAddress),
            ),
            (
                "dial tcp: lookup ghcr.io on 10.0.0.10:53: read udp 10.0.0.1:4242->10.0.0.10:53: read: connection refused",
                Some(Trouble::NoAddress),
            ),
            (
                "dial tcp 192.0.2.1:443: connect: connection refused",
                Some(Trouble::NoAnswer),
            ),
            (
                "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused\"",
                Some(Trouble::NoRuntime),
            ),
            (
                "failed to get reader from content store: content digest sha256:00ff: not found",
                Some(Trouble::BrokenStore),
            ),
            (
                "failed to extract layer: content digest sha256:00ff: not found",
                Some(Trouble::BrokenStore),
            ),
            ("blob not found: not found", Some(Trouble::BrokenStore)),
            (
                "failed to prepare extraction snapshot \"a\": parent snapshot sha256:00ff does not exist: not found",
                Some(Trouble::BrokenStore),
            ),
            (
                "httpReadSeeker: failed open: content at https://r.example/v2/a/blobs/sha256:00ff: not found",
                Some(Trouble::Lacking),
            ),
            (
                "unexpected media type text/html for sha256:aa: not found",
                Some(Trouble::OtherName),
            ),
            (
                "ghcr.io/acme/unauthorized-proxy:1: not found",
                Some(Trouble::Lacking),
            ),
            (
                "Container image \"r.example/a:1\" is not present with pull policy of Never",
                Some(Trouble::NeverPulled),
            ),
            (
                "unexpected status from HEAD request to https://r.example/v2/: 503 Service Unavailable",
                Some(Trouble::Faulty),
            ),
            ("net/http: TLS handshake timeout", Some(Trouble::NoAnswer)),
            ("Back-off pulling image \"r.example/a:1\"", None),
            ("context deadline exceeded", None),
        ] {
            assert_eq!(Trouble::of(said), expected, "{said}");
        }
    }
}
