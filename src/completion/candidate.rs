//! The words that a shell may be given.
//!
//! Completion scripts treat candidates as code. kubectl's bash script up to 1.33 (cobra before 1.9) passes them to
//! `compgen -W`, which runs `$(…)` while the line is being typed. Every version inserts the beginning that several candidates
//! share without quotes, and evaluates the words of the line at the next TAB. So a [`Candidate`] can only be made from a value
//! that matches its grammar, and no grammar leaves the characters of [`is_plain`]. A value that does not match is dropped without a
//! word: a prompt cannot show an error. Every string from a cluster, a kubeconfig or a saved file goes through here.

pub(super) mod own;

use crate::model::lookup::can_be_an_object;
use crate::model::names::DatabaseName;

/// Longest name from a kubeconfig, in bytes: that of a Kubernetes object.
const LONGEST: usize = 253;

/// One word to offer, with its description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    word: String,
    about: Option<Description>,
}

/// Text beside a candidate: the program's own, in which a candidate's word may stand, and never other text of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Description(String);

impl Candidate {
    /// A word that is written in the program.
    pub(super) fn literal(word: &'static str) -> Option<Self> {
        Self::plain(word)
    }

    pub(super) fn namespace(name: &str) -> Option<Self> {
        is_label(name).then(|| Self::plain(name)).flatten()
    }

    /// The name of a HelmRelease.
    pub(super) fn onboarding(name: &str) -> Option<Self> {
        can_be_an_object(name).then(|| Self::plain(name)).flatten()
    }

    pub(super) fn database(name: &DatabaseName) -> Option<Self> {
        Self::plain(name.as_str())
    }

    /// `namespace/name`.
    pub(super) fn service_account(account: &str) -> Option<Self> {
        let (namespace, name) = account.split_once('/')?;
        (is_label(namespace) && can_be_an_object(name))
            .then(|| Self::plain(account))
            .flatten()
    }

    /// The name in a `namespace/name` of a service account.
    pub(super) fn account_name(account: &str) -> Option<Self> {
        let (_, name) = account.split_once('/')?;
        can_be_an_object(name).then(|| Self::plain(name)).flatten()
    }

    /// The name of a context, cluster or user in a kubeconfig, or of a folder. People choose these freely, so only the first character is checked
    /// further: the program would take `-x` for a flag, and zsh would take `=x` for a program.
    pub(super) fn free_name(name: &str) -> Option<Self> {
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric() || "_./".contains(c));
        (begins && name.len() <= LONGEST)
            .then(|| Self::plain(name))
            .flatten()
    }

    /// The one place that makes a candidate.
    fn plain(word: &str) -> Option<Self> {
        (!word.is_empty() && word.chars().all(is_plain)).then(|| Self {
            word: word.to_owned(),
            about: None,
        })
    }

    /// The same with a description.
    pub(super) fn about(self, about: Option<Description>) -> Self {
        Self { about, ..self }
    }

    /// The same behind what was typed together with it: a flag, as in `--output=json`, or the names before it in a list.
    pub(super) fn behind(self, typed: &str) -> Option<Self> {
        // Without braces, which are not plain, a comma means nothing to a shell either.
        let is_harmless = typed.chars().all(|c| is_plain(c) || c == ',');
        is_harmless.then(|| Self {
            word: format!("{typed}{}", self.word),
            about: self.about,
        })
    }

    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// The line of the protocol.
    pub(super) fn line(&self) -> String {
        match &self.about {
            Some(Description(about)) => format!("{}\t{about}\n", self.word),
            None => format!("{}\n", self.word),
        }
    }
}

impl Description {
    /// Text that is written in the program.
    pub(super) fn literal(text: &'static str) -> Option<Self> {
        Self::harmless(text)
    }

    /// A candidate's word behind text that is written in the program.
    pub(super) fn naming(text: &'static str, candidate: &Candidate) -> Option<Self> {
        Self::harmless(&format!("{text}{}", candidate.word))
    }

    /// One line without a character that starts an expansion in any shell. zsh's and bash's scripts evaluate the last line as a
    /// number, and that is a description when an answer is cut off.
    fn harmless(text: &str) -> Option<Self> {
        let text = crate::text::one_line(text);
        (!text.is_empty() && !text.contains(['$', '`', '\\'])).then_some(Self(text))
    }
}

