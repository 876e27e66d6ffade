//! Who calls: the Basic credentials of a request, judged as CouchDB judges them.
//!
//! Owns the comparison only; what a caller may do is decided where the request is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What an `Authorization` header amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// No header, another scheme than Basic, or a value without a colon: CouchDB takes all three as nobody.
    Anonymous,
    Admin,
    /// Readable credentials that are not the admin's: 401 on any path, before anything else is looked at.
    Wrong,
    /// A value that is no base64: 400 on any path.
    Malformed,
}

/// Judges the header's value against the one admin there is.
pub(crate) fn caller(header: Option<&str>, user: &str, password: &str) -> Caller {
    let Some((scheme, value)) = header.and_then(|h| h.trim().split_once(' ')) else {
        return Caller::Anonymous;
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Caller::Anonymous;
    }
    let Ok(plain) = STANDARD.decode(value.trim()) else {
        return Caller::Malformed;
    };
    let Some(colon) = plain.iter().position(|b| *b == b':') else {
        return Caller::Anonymous;
    };
    if &plain[..colon] == user.as_bytes() && &plain[colon + 1..] == password.as_bytes() {
        Caller::Admin
    } else {
        Caller::Wrong
    }
}

/// The header's value for these credentials.
#[cfg(test)]
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWORD: &str = r#"p"a\ss:w%d $x`y'"#;

    fn judge(header: &str) -> Caller {
        caller(Some(header), "admin", PASSWORD)
    }

    #[test]
    fn only_the_admins_own_credentials_are_the_admins() {
        assert_eq!(judge(&basic("admin", PASSWORD)), Caller::Admin);
        assert_eq!(
            judge(&basic("admin", PASSWORD).replacen("Basic", "basic", 1)),
            Caller::Admin
        );
        assert_eq!(judge(&basic("admin", "other")), Caller::Wrong);
        assert_eq!(judge(&basic("admin", "")), Caller::Wrong);
        assert_eq!(judge(&basic("", PASSWORD)), Caller::Wrong);
    }

    #[test]
    fn what_is_not_basic_is_nobody() {
        assert_eq!(caller(None, "admin", PASSWORD), Caller::Anonymous);
        assert_eq!(judge("Bearer abc"), Caller::Anonymous);
        assert_eq!(
            judge(&format!("Basic {}", STANDARD.encode("no colon"))),
            Caller::Anonymous
        );
        assert_eq!(judge("Basic"), Caller::Anonymous);
    }

    #[test]
    fn a_value_that_is_no_base64_is_malformed() {
        assert_eq!(judge("Basic !!!"), Caller::Malformed);
    }

    proptest! {
        #[test]
        fn any_password_is_read_back(user in "[a-z]{1,8}", password in ".{0,40}", other in ".{0,40}") {
            prop_assert_eq!(caller(Some(&basic(&user, &password)), &user, &password), Caller::Admin);
            if other != password {
                prop_assert_eq!(caller(Some(&basic(&user, &other)), &user, &password), Caller::Wrong);
            }
        }
    }
}
