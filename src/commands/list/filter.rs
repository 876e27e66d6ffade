//! Which onboardings the flags let through, and which they cannot judge.

use super::Args;
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::may_claim;
use crate::model::status::{self, Ready};
use crate::text::{count, few};
use crate::ui::Ui;

/// Most names in the warning.
const NAMED: usize = 5;

/// What the flags say of one onboarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Shown,
    LeftOut,
    /// What decides comes from `valuesFrom`, which is not read.
    Unknown,
}

/// Judges one onboarding.
pub(super) fn judge(args: &Args, hr: &HelmRelease) -> Judged {
    let ready = status::shown(hr);
    if (args.failed && ready != Ready::False) || (args.ready && ready != Ready::True) {
        return Judged::LeftOut;
    }
    let by_database = args.database.as_ref().map(|wanted| {
        if hr.claim().joined() == Some(wanted) {
            Judged::Shown
        } else if may_claim(hr, wanted) {
            Judged::Unknown
        } else {
            Judged::LeftOut
        }
    });
    let by_account = args.service_account.as_ref().map(|wanted| {
        let lets_in = |full: String| full == *wanted || full.rsplit('/').next() == Some(wanted);
        if hr.values().accounts().into_iter().any(lets_in) {
            Judged::Shown
        } else if hr.is_unread("serviceAccounts") || hr.is_unread("namespace") {
            Judged::Unknown
        } else {
            Judged::LeftOut
        }
    });
    let judged: Vec<Judged> = by_database.into_iter().chain(by_account).collect();
    if judged.contains(&Judged::LeftOut) {
        Judged::LeftOut
    } else if judged.contains(&Judged::Unknown) {
        Judged::Unknown
    } else {
        Judged::Shown
    }
}

/// Whether `hr` is certainly to be shown.
pub(super) fn passes(args: &Args, hr: &HelmRelease) -> bool {
    judge(args, hr) == Judged::Shown
}

/// How many the filters left out.
pub(super) fn left_out(n: usize) -> String {
    let were = if n == 1 { "was" } else { "were" };
    format!(
        "{} {were} left out by the filters",
        count(n as u64, "onboarding")
    )
}

/// The onboardings that could not be judged.
#[derive(Default)]
pub(super) struct Unjudged {
    names: Vec<String>,
}

impl Unjudged {
    /// Whether `hr` is to be shown; keeps its name when that is not known.
    pub(super) fn passes(&mut self, args: &Args, hr: &HelmRelease) -> bool {
        let judged = judge(args, hr);
        if judged == Judged::Unknown {
            self.names.push(hr.metadata.name.clone());
        }
        judged == Judged::Shown
    }

    /// One warning for all of them.
    pub(super) fn warn(&self, ui: &mut Ui) {
        if let Some(line) = self.line() {
            ui.warning(&line);
        }
    }

    fn line(&self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        Some(format!(
            "{} left out that may match, since valuesFrom is not read: {}",
            count(self.names.len() as u64, "onboarding"),
            few(&self.names, ", ", NAMED)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::{Value, json};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn judged(words: &[&str], spec: Value) -> Judged {
        let line = Line::parse_from([&["list"], words].concat());
        let object = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec});
        judge(&line.args, &HelmRelease::from_value(&object).unwrap())
    }

    #[test]
    fn values_that_are_not_read_cannot_be_judged() {
        let from = json!([{"kind": "Secret", "name": "s"}]);
        let all = json!({"values": {"namespace": "pds", "database": "d", "serviceAccounts": ["pds"]}, "valuesFrom": from});
        let none = json!({"valuesFrom": from});
        let half = json!({"values": {"namespace": "pds"}, "valuesFrom": from});
        let some = json!({"values": {"namespace": "pds", "database": "d"}, "valuesFrom": from});
        for (words, spec, expected) in [
            (&["--database", "pds_d"][..], &all, Judged::Shown),
            (&["--database", "pds_e"], &all, Judged::LeftOut),
            (&["--database", "pds_d"], &none, Judged::Unknown),
            (&["--database", "pds_d"], &half, Judged::Unknown),
            (&["--database", "other_d"], &half, Judged::LeftOut),
            (&["--service-account", "pds/pds"], &all, Judged::Shown),
            (&["--service-account", "pds/x"], &all, Judged::LeftOut),
            (&["--service-account", "pds/pds"], &some, Judged::Unknown),
            (
                &["--service-account", "pds/pds", "--database", "pds_e"],
                &some,
                Judged::LeftOut,
            ),
            (&["--failed", "--database", "pds_d"], &none, Judged::LeftOut),
        ] {
            assert_eq!(judged(words, spec.clone()), expected, "{words:?} {spec}");
        }
    }

    #[test]
    fn the_warning_names_a_few() {
        let unjudged = |n: usize| Unjudged {
            names: (0..n).map(|i| format!("o{i}")).collect(),
        };
        assert_eq!(unjudged(0).line(), None);
        assert_eq!(
            unjudged(1).line().unwrap(),
            "1 onboarding left out that may match, since valuesFrom is not read: o0"
        );
        assert_eq!(
            unjudged(7).line().unwrap(),
            "7 onboardings left out that may match, since valuesFrom is not read: o0, o1, o2, o3, o4 and 2 more"
        );
    }
}
