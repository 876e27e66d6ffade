//! Reads everything that can say whose a database is, in every namespace: Helm's storage, AuthorizationPolicies, objects of the later
//! generation, and HelmReleases.
//!
//! HelmReleases come last: they are what most likely changes, and a deletion follows right after them. What the objects mean is judged in
//! [`crate::model::ownership`].

use super::helm_releases::{Query, is_not_installed};
use super::{Cluster, ClusterError, ListOf, Named, segment};
use crate::error::{Error, Result};
use crate::model::helm_release::ValuesFrom;
use crate::model::helm_storage::{SECRET_TYPE, STORED_PREFIX};
use crate::model::not_read::NotRead;
use crate::model::ownership::{
    DatabaseObjects, Driver, HelmReleases, Ownership, Part, Parts, Policies, Reference, Resolved,
    Storage,
};
use crate::text::document::embedded;
use futures::StreamExt;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// API group of the later generation's objects.
const LATER: &str = "couchdbcluster.woven-city.global";

/// API group of AuthorizationPolicies.
const ISTIO: &str = "security.istio.io";

/// ConfigMaps that are read at the same time.
const SIDE_BY_SIDE: usize = 8;

/// What `valuesFrom` references hold, as far as all of a HelmRelease could be read.
type Values = HashMap<(String, String), Resolved>;

/// Reads them. A part that could not be read is one of the result.
///
/// # Errors
/// The cluster cannot be asked at all.
pub async fn gather(cluster: &Cluster) -> Result<Ownership> {
    let (secrets, config_maps, policies, database_objects) = futures::join!(
        secrets(cluster),
        config_maps(cluster),
        policies(cluster),
        database_objects(cluster),
    );
    let parts = Parts {
        secrets: part(cluster, "Helm's Secrets of all namespaces", secrets)?,
        config_maps: part(cluster, "the ConfigMaps of all namespaces", config_maps)?,
        policies: part(
            cluster,
            "the AuthorizationPolicies of all namespaces",
            policies,
        )?,
        database_objects: part(
            cluster,
            &format!("the objects of {LATER}"),
            database_objects,
        )?,
        helm_releases: helm_releases(cluster, &Values::new()).await?,
    };
    let mut ownership = Ownership::new(parts);
    let open = ownership.references();
    if !open.is_empty() {
        let values = values(cluster, open).await?;
        ownership.set_helm_releases(helm_releases(cluster, &values).await?);
    }
    Ok(ownership)
}

/// A part, unless the cluster cannot be asked at all. Saved files may be incomplete, so they never make a whole part.
fn part<T>(cluster: &Cluster, what: &str, read: Result<T, ClusterError>) -> Result<Part<T>> {
    let unread = |why: String| NotRead::new(what, why);
    match read {
        Ok(read) if cluster.archive().is_some() => {
            let unread = unread("only the saved files were read".to_owned());
            Ok(Part::some(read, unread))
        }
        Ok(read) => Ok(Part::whole(read)),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(error) => Ok(Part::unread(unread(error.clause()))),
    }
}

