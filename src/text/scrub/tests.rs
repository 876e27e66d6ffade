use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

fn scrubbed(text: &str) -> String {
    scrub(text).0.into_owned()
}

/// The example of a form, and what is expected of it.
fn example(form: &Form) -> (String, String) {
    let mut expected = String::new();
    let mut rest = form.example;
    while let Some((before, after)) = rest.split_once('«') {
        expected.push_str(before);
        expected.push_str(SCRUBBED);
        rest = after.split_once('»').unwrap().1;
    }
    expected.push_str(rest);
    (form.example.replace(['«', '»'], ""), expected)
}

#[test]
fn each_form_takes_out_what_its_example_marks() {
    for form in FORMS {
        let (text, expected) = example(&form);
        assert_eq!(scrubbed(&text), expected, "{}", form.what);
        let mut found = Vec::new();
        (form.find)(&text, &mut found);
        assert!(!found.is_empty(), "{} is found by another form", form.what);
    }
}

/// Where a secret was seen to come through, and the everyday forms beside them; `¤` is the secret.
const PLANTED: &[&str] = &[
    "curl -u admin:¤ http://couch:5984",
    "curl -u 'admin:¤' http://couch:5984",
    "curl -u \"admin:¤\" http://couch:5984",
    "curl -uadmin:¤ http://couch:5984",
    "curl --user admin:¤ http://couch:5984",
    "curl --user=admin:¤ http://couch:5984",
    "curl --user='admin:¤ x' http://couch:5984",
    "curl --proxy-user admin:¤ http://couch:5984",
    "curl -sS -X PUT admin:¤@couch:5984/pds_database",
    "couch is admin:¤@couch:5984",
    "COUCHDB=admin:¤@couch:5984",
    "(admin:¤@couch)",
    "http://admin:¤@couch:5984/a",
    "http://admin:¤",
    "https://¤@github.com/a/b",
    "https://x-access-token:¤@github.com/a/b",
    "postgres://app:¤@db/app?sslmode=disable",
    "amqp://app:¤@mq:5672/",
    "redis://:¤@cache:6379/0",
    "mongodb+srv://app:¤@db.example/app",
    "app:¤@tcp(db:3306)/app",
    "jdbc:postgresql://db/app?user=app&password=¤",
    "Server=db;User Id=app;Password=¤;",
    "Server=db;Pwd=¤",
    "host=db user=app password=¤ dbname=app",
    "host=db password='¤' dbname=app",
    "[admins]\nadmin = ¤\n",
    "[couchdb]\nuuid = a\n[admins]\nadmin = x\nroot = ¤\n[log]\nlevel = debug\n",
    "erl -sname couch -setcookie ¤ -kernel",
    "erl --setcookie ¤",
    "ERLANG_COOKIE=¤",
    "cookie: ¤",
    "DB_PW=¤",
    "export DB_PW=\"¤\"",
    "DB_PW: ¤",
    "DB_PASS=¤",
    "DB_PWD=¤",
    "DB_PASSWD=¤",
    "dbPass: ¤",
    "APP_KEY=¤",
    "APP_KEY: ¤",
    "app_key=¤",
    "STRIPE_KEY=¤",
    "SECRET_KEY_BASE=¤",
    "secretKey: ¤",
    "api_key=¤",
    "api-key: ¤",
    "apiKey: \"¤\"",
    "X-Api-Key: ¤",
    "--api-key ¤",
    "--api-key=¤",
    "AWS_SECRET_ACCESS_KEY=¤",
    "aws_access_key_id = ¤",
    "SECRET=¤",
    "clientSecret: ¤",
    "client_secret=¤&grant_type=client_credentials",
    "?access_token=¤&x=1",
    "?sig=¤",
    "X-Amz-Signature=¤",
    "PASSWORD_OLD=¤",
    "password2=¤",
    "password = ¤",
    "password : ¤",
    "password:¤",
    "password=>¤",
    "'password' => '¤'",
    "{\"password\":\"¤\"}",
    "{\"password\": \"¤\"}",
    "{\\\"password\\\":\\\"¤\\\"}",
    "{\"tokens\":[\"¤\",\"b\"],\"a\":1}",
    "{\"auth\":\"¤\"}",
    "auth: \"¤\"",
    "_auth=¤",
    "//registry.example/:_authToken=¤",
    "password: |\n  ¤\n  more\nuser: a",
    "a:\n  private-key: >-\n    x\n    ¤\nb: c",
    "passphrase: ¤",
    "credentials=¤",
    "connectionString=¤",
    "mysql --password ¤",
    "mysql --password=¤",
    "mysql --password='¤ x'",
    "login --token ¤",
    "helm registry login -u bot --password ¤ r.example",
    "curl -H 'Authorization: Bearer ¤'",
    "curl -H \"Authorization: Basic ¤\"",
    "curl -H 'authorization: token ¤'",
    "Authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=c, Signature=¤",
    "> Proxy-Authorization: Basic ¤",
    "> Cookie: AuthSession=¤; a=b",
    "< Set-Cookie: AuthSession=¤; Path=/",
    "curl --cookie AuthSession=¤",
    "headers={\"Authorization\": \"¤\"}",
    "map[Authorization:[¤]]",
    "sent Bearer ¤ twice",
    "sent Basic ¤ twice",
    "https://hooks.slack.com/services/T00/B00/¤",
    "https://hooks.slack.com/workflows/¤",
    "https://discord.com/api/webhooks/1/¤",
    "-----BEGIN RSA PRIVATE KEY-----\nS\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nS",
    "-----BEGIN PRIVATE KEY-----\\nS\\n-----END PRIVATE KEY-----\\n",
    "HMAC=¤",
    "htpasswd=¤",
    "jwt: ¤",
    "dsn=¤",
];

