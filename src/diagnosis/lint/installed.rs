//! What one cluster has installed, beside the manifests that are for it.
//!
//! Owns which manifest an installation belongs to. What was not read is not known: only a cluster that was asked can say that nothing is
//! installed.

use super::onboarding::{Cluster, Onboarding};
use super::repository::Repository;
use crate::model::not_read::NotRead;
use crate::repository::Manifest;
use crate::text::one_line;
use serde_json::Value;
use std::collections::HashMap;

/// The revision that installed the onboarding, or the oldest one that Helm still stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub revision: i64,
    /// It is the installation itself, and not the oldest upgrade that is kept.
    pub is_first: bool,
    /// The values that it was installed with, over the chart's own.
    pub values: Value,
}

/// By manifest; `None` where nothing is installed, `Err` where that is not known, and why.
pub type Installations = HashMap<*const Manifest, Result<Option<Installation>, String>>;

/// The installations of one cluster.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The kubeconfig's context, where one was used.
    pub context: Option<String>,
    /// The cluster's folder in the repository; `None` where every manifest is for it.
    pub folder: Option<String>,
    all: Installations,
}

/// The part that a check lacks.
pub const WHAT: &str = "what is installed";

impl Installed {
    pub fn new(context: Option<String>, folder: Option<String>, all: Installations) -> Self {
        Self {
            context,
            folder,
            all,
        }
    }

    /// A cluster that could not be read.
    pub fn unread(context: &str, folder: &str, repository: &Repository<'_>, why: &str) -> Self {
        let own = repository.onboardings.iter();
        let own = own.filter(|o| is_for(o, Some(folder)) == Ok(true));
        let all = own.map(|o| (std::ptr::from_ref(o.manifest), Err(one_line(why))));
        Self::new(
            Some(context.to_owned()),
            Some(folder.to_owned()),
            all.collect(),
        )
    }

    /// How many manifests were looked up, how many of them are installed, and of how many that is not known.
    pub fn counts(&self) -> [usize; 3] {
        let installed = self.all.values().filter(|i| matches!(i, Ok(Some(_))));
        let not_known = self.all.values().filter(|i| i.is_err());
        [self.all.len(), installed.count(), not_known.count()]
    }

    /// What the cluster has of this onboarding; `None` for nothing, and for one of another cluster.
    ///
    /// # Errors
    /// It is not known.
    pub fn of(&self, onboarding: &Onboarding<'_>) -> Result<Option<&Installation>, NotRead> {
        if !is_for(onboarding, self.folder.as_deref())? {
            return Ok(None);
        }
        match self.all.get(&std::ptr::from_ref(onboarding.manifest)) {
            Some(Ok(installation)) => Ok(installation.as_ref()),
            Some(Err(why)) => Err(NotRead::new(WHAT, why)),
            None => Err(NotRead::new(WHAT, "the cluster was not asked about it")),
        }
    }
}

