//! The command line of `check-access`: what is refused before any cluster is asked.

use crate::run::skvs;

#[test]
fn the_account_has_a_flag_of_its_own_beside_kubectls() {
    let told = skvs(&["check-access", "pds_database", "--as", "pds/pds"]).run();
    assert_eq!(told.code, Some(2), "{told}");
    assert!(
        told.stderr.contains("--service-account NAMESPACE/NAME"),
        "{told}"
    );
    assert!(told.stderr.contains("--as is the user who asks"), "{told}");
}

#[test]
fn what_is_no_database_or_no_account_is_a_usage_error() {
    for (database, account) in [
        ("pds", "pds/pds"),
        ("_users", "pds/pds"),
        ("pds_a b", "pds/pds"),
        ("pds_database", "pds"),
        ("pds_database", "pds/*"),
        ("pds_database", "../pds"),
    ] {
        let words = ["check-access", database, "--service-account", account];
        let told = skvs(&words).run();
        assert_eq!(told.code, Some(2), "{told}");
    }
}
