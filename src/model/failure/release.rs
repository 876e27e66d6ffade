//! What Helm says of its own storage of releases, read out of a failure's text.
//!
//! Only Helm's own words are taken; what a chart's author, a webhook or the API server says in like words is left alone.

/// What is wrong with the stored release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// The newest revision is pending: an action is under way, or was cut off.
    Locked,
    /// A release of that name is stored, and an installation wants the name.
    NameInUse,
    /// The revision that was to be written is there.
    WrittenMeanwhile,
    /// Revisions are stored, and none was ever deployed.
    NeverDeployed(String),
    /// No such release, or not the revision that is asked for.
    NotFound(Option<i64>),
    /// The last uninstall did not come to its end.
    Uninstalling,
    /// A stored revision cannot be decoded.
    Unreadable(String),
    /// The stored release can be read, and is not what Flux expects or can go on from; its words.
    Unusable(String),
    /// Helm rejects the release's name.
    NameInvalid,
}

impl ReleaseError {
    /// Reads `text`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let has = |part: &str| text.contains(part);
        let ends = |part: &str| text.lines().any(|l| l.trim_end().ends_with(part));
        if has("another operation (install/upgrade/rollback) is in progress") {
            Some(Self::Locked)
        } else if has("cannot re-use a name that is still in use")
            || has("cannot reuse a name that is still in use")
        {
            Some(Self::NameInUse)
        } else if ends("release: already exists") {
            Some(Self::WrittenMeanwhile)
        } else if let Some((before, _)) = text.split_once("\" has no deployed releases") {
            let (_, name) = before.rsplit_once('"')?;
            Some(Self::NeverDeployed(name.to_owned()))
        } else if has("unable to determine state for release with status 'uninstalling'") {
            Some(Self::Uninstalling)
        } else if let Some(why) = undecodable(text) {
            Some(Self::Unreadable(why))
        } else if let Some(why) = unusable(text) {
            Some(Self::Unusable(why))
        } else if has("invalid release name, must match regex")
            || has("elease name is invalid: ")
            || has("release name \"") && has("exceeds max length of 53")
        {
            Some(Self::NameInvalid)
        } else if let Some(revision) = lacks_revision(text) {
            Some(Self::NotFound(Some(revision)))
        } else if ends("release: not found") {
            Some(Self::NotFound(None))
        } else {
            None
        }
    }
}

/// `release has no 3 version`.
fn lacks_revision(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once("release has no ")?;
    let (number, _) = rest.split_once(" version")?;
    number.trim_matches('"').parse().ok()
}

/// `get: failed to decode data "sh.helm.release.v1.x.v1": gzip: invalid header`.
fn undecodable(text: &str) -> Option<String> {
    let leads = [
        // What Helm 4 says when it can decode none of them.
        "no revision for release \"",
        "failed to decode release",
        "failed to decode data \"sh.helm.release.v1.",
        "corrupted release record",
    ];
    said_from(text, &leads)
}

/// `unable to determine state for release with status 'unknown'`.
fn unusable(text: &str) -> Option<String> {
    let leads = [
        "release digest verification error",
        "release object digest verification error",
        "release disappeared from storage",
        "unable to determine state for release with status '",
    ];
    said_from(text, &leads)
}

/// The rest of the line from the first of these words that the text has.
fn said_from(text: &str, leads: &[&str]) -> Option<String> {
    let at = leads.iter().find_map(|lead| text.find(lead))?;
    text[at..].lines().next().map(|l| l.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn helms_words_are_read() {
        let told = |text: &str| format!("{:?}", ReleaseError::parse(text));
        insta::assert_snapshot!([
            "another operation (install/upgrade/rollback) is in progress",
            "cannot re-use a name that is still in use",
            "cannot reuse a name that is still in use",
            "create: failed to create: release: already exists",
            "\"core-a\" has no deployed releases",
            "Could not determine release state: unable to determine state for release with status 'uninstalling'",
            "Could not determine release state: failed to retrieve last release from storage: get: failed to decode data \"sh.helm.release.v1.core-a.v1\": gzip: invalid header",
            "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
            "release name is invalid: core-a",
            "failed to retrieve last release from storage: no revision for release \"core-a\"",
            "release digest verification error",
            "release object digest verification error: x",
            "release disappeared from storage",
            "Could not determine release state: unable to determine state for release with status 'unknown'",
            "release has no 3 version",
            "update: failed to update: release: not found",
        ]
        .map(told)
        .join("\n"), @r#"
        Some(Locked)
        Some(NameInUse)
        Some(NameInUse)
        Some(WrittenMeanwhile)
        Some(NeverDeployed("core-a"))
        Some(Uninstalling)
        Some(Unreadable("failed to decode data \"sh.helm.release.v1.core-a.v1\": gzip: invalid header"))
        Some(NameInvalid)
        Some(NameInvalid)
        Some(Unreadable("no revision for release \"core-a\""))
        Some(Unusable("release digest verification error"))
        Some(Unusable("release object digest verification error: x"))
        Some(Unusable("release disappeared from storage"))
        Some(Unusable("unable to determine state for release with status 'unknown'"))
        Some(NotFound(Some(3)))
        Some(NotFound(None))
        "#);
    }

    #[test]
    fn near_texts_are_left_alone() {
        for text in [
            "another operation is in progress",
            "namespaces \"release\" not found",
            "jobs.batch \"release\" already exists",
            "helmreleases \"x\" not found",
            "release has no notes",
            "failed to decode the answer",
        ] {
            assert_eq!(ReleaseError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(release has no |9| version|release: |already exists|not found|\"|\" has no deployed releases|failed to decode release|é|\n){0,10}") {
            let _ = ReleaseError::parse(&text);
        }
    }
}
