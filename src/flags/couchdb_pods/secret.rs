//! `--credentials-from-secret`: the one way in which CouchDB's credentials pass through this machine, and only when it is asked for.
//!
//! They go from the Secret to the pod's stdin; no argument, log line, error or file has them.

use crate::advice::Command;
use crate::cluster::secret::Value;
use crate::cluster::{Cluster, ClusterError};
use crate::couchdb::Target;
use crate::couchdb::credentials::Credentials;
use crate::error::{Error, Result};
use k8s_openapi::api::core::v1::Pod;
use std::fmt;
use std::str::FromStr;

/// The official chart's keys.
const KEYS: [&str; 2] = ["adminUsername", "adminPassword"];
/// The variables of CouchDB's images that hold them.
const VARIABLES: [&str; 2] = ["COUCHDB_USER", "COUCHDB_PASSWORD"];

/// Flags about the Secret.
#[derive(clap::Args, Clone, Debug)]
pub struct SecretArgs {
    /// Secret with CouchDB's credentials, [NAMESPACE/]NAME, for a container whose environment lacks them: they pass through this
    /// machine's memory to the pod's stdin
    #[arg(long, value_name = "SECRET")]
    pub credentials_from_secret: Option<SecretName>,
    /// Its keys, USER,PASSWORD; by default those in the container's environment, else adminUsername,adminPassword
    #[arg(long, value_name = "KEYS", requires = "credentials_from_secret")]
    pub credentials_keys: Option<Keys>,
}

/// `[NAMESPACE/]NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    namespace: Option<String>,
    name: String,
}

impl FromStr for SecretName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') || namespace.is_some_and(str::is_empty) {
            return Err("it is [NAMESPACE/]NAME");
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The keys of user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys([String; 2]);

impl FromStr for Keys {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let keys: Vec<String> = text.split(',').map(str::to_owned).collect();
        match <[String; 2]>::try_from(keys) {
            Ok(keys) if keys.iter().all(|k| !k.is_empty()) => Ok(Self(keys)),
            _ => Err("it is two keys, USER,PASSWORD"),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl SecretArgs {
    /// The target with the Secret's credentials, where one is named.
    ///
    /// # Errors
    /// The Secret cannot be read, or has not what is needed.
    pub(crate) async fn settle(
        &self,
        cluster: &Cluster,
        target: Target,
        pods: &[Pod],
    ) -> Result<Target> {
        let Some(secret) = &self.credentials_from_secret else {
            return Ok(target);
        };
        let namespace = secret.namespace.as_deref().unwrap_or(&target.namespace);
        let keys = match &self.credentials_keys {
            Some(keys) => keys.0.clone(),
            None => named(pods, &target, &secret.name).unwrap_or(KEYS.map(str::to_owned)),
        };
        let asked = keys.each_ref().map(String::as_str);
        let read = cluster.secret_values(namespace, &secret.name, &asked).await;
        let read = read.map_err(|error| not_read(error, namespace))?;
        let id = format!("Secret {namespace}/{}", secret.name);
        let value = |at: usize| match &read.values[at] {
            Some(value) => usable(value).ok_or_else(|| {
                Error::new(format!(
                    "{id}: the value of key {:?} is empty or no text",
                    keys[at]
                ))
            }),
            None => Err(Error::new(format!(
                "{id} has no key {:?}; it has: {}",
                keys[at],
                read.keys.join(", ")
            ))
            .hint("name its keys with --credentials-keys USER,PASSWORD")),
        };
        let (user, password) = (value(0)?, value(1)?);
        if user.contains(':') {
            let wrong = format!(
                "{id}: the user name contains a colon, which HTTP uses to separate it from the password"
            );
            return Err(Error::new(wrong));
        }
        Ok(Target {
            credentials: Credentials::given(user, password),
            ..target
        })
    }
}

fn usable(value: &Value) -> Option<&str> {
    value.text().filter(|text| !text.is_empty())
}

fn not_read(error: ClusterError, namespace: &str) -> Error {
    let absent = error.is_not_found();
    let error = Error::from(error);
    if absent {
        let list = Command::new(["kubectl", "get", "secrets", "-n", namespace]);
        return error.hint(list.after("those that are there:"));
    }
    error
}

/// The keys that the container's environment takes from this Secret.
fn named(pods: &[Pod], target: &Target, secret: &str) -> Option<[String; 2]> {
    let pod = pods
        .iter()
        .find(|p| p.metadata.uid.as_deref() == Some(target.uid.as_str()))?;
    let containers = &pod.spec.as_ref()?.containers;
    let container = containers.iter().find(|c| c.name == target.container)?;
    let key = |variable: &str| {
        let env = container
            .env
            .iter()
            .flatten()
            .find(|e| e.name == variable)?;
        let from = env.value_from.as_ref()?.secret_key_ref.as_ref()?;
        (from.name == secret).then(|| from.key.clone())
    };
    Some([key(VARIABLES[0])?, key(VARIABLES[1])?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_secret_has_a_namespace_or_not() {
        let parsed = |text: &str| SecretName::from_str(text).map(|s| s.to_string());
        assert_eq!(parsed("couchdb"), Ok("couchdb".to_owned()));
        assert_eq!(parsed("a/couchdb"), Ok("a/couchdb".to_owned()));
        for wrong in ["", "/", "a/", "/a", "a/b/c"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_two() {
        assert_eq!(Keys::from_str("u,p").unwrap().to_string(), "u,p");
        for wrong in ["", "u", "u,", ",p", "u,p,x"] {
            assert!(Keys::from_str(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_names_the_keys_of_its_own_secret() {
        let of = |key: &str| json!({"secretKeyRef": {"name": "couchdb-agora-kvs", "key": key}});
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "db-0", "uid": "u"},
            "spec": {"containers": [
                {"name": "istio-proxy"},
                {"name": "couchdb", "env": [
                    {"name": "COUCHDB_USER", "valueFrom": of("user")},
                    {"name": "COUCHDB_PASSWORD", "valueFrom": of("pass")},
                ]},
            ]},
        }))
        .unwrap();
        let target = Target::example(5984);
        let keys = |secret: &str| named(std::slice::from_ref(&pod), &target, secret);
        assert_eq!(
            keys("couchdb-agora-kvs"),
            Some(["user", "pass"].map(str::to_owned))
        );
        assert_eq!(keys("another"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_told_the_same(text in "\\PC{0,20}|[a-z/,]{0,8}") {
            if let Ok(secret) = SecretName::from_str(&text) {
                prop_assert_eq!(secret.to_string(), text.clone());
            }
            if let Ok(keys) = Keys::from_str(&text) {
                prop_assert_eq!(keys.to_string(), text);
            }
        }
    }
}
