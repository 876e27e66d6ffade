//! The changes of a namespace's HelmReleases, for as long as they can be watched.

use crate::cluster::helm_releases::Query;
use crate::cluster::watch::{Next, PAUSE};
use crate::cluster::{Cluster, ClusterError};
use futures::StreamExt;
use futures::stream::BoxStream;

type Stream = BoxStream<'static, Result<Next, ClusterError>>;

/// A watch from what is there now on.
pub(super) struct Changes<'c> {
    cluster: &'c Cluster,
    query: Query,
    /// `None` once they are not followed any more.
    stream: Option<Stream>,
    /// The watch ended, and nothing has come since.
    is_lost: bool,
}

impl<'c> Changes<'c> {
    pub(super) fn new(cluster: &'c Cluster, namespace: &str) -> Self {
        let query = Query {
            namespace: Some(namespace.to_owned()),
            selector: String::new(),
        };
        Self {
            stream: Some(watch(cluster, &query)),
            cluster,
            query,
            is_lost: false,
        }
    }

    /// Waits for the next change, for ever where they are not followed.
    pub(super) async fn next(&mut self) -> Result<Next, ClusterError> {
        next(&mut self.stream).await
    }

    /// A change has come.
    pub(super) fn arrive(&mut self) {
        self.is_lost = false;
    }

    /// The watch has ended; whether that is news.
    pub(super) fn lose(&mut self) -> bool {
        !std::mem::replace(&mut self.is_lost, true)
    }

    /// Watches again, after a pause.
    pub(super) fn restart(&mut self) {
        self.stream = Some(paused(watch(self.cluster, &self.query)));
    }

    pub(super) fn stop(&mut self) {
        self.stream = None;
    }
}

fn watch(cluster: &Cluster, query: &Query) -> Stream {
    let watch = cluster.watch_helm_releases(query, "0");
    futures::stream::unfold(watch, |mut watch| async {
        let said = watch.next().await;
        Some((said, watch))
    })
    .boxed()
}

/// The same after a pause, which is part of the wait for the next change: Ctrl-C and the time limit still count during it.
fn paused(changes: Stream) -> Stream {
    let pause = futures::stream::once(tokio::time::sleep(PAUSE));
    let pause = pause.filter_map(|()| std::future::ready(None));
    pause.chain(changes).boxed()
}

async fn next(changes: &mut Option<Stream>) -> Result<Next, ClusterError> {
    let said = match changes {
        Some(changes) => changes.next().await,
        None => None,
    };
    match said {
        Some(said) => said,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_pause_is_a_part_of_the_waiting_for_changes() {
        let relist = || futures::stream::iter([Ok(Next::Relist)]).boxed();
        assert!(relist().next().now_or_never().is_some());
        let mut changes = Some(paused(relist()));
        // Whoever waits for it can wait for something else too, and lose nothing.
        assert!(next(&mut changes).now_or_never().is_none());
        assert!(matches!(next(&mut changes).await, Ok(Next::Relist)));
    }
}