/// Secrets that are known by themselves.
const KNOWN: &[&str] = &[
    "ghp_0123456789abcdefghij0123456789ABCDEF",
    "github_pat_11ABCDEFG0_abcdefghijklmnop",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefABCDEF",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA-0123456789abcdefghijklmnopqrstu",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-9",
    "npm_0123456789abcdefghijABCDEFGHIJ012345",
    "hvs.CAESIJ0123456789abcdef",
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUU=",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "pbkdf2-9c1f2e3d4b5a69788796a5b4c3d2e1f0aabbccdd",
    "MTIzNDU2Nzg5MGFiY2RlZkFCQ0RFRjEyMzQ1Njc4OTA=",
];

#[test]
fn no_planted_secret_comes_through() {
    let mut through = Vec::new();
    for form in PLANTED {
        for secret in [
            "hunter2",
            "p4ss/w0rd+x",
            "Tr0ub4dor&3",
            "s3cret:with:colons",
        ] {
            // Of a user alone nothing says that the slash is not the path's, and some forms end a value at `&`.
            if (form.starts_with("https://¤") && secret.contains('/'))
                || form.contains("¤&")
                || (secret.contains('&') && !form.contains(['"', '\'', '@']))
            {
                continue;
            }
            let text = scrubbed(&form.replace('¤', secret));
            if text.contains(secret) {
                through.push(format!("{form:?}: {text:?}"));
            }
        }
    }
    for secret in KNOWN {
        for form in ["got ¤ back", "x=¤", "a/¤", "(¤)", "\"¤\",", "¤"] {
            let text = scrubbed(&form.replace('¤', secret));
            if text.contains(&secret[..secret.len() - 1]) {
                through.push(format!("{form:?}: {text:?}"));
            }
        }
    }
    assert!(
        through.is_empty(),
        "{}\n{}",
        through.len(),
        through.join("\n")
    );
}

#[test]
fn what_kubernetes_flux_and_helm_say_stays() {
    for message in [
        "could not resolve Secret chart values reference 'flux-system/s' with key 'password': key not found",
        "failed to get source secret 'flux-system/artifactory-token': secrets \"artifactory-token\" not found",
        "failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized",
        "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        "token: connection refused",
        "KubeConfig secret 'ns/n' does not contain a 'value' or 'value.yaml' key with data",
        "failed early due to stalled resources: [Job/core/romeo-tokens-create status: 'Failed']",
        "secrets is forbidden: User \"dev\" cannot list resource \"secrets\" in API group \"\" in the namespace \"core\"",
        "chart pull error: failed to authenticate: secret not found",
        "{\"error\":\"unauthorized\",\"reason\":\"Name or password is incorrect.\"}",
        "MountVolume.SetUp failed for volume \"secret\" : secret \"db\" not found",
        "image registry.example:5000/db-token:1.2.3 pulled",
        "registry.example/a/b:1.2.3@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "Helm install succeeded for release core/core-a.v1 with chart secure-kvs-onboarding@0.1.2",
        "main@sha1:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
        "uid 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "dial tcp [::1]:5984: connect: connection refused; mail a@b",
        "http://db-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984/pds_database",
        "curl -u \"$COUCHDB_USER:$COUCHDB_PASSWORD\" -X PUT http://db:5984",
        "--password $PASSWORD",
        "WWW-Authenticate: Bearer realm=\"https://ghcr.io/token\"",
        "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases?labelSelector=app.kubernetes.io%2Fpart-of%3Dsecure-kvs-onboarding",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io \"MutatingAdmissionWebhookV1Beta1ForOnboardings\"",
    ] {
        assert_eq!(scrubbed(message), message);
    }
}

/// A text is read once by each form, whatever it holds: these made the work grow with the square of their length.
#[test]
fn texts_of_400_kib_are_read_to_their_end() {
    const LENGTH: usize = 400 * 1024;
    for part in [
        "a",
        "pw=",
        "password: |\n",
        "password='",
        "password={",
        "token: a ",
        "://",
        "@",
        "a:b@",
        "a:",
        "-u ",
        "-u '",
        "Bearer ",
        "cookie:",
        "cookie: a\n",
        "-----BEGIN ",
        "eyJ",
        "AKIA",
        "A1b",
        "0f",
        "[admins]\n",
        "a=b\n",
        "\"",
        "\\\"",
        " ",
        "hooks.slack.com/",
        "--token ",
        "\u{1f}",
        "pw:[",
        "é",
        "$a$",
        "_key=",
    ] {
        let text = part.repeat(LENGTH / part.len());
        let once = scrubbed(&text);
        assert!(once.len() <= text.len() * (SCRUBBED.len() + 1), "{part:?}");
    }
    let value = format!("password={}", STANDARD.encode(vec![7; LENGTH]));
    assert_eq!(scrubbed(&value), format!("password={SCRUBBED}"));
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = scrub(&text);
    }

    #[test]
    fn what_is_scrubbed_has_nothing_more_to_scrub_that_was_there(
        text in "(password|token|Authorization|Bearer|Basic|://|@|:|=|\"|'|\\\\|\n|  |\\||é|[a-zA-Z0-9]{1,8}| |-u|--secret|-----BEGIN PRIVATE KEY-----|eyJ|\\[admins\\]|<scrubbed>){0,14}"
    ) {
        let (once, places) = scrub(&text);
        prop_assert_eq!(places == 0, once == text);
    }

    #[test]
    fn a_random_secret_goes_in_every_form(at in 0..PLANTED.len(), secret in "[A-Za-z][A-Za-z0-9]{6,30}[0-9]") {
        let text = scrubbed(&PLANTED[at].replace('¤', &secret));
        prop_assert!(!text.contains(&secret), "{}", text);
    }
}