async fn helm_releases(cluster: &Cluster, values: &Values) -> Result<Part<Option<HelmReleases>>> {
    let take = |all: &mut HelmReleases, object: Value| {
        let text = |key: &str| {
            let text = object.pointer(&format!("/metadata/{key}"));
            text.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let known = values.get(&(text("namespace"), text("name")));
        all.add(&object, known);
    };
    let read = cluster
        .whole_helm_releases(&Query::default(), HelmReleases::default, take)
        .await;
    match read {
        Err(error) if is_not_installed(&error) => Ok(Part::whole(None)),
        // A server that does not answer this cannot be asked about the database at all.
        Err(error @ ClusterError::TimedOut { .. }) => Err(error.into()),
        read => part(
            cluster,
            "the HelmReleases of all namespaces",
            read.map(Some),
        ),
    }
}

/// Every revision in Helm's Secrets, in all namespaces: a release whose HelmRelease is gone can lie in any of them.
///
/// Helm finds them by labels and never looks at the type, which a restore can lose: of Secrets of other types the metadata is read, and
/// of what is Helm's among them the rest.
async fn secrets(cluster: &Cluster) -> Result<Storage, ClusterError> {
    let of_type = |is: &str| {
        let kind = segment(SECRET_TYPE);
        format!("/api/v1/secrets?fieldSelector=type{is}{kind}")
    };
    let take = |all: &mut Storage, secret: Value| all.add(Driver::Secret, &secret);
    let typed = ListOf::objects(of_type("%3D"));
    // What files hold is never known to be all.
    if cluster.archive().is_some() {
        return cluster.whole(&typed, Storage::default, take).await;
    }
    let untyped = ListOf::metadata(of_type("%21%3D"));
    let note = |all: &mut Vec<(String, String)>, Named { metadata }: Named| {
        let labelled = metadata.labels.get("owner").is_some_and(|o| o == "helm");
        if labelled || metadata.name.starts_with(STORED_PREFIX) {
            all.push((metadata.namespace, metadata.name));
        }
    };
    let (storage, others) = futures::join!(
        cluster.whole(&typed, Storage::default, take),
        cluster.whole(&untyped, Vec::new, note),
    );
    let mut storage = storage?;
    for (namespace, name) in others? {
        // By a list, which needs no right beside those for the lists above.
        let path = format!(
            "/api/v1/namespaces/{}/secrets?fieldSelector=metadata.name%3D{}",
            segment(&namespace),
            segment(&name)
        );
        let found = cluster.all::<Value>(&ListOf::objects(path)).await?;
        for secret in found.into_items() {
            storage.add(Driver::Secret, &secret);
        }
    }
    Ok(storage)
}

/// Every revision in Helm's ConfigMaps: found by their names, since nothing else of the others is to be read.
async fn config_maps(cluster: &Cluster) -> Result<Storage, ClusterError> {
    let take = |all: &mut Vec<(String, String)>, object: Named| {
        if object.metadata.name.starts_with(STORED_PREFIX) {
            all.push((object.metadata.namespace, object.metadata.name));
        }
    };
    let list = ListOf::metadata("/api/v1/configmaps");
    let names = cluster.whole(&list, Vec::new, take).await?;
    let read = names.into_iter().map(|(namespace, name)| async move {
        let path = format!(
            "/api/v1/namespaces/{}/configmaps/{}",
            segment(&namespace),
            segment(&name)
        );
        cluster.get::<Value>(&path).await
    });
    let mut read = futures::stream::iter(read).buffered(SIDE_BY_SIDE);
    let mut storage = Storage::default();
    while let Some(read) = read.next().await {
        // One that has gone since the list is an error too: the next run does not list it.
        storage.add(Driver::ConfigMap, &read?);
    }
    Ok(storage)
}

/// The live policies, in whatever version is served.
async fn policies(cluster: &Cluster) -> Result<Option<Policies>, ClusterError> {
    let take = |all: &mut Policies, policy: Value| all.add(&policy);
    let kind = "authorizationpolicies";
    cluster
        .whole_if_served(ISTIO, kind, Policies::default, take)
        .await
}

/// The objects of the later generation, where they are served: in every version, since a kind can be served in one that is
/// not the preferred one. Each version shows all objects of a kind, so one of them is enough.
async fn database_objects(cluster: &Cluster) -> Result<Option<DatabaseObjects>, ClusterError> {
    let Some(versions) = cluster.api_versions(LATER).await? else {
        return Ok(None);
    };
    let (mut all, mut read) = (None, BTreeSet::new());
    for version in versions {
        let group_version = format!("{LATER}/{version}");
        for resource in cluster.api_resources(&group_version).await? {
            let is_database = resource.kind.eq_ignore_ascii_case("couchdbdatabase");
            if !is_database || resource.name.contains('/') || !read.insert(resource.name.clone()) {
                continue;
            }
            let path = format!(
                "/apis/{LATER}/{}/{}",
                segment(&version),
                segment(&resource.name)
            );
            let take = |all: &mut Vec<Value>, object: Value| all.push(object);
            let objects = cluster
                .whole(&ListOf::objects(path), Vec::new, take)
                .await?;
            let all = all.get_or_insert_with(DatabaseObjects::default);
            objects.iter().for_each(|o| all.add(&resource.kind, o));
        }
    }
    Ok(all)
}

/// Reads what `valuesFrom` names. A HelmRelease with an unreadable reference is left out and stays open.
async fn values(cluster: &Cluster, open: Vec<Reference>) -> Result<Values> {
    let mut values = Values::new();
    for Reference {
        namespace,
        name,
        from,
    } in open
    {
        let mut read = Vec::new();
        for from in &from {
            match values_of(cluster, &namespace, from).await {
                Ok(value) => read.push(value),
                Err(error) if error.is_fatal() => return Err(Error::from(error)),
                Err(_) => break,
            }
        }
        if read.len() == from.len() {
            values.insert((namespace, name), Resolved { from, values: read });
        }
    }
    Ok(values)
}

/// The values of one reference, as a document. Anything but YAML is an error: Flux's parser may read it differently.
async fn values_of(
    cluster: &Cluster,
    namespace: &str,
    from: &ValuesFrom,
) -> Result<Value, ClusterError> {
    let plural = match from.kind.as_str() {
        "ConfigMap" => "configmaps",
        "Secret" => "secrets",
        kind => {
            return Err(ClusterError::Other(format!(
                "{kind} is neither ConfigMap nor Secret"
            )));
        }
    };
    let path = format!(
        "/api/v1/namespaces/{}/{plural}/{}",
        segment(namespace),
        segment(&from.name)
    );
    // One that is optional and absent is not settled either: it may have been there when the values were last used.
    let object: Value = cluster.get(&path).await?;
    let text = crate::model::values_reference::text(&object, from);
    let text = text.map_err(ClusterError::Malformed)?;
    if let Some(target) = &from.target_path {
        // A value at a path: its parts are keys around it.
        let value = Value::String(text);
        let nested = target.rsplit('.').fold(value, |value, key| {
            Value::Object([(key.to_owned(), value)].into_iter().collect())
        });
        return Ok(nested);
    }
    document(&text)
}

/// Values as Flux reads them: of a key that is there twice the last one counts.
fn document(text: &str) -> Result<Value, ClusterError> {
    let why = "its values are not YAML, or its aliases repeat too much of it";
    embedded(text).ok_or_else(|| ClusterError::Malformed(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_as_flux_reads_them() {
        let values = document("database: a\ndatabase: b\n").unwrap();
        assert_eq!(values, json!({"database": "b"}));
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..4 {
            let ten = format!("*a{},", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
        }
        for text in [&bomb, "a: ["] {
            let why = format!("{:?}", document(text).unwrap_err());
            assert!(why.contains("not YAML"), "{why}");
        }
    }
}
