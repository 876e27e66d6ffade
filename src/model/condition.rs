//! Status conditions, as every Kubernetes and Flux object carries them, and the spec that each is about.
//!
//! A condition outlives the spec it was written for. What one says is therefore reached only as [`Stated`]: of the object's present spec, or
//! of an older one. Only [`Conditions::shown`] passes that over, for columns and tables that show conditions verbatim.

use super::field::{Entries, Field};
use serde::{Deserialize, Serialize};

/// One entry of `.status.conditions`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Ready`, `Released`, `Stalled`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// CamelCase word.
    pub reason: String,
    /// Free text, possibly of several lines.
    pub message: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// Generation the condition was written for; controllers before 0.37 never set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

impl Condition {
    /// `status` is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// `status` is `False`.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

/// Something that a status says, with the spec that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated<T> {
    /// About the present spec.
    Present(T),
    /// About an older spec, or not known to be about the present one: no statement about that.
    History(T),
}

impl<T> Stated<T> {
    /// What is said of the present spec.
    pub fn present(self) -> Option<T> {
        match self {
            Stated::Present(value) => Some(value),
            Stated::History(_) => None,
        }
    }

    /// What was said of an older spec.
    pub fn past(self) -> Option<T> {
        match self {
            Stated::Present(_) => None,
            Stated::History(value) => Some(value),
        }
    }

    /// The same with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Stated<U> {
        match self {
            Stated::Present(value) => Stated::Present(f(value)),
            Stated::History(value) => Stated::History(f(value)),
        }
    }

    /// What is said of whichever spec: for what does not depend on the spec, such as an action that still runs.
    pub fn of_any_spec(self) -> T {
        match self {
            Stated::Present(value) | Stated::History(value) => value,
        }
    }
}

/// What a condition counts as if no generation is known of it, or none of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undated {
    Present,
    History,
}

impl Undated {
    /// By the generation that the status as a whole is about; history where either is not known.
    pub(super) fn by(observed: &Field<i64>, generation: &Field<i64>) -> Self {
        match observed.set().zip(generation.set()) {
            Some((observed, present)) if observed >= present => Undated::Present,
            _ => Undated::History,
        }
    }
}

/// `.status.conditions` of one object.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "Option<Vec<Condition>>")]
pub struct Conditions {
    entries: Entries<Condition>,
}

impl Conditions {
    /// What they say, given the generation of the present spec. Only the types of `model` ask: each knows what its controllers write.
    pub(super) fn at(&self, generation: Option<i64>, undated: Undated) -> Dated<'_> {
        Dated {
            entries: &self.entries.known,
            generation,
            undated,
        }
    }

    /// The same of a kind whose controllers set no generation, such as a Job: they keep its conditions up to date.
    pub(super) fn of_untracked(&self) -> Dated<'_> {
        self.at(None, Undated::Present)
    }

    /// All of them as they are written, to be shown verbatim and not to be judged.
    pub fn shown(&self) -> &[Condition] {
        &self.entries.known
    }

    /// The first of a kind as it is written, to be shown verbatim and not to be judged.
    pub fn shown_of(&self, kind: &str) -> Option<&Condition> {
        self.shown().iter().find(|c| c.kind == kind)
    }

    /// Every entry could be read.
    pub fn are_whole(&self) -> bool {
        self.entries.all
    }

    /// Seen to have no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those that are written, to be changed.
    #[cfg(test)]
    pub fn edit(&mut self) -> &mut Vec<Condition> {
        &mut self.entries.known
    }
}

impl From<Entries<Condition>> for Conditions {
    fn from(entries: Entries<Condition>) -> Self {
        Self { entries }
    }
}

impl From<Vec<Condition>> for Conditions {
    fn from(known: Vec<Condition>) -> Self {
        Entries::from(known).into()
    }
}

impl From<Option<Vec<Condition>>> for Conditions {
    fn from(known: Option<Vec<Condition>>) -> Self {
        known.unwrap_or_default().into()
    }
}

/// The conditions of an object, each with the spec that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Dated<'a> {
    entries: &'a [Condition],
    generation: Option<i64>,
    undated: Undated,
}

impl<'a> Dated<'a> {
    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Stated<&'a Condition>> {
        self.entries.iter().map(move |c| self.stated(c))
    }

    /// Those of the present spec.
    pub fn all_present(self) -> impl Iterator<Item = &'a Condition> + Clone {
        let entries = self.entries.iter();
        entries.filter_map(move |c| self.stated(c).present())
    }

    /// The first of a kind.
    pub fn get(self, kind: &str) -> Option<Stated<&'a Condition>> {
        let first = self.entries.iter().find(|c| c.kind == kind);
        first.map(|c| self.stated(c))
    }

    /// The first of a kind, if it is about the present spec.
    pub fn present(self, kind: &str) -> Option<&'a Condition> {
        self.get(kind)?.present()
    }

    /// Whoever writes them writes generations.
    fn are_dated(self) -> bool {
        let mut all = self.entries.iter();
        all.any(|c| c.observed_generation.is_some())
    }

    fn stated(self, condition: &'a Condition) -> Stated<&'a Condition> {
        let is_history = match (condition.observed_generation, self.generation) {
            (Some(own), Some(present)) => own < present,
            // The other conditions have a generation, so an older controller wrote this one.
            (None, Some(_)) if self.are_dated() => true,
            _ => self.undated == Undated::History,
        };
        match is_history {
            true => Stated::History(condition),
            false => Stated::Present(condition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_of_an_older_spec_is_history() {
        let of = |own: Option<i64>, generation: Option<i64>, undated: Undated| {
            let all = Conditions::from(vec![Condition {
                kind: "Ready".to_owned(),
                observed_generation: own,
                ..Condition::default()
            }]);
            let is_present = all.at(generation, undated).present("Ready").is_some();
            let stated = all.at(generation, undated).get("Ready").unwrap();
            assert_eq!(stated.past().is_none(), is_present);
            is_present
        };
        for undated in [Undated::Present, Undated::History] {
            assert!(of(Some(2), Some(2), undated));
            assert!(!of(Some(1), Some(2), undated));
            let counts = undated == Undated::Present;
            assert_eq!(of(None, Some(2), undated), counts);
            assert_eq!(of(Some(2), None, undated), counts);
        }
    }

    #[test]
    fn one_without_a_generation_beside_others_with_one_is_history() {
        let of = |beside: Option<i64>, generation: Option<i64>| {
            let condition = |kind: &str, own: Option<i64>| Condition {
                kind: kind.to_owned(),
                observed_generation: own,
                ..Condition::default()
            };
            let all = vec![condition("Released", None), condition("Ready", beside)];
            let all = Conditions::from(all);
            let dated = all.at(generation, Undated::Present);
            dated.present("Released").is_some()
        };
        assert!(of(None, Some(2)));
        assert!(!of(Some(2), Some(2)));
        // A kind whose generation does not count, such as a Pod.
        assert!(of(Some(2), None));
    }

    #[test]
    fn a_status_counts_only_with_both_generations_known() {
        let by = Undated::by;
        let set = Field::Set;
        assert_eq!(by(&set(2), &set(2)), Undated::Present);
        for (observed, generation) in [
            (set(1), set(2)),
            (Field::Absent, set(2)),
            (Field::Malformed, set(2)),
            (set(2), Field::Absent),
            (Field::Absent, Field::Absent),
        ] {
            assert_eq!(by(&observed, &generation), Undated::History);
        }
    }
}
