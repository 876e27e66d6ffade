//! The writing of a plan: each manifest, then its list. A failure leaves nothing behind, or names the files that stay.

use super::in_repository::{List, Plan, Planned};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::repository::write::{self, Creatable, Failure, Replaceable};
use std::path::Path;

impl Plan {
    /// Makes all checks that are possible before writing.
    ///
    /// # Errors
    /// A manifest already exists, or a file must not be written.
    pub(super) fn writable<'p>(&'p self, repo: Option<&'p Path>) -> Result<Writable<'p>> {
        let mut writable = Writable {
            repo,
            manifests: Vec::new(),
        };
        let Some(repo) = repo else {
            return Ok(writable);
        };
        for planned in &self.planned {
            let refused = |error: Error| error.hint("nothing was written").with_code(Code::Refused);
            let file = Creatable::check(repo, Path::new(&planned.file)).map_err(refused)?;
            let list = match &planned.list {
                List::None | List::Has(_) => None,
                List::Edited { file, before, .. } => {
                    let list = Replaceable::check(repo, Path::new(file), before.as_bytes());
                    Some(list.map_err(refused)?)
                }
            };
            writable.manifests.push((planned, file, list));
        }
        Ok(writable)
    }
}

/// Manifests that can be written.
pub(super) struct Writable<'p> {
    repo: Option<&'p Path>,
    manifests: Vec<(&'p Planned, Creatable<'p>, Option<Replaceable<'p>>)>,
}

impl Writable<'_> {
    /// Writes each manifest, then its list. A failure leaves nothing behind, or names the files that stay.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&mut self) -> Result<()> {
        let Some(repo) = self.repo else {
            return Ok(());
        };
        // The steps taken, newest last.
        let mut done: Vec<(&Planned, bool)> = Vec::new();
        for (planned, file, list) in self.manifests.drain(..) {
            let mut written = file.create(&planned.text);
            if written.is_ok() {
                done.push((planned, false));
                if let (Some(list), List::Edited { after, .. }) = (list, &planned.list) {
                    written = list.replace(after);
                    done.extend(written.is_ok().then_some((planned, true)));
                }
            }
            if let Err(failure) = written {
                return Err(undone(repo, &done, failure));
            }
        }
        Ok(())
    }
}

/// The error, after undoing the steps taken.
fn undone(repo: &Path, done: &[(&Planned, bool)], failure: Failure) -> Error {
    let Failure {
        mut error,
        is_clean: mut whole,
    } = failure;
    for (planned, is_list) in done.iter().rev() {
        let undone = match (&planned.list, is_list) {
            (
                List::Edited {
                    file,
                    before,
                    after,
                },
                true,
            ) => Replaceable::check(repo, Path::new(file), after.as_bytes())
                .and_then(|list| Ok(list.replace(before)?)),
            _ => write::remove(repo, Path::new(&planned.file), planned.text.as_bytes()),
        };
        if let Err(why) = undone {
            whole = false;
            error = error.hint(format!(
                "a file written before is still there: {}",
                why.message()
            ));
            error = why.hints().iter().cloned().fold(error, Error::hint);
        }
    }
    match whole {
        true if done.is_empty() => error.hint("nothing was written"),
        true => error.hint("nothing was changed: the earlier steps were undone"),
        false => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::in_repository::{Request, clusters, plan};
    use super::*;
    use crate::diagnosis::lint::Conventions;
    use crate::model::names::DatabaseName;
    use crate::model::new_onboarding::Wanted;
    use std::fs;

    #[test]
    fn of_a_failure_nothing_stays_behind_or_what_does_is_said() {
        let home = tempfile::tempdir().unwrap();
        let (repo, conventions) = (home.path(), Conventions::runbook());
        let layout = &conventions.layout;
        let list = "resources:\n- zulu_x.yaml\n";
        let folder = |cluster: &str| repo.join(layout.folder(cluster));
        for cluster in ["lab2", "prod"] {
            fs::create_dir_all(folder(cluster)).unwrap();
            fs::write(folder(cluster).join("kustomization.yaml"), list).unwrap();
        }
        let wanted = Wanted {
            database: DatabaseName::parse("pds_orders").unwrap(),
            service_accounts: vec!["api".to_owned()],
            encryption: true,
        };
        let clusters = clusters(repo, layout).unwrap();
        let clusters: Vec<String> = clusters.into_iter().collect();
        let request = Request {
            wanted: &wanted,
            conventions: &conventions,
            version: None,
        };
        let plan = plan(repo, &request, &clusters).unwrap();
        assert!(plan.checks.refused.is_empty(), "{:?}", plan.checks);
        // The name of the second list's temporary file is taken.
        let taken = format!(".kustomization.yaml.{}.tmp", std::process::id());
        let taken = folder("prod").join(taken);
        fs::create_dir(&taken).unwrap();
        let failed = plan.writable(Some(repo)).unwrap().write().unwrap_err();
        assert!(
            failed.message().contains("kustomization.yaml"),
            "{failed:?}"
        );
        assert!(format!("{failed:?}").contains("were undone"), "{failed:?}");
        for cluster in ["lab2", "prod"] {
            assert!(!folder(cluster).join("pds_orders.yaml").exists());
            let is = fs::read_to_string(folder(cluster).join("kustomization.yaml"));
            assert_eq!(is.unwrap(), list);
        }
        fs::remove_dir(taken).unwrap();
        plan.writable(Some(repo)).unwrap().write().unwrap();
        let file = folder("prod").join("pds_orders.yaml");
        assert!(plan.writable(Some(repo)).is_err());
        // Somebody has changed it since.
        fs::write(&file, "theirs").unwrap();
        let told = undone(repo, &[(&plan.planned[1], false)], Error::new("x").into());
        let told = format!("{told:?}");
        assert!(
            told.contains("still there") && !told.contains("undone"),
            "{told}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        // A failure that left something does not say that nothing was written.
        for (is_clean, hints) in [(true, 1), (false, 0)] {
            let error = Error::new("x");
            let said = undone(repo, &[], Failure { error, is_clean });
            assert_eq!(said.hints().len(), hints, "{said:?}");
        }
    }
}
