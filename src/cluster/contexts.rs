//! The contexts of a run over several clusters: all of them exist before any is asked.
//!
//! Owns the kubeconfig of the run, which is read once: it may be a pipe.

use super::config::named;
use super::interaction::Interaction;
use super::{Cluster, ConnectionArgs};
use crate::error::{Error, Result};
use kube::config::Kubeconfig;

/// Existing contexts of one kubeconfig.
pub struct Contexts {
    kubeconfig: Kubeconfig,
    names: Vec<String>,
}

impl Contexts {
    /// These, in this order, each once.
    ///
    /// # Errors
    /// A name that is empty or not a context's; a kubeconfig that cannot be read.
    pub fn named(args: &ConnectionArgs, names: &[String]) -> Result<Self> {
        let kubeconfig = kubeconfig(args)?;
        let mut found: Vec<String> = Vec::new();
        for name in names {
            if name.trim().is_empty() {
                return Err(Error::usage("--contexts: a name must not be empty"));
            }
            named("context", name, &kubeconfig.contexts, |c| &c.name)?;
            if !found.contains(name) {
                found.push(name.clone());
            }
        }
        Ok(Self {
            kubeconfig,
            names: found,
        })
    }

    /// All that the kubeconfig has, by name, as `kubectl config get-contexts` lists them.
    ///
    /// # Errors
    /// It has none, or cannot be read.
    pub fn all(args: &ConnectionArgs) -> Result<Self> {
        let kubeconfig = kubeconfig(args)?;
        let names = kubeconfig.contexts.iter().map(|c| c.name.clone());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        match names.is_empty() {
            true => Err(Error::new("the kubeconfig has no contexts")),
            false => Ok(Self { kubeconfig, names }),
        }
    }

    /// Their names, in the order in which they were asked for.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Keeps some of them, and returns the names of the others.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) -> Vec<String> {
        let all = std::mem::take(&mut self.names).into_iter();
        let (kept, others) = all.partition(|name| is_kept(name));
        self.names = kept;
        others
    }

    /// Connects to the cluster of the context that `args` name. With several contexts no credential plugin may ask the user, since several can
    /// run at once.
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn connect(&self, args: &ConnectionArgs, terminal: bool) -> Result<Cluster> {
        let kubeconfig = Some(self.kubeconfig.clone());
        let interaction = match self.names.len() {
            1 => Interaction::of_stdin(terminal),
            _ => Interaction::SeveralContexts,
        };
        Cluster::connect_by(kubeconfig, args, interaction).await
    }
}

fn kubeconfig(args: &ConnectionArgs) -> Result<Kubeconfig> {
    let none = || {
        Error::new("no kubeconfig was found, so no context exists")
            .hint("set KUBECONFIG or give --kubeconfig FILE")
    };
    args.kubeconfig()?.ok_or_else(none)
}
