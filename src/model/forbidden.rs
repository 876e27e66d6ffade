//! An RBAC refusal, read out of the API server's sentence.
//!
//! The same sentence reaches us in two ways: as the answer to our own request, and inside what Flux writes about its own.

use std::fmt;

/// What an RBAC refusal says is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// get, list, create, impersonate, …
    pub verb: String,
    /// `secrets`, `pods/exec`, `helmreleases`, …
    pub resource: String,
    /// API group of the resource; empty for core.
    pub group: String,
    /// `None` at the cluster's scope.
    pub namespace: Option<String>,
    /// Who was refused, as the API server names them: `dev`, `system:serviceaccount:NAMESPACE:NAME`.
    pub user: Option<String>,
}

impl Forbidden {
    /// Reads `… User "x" cannot VERB resource "R" in API group "G" in the namespace "N"`.
    pub fn parse(message: &str) -> Option<Self> {
        // `cannot patch "x" with kind Job: …` may come before it: Helm's own words.
        let (verb, rest) = message
            .match_indices(" cannot ")
            .filter_map(|(at, lead)| message[at + lead.len()..].split_once(" resource \""))
            .find(|(verb, _)| !verb.contains(char::is_whitespace))?;
        let (resource, rest) = rest.split_once('"')?;
        let namespace = rest
            .split_once("in the namespace \"")
            .and_then(|(_, n)| n.split_once('"'))
            .map(|(n, _)| n.to_owned());
        // A template's own text, as `{{ .Release.Namespace }}`: no right can be granted in it.
        if namespace.as_ref().is_some_and(|n| n.contains("{{")) {
            return None;
        }
        let group = rest
            .split_once("in API group \"")
            .and_then(|(_, g)| g.split_once('"'))
            .map_or(String::new(), |(g, _)| g.to_owned());
        let user = message
            .split_once("User \"")
            .and_then(|(_, u)| u.split_once('"'))
            .map(|(u, _)| u.to_owned());
        Some(Self {
            user,
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            group,
            namespace,
        })
    }
}

impl Forbidden {
    /// `ServiceAccount flux-system/x cannot list secrets in flux-system`.
    pub fn sentence(&self) -> String {
        let who = match self.account() {
            Some((namespace, name)) => format!("ServiceAccount {namespace}/{name}"),
            None => format!("user {}", self.user.as_deref().unwrap_or("the user")),
        };
        format!("{who} cannot {self}")
    }
}

impl Forbidden {
    /// Namespace and name of the ServiceAccount that was refused; `None` for any other user.
    pub fn account(&self) -> Option<(&str, &str)> {
        let account = self
            .user
            .as_deref()?
            .strip_prefix("system:serviceaccount:")?;
        account.split_once(':')
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => f.write_str(" in all namespaces"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLUX: &str = "query: failed to query with labels: secrets is forbidden: User \"system:serviceaccount:flux-system:nobody\" cannot list resource \"secrets\" in API group \"\" in the namespace \"flux-system\"";

    #[test]
    fn who_and_what_are_read() {
        let refused = Forbidden::parse(FLUX).unwrap();
        assert_eq!(refused.to_string(), "list secrets in flux-system");
        assert_eq!(
            refused.sentence(),
            "ServiceAccount flux-system/nobody cannot list secrets in flux-system"
        );
        assert_eq!(refused.account(), Some(("flux-system", "nobody")));
        let job = FLUX.replace("API group \"\"", "API group \"batch\"");
        assert_eq!(Forbidden::parse(&job).unwrap().group, "batch");
        assert_eq!(Forbidden::parse("all is well"), None);
        let upgrade = format!("it cannot patch \"x\" with kind Job: {FLUX}");
        assert_eq!(Forbidden::parse(&upgrade), Forbidden::parse(FLUX));
    }

    proptest! {
        #[test]
        fn no_sentence_panics(text in "(User \"|x| cannot | resource \"|\"|in the namespace \"|:){0,12}") {
            if let Some(refused) = Forbidden::parse(&text) {
                let _ = refused.sentence();
            }
        }
    }
}
