//! Where what is printed comes from: the cluster that was asked, or the one that a bundle was captured on.

use super::Reach;
use crate::text::{line, one_line, without_login};

/// A connection flag that was given, as kubectl spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes.
    pub name: &'static str,
    pub value: String,
}

/// The cluster, and the flags that lead to it again as the same user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    context: Option<String>,
    server: Option<String>,
    flags: Vec<Flag>,
    token: bool,
}

impl Origin {
    /// `context` is the one that was used, given or not: the current one can change before a command is pasted. `flags` are the
    /// others that were given. Credentials in a URL are left out.
    pub fn new(context: Option<String>, server: Option<String>, mut flags: Vec<Flag>) -> Self {
        for flag in flags.iter_mut().filter(|f| f.name == "server") {
            flag.value = without_login(&flag.value);
        }
        Self {
            context: context.filter(|c| !c.is_empty()),
            server: server.filter(|s| !s.is_empty()).map(|s| without_login(&s)),
            flags,
            token: false,
        }
    }

    /// Of tests.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        let server = "https://10.20.0.1:6443".to_owned();
        Self::new(Some("prod-east".to_owned()), Some(server), Vec::new())
    }

    /// The same, where a token was given: it is never printed.
    #[must_use]
    pub fn with_token(mut self, given: bool) -> Self {
        self.token = given;
        self
    }

    /// The kubeconfig's context, if one was used.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The API server's URL; empty where it is not known.
    pub fn server(&self) -> &str {
        self.server.as_deref().unwrap_or_default()
    }

    /// `context prod-east, https://10.20.0.1:6443`, as much of it as is known.
    pub fn place(&self) -> Option<String> {
        let context = self.context.as_ref().map(|c| format!("context {c}"));
        // The slash after a bare host says nothing.
        let bare = |url: &str| url.matches('/').count() <= 3;
        let server = self.server.as_deref().map(|s| match s.strip_suffix('/') {
            Some(shorter) if bare(s) => shorter.to_owned(),
            _ => s.to_owned(),
        });
        let parts: Vec<String> = context.into_iter().chain(server).collect();
        (!parts.is_empty()).then(|| one_line(&parts.join(", ")))
    }

    pub(super) fn has_token(&self) -> bool {
        self.token
    }

    /// A given flag that selects a cluster or user and cannot be passed to helm.
    pub fn helm_lacks(&self) -> Option<&'static str> {
        let idle = ["request-timeout", "disable-compression"];
        let mut names = self.flags.iter().map(|f| f.name);
        let lacking = names.find(|name| helms(name).is_none() && !idle.contains(name));
        lacking.or(self.token.then_some("token"))
    }

    /// The API server's URL, if helm would otherwise find it in the kubeconfig by the context alone.
    pub fn helms_own_server(&self) -> Option<&str> {
        let is_led = |f: &Flag| matches!(f.name, "server" | "cluster");
        self.server
            .as_deref()
            .filter(|_| !self.flags.iter().any(is_led))
    }

    /// The flags in a program's spelling.
    pub(super) fn words(&self, reach: Reach) -> Vec<String> {
        let mut words = Vec::new();
        let mut flag = |name: &str, value: &str| {
            let value = line(value);
            // These take their value behind `=` only; any other value is its own word unless it looks like a flag.
            if matches!(
                name,
                "insecure-skip-tls-verify"
                    | "disable-compression"
                    | "kube-insecure-skip-tls-verify"
            ) || value.is_empty()
                || value.starts_with('-')
            {
                words.push(format!("--{name}={value}"));
            } else {
                words.extend([format!("--{name}"), value.into_owned()]);
            }
        };
        // The file first, then what is looked up in it.
        let (file, others): (Vec<&Flag>, Vec<&Flag>) =
            self.flags.iter().partition(|f| f.name == "kubeconfig");
        let context = self.context.as_deref().map(|c| ("context", c));
        let all = file.iter().map(|f| (f.name, f.value.as_str()));
        let all = all.chain(context);
        let all = all.chain(others.iter().map(|f| (f.name, f.value.as_str())));
        for (name, value) in all {
            match reach {
                Reach::Administrator if is_of_a_user(name) => {}
                Reach::Kubectl | Reach::Administrator => flag(name, value),
                Reach::File if name != "kubeconfig" => {}
                Reach::File => flag(name, value),
                Reach::Flux if name == "request-timeout" => {}
                Reach::Flux => flag(name, value),
                Reach::Helm => {
                    if let Some(name) = helms(name) {
                        flag(name, value);
                    }
                }
            }
        }
        let given = |name: &str| self.flags.iter().any(|f| f.name == name);
        if let (Reach::Helm, true, false, Some(server)) =
            (reach, given("cluster"), given("server"), &self.server)
        {
            // Helm cannot choose a cluster of the kubeconfig: its server is the nearest, and a wrong one is then not reached.
            flag("kube-apiserver", server);
        }
        words
    }
}

