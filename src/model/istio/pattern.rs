//! The texts that an AuthorizationPolicy matches by: exact, a prefix `a*`, a suffix `*a`, or `*` for whatever is there.
//!
//! A `*` in any other place is not a wildcard, and newer versions of Istio make regular expressions of some texts. What Istio's versions may
//! read differently is unknown here.

use super::matching::Match;
use super::request::{Account, Place};

enum Form<'p> {
    Any,
    Begins(&'p str),
    Ends(&'p str),
    Exact(&'p str),
}

fn form(pattern: &str, is_plain: fn(char) -> bool) -> Result<Form<'_>, String> {
    let unknown = |why: &str| Err(format!("{pattern:?} {why}"));
    let (form, rest) = match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern.is_empty() => return unknown("is empty"),
        (Some(""), _) => return Ok(Form::Any),
        (Some(end), _) => (Form::Ends(end), end),
        (None, Some(start)) => (Form::Begins(start), start),
        (None, None) => (Form::Exact(pattern), pattern),
    };
    if rest.contains('*') {
        return unknown("has a * that is neither its beginning nor its end: no wildcard for Istio");
    }
    match rest.chars().all(is_plain) {
        true => Ok(form),
        false => unknown("has a character that Istio may read in another way"),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// `methods`.
pub fn method(pattern: &str, method: &str) -> Match {
    match form(pattern, is_word) {
        Ok(form) => Match::known(match form {
            Form::Any => true,
            Form::Begins(start) => method.starts_with(start),
            Form::Ends(end) => method.ends_with(end),
            Form::Exact(exact) => method == exact,
        }),
        Err(why) => Match::Unknown(why),
    }
}

/// `ports`: numbers alone.
pub fn port(pattern: &str, port: u16) -> Match {
    match number(pattern) {
        Ok(number) => Match::known(number == port),
        Err(why) => Match::Unknown(why),
    }
}

fn number(pattern: &str) -> Result<u16, String> {
    let number = pattern.parse().ok();
    let number = number.filter(|number: &u16| number.to_string() == pattern);
    number.ok_or_else(|| format!("{pattern:?} is not the number of a port"))
}

/// Checks a text of `ports`. Istio drops a rule, or more, for one that it cannot read, even where another text of the list matches.
///
/// # Errors
/// Istio cannot read it, or not every version reads it alike; so for the next two.
pub fn check_port(pattern: &str) -> Result<(), String> {
    number(pattern).map(drop)
}

/// The same of `namespaces`.
///
/// # Errors
/// As [`check_port`].
pub fn check_namespace(pattern: &str) -> Result<(), String> {
    form(pattern, is_word).map(drop)
}

/// The same of `principals`.
///
/// # Errors
/// As [`check_port`].
pub fn check_principal(pattern: &str) -> Result<(), String> {
    principal_form(pattern).map(drop)
}

fn principal_form(pattern: &str) -> Result<Form<'_>, String> {
    let form = form(pattern, |c| is_word(c) || "/._".contains(c))?;
    let Form::Exact(exact) = form else {
        return Ok(form);
    };
    let parts: Vec<&str> = exact.split('/').collect();
    match parts[..] {
        [_, "ns", _, "sa", _] => Ok(form),
        _ => Err(format!("{pattern:?} is not <trust domain>/ns/…/sa/…")),
    }
}

/// `namespaces`, of the client. Istio makes a regular expression of it, in which a suffix can match a part of the service account too.
pub fn namespace(pattern: &str, namespace: &str) -> Match {
    let suffix = || Match::Unknown(format!("{pattern:?} may match more than a suffix"));
    match form(pattern, is_word) {
        Ok(Form::Any) => Match::Yes,
        Ok(Form::Begins(start)) => Match::known(namespace.starts_with(start)),
        Ok(Form::Ends(end)) if namespace.ends_with(end) => Match::Yes,
        Ok(Form::Ends(_)) => suffix(),
        Ok(Form::Exact(exact)) => Match::known(namespace == exact),
        Err(why) => Match::Unknown(why),
    }
}

/// `principals`: `cluster.local/ns/pds/sa/pds`. Another trust domain may be an alias of the mesh's: unknown.
pub fn principal(pattern: &str, account: &Account, trust_domain: &str) -> Match {
    let whole = account.principal(trust_domain);
    let own = &whole[trust_domain.len()..];
    let other = || {
        Match::Unknown(format!(
            "{pattern:?} names another trust domain than {trust_domain}"
        ))
    };
    let form = match principal_form(pattern) {
        Ok(form) => form,
        Err(why) => return Match::Unknown(why),
    };
    match form {
        Form::Any => Match::Yes,
        Form::Begins(start) if whole.starts_with(start) => Match::Yes,
        Form::Begins(start) => match start.find('/') {
            Some(at) if own.starts_with(&start[at..]) => other(),
            Some(_) => Match::No,
            None => other(),
        },
        Form::Ends(end) if whole.ends_with(end) => Match::Yes,
        // A dot matches any character where Istio makes a regular expression of it.
        Form::Ends(end) if end.contains('.') || end.ends_with(own) => {
            Match::Unknown(format!("{pattern:?} may match by its trust domain"))
        }
        Form::Ends(_) => Match::No,
        Form::Exact(exact) if exact == whole => Match::Yes,
        Form::Exact(exact) => match exact.find('/').is_some_and(|at| &exact[at..] == own) {
            true => other(),
            false => Match::No,
        },
    }
}

/// `paths`, against a database or everything below it. A pattern that covers a part of it is unknown.
pub fn path(pattern: &str, database: &str, place: Place) -> Match {
    let (itself, below) = (format!("/{database}"), format!("/{database}/"));
    if let Some(at) = pattern.find(['{', '}']) {
        let literal = &pattern[..at];
        let apart = !below.starts_with(literal) && !literal.starts_with(&below);
        let is_plain = literal.chars().all(is_path);
        return match apart && is_plain && literal.starts_with('/') {
            true => Match::No,
            false => Match::Unknown(format!("the path template {pattern:?} is not evaluated")),
        };
    }
    let form = match form(pattern, is_path) {
        Ok(form) => form,
        Err(why) => return Match::Unknown(why),
    };
    let part = || {
        Match::Unknown(format!(
            "{pattern:?} covers only a part of what is below {itself}"
        ))
    };
    match (place, form) {
        (_, Form::Any) => Match::Yes,
        (Place::Database, Form::Exact(exact)) => Match::known(exact == itself),
        (Place::Database, Form::Begins(start)) => Match::known(itself.starts_with(start)),
        (Place::Database, Form::Ends(end)) => Match::known(itself.ends_with(end)),
        (Place::Below, Form::Begins(start)) if below.starts_with(start) => Match::Yes,
        (Place::Below, Form::Exact(text) | Form::Begins(text)) => match text.starts_with(&below) {
            true => part(),
            false => Match::No,
        },
        (Place::Below, Form::Ends(_)) => part(),
    }
}

fn is_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_-.".contains(c)
}

