//! Which keys look as if their values were secret, and which only name where a secret is.

/// Parts of a key that make its value secret.
const SECRET: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "connectionstring",
    "dockerconfig",
    "clientkey",
];

/// Whole last words that do, too.
const LAST: [&str; 10] = [
    "pass",
    "pwd",
    "authorization",
    "cookie",
    "dsn",
    "jwt",
    "bearer",
    "keydata",
    "htpasswd",
    "masterkey",
];

/// Ends of keys that tell where a secret is or what it is like, not the secret itself.
const REFERENCE: [&str; 27] = [
    "name",
    "names",
    "namespace",
    "ref",
    "refs",
    "reference",
    "path",
    "file",
    "dir",
    "seconds",
    "ttl",
    "length",
    "expiry",
    "expiration",
    "enabled",
    "type",
    "policy",
    "version",
    "url",
    "uri",
    "endpoint",
    "mode",
    "provider",
    "audience",
    "audiences",
    "optional",
    "kind",
];

/// Keys of the chart (`couchdb.credentials`) that name a key inside a Secret.
const KEYS_IN_SECRETS: [&str; 3] = ["usersecretkey", "usernamesecretkey", "passwordsecretkey"];

/// Whether the value under this key is to be taken for a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let joined = joined(key);
    let looks =
        SECRET.iter().any(|s| joined.contains(s)) || LAST.iter().any(|l| ends(key, &joined, l));
    looks && !is_reference(key)
}

/// As [`is_secret`] for a word in running text: only where the word itself ends so, since names of onboardings and databases
/// have such words in them.
pub(super) fn is_secret_word(word: &str) -> bool {
    let joined = joined(word);
    let looks = SECRET
        .iter()
        .filter(|s| **s != "dockerconfig")
        .any(|s| joined.ends_with(s))
        || joined.ends_with("credentials")
        || joined.ends_with("secretkey")
        || joined.ends_with("dockerconfigjson")
        || LAST.iter().any(|l| ends(word, &joined, l))
        || is_login(word);
    looks && !KEYS_IN_SECRETS.iter().any(|k| joined.ends_with(k))
}

/// Whether the value is a name, a place or a property of a secret.
pub(super) fn is_reference(key: &str) -> bool {
    let joined = joined(key);
    REFERENCE.iter().any(|r| joined.ends_with(r))
        || joined == "apiversion"
        || KEYS_IN_SECRETS.iter().any(|k| joined.ends_with(k))
}

/// A registry's `auth`: user and password in base64.
pub(super) fn is_login(key: &str) -> bool {
    matches!(key, "auth" | "_auth" | "identitytoken")
}

/// Lower case, letters and digits alone: `DB_PASSWORD`, `db-password` and `dbPassword` are one.
fn joined(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether the key's last word is `last`: `DB_PASS` has it, `bypass` has not.
fn ends(key: &str, joined: &str, last: &str) -> bool {
    let Some(stem) = joined.strip_suffix(last) else {
        return false;
    };
    if stem.is_empty() {
        return true;
    }
    let plain: Vec<char> = key.chars().filter(|c| c.is_alphanumeric()).collect();
    let Some(first) = plain.len().checked_sub(last.chars().count()) else {
        return false;
    };
    let separated = key
        .rsplit(|c: char| !c.is_alphanumeric())
        .find(|w| !w.is_empty())
        .is_some_and(|w| w.to_lowercase() == last);
    separated || (plain[first].is_uppercase() && plain[first - 1].is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_references() {
        for key in [
            "password",
            "adminPassword",
            "DB_PASS",
            "dbPass",
            "client-secret",
            "apiKey",
            "api_key",
            "AWS_SECRET_ACCESS_KEY",
            "aws_access_key_id",
            "private-key",
            "id_token",
            "tokens",
            "credentials",
            "Authorization",
            "client-key-data",
            ".dockerconfigjson",
            "secretKey",
            "PASSWORD_OLD",
            "connectionString",
            "helm.toolkit.fluxcd.io/token",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "secretName",
            "secretKeyRef",
            "secretRef",
            "certSecretRef",
            "passwordSecretKey",
            "userSecretKey",
            "tokenUrl",
            "expirationSeconds",
            "tokenExpirationSeconds",
            "database",
            "serviceAccounts",
            "namespace",
            "bypass",
            "compass",
            "authorizationPolicy",
            "kind",
            "message",
            "exitCode",
            "key",
            "defaultMode",
            "encryption",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn names_with_such_words_in_them_are_no_keys() {
        for word in [
            "password",
            "--token",
            "X-Api-Key",
            "aws_secret_access_key",
            "DB_PASS",
        ] {
            assert!(is_secret_word(word), "{word}");
        }
        for word in [
            "skvs-onboarding-romeo--tokens",
            "romeo_tokens",
            "secrets",
            "tokenizer",
            "bypass",
        ] {
            assert!(!is_secret_word(word), "{word}");
        }
    }
}