/// Whether a flag says as whom the cluster is asked.
fn is_of_a_user(name: &str) -> bool {
    matches!(
        name,
        "user" | "as" | "as-group" | "as-uid" | "client-certificate" | "client-key"
    )
}

/// Helm's name of a flag; `None` for what it cannot be given.
fn helms(name: &str) -> Option<&'static str> {
    Some(match name {
        "kubeconfig" => "kubeconfig",
        "context" => "kube-context",
        "server" => "kube-apiserver",
        "as" => "kube-as-user",
        "as-group" => "kube-as-group",
        "certificate-authority" => "kube-ca-file",
        "insecure-skip-tls-verify" => "kube-insecure-skip-tls-verify",
        "tls-server-name" => "kube-tls-server-name",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_granted_on_the_same_cluster_by_another_user() {
        let flag = |name, value: &str| Flag {
            name,
            value: value.to_owned(),
        };
        let flags = vec![
            flag("kubeconfig", "/k"),
            flag("as", "viewer"),
            flag("client-key", "/key"),
        ];
        let origin = Origin::new(Some("prod".to_owned()), None, flags);
        assert_eq!(
            origin.words(Reach::Administrator),
            ["--kubeconfig", "/k", "--context", "prod"]
        );
    }

    #[test]
    fn a_place_says_what_is_known_and_no_password() {
        let place = |context: Option<&str>, server: Option<&str>| {
            Origin::new(
                context.map(str::to_owned),
                server.map(str::to_owned),
                Vec::new(),
            )
            .place()
        };
        assert_eq!(
            place(Some("prod-east"), Some("https://10.20.0.1:6443/")).as_deref(),
            Some("context prod-east, https://10.20.0.1:6443")
        );
        assert_eq!(
            place(None, Some("https://admin:sesame@host/k8s/c-1")).as_deref(),
            Some("https://host/k8s/c-1")
        );
        assert_eq!(
            place(Some("a\u{1b}[31m\nb"), None).as_deref(),
            Some("context a^[[31m b")
        );
        assert_eq!(place(Some(""), Some("")), None);
        let flag = Flag {
            name: "server",
            value: "https://admin:sesame@host".to_owned(),
        };
        let origin = Origin::new(None, None, vec![flag]);
        assert_eq!(origin.words(Reach::Kubectl), ["--server", "https://host"]);
    }

    #[test]
    fn what_helm_cannot_be_given_is_named() {
        let lacks = |names: &[&'static str], token| {
            let flag = |name: &&'static str| Flag {
                name,
                value: "v".to_owned(),
            };
            let flags = names.iter().map(flag).collect();
            Origin::new(None, None, flags)
                .with_token(token)
                .helm_lacks()
        };
        let all = ["kubeconfig", "server", "as", "request-timeout"];
        assert_eq!(lacks(&all, false), None);
        assert_eq!(lacks(&all, true), Some("token"));
        for name in ["cluster", "user", "client-key", "as-uid"] {
            assert_eq!(lacks(&[name], false), Some(name));
        }
    }
}
