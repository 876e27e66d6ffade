//! One target after the other: what ends the run, and what is told of it as a whole. Pure.
//!
//! As with kubectl, a target that is refused, not confirmed or not there does not keep the others from their turn: each was named, and
//! each is confirmed on its own. Everything else ends the run: what is not known, not complete or not allowed for one would be so for
//! the next, and a person has to look first.

use crate::error::Error;
use crate::exit::Code;
use crate::model::names::DatabaseName;

/// A target that was not deleted.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) error: Error,
    /// The next one has its turn.
    pub(super) goes_on: bool,
    /// Nobody confirmed it: there was nothing against it.
    pub(super) unconfirmed: bool,
}

impl Ended {
    /// It concerns this target alone.
    pub(super) fn alone(error: Error) -> Self {
        Self {
            error,
            goes_on: true,
            unconfirmed: false,
        }
    }

    /// The answer, or the lack of one, was no confirmation.
    #[must_use]
    pub(super) fn unconfirmed(self) -> Self {
        Self {
            unconfirmed: true,
            ..self
        }
    }
}

impl<E: Into<Error>> From<E> for Ended {
    /// What is not said to concern one target alone ends the run.
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            goes_on: false,
            unconfirmed: false,
        }
    }
}

/// How the targets of a run ended, so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: usize,
    left: Vec<String>,
    worst: Option<Code>,
}

impl Tally {
    pub(super) fn done(&mut self) {
        self.done += 1;
    }

    pub(super) fn ended(&mut self, name: &DatabaseName, ended: &Ended) {
        let code = ended.error.code();
        let how = match code {
            Code::Refused if ended.unconfirmed => "not confirmed",
            Code::Ok | Code::Failed | Code::Usage | Code::Findings => "failed",
            Code::Refused => "refused",
            Code::Unknown => "not known",
            Code::Incomplete => "incomplete",
            Code::Interrupted => "interrupted",
        };
        self.left.push(format!("{name} ({how})"));
        self.worst = Some(self.worst.map_or(code, |worst| worse(worst, code)));
    }

    /// A target that had no turn.
    pub(super) fn not_tried(&mut self, name: &DatabaseName) {
        self.left.push(format!("{name} (not tried)"));
    }

    /// The exit code: that of the target that ended worst.
    pub(super) fn code(&self) -> Code {
        self.worst.unwrap_or(Code::Ok)
    }

    /// The last line of a run with several targets.
    pub(super) fn line(&self, rehearsal: bool) -> String {
        let all = self.done + self.left.len();
        let what = if rehearsal {
            "could be deleted"
        } else {
            "deleted"
        };
        let not = if self.left.is_empty() {
            String::new()
        } else {
            format!("; not: {}", self.left.join(", "))
        };
        format!("{} of {all} databases {what}{not}.", self.done)
    }
}

/// The code of the two that a person must hear of first.
fn worse(one: Code, other: Code) -> Code {
    let weight = |code| match code {
        Code::Ok => 0,
        Code::Usage | Code::Findings | Code::Failed => 1,
        Code::Refused => 2,
        Code::Interrupted => 3,
        Code::Incomplete => 4,
        Code::Unknown => 5,
    };
    if weight(other) > weight(one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> DatabaseName {
        DatabaseName::parse(name).unwrap()
    }

    fn with(code: Code) -> Ended {
        Ended::alone(Error::new("x").with_code(code))
    }

    #[test]
    fn the_worst_end_is_the_exit_code() {
        let code = |codes: &[Code]| {
            let mut tally = Tally::default();
            tally.done();
            codes
                .iter()
                .for_each(|c| tally.ended(&name("a_b"), &with(*c)));
            tally.code()
        };
        assert_eq!(code(&[]), Code::Ok);
        assert_eq!(code(&[Code::Failed]), Code::Failed);
        assert_eq!(code(&[Code::Refused, Code::Failed]), Code::Refused);
        assert_eq!(code(&[Code::Refused, Code::Interrupted]), Code::Interrupted);
        assert_eq!(code(&[Code::Failed, Code::Incomplete]), Code::Incomplete);
        assert_eq!(code(&[Code::Refused, Code::Unknown]), Code::Unknown);
    }

    #[test]
    fn every_target_is_told_of() {
        let mut tally = Tally::default();
        tally.done();
        assert_eq!(tally.line(false), "1 of 1 databases deleted.");
        tally.ended(&name("a_b"), &with(Code::Refused));
        tally.ended(&name("a_c"), &with(Code::Refused).unconfirmed());
        tally.ended(&name("a_d"), &with(Code::Unknown));
        tally.not_tried(&name("a_e"));
        assert_eq!(
            tally.line(false),
            "1 of 5 databases deleted; not: a_b (refused), a_c (not confirmed), a_d (not known), a_e (not tried)."
        );
        assert!(
            tally
                .line(true)
                .starts_with("1 of 5 databases could be deleted; ")
        );
    }

    #[test]
    fn an_error_ends_the_run_unless_it_is_one_targets_own() {
        assert!(!Ended::from(Error::new("x")).goes_on);
        assert!(Ended::alone(Error::new("x")).goes_on);
    }
}
