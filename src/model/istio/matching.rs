//! Whether something matches: yes, no, or not known and why. Kleene's logic, so that what is not known cannot turn into either.

/// Whether something matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Yes,
    No,
    /// It may or may not: why.
    Unknown(String),
}

impl Match {
    /// Yes or no, where it is known.
    pub fn known(yes: bool) -> Self {
        match yes {
            true => Self::Yes,
            false => Self::No,
        }
    }

    pub fn is_yes(&self) -> bool {
        *self == Self::Yes
    }

    pub fn is_no(&self) -> bool {
        *self == Self::No
    }

    /// All of them match; an empty list does.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for part in parts {
            match part {
                Self::No => return Self::No,
                Self::Yes => {}
                Self::Unknown(why) if all.is_yes() => all = Self::Unknown(why),
                Self::Unknown(_) => {}
            }
        }
        all
    }

    /// One of them matches; of an empty list none does.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::opposite)).opposite()
    }

    /// Whether it does not match.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Match::{self, No, Unknown, Yes};

    #[test]
    fn what_is_not_known_stays_so_unless_another_part_decides() {
        let unknown = || Unknown("?".to_owned());
        assert_eq!(Match::all([]), Yes);
        assert_eq!(Match::any([]), No);
        assert_eq!(Match::all([Yes, unknown()]), unknown());
        assert_eq!(Match::all([unknown(), No]), No);
        assert_eq!(Match::any([No, unknown()]), unknown());
        assert_eq!(Match::any([unknown(), Yes]), Yes);
        assert_eq!(unknown().opposite(), unknown());
    }
}
