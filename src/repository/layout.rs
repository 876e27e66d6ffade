//! Where a cluster's onboardings are in the repository: `infrastructure/k8s/<cluster>/secure-kvs/secure-kvs-onboarding`.

use std::fmt;
use std::str::FromStr;

/// The placeholder for the cluster's name in a layout.
const CLUSTER: &str = "<cluster>";

/// The runbook's layout.
pub const RUNBOOK: &str = "infrastructure/k8s/<cluster>/secure-kvs/secure-kvs-onboarding";

/// A folder's path with a place for the cluster's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    before: Vec<String>,
    after: Vec<String>,
}

impl Default for Layout {
    fn default() -> Self {
        RUNBOOK.parse().expect("the runbook's layout is one")
    }
}

impl FromStr for Layout {
    type Err = String;

    /// Reads a layout.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text
            .split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .collect();
        if text.starts_with('/') || parts.iter().any(|p| *p == ".." || p.contains('\\')) {
            return Err("it must lead from the repository's folder down".to_owned());
        }
        let mut sides = parts.split(|part| *part == CLUSTER);
        let (Some(before), Some(after), None) = (sides.next(), sides.next(), sides.next()) else {
            return Err(format!(
                "it must have {CLUSTER} once, as the name of a folder"
            ));
        };
        let owned = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect();
        Ok(Self {
            before: owned(before),
            after: owned(after),
        })
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folder(CLUSTER))
    }
}

impl Layout {
    /// A cluster's folder, from the repository's on.
    pub fn folder(&self, cluster: &str) -> String {
        let cluster = [cluster.to_owned()];
        [&self.before[..], &cluster, &self.after].concat().join("/")
    }

    /// The folder that has those of the clusters, from the repository's on.
    pub fn above(&self) -> String {
        self.before.join("/")
    }

    /// The cluster that a file belongs to; `None` where its path does not follow the layout. The repository's folder can be above the
    /// path's beginning or in it.
    pub fn cluster<'p>(&self, file: &'p str) -> Option<&'p str> {
        Some(self.home(file)?.0)
    }

    /// The same for a file that is in the cluster's part of the repository, but not in its folder of onboardings, such as a kustomization
    /// above it.
    pub fn around<'p>(&self, file: &'p str) -> Option<&'p str> {
        if let Some(cluster) = self.cluster(file) {
            return Some(cluster);
        }
        let (folder, _) = file.rsplit_once('/')?;
        let parts = folder.split('/').filter(|p| !p.is_empty() && *p != ".");
        let folders: Vec<&str> = parts.collect();
        let is_cluster = |at: &usize| {
            let mut before = folders[..*at].iter().rev().zip(self.before.iter().rev());
            before.all(|(is, expected)| is == expected)
        };
        let first = (!self.before.is_empty()).then_some(1)?;
        let at = (first..folders.len()).find(is_cluster)?;
        Some(folders[at])
    }

    /// The cluster that a file belongs to, and the part of its path that is the cluster's folder.
    pub fn home<'p>(&self, file: &'p str) -> Option<(&'p str, &'p str)> {
        let mut ends = Vec::new();
        let mut folders = Vec::new();
        let mut begin = 0;
        for part in file.split('/') {
            if !part.is_empty() && part != "." {
                folders.push(part);
                ends.push(begin + part.len());
            }
            begin += part.len() + 1;
        }
        folders.pop()?;
        let is_cluster = |at: &usize| {
            let after = folders[at + 1..]
                .starts_with(&self.after.iter().map(String::as_str).collect::<Vec<_>>());
            let mut before = folders[..*at].iter().rev().zip(self.before.iter().rev());
            after && before.all(|(is, expected)| is == expected)
        };
        // With nothing after it any folder would do: the path must say what is before it.
        let known = |at: &usize| !self.after.is_empty() || *at >= self.before.len();
        let at = (0..folders.len())
            .rev()
            .find(|at| known(at) && is_cluster(at))?;
        Some((folders[at], &file[..ends[at + self.after.len()]]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_cluster() {
        let layout = Layout::default();
        assert_eq!(layout.to_string(), RUNBOOK);
        assert_eq!(
            layout.folder("prod"),
            "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding"
        );
        for path in [
            "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/a_b.yaml",
            "/home/me/repo/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/team/a_b.yaml",
            "k8s/prod/secure-kvs/secure-kvs-onboarding/a_b.yaml",
            "prod/secure-kvs/secure-kvs-onboarding/a_b.yaml",
        ] {
            assert_eq!(layout.cluster(path), Some("prod"), "{path}");
            let (_, folder) = layout.home(path).unwrap();
            assert!(folder.ends_with("/secure-kvs-onboarding"), "{folder}");
            assert!(path.starts_with(folder), "{folder}");
        }
        for path in [
            "secure-kvs/secure-kvs-onboarding/a_b.yaml",
            "apps/prod/secure-kvs/secure-kvs-onboarding/a_b.yaml",
            "infrastructure/k8s/prod/a_b.yaml",
            "a_b.yaml",
            "",
        ] {
            assert_eq!(layout.cluster(path), None, "{path}");
        }
        for (path, around) in [
            ("infrastructure/k8s/prod/kustomization.yaml", Some("prod")),
            (
                "/repo/infrastructure/k8s/prod/secure-kvs/x.yaml",
                Some("prod"),
            ),
            ("k8s/prod/kustomization.yaml", Some("prod")),
            (
                "prod/secure-kvs/secure-kvs-onboarding/a_b.yaml",
                Some("prod"),
            ),
            ("prod/kustomization.yaml", None),
            ("infrastructure/k8s/kustomization.yaml", None),
            ("apps/prod/kustomization.yaml", None),
            ("a_b.yaml", None),
        ] {
            assert_eq!(layout.around(path), around, "{path}");
        }
        let short: Layout = "clusters/<cluster>".parse().unwrap();
        assert_eq!(short.cluster("clusters/lab/a.yaml"), Some("lab"));
        assert_eq!(short.cluster("lab/a.yaml"), None);
    }

    #[test]
    fn a_layout_stays_in_the_repository() {
        for text in [
            "a/b",
            "/a/<cluster>",
            "../<cluster>",
            "<cluster>/<cluster>",
            "a-<cluster>",
            "",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
