//! Values that only the kubeconfig or the cluster knows, read under one deadline.
//!
//! Reads run on a thread of their own: a credential plugin blocks its caller, and the shell must not wait for it. What has
//! arrived when time is up is what is offered; an error offers nothing. Text leaves here as [`Candidate`] only.

use super::candidate::Candidate;
use crate::app::GlobalArgs;
use crate::bundle::Archive;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, ClusterError, Item, List, ListOf, Named, Pages, Step};
use crate::model::helm_release::HelmRelease;
use crate::model::onboarding::Claim;
use kube::config::Kubeconfig;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longest time that a person waits for all reads of one completion.
const DEADLINE: Duration = Duration::from_secs(1);

/// The reader for one command line.
pub(super) struct Live {
    global: GlobalArgs,
    /// Files that are read instead of a cluster.
    files: Vec<PathBuf>,
    everywhere: bool,
    until: Instant,
}

/// An onboarding, as far as it can be offered.
#[derive(Clone, Debug)]
pub(super) struct Onboarding {
    pub(super) name: Option<Candidate>,
    pub(super) database: Option<Candidate>,
    pub(super) service_accounts: Vec<Candidate>,
}

impl Live {
    /// `everywhere`: all namespaces were asked for, as of `files` they are. The clock runs from here.
    pub(super) fn new(mut global: GlobalArgs, files: Vec<PathBuf>, everywhere: bool) -> Self {
        global.connection.request_timeout = DEADLINE;
        Self {
            global,
            everywhere: everywhere || !files.is_empty(),
            files,
            until: Instant::now() + DEADLINE,
        }
    }

    /// The API server's URL, as the kubeconfig has it: nothing is asked.
    pub(super) fn server(&self) -> Option<String> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().ok()?;
        runtime.block_on(self.global.connection.server_url())
    }

    pub(super) fn contexts(&self) -> Vec<Candidate> {
        self.kubeconfig_names(|k| k.contexts.into_iter().map(|c| c.name).collect())
    }

    pub(super) fn clusters(&self) -> Vec<Candidate> {
        self.kubeconfig_names(|k| k.clusters.into_iter().map(|c| c.name).collect())
    }

    pub(super) fn users(&self) -> Vec<Candidate> {
        self.kubeconfig_names(|k| k.auth_infos.into_iter().map(|u| u.name).collect())
    }

    fn kubeconfig_names(&self, names: impl FnOnce(Kubeconfig) -> Vec<String>) -> Vec<Candidate> {
        let Ok(Some(kubeconfig)) = self.global.connection.kubeconfig() else {
            return Vec::new();
        };
        names(kubeconfig)
            .iter()
            .filter_map(|name| Candidate::free_name(name))
            .collect()
    }

    pub(super) fn namespaces(&self) -> Vec<Candidate> {
        self.collect(async |cluster, sender| {
            let list = ListOf::objects("/api/v1/namespaces");
            let (first, pages) = cluster.pages::<Named>(&list).await?;
            each(first, pages, |item| {
                if let Some(namespace) = Candidate::namespace(&item.metadata.name) {
                    let _ = sender.send(namespace);
                }
            })
            .await
        })
    }

    /// The onboardings of the namespace, or of all when the words or the caller say so.
    pub(super) fn onboardings(&self, everywhere: bool) -> Vec<Onboarding> {
        if !everywhere && !self.everywhere && self.global.check_namespace().is_err() {
            return Vec::new();
        }
        let query = Query {
            namespace: (!everywhere && !self.everywhere).then(|| self.global.namespace.clone()),
            selector: self.global.onboarding_selector.clone(),
        };
        self.collect(async move |cluster, sender| {
            let (first, pages) = cluster.helm_releases::<HelmRelease>(&query).await?;
            each(first, pages, |hr| {
                let _ = sender.send(Onboarding {
                    name: Candidate::onboarding(&hr.metadata.name),
                    database: match hr.claim() {
                        Claim::Database(name) => Candidate::database(&name),
                        _ => None,
                    },
                    service_accounts: hr
                        .values()
                        .accounts()
                        .iter()
                        .filter_map(|account| Candidate::service_account(account))
                        .collect(),
                });
            })
            .await
        })
    }

    /// Everything that `work` sends before the deadline.
    fn collect<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(Cluster, mpsc::Sender<T>) -> Result<(), ClusterError> + Send + 'static,
    ) -> Vec<T> {
        let (sender, receiver) = mpsc::channel();
        let connection = self.global.connection.clone();
        let files = self.files.clone();
        // Left to itself when time is up: the process ends right after.
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            else {
                return;
            };
            runtime.block_on(async {
                let cluster = if files.is_empty() {
                    // Never a terminal: a credential plugin must not ask in the middle of a prompt.
                    Cluster::connect(&connection, false).await
                } else {
                    // What stdin will bring is not there yet.
                    let archive = Archive::load(&files, true, &mut std::io::empty());
                    archive.map(|archive| Cluster::saved(archive, 0))
                };
                if let Ok(cluster) = cluster {
                    let _ = work(cluster, sender).await;
                }
            });
        });
        let mut all = Vec::new();
        while let Ok(item) =
            receiver.recv_timeout(self.until.saturating_duration_since(Instant::now()))
        {
            all.push(item);
        }
        all
    }
}

/// Hands out the items as their pages arrive. Those of a list that begins again come twice: the shell offers each once.
async fn each<T: Item>(
    first: List<T>,
    mut pages: Pages<T>,
    mut take: impl FnMut(T),
) -> Result<(), ClusterError> {
    let mut page = Some(first);
    while let Some(list) = page {
        list.into_items().into_iter().for_each(&mut take);
        page = pages.next().await?.map(|step| match step {
            Step::Page(list) | Step::Again(list) => list,
        });
    }
    Ok(())
}
