//! Whether a report may offer to delete an onboarding's database: what `delete-db` would say once the onboarding is gone.
//!
//! The one place from which a rule prints `delete-db`. Without everything that can claim the database having been read it is a rehearsal,
//! which reads the rest and deletes nothing.

use super::case::Case;
use super::finding::Finding;
use crate::advice::Command;
use crate::model::not_read::NotRead;
use crate::model::ownership::{Claimant, Gap, HelmReleases, Ownership, Part, Parts};
use crate::snapshot::Why;

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// `delete-db` would agree.
    Agreed,
    /// A revision of the onboarding itself was deployed with it: the data is its own.
    Own(Box<Claimant>),
    /// Something else claims it; a sentence.
    Claimed(String),
    /// It is not known, or must be accepted by name; a clause.
    Open(String),
}

impl Case<'_> {
    /// Judges the database of this onboarding, as if the onboarding and its revisions that were never deployed were gone.
    pub(super) fn deletion(&self, database: &str) -> Deletion {
        let verdict = match self.ownership() {
            Ok(all) => all.verdict_without(database, self.hr()),
            Err(unread) => {
                self.wants_ownership.set(true);
                partial(self, &unread.why).verdict_without(database, self.hr())
            }
        };
        let own = (self.hr().storage_namespace(), self.hr().release_name());
        let is_own = |by: &Claimant| matches!(by, Claimant::Revision { helm, .. } if (helm.0.as_str(), &helm.1) == (own.0, &own.1));
        if let Some(claim) = verdict.claims.iter().find(|claim| is_own(&claim.by)) {
            return Deletion::Own(Box::new(claim.by.clone()));
        }
        if let Some(claim) = verdict.claims.first() {
            return Deletion::Claimed(claim.to_string());
        }
        let gaps = verdict.gaps.iter().map(Gap::to_string);
        let mentions = verdict.mentions.into_iter().map(|mention| mention.what);
        let past = verdict.past.into_iter().map(|past| {
            format!(
                "{} was installed with it, and its history is still stored",
                past.by
            )
        });
        match gaps.chain(mentions).chain(past).next() {
            Some(why) => Deletion::Open(why),
            None => Deletion::Agreed,
        }
    }
}

/// What the report has read anyway. Everything else is not read, and why.
fn partial(case: &Case<'_>, why: &Why) -> Ownership {
    let unread = |what: &str| NotRead::new(what, why.clause());
    let others = unread("HelmReleases without the onboarding label");
    Ownership::new(Parts {
        helm_releases: match case.others() {
            Ok(all) => Part::some(Some(HelmReleases::of_onboardings(all)), others),
            Err(_) => Part::unread(others),
        },
        secrets: Part::unread(unread("Helm's Secrets of all namespaces")),
        config_maps: Part::unread(unread("the ConfigMaps of all namespaces")),
        policies: Part::unread(unread("the AuthorizationPolicies of all namespaces")),
        database_objects: Part::unread(unread("the objects of the later generation")),
    })
}

/// The command that deletes the database and keeps a copy, where it would agree; else its rehearsal.
pub(super) fn command(deletion: &Deletion, database: &str) -> Command {
    match deletion {
        Deletion::Agreed => {
            let file = format!("{database}.skvs.gz");
            Command::skvs(["delete-db", database, "--backup", &file])
        }
        Deletion::Own(_) | Deletion::Claimed(_) | Deletion::Open(_) => rehearsal(database),
    }
}

/// Reads everything, and says what a deletion would be.
pub(super) fn rehearsal(database: &str) -> Command {
    Command::skvs(["delete-db", database, "--dry-run"])
}

/// What a revision of its own says, and how Helm finds it again where its labels are gone.
pub(super) fn own(finding: Finding, by: &Claimant) -> Finding {
    let finding = finding.why(format!(
        "The database is this onboarding's own, with its data: Helm still stores {}, which was in use.",
        by.words()
    ));
    match by.relabel() {
        Some(relabel) => finding
            .why("It has lost the labels that Helm and Flux find it by (a restore from a backup can do that), so Flux installs again.")
            .step("Put the labels back; Flux then continues from that revision. Keep the database.")
            .command(relabel),
        None => finding.step("Keep the database."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Step, diagnose, fixture};
    use crate::snapshot::Read;

    #[test]
    fn a_failed_read_keeps_its_reason() {
        let open = |ownership: Option<&str>| {
            let mut snapshot = fixture::snapshot("database-exists");
            if let Some(why) = ownership {
                snapshot.on_demand.ownership = Read::failed(why).into();
            }
            let case = Case::new(&snapshot, fixture::meta("database-exists").now);
            match case.deletion("not_claimed") {
                Deletion::Open(why) => why,
                other => panic!("{other:?}"),
            }
        };
        let unread = open(None);
        assert!(
            unread.contains("a report does not read all of it"),
            "{unread}"
        );
        let failed = open(Some("connection refused"));
        assert!(failed.contains("connection refused"), "{failed}");
    }

    /// `delete-db` in every case, with or without everything being read.
    #[test]
    fn without_all_that_can_claim_only_a_rehearsal_is_printed() {
        let mut seen = 0;
        for name in fixture::names() {
            let (snapshot, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
            for root in diagnose(&Case::new(&snapshot, now)).roots {
                let findings = std::iter::once(root.finding);
                let findings = findings.chain(root.follows.into_iter().map(|(_, finding)| finding));
                for step in findings.flat_map(|finding| finding.fix) {
                    if let Step::Command(command) = step
                        && format!("{command:?}").contains("delete-db")
                    {
                        seen += 1;
                        assert!(
                            format!("{command:?}").contains("--dry-run"),
                            "{name}: {command:?}"
                        );
                    }
                }
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn no_rule_prints_the_deletion_by_itself() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = vec![root.join("src/diagnosis/rules")];
        let mut files = 0;
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).unwrap();
                paths.extend(entries.map(|entry| entry.unwrap().path()));
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            assert!(!code.contains("\"delete-db\""), "{}", path.display());
        }
        assert!(files > 100, "{files}");
    }
}