/// The beginning that all databases share which a path lets in beside the one that is meant: `/pds_*`, `/pds_database*`.
pub fn others(pattern: &str, database: &str) -> bool {
    let start = pattern.strip_suffix('*').unwrap_or("/");
    !start.starts_with('*')
        && pattern != "*"
        && format!("/{database}").starts_with(start)
        && pattern.ends_with('*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(of: Match) -> &'static str {
        match of {
            Match::Yes => "yes",
            Match::No => "no",
            Match::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn paths_cover_the_database_and_what_is_below_it() {
        for (pattern, itself, below) in [
            ("*", "yes", "yes"),
            ("/*", "yes", "yes"),
            ("/pds_database", "yes", "no"),
            ("/pds_database/*", "no", "yes"),
            ("/pds_database*", "yes", "yes"),
            ("/pds_*", "yes", "yes"),
            ("/pds_database/_all_docs", "no", "unknown"),
            ("/pds_database/_*", "no", "unknown"),
            ("/pds_database2", "no", "no"),
            ("/pds_database2/*", "no", "no"),
            ("*_database", "yes", "unknown"),
            ("*/_all_docs", "no", "unknown"),
            ("/pds_database/{*}", "unknown", "unknown"),
            ("/{**}", "unknown", "unknown"),
            ("/other/{*}", "no", "no"),
            ("/pds*database", "unknown", "unknown"),
            ("/pds%5Fdatabase", "unknown", "unknown"),
            ("**", "unknown", "unknown"),
            ("", "unknown", "unknown"),
        ] {
            let of = |place| word(path(pattern, "pds_database", place));
            assert_eq!(
                (of(Place::Database), of(Place::Below)),
                (itself, below),
                "{pattern}"
            );
        }
    }

    #[test]
    fn principals_are_the_accounts_own_and_the_meshs() {
        let account = Account::parse("pds/pds").unwrap();
        for (pattern, expected) in [
            ("cluster.local/ns/pds/sa/pds", "yes"),
            ("*", "yes"),
            ("*/ns/pds/sa/pds", "yes"),
            ("*pds", "yes"),
            ("cluster.local/ns/pds/*", "yes"),
            ("cluster.local/ns/pds/sa/p*", "yes"),
            ("cluster.local/ns/pds/sa/other", "no"),
            ("cluster.local/ns/other/sa/pds", "no"),
            ("cluster.local/ns/other/*", "no"),
            ("*/sa/other", "no"),
            ("prod.example/ns/pds/sa/pds", "unknown"),
            ("prod.example/ns/pds/*", "unknown"),
            ("prod*", "unknown"),
            ("*prod/ns/pds/sa/pds", "unknown"),
            ("cluster.local/ns/*/sa/pds", "unknown"),
            ("cluster.local/*/sa/pds", "unknown"),
            ("*/ns/*/sa/pds", "unknown"),
            ("cluster.local/ns/pds", "unknown"),
            ("pds", "unknown"),
            ("spiffe://cluster.local/ns/pds/sa/pds", "unknown"),
            ("cluster.local/ns/pds/sa/pds ", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(
                word(principal(pattern, &account, "cluster.local")),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn other_texts_match_exactly_by_a_prefix_a_suffix_or_at_all() {
        for (pattern, expected) in [
            ("pds", "yes"),
            ("p*", "yes"),
            ("*s", "yes"),
            ("*", "yes"),
            ("pd", "no"),
            ("other*", "no"),
            ("*a", "unknown"),
            ("p*s", "unknown"),
            ("p.s", "unknown"),
        ] {
            assert_eq!(word(namespace(pattern, "pds")), expected, "{pattern}");
        }
        for (pattern, expected) in [
            ("GET", "yes"),
            ("G*", "yes"),
            ("*T", "yes"),
            ("get", "no"),
            ("G*T", "unknown"),
            ("GET ", "unknown"),
        ] {
            assert_eq!(word(method(pattern, "GET")), expected, "{pattern}");
        }
        for (pattern, expected) in [
            ("8000", "yes"),
            ("5984", "no"),
            ("08000", "unknown"),
            ("8000*", "unknown"),
            ("http", "unknown"),
            ("*", "unknown"),
        ] {
            assert_eq!(word(port(pattern, 8000)), expected, "{pattern}");
        }
    }

    #[test]
    fn a_prefix_that_ends_in_the_name_covers_others_too() {
        for pattern in ["/pds_database*", "/pds_*", "/*"] {
            assert!(others(pattern, "pds_database"), "{pattern}");
        }
        for pattern in [
            "/pds_database",
            "/pds_database/*",
            "*",
            "/other*",
            "*_database",
        ] {
            assert!(!others(pattern, "pds_database"), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_star_inside_is_never_a_wildcard(before in "[a-z/]{1,6}", after in "[a-z/]{1,6}") {
            let pattern = format!("{before}*{after}");
            let account = Account::parse("pds/pds").unwrap();
            prop_assert_eq!(word(principal(&pattern, &account, "cluster.local")), "unknown");
            prop_assert_eq!(word(namespace(&pattern, "pds")), "unknown");
            prop_assert_eq!(word(path(&pattern, "pds_database", Place::Below)), "unknown");
        }
    }
}
