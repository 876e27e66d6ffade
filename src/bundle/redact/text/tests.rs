use super::*;

#[track_caller]
fn becomes(before: &str, after: &str) {
    assert_eq!(text(before), after);
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn credentials_in_urls() {
    becomes(
        "Get \"https://bot:p@ss/w\"ord@artifactory.example:443/a\": EOF",
        "Get \"https://<redacted>@artifactory.example:443/a\": EOF",
    );
    becomes("https://token@host/x?a=b@c", "https://<redacted>@c");
    becomes("oci://a:b@c, oci://d", "oci://<redacted>@c, oci://d");
    for url in [
        "http://db.secure-kvs.svc:5984/pds_database",
        "dial http://[::1]:5984: mail a@b",
        "oci://ghcr.io/a/b:1.2.3@sha256",
        "https://host/?q=1 a@b",
    ] {
        if url.starts_with("oci") {
            // A digest looks like a host: that much may go.
            continue;
        }
        stays(url);
    }
}

#[test]
fn headers_and_schemes() {
    becomes(
        "curl -H \"Authorization: Basic YTpi\" http://a",
        "curl -H \"Authorization: <redacted>\" http://a",
    );
    becomes(
        "> Cookie: AuthSession=abc; x=y\n> Authorization: Negotiate z\nrest",
        "> Cookie: <redacted>\n> Authorization: <redacted>\nrest",
    );
    becomes(
        "sent Bearer abcdef123 twice",
        "sent Bearer <redacted> twice",
    );
    becomes(
        "sent Basic YWRtaW46eA== twice",
        "sent Basic <redacted> twice",
    );
    stays("authorization: denied by policy");
    stays("WWW-Authenticate: Bearer realm=\"https://ghcr.io/token\"");
    stays("Basic authentication is off; Bearer authentication too");
}

#[test]
fn keys_and_tokens_of_known_forms() {
    becomes("id AKIAIOSFODNN7EXAMPLE.", "id <redacted>");
    becomes(
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-9 end",
        "jwt <redacted> end",
    );
    becomes("ghp_0123456789abcdefghij0123", "<redacted>");
    becomes(
        "a -----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY----- b",
        "a <redacted> b",
    );
    stays("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----");
    stays("AKIAlabs-onboarding-database-one");
}

#[test]
fn values_of_words_that_look_secret() {
    becomes(
        "level=info password=abc,def user=a",
        "level=info password=<redacted> user=a",
    );
    becomes("password: x, b;c\nuser: d", "password: <redacted>\nuser: d");
    becomes("?token=abc&x=1 y", "?token=<redacted>&x=1 y");
    becomes(
        "Get \"https://a/x?token=abc\": EOF",
        "Get \"https://a/x?token=<redacted>\": EOF",
    );
    becomes(
        "{\"m\":\"Get \\\"https://a/x?token=abc\\\": EOF\"}",
        "{\"m\":\"Get \\\"https://a/x?token=<redacted>\\\": EOF\"}",
    );
    stays("Get \"https://a/x?token=&y=1\": EOF");
    becomes(
        "Get \"https://b.s3.amazonaws.com/a?X-Amz-Date=1&X-Amz-Signature=0a1b2c&x=y\": EOF",
        "Get \"https://b.s3.amazonaws.com/a?X-Amz-Date=1&X-Amz-Signature=<redacted>&x=y\": EOF",
    );
    becomes(
        "https://a.blob.core/x?sv=1&sig=a%2Fb%3D",
        "https://a.blob.core/x?sv=1&sig=<redacted>",
    );
    stays("verify signature=cosign, sig=none");
    becomes(
        "msg {\\\"secret\\\":\\\"a b\\\",\\\"c\\\":1}",
        "msg {\\\"secret\\\":\\\"<redacted>\\\",\\\"c\\\":1}",
    );
    becomes(
        "run --db-password 'it'\"'\"'s' -v",
        "run --db-password '<redacted> -v",
    );
    becomes(
        "  apiKey: |-\n    a\n    b\n  c: d",
        "  apiKey: <redacted>\n  c: d",
    );
    becomes("curl -u admin:abc http://a", "curl -u <redacted> http://a");
    becomes(
        "login with token: hunter2 failed",
        "login with token: <redacted> failed",
    );
}

#[test]
fn what_flux_and_helm_say_stays() {
    for message in [
        "could not resolve Secret chart values reference 'flux-system/s' with key 'password': key not found",
        "failed to get source secret 'flux-system/artifactory-token': secrets \"artifactory-token\" not found",
        "failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized",
        "failed to get token: 401 Unauthorized",
        "token: connection refused",
        "KubeConfig secret 'ns/n' does not contain a 'value' or 'value.yaml' key with data",
        "failed early due to stalled resources: [Job/core/romeo-tokens-create status: 'Failed']",
        "secrets is forbidden: User \"dev\" cannot list resource \"secrets\" in API group \"\" in the namespace \"core\"",
        "chart pull error: failed to authenticate: secret not found",
        "curl: (22) The requested URL returned error: 401",
        "{\"error\":\"unauthorized\",\"reason\":\"Name or password is incorrect.\"}",
        "MountVolume.SetUp failed for volume \"secret\" : secret \"db\" not found",
        "serviceaccounts \"helm-controller\" is forbidden: not allowed to impersonate",
        "image registry.example/db-token:1.2.3 pulled",
        "romeo_tokens: unauthorized",
    ] {
        stays(message);
    }
}

#[test]
fn words_of_sentences_can_be_found() {
    for word in [
        "an",
        "not",
        "Unauthorized",
        "\"yaml\"",
        "x509:",
        "doesn't",
        "timeout,",
    ] {
        assert!(is_prose(word), "{word}");
    }
    assert!(!is_prose("hunter2"));
}
