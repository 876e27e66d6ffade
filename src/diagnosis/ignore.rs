//! Findings that a user does not want to hear of: a code, for all onboardings or for one.
//!
//! Owns the text `CODE[=NAME]` and what it applies to. That a finding was ignored is counted by the report: nothing is
//! dropped silently.

use super::catalogue;
use crate::model::helm_release::HelmRelease;
use crate::model::lookup;

/// One wish.
#[derive(Clone, Debug, PartialEq)]
struct Ignore {
    code: &'static str,
    /// An onboarding's name in any of its forms; `None`: all onboardings.
    name: Option<String>,
    /// The wish as it was typed.
    typed: String,
    matched: bool,
}

/// All wishes of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignores {
    all: Vec<Ignore>,
    unknown: Vec<String>,
}

impl Ignores {
    /// Reads `CODE` and `CODE=NAME`, several with commas between them. A code's name is taken for the code.
    pub fn parse<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        let mut ignores = Self::default();
        for text in texts {
            for one in text.as_ref().split(',').map(str::trim) {
                ignores.add(one);
            }
        }
        ignores
    }

    fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let (code, name) = match text.split_once('=') {
            Some((code, name)) => (code.trim(), Some(lookup::typed(name.trim()))),
            None => (text, None),
        };
        // An empty name, as of a variable that is set to nothing, must not ignore everybody's findings.
        match catalogue::find(code) {
            Some(rule) if name != Some("") => self.all.push(Ignore {
                code: rule.code,
                name: name.map(str::to_owned),
                typed: text.to_owned(),
                matched: false,
            }),
            _ => self.unknown.push(text.to_owned()),
        }
    }

    /// What was typed and names no code, or no onboarding after its `=`.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Whether findings of `code` on this onboarding are ignored; remembers that the wish was of use.
    pub fn takes(&mut self, code: &str, hr: &HelmRelease) -> bool {
        self.takes_named(code, |name| lookup::answers(hr, name) || hr.id() == name)
    }

    /// The same for a finding about what `is_called` knows by its names.
    pub fn takes_named(&mut self, code: &str, is_called: impl Fn(&str) -> bool) -> bool {
        let mut taken = false;
        for ignore in self.all.iter_mut().filter(|i| i.code == code) {
            let named = ignore.name.as_deref();
            if named.is_none_or(&is_called) {
                ignore.matched = true;
                taken = true;
            }
        }
        taken
    }

    /// Wishes that nothing came under, as they were typed.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let unused = self.all.iter().filter(|i| !i.matched);
        unused.map(|i| i.typed.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use proptest::prelude::*;

    fn takes(text: &str, code: &str) -> bool {
        let snapshot = fixture::snapshot("database-exists");
        Ignores::parse([text]).takes(code, &snapshot.helm_release)
    }

    #[test]
    fn a_code_or_its_name_is_ignored_for_all_or_for_one_in_any_form() {
        for text in [
            "SKVS301",
            "skvs301",
            "database-exists",
            "SKVS107, SKVS301",
            "SKVS301=skvs-onboarding-iota--database",
            "SKVS301=hr/skvs-onboarding-iota--database",
            "SKVS301=flux-system/skvs-onboarding-iota--database",
            "SKVS301=pds_database",
            "SKVS301=onboardings/pds_database.yaml",
        ] {
            assert!(takes(text, "SKVS301"), "{text}");
            assert!(!takes(text, "SKVS110"), "{text}");
        }
        for text in ["SKVS301=other", "SKVS110", "", ",", "SKVS301="] {
            assert!(!takes(text, "SKVS301"), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_code_and_what_was_of_no_use_are_known() {
        let mut ignores = Ignores::parse(["SKVS3O1,SKVS301=", "SKVS301=x", "suspended"]);
        assert_eq!(ignores.unknown(), ["SKVS3O1", "SKVS301="]);
        let hr = fixture::snapshot("suspended").helm_release.clone();
        assert!(ignores.takes("SKVS107", &hr));
        assert_eq!(ignores.unused().collect::<Vec<_>>(), ["SKVS301=x"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_wish_or_is_told(text in "[^,]{0,20}") {
            let ignores = Ignores::parse([&text]);
            let told = ignores.unknown.len() + ignores.all.len();
            prop_assert_eq!(told, usize::from(!text.trim().is_empty()));
        }
    }
}
