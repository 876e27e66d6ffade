//! The proof that something is gone. Nothing but a list that was read to its end, and has nothing, makes one.

use crate::snapshot::{Listing, Read, Why};

/// It was looked for wherever it can be, and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone(());

/// What is left of something that has to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left<'l, T> {
    Nothing(Gone),
    /// These at the least, and why there may be others.
    Some(&'l [T], Option<&'l Why>),
    NotKnown(&'l Why),
}

/// Judges a list.
pub(super) fn left<T>(list: &Listing<T>) -> Left<'_, T> {
    match (list.known(), list.not_all()) {
        ([], None) => Left::Nothing(Gone(())),
        ([], Some(why)) => Left::NotKnown(why),
        (known, not_all) => Left::Some(known, not_all),
    }
}

impl Gone {
    /// Both are gone.
    pub(super) fn and(self, _: Gone) -> Gone {
        self
    }

    /// One object was asked for by its name, and does not exist.
    pub(super) fn of<T>(read: &Read<T>) -> Option<Gone> {
        read.is_absent().then_some(Gone(()))
    }
}

/// `; there may be others: WHY`, where that is so.
pub(super) fn others(not_all: Option<&Why>) -> Option<String> {
    not_all.map(|why| format!("there may be others: {}", why.clause()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_list_without_an_entry_is_a_proof() {
        let why = || Some(Why::Failed("x".to_owned()));
        let none: Vec<u8> = Vec::new();
        assert_eq!(left(&Listing::whole(none.clone())), Left::Nothing(Gone(())));
        let (cut, some) = (Listing::new(none, why()), Listing::new(vec![1u8], why()));
        assert_eq!(left(&cut), Left::NotKnown(&why().unwrap()));
        assert_eq!(left(&some), Left::Some(&[1], some.not_all()));
        assert_eq!(Gone::of(&Read::<u8>::not_asked("x")), None);
        assert_eq!(Gone::of(&Read::Seen(1)), None);
    }
}
