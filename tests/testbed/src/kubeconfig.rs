//! The text of a kubeconfig: one cluster, one user, one context, everything inline.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::pki::Identity;

/// How its user proves who it is.
pub(crate) enum Credential<'a> {
    None,
    Token(&'a str),
    Certificate(&'a Identity),
}

/// JSON, which every reader of kubeconfigs takes as the YAML that it is.
pub(crate) fn text(
    context: &str,
    server: &str,
    authority: &str,
    user: &str,
    credential: &Credential<'_>,
) -> String {
    let credential = match credential {
        Credential::None => json!({}),
        Credential::Token(token) => json!({ "token": token }),
        Credential::Certificate(identity) => json!({
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }),
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": context, "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority),
        }}],
        "users": [{ "name": user, "user": credential }],
        "contexts": [{ "name": context, "context": { "cluster": context, "user": user } }],
        "current-context": context,
    });
    format!("{config:#}\n")
}
