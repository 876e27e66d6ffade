//! Onboardings that are not what their installation made them: found in their first revision, which their status does not show.

use super::super::SIDE_BY_SIDE;
use crate::cluster::Cluster;
use crate::diagnosis::{NotRun, registry};
use crate::lookup::first_install::first_install;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Creation, Installation, creation};
use crate::model::onboarding::Values;
use futures::StreamExt;
use serde_json::Value;

/// First revisions that are read, at most.
const MAX: usize = 200;

/// Ready onboardings whose first revision did not create the database, or created another one than the values say, by
/// `namespace/name`. Their status does not tell: those that were upgraded since cost a request each.
pub(super) async fn not_as_installed(
    cluster: &Cluster,
    well: &[(&HelmRelease, &Value)],
) -> (Vec<String>, Option<NotRun>) {
    let upgraded: Vec<&HelmRelease> = well
        .iter()
        .map(|(hr, _)| *hr)
        .filter(|hr| hr.revision() > Some(1) && !hr.is_remote())
        .collect();
    let not_run = |why: String| {
        let what = "first revisions of upgraded onboardings";
        NotRun::new(registry::BY_FIRST_REVISION, what, &why)
    };
    let (mut found, mut unread) = (Vec::new(), None);
    let mut read = futures::stream::iter(upgraded.iter().take(MAX))
        .map(|hr| async { (*hr, first_install(cluster, hr).await) })
        .buffered(SIDE_BY_SIDE);
    while let Some((hr, first)) = read.next().await {
        match first {
            Ok(Some(first)) if differs(hr, &first) => found.push(hr.id()),
            Ok(_) => {}
            // Of saved files the next one may be there: to look costs nothing.
            Err(why) if cluster.archive().is_some() => unread = Some(not_run(why)),
            Err(why) => return (found, Some(not_run(why))),
        }
    }
    let rest = upgraded.len().saturating_sub(MAX);
    let told = (rest > 0).then(|| not_run(format!("{rest} of {} were left out", upgraded.len())));
    (found, told.or(unread))
}

/// Worth a look: the checks judge.
fn differs(hr: &HelmRelease, first: &Installation) -> bool {
    let (was, is) = (Values::parse(&first.config), hr.values());
    let renamed = match (was.claim().joined(), is.claim().joined()) {
        (Some(was), Some(is)) => was != is,
        _ => false,
    };
    let creation = creation(&first.hooks);
    !matches!(creation, Creation::None | Creation::Succeeded)
        || renamed
        || was.encryption.unwrap_or(true) != is.encryption.unwrap_or(true)
}
