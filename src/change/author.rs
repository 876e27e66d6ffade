//! Who runs a command that leaves a trace.

use crate::app::App;
use crate::cluster::Cluster;

/// The user as the API server names them, else as the kubeconfig does.
pub(crate) async fn user(app: &App, cluster: &Cluster) -> String {
    match cluster.whoami().await {
        Ok(user) => user,
        // Not served before Kubernetes 1.28.
        Err(_) => match app.global.connection.user_name() {
            Some(name) => format!("the kubeconfig's user {name}"),
            None => "an unknown user".to_owned(),
        },
    }
}