/// Characters that mean nothing to a shell, anywhere in a word.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._/@:=+-".contains(c)
}

/// RFC 1123 label.
fn is_label(name: &str) -> bool {
    name.len() <= 63 && !name.contains('.') && can_be_an_object(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/@:=+-";

    /// Texts that a shell would obey, and what only one of the checks keeps out.
    const HOSTILE: [&str; 22] = [
        "",
        "a$(touch${IFS}x)",
        "a`touch x`",
        "a(touch x)",
        "a;b",
        "a|b",
        "a&b",
        "a>b",
        "a b",
        "a\tb",
        "a\nb",
        "a'b",
        "a\"b",
        "a\\b",
        "a*",
        "a?",
        "~a",
        "a{b,c}",
        "a!b",
        "a#b",
        "a\u{1b}[2J",
        "\u{ff41}",
    ];

    fn all(text: &str) -> [Option<Candidate>; 4] {
        [
            Candidate::namespace(text),
            Candidate::onboarding(text),
            Candidate::service_account(&format!("pds/{text}")),
            Candidate::free_name(text),
        ]
    }

    #[test]
    fn a_value_matches_its_grammar() {
        assert!(Candidate::namespace("0-pds").is_some());
        assert!(Candidate::onboarding("skvs-onboarding-pds--database.v1").is_some());
        assert!(Candidate::service_account("pds/pds.batch").is_some());
        let name = Candidate::account_name("pds/pds.batch").unwrap();
        assert_eq!(name.word(), "pds.batch");
        let name = DatabaseName::parse("pds_data-base_1").unwrap();
        assert_eq!(
            Candidate::database(&name).unwrap().word(),
            "pds_data-base_1"
        );
        for context in [
            "kubernetes-admin@kubernetes",
            "arn:aws:eks:eu-central-1:123:cluster/kvs",
            "gke_project_europe-west1_kvs",
            "default/api-kvs-example-com:6443/kube:admin",
            "/api-kvs-example-com:6443/kube:admin",
        ] {
            assert!(Candidate::free_name(context).is_some(), "{context}");
        }
    }

    #[test]
    fn anything_else_is_dropped() {
        for text in HOSTILE {
            assert_eq!(all(text), [None, None, None, None], "{text:?}");
        }
        for name in ["-a", "a-", "A", "a.b", "a_b", &"a".repeat(64)] {
            assert_eq!(Candidate::namespace(name), None, "{name}");
        }
        for name in ["a.-b", "a..b", ".a", "a/b", &"a".repeat(254)] {
            assert_eq!(Candidate::onboarding(name), None, "{name}");
        }
        for account in ["pds", "?/pds", "/pds", "pds/", "pds/a/b"] {
            assert_eq!(Candidate::service_account(account), None, "{account}");
        }
        for account in ["pds", "pds/", "pds/-x", "pds/a/b"] {
            assert_eq!(Candidate::account_name(account), None, "{account}");
        }
        for name in [
            "-x",
            "--kubeconfig=/x",
            "=ls",
            "@x",
            ":x",
            "+x",
            &"a".repeat(254),
        ] {
            assert_eq!(Candidate::free_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_flag_before_it_is_checked_too() {
        let json = || Candidate::literal("json").unwrap();
        assert_eq!(json().behind("--output=").unwrap().word(), "--output=json");
        assert_eq!(json().behind("--output=$(x)"), None);
        assert_eq!(json().behind("{a,"), None);
        assert_eq!(json().behind("yaml,").unwrap().word(), "yaml,json");
    }

    #[test]
    fn a_description_starts_no_expansion() {
        assert_eq!(
            Description::literal("two\n lines"),
            Some(Description("two lines".to_owned()))
        );
        for text in ["", "a$(b)", "a`b`", "a\\b"] {
            assert_eq!(Description::literal(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_candidate_is_plain(text in ".{0,12}|[-a-zA-Z0-9$(){}`;|&<>~._/@:=+]{0,9}") {
            for candidate in all(&text).into_iter().flatten() {
                prop_assert!(candidate.word().chars().all(|c| PLAIN.contains(c)));
                prop_assert!(!candidate.word().starts_with('-'));
            }
        }
    }
}
