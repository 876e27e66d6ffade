//! The API server: whether it answers, and as whom it takes the user.

use crate::advice::{Origin, current_context};
use crate::cluster::{Cluster, ClusterError};
use crate::error::Error;
use crate::view::doctor::{Area, Check, State};
use std::time::Duration;

const SUBJECT: &str = "API server";
/// One that does not answer in this time is not waited for.
const LIMIT: Duration = Duration::from_secs(5);

/// The checks, and whether asking for more is of use.
pub(super) async fn checks(cluster: &Cluster) -> (Vec<Check>, bool) {
    let near = cluster.within(LIMIT);
    let (version, user) = futures::join!(near.server_version(), near.whoami());
    let origin = cluster.origin();
    let place = origin.place().unwrap_or_default();
    let server = match version {
        Ok(version) => {
            let version = version["gitVersion"].as_str().unwrap_or_default();
            Check::new(
                Area::Cluster,
                SUBJECT,
                State::Ok,
                format!("{version}, {place}"),
            )
        }
        Err(error) if answers(&error) => {
            let message = format!(
                "it answers ({place}), its version is not known: {}",
                error.clause()
            );
            Check::new(Area::Cluster, SUBJECT, State::NotKnown, message)
        }
        Err(error) => return (vec![failed(&error.into(), origin)], false),
    };
    let user = match user {
        Ok(user) => Check::new(Area::Cluster, "user", State::Ok, user),
        Err(error) => Check::new(Area::Cluster, "user", State::NotKnown, error.clause()),
    };
    (vec![server, user], true)
}

/// The API server itself turned the question down; without a login it turns all of them down.
fn answers(error: &ClusterError) -> bool {
    let code = error.api_code();
    code.is_some_and(|code| (400..500).contains(&code) && code != 401)
}

/// No API server, or no way to one.
pub(super) fn failed(error: &Error, origin: &Origin) -> Check {
    let check = Check::new(Area::Cluster, SUBJECT, State::Failed, error.message());
    let hint = error.hints().first().cloned();
    let hint = hint.unwrap_or_else(|| current_context().after("is it the right cluster?"));
    check.next(hint, origin)
}

/// All that an API server would have been asked.
pub(super) fn unasked() -> Check {
    let message = "Flux, CouchDB and your rights cannot be checked without the API server";
    Check::new(Area::Cluster, "the cluster", State::NotKnown, message)
}
