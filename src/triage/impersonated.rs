//! The ServiceAccount that a Kustomization acts as, where the API server refused it: the server gives the same answer whether an account
//! lacks a right or does not exist.

use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::model::forbidden::Forbidden;
use crate::snapshot::Read;
use crate::text::one_line;

/// Whether the account that the message says was refused exists; `None` if the message is not about an account's rights.
pub(super) async fn account(cluster: &Cluster, message: &str) -> Option<Hint> {
    let refused = Forbidden::parse(message)?;
    let (namespace, name) = refused.account()?;
    let read = cluster.has_service_account(namespace, name).await;
    judged([namespace, name], &read)
}

fn judged([namespace, name]: [&str; 2], read: &Read<()>) -> Option<Hint> {
    let id = one_line(&format!("ServiceAccount {namespace}/{name}"));
    let text = match read {
        Read::Seen(()) => return None,
        Read::Absent => format!(
            "{id} does not exist, which the API server reports as a missing right: create it and bind the right to it, or correct spec.serviceAccountName of the Kustomization; the present ones:"
        ),
        Read::Unknown(why) => format!(
            "whether {id} exists is unknown ({}); the API server gives the same answer for one that does not exist, so check that before its rights:",
            why.clause()
        ),
    };
    let list = Command::new(["kubectl", "get", "serviceaccounts", "-n", namespace]);
    Some(list.after(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Why;

    #[test]
    fn an_account_that_does_not_exist_is_not_given_a_right() {
        let said = |read: Read<()>| judged(["n", "onboarder"], &read).map(|hint| hint.plain());
        insta::assert_snapshot!(said(Read::Absent).unwrap(), @"ServiceAccount n/onboarder does not exist, which the API server reports as a missing right: create it and bind the right to it, or correct spec.serviceAccountName of the Kustomization; the present ones: kubectl get serviceaccounts -n n");
        insta::assert_snapshot!(said(Read::Unknown(Why::Forbidden("get serviceaccounts in n".to_owned()))).unwrap(), @"whether ServiceAccount n/onboarder exists is unknown (forbidden (get serviceaccounts in n)); the API server gives the same answer for one that does not exist, so check that before its rights: kubectl get serviceaccounts -n n");
        assert_eq!(said(Read::Seen(())), None);
    }
}
