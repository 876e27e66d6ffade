//! One state of the repository as the rules see it: its onboardings, and the state that it is compared with.

use super::changes::{self, Changes};
use super::conventions::Conventions;
use super::installed::{Installation, Installed};
use super::onboarding::{Onboarding, is_onboarding};
use crate::model::not_read::NotRead;
use crate::repository::Tree;
use std::collections::HashMap;

/// The onboardings of a tree.
pub struct Repository<'a> {
    pub tree: &'a Tree,
    pub conventions: Conventions,
    pub onboardings: Vec<Onboarding<'a>>,
    /// How each came to be, where an earlier state is known.
    pub changes: Option<Changes<'a>>,
    /// What each cluster that was asked has installed.
    pub installed: Vec<Installed>,
    by_database: HashMap<String, Vec<usize>>,
    by_object: HashMap<(&'a str, &'a str), Vec<usize>>,
    by_derived: HashMap<String, Vec<usize>>,
    per_file: HashMap<&'a str, usize>,
}

/// Names that the chart derives: `_` does not fit into an object's name.
pub fn derived(joined: &str) -> String {
    joined.replace('_', "-").to_lowercase()
}

impl<'a> Repository<'a> {
    /// The onboardings of a tree.
    pub fn new(tree: &'a Tree, conventions: &Conventions) -> Self {
        let Conventions { layout, mark, .. } = conventions;
        let manifests = tree.manifests.iter().filter(|m| is_onboarding(m, mark));
        let onboardings: Vec<Onboarding<'a>> = manifests
            .map(|m| Onboarding::new(m, layout, tree.appliers(&m.file)))
            .collect();
        let mut repository = Self {
            tree,
            conventions: conventions.clone(),
            onboardings: Vec::new(),
            changes: None,
            installed: Vec::new(),
            by_database: HashMap::new(),
            by_object: HashMap::new(),
            by_derived: HashMap::new(),
            per_file: HashMap::new(),
        };
        for (at, onboarding) in onboardings.iter().enumerate() {
            if let Ok(Some(names)) = onboarding.names() {
                let joined = names.joined();
                let derived = repository.by_derived.entry(derived(&joined));
                derived.or_default().push(at);
                repository.by_database.entry(joined).or_default().push(at);
            }
            let objects = repository.by_object.entry(onboarding.id());
            objects.or_default().push(at);
            let file = onboarding.manifest.file.as_str();
            *repository.per_file.entry(file).or_default() += 1;
        }
        repository.onboardings = onboardings;
        repository
    }

    /// The same beside an earlier state.
    #[must_use]
    pub fn since(mut self, base: &'a Repository<'a>) -> Self {
        self.changes = Some(changes::between(base, &self));
        self
    }

    /// The same beside what each of some clusters has installed.
    #[must_use]
    pub fn beside(mut self, installed: Vec<Installed>) -> Self {
        self.installed = installed;
        self
    }

    /// What is installed of this onboarding; `None` for nothing, and where its cluster was not asked.
    ///
    /// # Errors
    /// It is not known.
    pub fn installation(
        &self,
        onboarding: &Onboarding<'_>,
    ) -> Result<Option<&Installation>, NotRead> {
        for installed in &self.installed {
            if let Some(installation) = installed.of(onboarding)? {
                return Ok(Some(installation));
            }
        }
        Ok(None)
    }

    /// HelmReleases that are not onboardings.
    pub fn passed_over(&self) -> usize {
        self.tree.manifests.len() - self.onboardings.len()
    }

    /// How many onboardings a file holds.
    pub fn in_file(&self, file: &str) -> usize {
        self.per_file.get(file).copied().unwrap_or_default()
    }

    /// The others that claim this database.
    pub fn claiming<'s>(&'s self, me: &'s Onboarding<'a>, joined: &str) -> Vec<&'s Onboarding<'a>> {
        self.others(me, self.by_database.get(joined))
    }

    /// The others that are the same object.
    pub fn same_object<'s>(&'s self, me: &'s Onboarding<'a>) -> Vec<&'s Onboarding<'a>> {
        self.others(me, self.by_object.get(&me.id()))
    }

    /// Whether another manifest has this name and, as far as is known, the same namespace and cluster.
    pub fn is_taken(&self, me: &Onboarding<'a>, name: &str) -> bool {
        let (namespace, _) = me.id();
        // The namespace of a manifest that names none is not known.
        let may_be_same =
            |other: &str| other == namespace || other.is_empty() || namespace.is_empty();
        let mut others = self.onboardings.iter().filter(|o| !std::ptr::eq(*o, me));
        others.any(|other| {
            let (namespace, own) = other.id();
            own == name
                && may_be_same(namespace)
                && me.cluster.is_same(other.cluster) != Some(false)
        })
    }

    /// The others whose derived names are these.
    pub fn deriving<'s>(&'s self, me: &'s Onboarding<'a>, joined: &str) -> Vec<&'s Onboarding<'a>> {
        self.others(me, self.by_derived.get(&derived(joined)))
    }

    fn others<'s>(
        &'s self,
        me: &'s Onboarding<'a>,
        places: Option<&'s Vec<usize>>,
    ) -> Vec<&'s Onboarding<'a>> {
        let all = places
            .into_iter()
            .flatten()
            .map(|at| &self.onboardings[*at]);
        all.filter(|other| !std::ptr::eq(*other, me)).collect()
    }
}
