//! CouchDB's rule for database names, as creation applies it.

use super::answer::Answer;

/// The longest name whose shard file, `<name>.<ten digits>.couch`, fits into a file name of 255 bytes.
const LONGEST: usize = 238;

/// Ok for a name that a PUT may create, else CouchDB's 400.
pub(crate) fn check(name: &str) -> Result<(), Answer> {
    if !legal(name) {
        return Err(Answer::error(
            400,
            "illegal_database_name",
            format!(
                "Name: '{name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters \
                 _, $, (, ), +, -, and / are allowed. Must begin with a letter."
            ),
        ));
    }
    if name.split('/').any(|segment| segment.len() > LONGEST) {
        return Err(Answer::error(
            400,
            "database_name_too_long",
            format!("At least one path segment of `{name}` is too long."),
        ));
    }
    Ok(())
}

fn legal(name: &str) -> bool {
    if matches!(name, "_users" | "_replicator" | "_global_changes") {
        return true;
    }
    let stem = name.strip_suffix(".couch").unwrap_or(name);
    let stem = match stem.rsplit_once('.') {
        Some((stem, digits))
            if digits.len() >= 10 && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            stem
        }
        _ => stem,
    };
    let mut bytes = stem.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_$()+/-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(name: &str) -> String {
        match check(name) {
            Ok(()) => "ok".to_owned(),
            Err(answer) => format!(
                "{} {}",
                answer.status,
                answer.body["error"].as_str().unwrap_or_default()
            ),
        }
    }

    #[test]
    fn names_of_onboardings_and_awkward_ones_are_legal() {
        for name in [
            "pds_database",
            "demo_secure-kvs-demo",
            "ns_",
            "a$()+/-",
            "ns_db.1234567890",
            "ns_db.couch",
        ] {
            assert_eq!(error(name), "ok", "{name}");
        }
    }

    #[test]
    fn others_are_refused_with_couchdbs_words() {
        for name in ["UPPER", "1abc_db", "_x", "", "a b", "a.b", "ns_dé"] {
            assert_eq!(error(name), "400 illegal_database_name", "{name}");
        }
    }

    #[test]
    fn a_name_may_have_238_bytes_and_no_more() {
        assert_eq!(error(&"a".repeat(238)), "ok");
        assert_eq!(error(&"a".repeat(239)), "400 database_name_too_long");
    }

    proptest! {
        #[test]
        fn names_by_the_documented_pattern_are_legal(name in "[a-z][a-z0-9_$()+/-]{0,100}") {
            prop_assert!(check(&name).is_ok());
        }

        #[test]
        fn what_starts_otherwise_never_is(name in "[A-Z0-9$()+/.-].{0,20}") {
            prop_assert!(check(&name).is_err());
        }
    }
}
