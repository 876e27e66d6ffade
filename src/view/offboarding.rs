//! The order in which an onboarding is removed, and how far it is: kind `OffboardingPlan`.
//!
//! A step that could not be judged is `notKnown`, with the reason; it never counts as done.

use super::description::API_VERSION;
use crate::advice::{Line, Origin};
use crate::diagnosis::offboarding::{self, Act, Part, Subject};
use crate::exit::Code;
use crate::text::{clean, one_line};
use serde::Serialize;

/// The whole plan.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OffboardingPlan {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The kubeconfig's context; null if none was used.
    pub context: Option<String>,
    pub database: String,
    /// The HelmRelease that is or was the onboarding, `namespace/name`.
    pub helm_release: String,
    /// Whether something that was read says so; else it is the name of the convention.
    pub helm_release_is_known: bool,
    /// Steps that are done.
    pub done: u64,
    /// Steps that are to do or blocked.
    pub open: u64,
    /// Steps whose state could not be found out. While there is any, the rest does not say that all is done.
    pub not_known: u64,
    /// Every step, in the order in which they are taken.
    pub steps: Vec<Step>,
    /// The next command; null if no step has one.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub next: Option<Line>,
    /// The step that the next command is of, for the text.
    #[serde(skip)]
    pub next_step: Option<Part>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub step: Part,
    pub state: State,
    /// What was seen. The first says why the state is what it is.
    pub seen: Vec<String>,
    /// What to do, in this order. Of a step that is blocked or not known, once it can be done.
    pub actions: Vec<Action>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It was looked for and is gone.
    Done,
    ToDo,
    /// It is there, and something else has to be done first.
    Blocked,
    /// It could not be found out.
    NotKnown,
}

/// One thing to do.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Text(String),
    Command(#[cfg_attr(test, schemars(with = "String"))] Line),
    /// An edit of a file of the repository, as a difference.
    Diff(String),
}

impl OffboardingPlan {
    pub fn new(subject: &Subject, steps: &[offboarding::Step], origin: &Origin) -> Self {
        let next = offboarding::next(steps);
        let shown: Vec<Step> = steps.iter().map(|step| Step::new(step, origin)).collect();
        let of = |state| shown.iter().filter(|step| step.state == state).count() as u64;
        Self {
            api_version: API_VERSION,
            kind: "OffboardingPlan",
            context: origin.context().map(one_line),
            database: subject.database.to_string(),
            helm_release: one_line(&subject.id.to_string()),
            helm_release_is_known: subject.certain,
            done: of(State::Done),
            open: of(State::ToDo) + of(State::Blocked),
            not_known: of(State::NotKnown),
            next: next.map(|(_, command)| command.at(origin)),
            next_step: next.map(|(part, _)| part),
            steps: shown,
        }
    }

    /// Only a plan whose steps are all done is a success.
    pub fn code(&self) -> Code {
        Code::of_findings(self.open > 0, self.not_known == 0)
    }
}

impl Step {
    fn new(step: &offboarding::Step, origin: &Origin) -> Self {
        let action = |act: &Act| match act {
            Act::Say(text) => Action::Text(one_line(text)),
            Act::Run(command) => Action::Command(command.at(origin)),
            Act::Edit(diff) => Action::Diff(clean(diff).into_owned()),
        };
        Self {
            step: step.part,
            state: match step.state {
                offboarding::State::Done(_) => State::Done,
                offboarding::State::ToDo => State::ToDo,
                offboarding::State::Blocked => State::Blocked,
                offboarding::State::NotKnown => State::NotKnown,
            },
            seen: step.says.iter().map(|says| one_line(says)).collect(),
            actions: step.acts.iter().map(action).collect(),
        }
    }
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::ToDo => "to do",
            Self::Blocked => "blocked",
            Self::NotKnown => "not known",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
