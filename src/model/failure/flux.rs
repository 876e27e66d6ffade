//! Failures of helm-controller's own, apart from Helm's and the API server's: sources it may not use, dependencies, uninstalls.

use crate::model::source_error::quoted;

/// An onboarding that `spec.dependsOn` names is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The first name in quotes.
    named: Option<String>,
    /// It does not exist.
    pub is_missing: bool,
    /// `readyExpr` asks for more than Ready.
    pub by_expression: bool,
    text: String,
}

impl Dependency {
    pub(super) fn parse(text: &str) -> Self {
        Self {
            named: text.split('\'').nth(1).map(str::to_owned),
            is_missing: text.contains("dependency: ") && text.contains("not found"),
            by_expression: text.contains("readyExpr"),
            text: text.to_owned(),
        }
    }

    /// Namespace and name, where the text has them in quotes.
    pub fn id(&self) -> Option<(&str, &str)> {
        self.named.as_deref()?.split_once('/')
    }

    /// Whether the text names `id` in any quotes, or in none.
    pub fn mentions(&self, id: &str) -> bool {
        self.text.contains(id)
    }
}

/// Why Flux may not use the chart's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceDenied {
    /// The controller's feature gate for its kind is off.
    Kind,
    /// It is in another namespace.
    Namespace,
}

impl SourceDenied {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains("feature gate is disabled") {
            Some(Self::Kind)
        } else if text.contains("cross-namespace references") {
            Some(Self::Namespace)
        } else {
            None
        }
    }
}

/// `spec.kubeConfig` does not lead to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// `namespace/name` of the Secret, or its name.
    pub secret: Option<String>,
    /// The Secret does not exist.
    pub is_missing: bool,
}

impl ClusterConfig {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let leads = ["KubeConfig secret ", "KubeConfig from secret "];
        let is_of_it = text.contains(".spec.kubeConfig")
            || text.contains("KubeConfig secret '")
            || text.contains("failed to load KubeConfig from secret '");
        is_of_it.then(|| Self {
            secret: leads
                .iter()
                .find_map(|lead| quoted(text, lead))
                .map(str::to_owned),
            is_missing: text.contains("\" not found") || text.contains("could not find "),
        })
    }
}

/// Why an uninstall does not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uninstall {
    /// The ServiceAccount that Flux should act as does not exist: its name.
    NoAccount(String),
    /// An object does not go away: as the text names it.
    Remains(String),
}

impl Uninstall {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((_, rest)) = text.split_once("failed to confirm ServiceAccount '") {
            // Any other reason says nothing of the account.
            let (name, reason) = rest.split_once('\'')?;
            let is_missing = reason.contains("not found");
            return is_missing.then(|| Self::NoAccount(name.to_owned()));
        }
        let (object, _) = text.split_once(" termination timeout: ")?;
        let object = object.rsplit(char::is_whitespace).next().unwrap_or(object);
        Some(Self::Remains(object.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_named_in_quotes_or_without() {
        let found = Dependency::parse("dependency 'flux-system/x' is not ready");
        assert_eq!(found.id(), Some(("flux-system", "x")));
        assert!(!found.is_missing && !found.by_expression);
        let found = Dependency::parse("dependency flux-system/x is not ready (readyExpr)");
        assert_eq!(found.id(), None);
        assert!(found.mentions("flux-system/x") && !found.mentions("flux-system/y"));
        assert!(found.by_expression);
        assert!(Dependency::parse("unable to get 'a/b' dependency: x not found").is_missing);
    }

    #[test]
    fn only_known_denials_are_read() {
        assert_eq!(
            SourceDenied::parse(
                "can't access 'HelmRepository/a/b', cross-namespace references have been blocked"
            ),
            Some(SourceDenied::Namespace)
        );
        assert_eq!(
            SourceDenied::parse("ExternalArtifact feature gate is disabled"),
            Some(SourceDenied::Kind)
        );
        assert_eq!(SourceDenied::parse("a text of tomorrow"), None);
    }

    #[test]
    fn a_kubeconfig_is_of_a_secret() {
        let found = ClusterConfig::parse("could not find KubeConfig secret 'f/x'").unwrap();
        assert_eq!(found.secret.as_deref(), Some("f/x"));
        assert!(found.is_missing);
        assert_eq!(
            ClusterConfig::parse("could not get in-cluster REST config"),
            None
        );
    }

    #[test]
    fn an_uninstall_lacks_its_account_or_waits_for_an_object() {
        let account = "failed to confirm ServiceAccount 'x' can be used to uninstall release: ";
        assert_eq!(
            Uninstall::parse(&format!("{account}serviceaccounts \"x\" not found")),
            Some(Uninstall::NoAccount("x".to_owned()))
        );
        assert_eq!(Uninstall::parse(&format!("{account}no")), None);
        assert_eq!(
            Uninstall::parse("1 error occurred:\n\t* Job/core/x termination timeout: no"),
            Some(Uninstall::Remains("Job/core/x".to_owned()))
        );
    }
}
