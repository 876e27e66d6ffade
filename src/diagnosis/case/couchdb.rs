//! CouchDB as a case sees it: its answer for the database, and the Service in front of it.

use super::Case;
use crate::model::endpoint::{self, Endpoint};
use crate::model::notes::Notes;
use crate::snapshot::databases::{Databases, Found};
use crate::snapshot::{Checked, IfRead, Unread, Why};

impl Case<'_> {
    /// What CouchDB says of the database that the values claim, where it is known to be the CouchDB of this onboarding.
    ///
    /// # Errors
    /// It was not asked, or another CouchDB was.
    pub fn in_couchdb(&self) -> Checked<Option<Found>> {
        const WHAT: &str = "the database in CouchDB";
        let unread = |why| Unread::new(WHAT, why);
        let not_asked = |why: &str| unread(Why::NotAsked(why.to_owned()));
        if self.hr().is_remote() {
            return Err(not_asked(
                "the release is on another cluster (spec.kubeConfig)",
            ));
        }
        let claim = self.hr().claim();
        let Some(database) = claim.joined() else {
            return Err(not_asked(
                "this onboarding's values do not name its database",
            ));
        };
        let answers = self.databases().map_err(|u| unread(u.why))?;
        let Some(answers) = answers else {
            return Err(not_asked("CouchDB was not asked"));
        };
        match self.another_couchdb(answers) {
            Some(why) => Err(not_asked(&why)),
            None => match answers.of(database).checked(WHAT)? {
                // That it does not have the database says something only of the onboarding's own CouchDB.
                None if self.endpoint().is_none() => Err(not_asked(
                    "the release notes, which name its CouchDB, were not read",
                )),
                found => Ok(found.cloned()),
            },
        }
    }

    /// CouchDB's words where it has the database that the values claim and fails to answer for it.
    pub fn unserved(&self) -> Option<String> {
        match self.in_couchdb().if_read() {
            Some(Found::Unserved(why)) => Some(why),
            Some(Found::Served(_)) | None => None,
        }
    }

    /// Why the CouchDB that was asked is not this onboarding's, judging by its notes; `None` also if the notes do not name it.
    fn another_couchdb(&self, answers: &Databases) -> Option<String> {
        let endpoint = self.endpoint()?;
        let installation = |name: &str| {
            let rest = ["db-agora-kvs-", "steelcouch-agora-kvs-"]
                .iter()
                .find_map(|lead| name.strip_prefix(lead))?;
            Some(rest.to_owned())
        };
        let asked = answers.pod.rsplit_once('-').map_or("", |(stem, _)| stem);
        let behind = || {
            format!(
                "it is behind {}/{}, but {}/{} was asked",
                endpoint.namespace, endpoint.name, answers.namespace, answers.pod
            )
        };
        match (installation(&endpoint.name), installation(asked)) {
            _ if endpoint.namespace != answers.namespace => Some(behind()),
            (Some(wanted), Some(asked)) => (wanted != asked).then(behind),
            _ => Some(format!(
                "whether pod {}/{} is behind Service {}/{} is not known",
                answers.namespace, answers.pod, endpoint.namespace, endpoint.name
            )),
        }
    }

    /// CouchDB's namespace, according to the release notes or the policy; else the usual one.
    pub(in crate::diagnosis) fn couchdb_namespace(&self) -> String {
        let policy = self.policy().if_read();
        let of_policy = || policy.map(|policy| policy.meta.namespace.clone());
        let of_notes = || self.endpoint().map(|endpoint| endpoint.namespace);
        of_notes()
            .or_else(of_policy)
            .unwrap_or_else(|| endpoint::COUCHDB_NAMESPACE.to_owned())
    }

    /// The Service named in the release notes for the team.
    pub fn endpoint(&self) -> Option<Endpoint> {
        let notes = &self.release().if_read()?.info.notes;
        let url = Notes::parse(notes).endpoint?;
        endpoint::of_url(&url, "", "the release notes")
    }
}