/// Whether a manifest is for the cluster of this folder; without one it is.
///
/// # Errors
/// Its path does not say so.
pub fn is_for(onboarding: &Onboarding<'_>, folder: Option<&str>) -> Result<bool, NotRead> {
    let Some(folder) = folder else {
        return Ok(true);
    };
    match onboarding.cluster {
        Cluster::Named(name) => Ok(name == folder),
        Cluster::Folder(_) => {
            let why = format!("the path names no cluster, and {folder} was asked");
            Err(NotRead::new(WHAT, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::lint::{Conventions, Outcome, Repository, run};
    use crate::repository::tree::tests::tree;
    use serde_json::json;

    fn file(cluster: &str) -> String {
        format!("infrastructure/k8s/{cluster}/secure-kvs/secure-kvs-onboarding/pds_database.yaml")
    }

    /// What lint says of one manifest for `prod`, of the changes alone.
    fn linted(
        folder: Option<&str>,
        file: &str,
        installed: Option<Result<Option<Installation>, String>>,
    ) -> (Vec<String>, Vec<String>) {
        let text = "kind: HelmRelease\nmetadata: {namespace: flux-system, name: skvs-onboarding-pds--database}\nspec: {values: {namespace: pds, database: database, encryption: true}}\n";
        let tree = tree(&[(file, text)]);
        let installed = installed.map(|i| (std::ptr::from_ref(&tree.manifests[0]), i));
        let installed = installed.into_iter().collect();
        let installed = Installed::new(None, folder.map(str::to_owned), installed);
        let Outcome { found, not_checked } =
            run(&Repository::new(&tree, &Conventions::runbook()).beside(vec![installed]));
        let found = found.into_iter().filter(|f| f.rule.entry.code >= "SKVS551");
        let found = found.map(|f| format!("{}: {}", f.rule.entry.code, f.finding.sentence));
        let not_checked = not_checked.into_iter().filter(|n| n.missing.what == WHAT);
        let not_checked = not_checked.map(|n| format!("{}: {}", n.codes.join(" "), n.missing.why));
        (found.collect(), not_checked.collect())
    }

    fn of(
        installation: Result<Option<Installation>, String>,
    ) -> Option<Result<Option<Installation>, String>> {
        Some(installation)
    }

    fn installed(values: Value) -> Option<Result<Option<Installation>, String>> {
        of(Ok(Some(Installation {
            revision: 1,
            is_first: true,
            values,
        })))
    }

    #[test]
    fn what_differs_from_the_installation_is_found() {
        let values = json!({"namespace": "pds", "database": "orders", "encryption": false});
        let (found, not_checked) = linted(Some("prod"), &file("prod"), installed(values));
        insta::assert_snapshot!(found.join("\n"), @r#"
        SKVS551: values.database must not change: it was installed as "orders", now it is "database"
        SKVS552: encryption should not change: it was installed as off, now it is on
        "#);
        assert_eq!(not_checked, [""; 0]);
        let same = json!({"namespace": "pds", "database": "database", "encryption": true, "serviceAccounts": ["x"]});
        let (found, not_checked) = linted(None, &file("prod"), installed(same));
        assert_eq!((found, not_checked), (Vec::new(), Vec::new()));
    }

    #[test]
    fn nothing_installed_differs_in_nothing() {
        let told = linted(Some("prod"), &file("prod"), of(Ok(None)));
        assert_eq!(told, (Vec::new(), Vec::new()));
        let other = json!({"namespace": "pds", "database": "orders"});
        let told = linted(Some("test"), &file("prod"), installed(other));
        assert_eq!(told, (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_was_not_read_is_not_checked() {
        let codes = "SKVS551 SKVS552";
        let (found, not_checked) = linted(
            Some("prod"),
            &file("prod"),
            of(Err("forbidden (list secrets)".to_owned())),
        );
        assert_eq!(found, [""; 0]);
        assert_eq!(not_checked, [format!("{codes}: forbidden (list secrets)")]);
        let (_, not_checked) = linted(Some("prod"), &file("prod"), None);
        assert_eq!(
            not_checked,
            [format!("{codes}: the cluster was not asked about it")]
        );
        let (_, not_checked) = linted(Some("prod"), "elsewhere/pds_database.yaml", of(Ok(None)));
        assert_eq!(
            not_checked,
            [format!(
                "{codes}: the path names no cluster, and prod was asked"
            )]
        );
        for (values, expected) in [
            (json!(null), "SKVS551 SKVS552: revision 1 has no values"),
            (json!("text"), "SKVS551 SKVS552: revision 1 has no values"),
            (
                json!({"database": "database", "encryption": true}),
                "SKVS551: revision 1 has no namespace",
            ),
            (
                json!({"namespace": "pds", "database": "database"}),
                "SKVS552: revision 1 has no encryption",
            ),
            (
                json!({"namespace": "pds", "database": "database", "encryption": "true"}),
                "SKVS552: revision 1 has encryption \"true\"",
            ),
        ] {
            let (found, not_checked) = linted(None, &file("prod"), installed(values));
            assert_eq!(found, [""; 0]);
            assert_eq!(not_checked, [expected]);
        }
    }

    #[test]
    fn a_name_is_what_the_chart_prints() {
        let values = json!({"namespace": "pds", "database": 7, "encryption": true});
        let (found, _) = linted(None, &file("prod"), installed(values));
        assert_eq!(found.len(), 1);
        let text = |value: Value| super::super::rules::printed(&value);
        assert_eq!(text(json!(7)), text(json!("7")));
        assert_ne!(text(json!(7)), text(json!("07")));
    }
}
