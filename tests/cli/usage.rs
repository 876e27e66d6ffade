//! Wrong command lines, told in kubectl's form.

use crate::run::skvs;
use insta::assert_snapshot;

#[test]
fn no_command() {
    let told = skvs(&[]).run();
    assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""));
    assert!(told.stderr.contains("Usage: kubectl skvs"), "{told}");
}

#[test]
fn unknown_command() {
    assert_snapshot!(skvs(&["lits"]).run(), @r"
    exit 2
    stderr:
    error: unrecognized subcommand 'lits'; a similar subcommand exists: 'list'
    See 'kubectl skvs -h' for help and examples
    ");
}

#[test]
fn unknown_flag() {
    assert_snapshot!(skvs(&["list", "--nope"]).run(), @r"
    exit 2
    stderr:
    error: unexpected argument '--nope' found; to pass '--nope' as a value, use '-- --nope'
    See 'kubectl skvs list -h' for help and examples
    ");
}

#[test]
fn flags_that_exclude_each_other() {
    assert_snapshot!(skvs(&["list", "--failed", "--ready"]).run(), @r"
    exit 2
    stderr:
    error: the argument '--failed' cannot be used with '--ready'
    See 'kubectl skvs list -h' for help and examples
    ");
}

#[test]
fn names_in_all_namespaces() {
    assert_snapshot!(skvs(&["list", "a", "-A"]).run(), @r"
    exit 2
    stderr:
    error: a resource cannot be retrieved by name across all namespaces
    ");
}

#[test]
fn unknown_format() {
    assert_snapshot!(skvs(&["list", "-o", "xml"]).run(), @r#"
    exit 2
    stderr:
    error: unable to match a printer suitable for the output format "xml", allowed formats are: custom-columns,json,jsonpath,name,table,wide,yaml
    "#);
}

#[test]
fn a_jsonpath_that_cannot_be_read() {
    assert_snapshot!(skvs(&["list", "-o", "jsonpath={.items["]).run(), @r"
    exit 2
    stderr:
    error: error parsing jsonpath {.items[, unterminated array
    ");
}

#[test]
fn a_duration_that_is_none() {
    assert_snapshot!(skvs(&["list", "--request-timeout=soon"]).run(), @r#"
    exit 2
    stderr:
    error: invalid value 'soon' for '--request-timeout <DURATION>': "soon" is not a duration such as 30s, 2m or 1m30s
    See 'kubectl skvs list -h' for help and examples
    "#);
}

#[test]
fn an_empty_name_names_nothing() {
    for command in ["list", "describe", "notes", "troubleshoot"] {
        for name in ["", " ", "hr/"] {
            let told = skvs(&[command, name]).run();
            assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told}");
            assert!(told.stderr.contains("a name must not be empty"), "{told}");
        }
    }
    assert_snapshot!(skvs(&["list", ""]).run(), @r"
    exit 2
    stderr:
    error: invalid value '' for '[NAME]...': a name must not be empty
    See 'kubectl skvs list -h' for help and examples
    ");
}

#[test]
fn a_revision_is_a_number_from_one_on() {
    for revision in ["abc", "0", "-1", "99999999999999999999"] {
        let revision = format!("--revision={revision}");
        let told = skvs(&["notes", "a", &revision]).run();
        assert_eq!(told.code, Some(2), "{told}");
        assert!(
            told.stderr
                .contains("a revision is a whole number from 1 on"),
            "{told}"
        );
    }
    assert_snapshot!(skvs(&["notes", "a", "--revision", "0"]).run(), @r"
    exit 2
    stderr:
    error: invalid value '0' for '--revision <N>': a revision is a whole number from 1 on
    See 'kubectl skvs notes -h' for help and examples
    ");
}
