//! Objects of a list that may have been cut: only where all of them were read, one that is not among them is absent.

use super::{Read, Why};

/// What was read of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    known: Vec<T>,
    /// Set where there are or may be others.
    not_all: Option<Why>,
}

impl<T> Listing<T> {
    /// A list that was read to its end.
    pub fn whole(known: Vec<T>) -> Self {
        Self::new(known, None)
    }

    /// Some objects of a list; `not_all` says why these may not be all.
    pub fn new(known: Vec<T>, not_all: Option<Why>) -> Self {
        Self { known, not_all }
    }

    /// Those that were read: for what one of them shows, never for what none does.
    pub fn known(&self) -> &[T] {
        &self.known
    }

    pub fn known_mut(&mut self) -> &mut [T] {
        &mut self.known
    }

    /// Why there are or may be others.
    pub fn not_all(&self) -> Option<&Why> {
        self.not_all.as_ref()
    }

    /// All objects of the list.
    ///
    /// # Errors
    /// Why these are not all.
    pub fn all(&self) -> Result<&[T], Why> {
        match &self.not_all {
            None => Ok(&self.known),
            Some(why) => Err(why.clone()),
        }
    }

    /// Seen to have no object.
    ///
    /// # Errors
    /// None was read, and there may be some: why.
    pub fn is_empty(&self) -> Result<bool, Why> {
        match self.known.as_slice() {
            [] => self.all().map(<[T]>::is_empty),
            [_, ..] => Ok(false),
        }
    }

    /// All objects of the list; unknown where it was cut.
    pub fn into_all(self) -> Read<Vec<T>> {
        match self.not_all {
            None => Read::Seen(self.known),
            Some(why) => Read::Unknown(why),
        }
    }

    /// What was read, and why these may not be all.
    pub fn into_parts(self) -> (Vec<T>, Option<Why>) {
        (self.known, self.not_all)
    }

    /// The same list of other values.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listing<U> {
        Listing {
            known: self.known.into_iter().map(f).collect(),
            not_all: self.not_all,
        }
    }

    /// The objects of the list that `is` takes.
    pub fn filter(mut self, is: impl FnMut(&T) -> bool) -> Self {
        self.known.retain(is);
        self
    }

    /// Says that these may not be all; an earlier reason stays.
    pub fn lacks(&mut self, why: Option<Why>) {
        self.not_all = self.not_all.take().or(why);
    }

    /// Adds the objects of another list. Where those are not all, the whole is not.
    pub fn extend(&mut self, other: Self) {
        self.known.extend(other.known);
        self.lacks(other.not_all);
    }

    /// Keeps the first `most` objects; `why` is given their number before.
    pub fn truncate(&mut self, most: usize, why: impl FnOnce(usize) -> Why) {
        let number = self.known.len();
        if number > most {
            self.known.truncate(most);
            self.lacks(Some(why(number)));
        }
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self::whole(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut() -> Why {
        Why::NotAsked("only the first 2 pods were read".to_owned())
    }

    #[test]
    fn nothing_in_a_list_that_was_cut_is_not_none() {
        let of = |known: &[u8], not_all| Listing::new(known.to_vec(), not_all);
        assert_eq!(of(&[], None).is_empty(), Ok(true));
        assert_eq!(of(&[], Some(cut())).is_empty(), Err(cut()));
        assert_eq!(of(&[1], Some(cut())).is_empty(), Ok(false));
        assert_eq!(of(&[1], Some(cut())).all(), Err(cut()));
        assert_eq!(of(&[1], None).all(), Ok([1].as_slice()));
        // What is not wanted of a part leaves it a part.
        let none = of(&[1], Some(cut())).filter(|n| *n > 1).map(u32::from);
        assert_eq!(none.is_empty(), Err(cut()));
    }

    #[test]
    fn a_part_stays_a_part() {
        let mut all = Listing::whole(vec![1]);
        all.extend(Listing::new(vec![2, 3], Some(cut())));
        all.truncate(2, |_| Why::Failed("later".to_owned()));
        assert_eq!(
            (all.known(), all.not_all()),
            ([1, 2].as_slice(), Some(&cut()))
        );
        let mut three = Listing::whole(vec![1, 2, 3]);
        three.truncate(3, |_| cut());
        assert_eq!(three.not_all(), None);
        three.truncate(2, |number| Why::Failed(number.to_string()));
        assert_eq!(three.not_all(), Some(&Why::Failed("3".to_owned())));
    }
}
