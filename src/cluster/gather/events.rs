//! The events of one object.

use crate::cluster::{Cluster, List, segment};
use crate::model::event;
use crate::snapshot::Read;
use serde_json::Value;

/// Most events of one object that are asked for; controllers send far fewer in the hour that they are kept.
const LIMIT: usize = 200;

/// Events about the object, newest last. Without a uid those of former objects of that name count too.
///
/// The API version is left out: it changes with the version in which a controller reads the object.
pub(super) async fn of(
    cluster: &Cluster,
    namespace: &str,
    kind: &str,
    name: &str,
    uid: Option<&str>,
) -> Read<Vec<Value>> {
    let mut selector = format!("involvedObject.kind={kind},involvedObject.name={name}");
    if let Some(uid) = uid.filter(|u| !u.is_empty()) {
        selector.push_str(",involvedObject.uid=");
        selector.push_str(uid);
    }
    let path = format!(
        "/api/v1/namespaces/{}/events?fieldSelector={}&limit={LIMIT}",
        segment(namespace),
        segment(&selector)
    );
    Read::from_result(cluster.get::<List<Value>>(&path).await).map(|list| {
        let mut events = list.items;
        event::sort(&mut events);
        events
    })
}
