//! What an API server serves: the versions of a group, the resources of a version.

use super::{Cluster, ClusterError, answer, segment};
use serde::Deserialize;

/// A group, as discovery describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiGroup {
    name: String,
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Deserialize)]
struct ApiGroupList {
    groups: Vec<GroupName>,
}

#[derive(Deserialize)]
struct GroupName {
    name: String,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

impl ApiGroup {
    /// The served versions, the preferred one first.
    fn into_versions(self) -> Vec<String> {
        let preferred = self.preferred_version.map(|p| p.version);
        let mut versions: Vec<String> = self.versions.into_iter().map(|v| v.version).collect();
        versions.sort_by_key(|v| Some(v) != preferred.as_ref());
        versions
    }
}

/// A resource of a group's version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApiResource {
    /// As in a path; a subresource has a slash.
    pub name: String,
    pub kind: String,
}

/// A version of a group.
#[derive(Clone, Debug)]
pub struct Served {
    pub version: String,
    pub resources: Result<Vec<ApiResource>, ClusterError>,
}

impl Served {
    /// Whether it has this resource.
    ///
    /// # Errors
    /// Its resources were not read: why.
    pub fn has(&self, plural: &str) -> Result<bool, &ClusterError> {
        let resources = self.resources.as_ref()?;
        Ok(resources.iter().any(|resource| resource.name == plural))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiResourceList {
    group_version: String,
    resources: Vec<ApiResource>,
}

impl Cluster {
    /// The versions in which a group is served, the preferred one first; `None` where the API server says that it does not
    /// serve the group.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn api_versions(&self, group: &str) -> Result<Option<Vec<String>>, ClusterError> {
        let path = format!("/apis/{}", segment(group));
        let body = match self.transport.get_bytes(&path).await {
            Err(error) if error.is_not_found() => {
                // The API server's plain 404 is every Go program's: the list of groups must agree.
                let listed = error.is_plain_not_found() && self.lists_group(group).await?;
                return if listed { Err(error) } else { Ok(None) };
            }
            other => other?,
        };
        let found: ApiGroup = self.of_kind("v1", "APIGroup", &body)?;
        if found.name != group || found.versions.is_empty() {
            return Err(self.form(format!("an APIGroup that is not {group}'s")));
        }
        Ok(Some(found.into_versions()))
    }

    /// The versions of a group with their resources, the preferred one first; `None` where the API server says that it does not serve
    /// the group.
    ///
    /// # Errors
    /// As [`Cluster::api_versions`].
    pub async fn served(&self, group: &str) -> Result<Option<Vec<Served>>, ClusterError> {
        let Some(versions) = self.api_versions(group).await? else {
            return Ok(None);
        };
        let served = versions.into_iter().map(|version| async move {
            let resources = self.api_resources(&format!("{group}/{version}")).await;
            Served { version, resources }
        });
        Ok(Some(futures::future::join_all(served).await))
    }

    /// Whether the API server's list of groups has this one.
    async fn lists_group(&self, group: &str) -> Result<bool, ClusterError> {
        let body = match self.transport.get_bytes("/apis").await {
            // An API server serves this one whatever it lacks.
            Err(error) if error.is_plain_not_found() => {
                let (server, said) = (self.transport.server(), answer::UNSERVED.to_owned());
                return Err(ClusterError::not_an_answer(Some(404), server, said));
            }
            other => other?,
        };
        let all: ApiGroupList = self.of_kind("v1", "APIGroupList", &body)?;
        if all.groups.is_empty() {
            return Err(self.form("an APIGroupList without groups".to_owned()));
        }
        Ok(all.groups.iter().any(|known| known.name == group))
    }

    /// The resources of a group's version.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn api_resources(
        &self,
        group_version: &str,
    ) -> Result<Vec<ApiResource>, ClusterError> {
        let (root, path) = match group_version.split_once('/') {
            Some((group, version)) => ("apis", format!("{}/{}", segment(group), segment(version))),
            None => ("api", segment(group_version)),
        };
        let body = self.transport.get_bytes(&format!("/{root}/{path}")).await?;
        let found: ApiResourceList = self.of_kind("v1", "APIResourceList", &body)?;
        if found.group_version != group_version {
            return Err(self.form(format!("an APIResourceList that is not {group_version}'s")));
        }
        Ok(found.resources)
    }

    /// Reads a body of a kind that has no name.
    pub(super) fn of_kind<T: serde::de::DeserializeOwned>(
        &self,
        api_version: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<T, ClusterError> {
        answer::check_kind(api_version, kind, body).map_err(|fault| self.transport.fault(fault))?;
        serde_json::from_slice(body).map_err(|e| ClusterError::Malformed(e.to_string()))
    }

    fn form(&self, why: String) -> ClusterError {
        self.transport.fault(answer::Fault::Form(why))
    }
}
