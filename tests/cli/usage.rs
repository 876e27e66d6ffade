//! Wrong command lines, told in kubectl's form.

use crate::run::skvs;
use insta::assert_snapshot;

#[test]
fn no_command_asks_what_there_is() {
    let help = skvs(&["--help"]).run();
    assert_eq!(help.code, Some(0));
    for words in [
        &[][..],
        &["-h"],
        &["help"],
        &["-n", "x"],
        &["--context", "x"],
    ] {
        assert_eq!(skvs(words).run().to_string(), help.to_string(), "{words:?}");
    }
    assert_snapshot!(help, @r#"
    exit 0
    stdout:
    Carry out the Secure KVS onboarding runbook: diagnose, hand over, clean up

    Look:
      status        Show the state of all onboardings, their databases and CouchDB
      list          List onboardings, one line each
      describe      Show one onboarding in full
      notes         Print the release notes of an onboarding
      databases     List the databases of the shared CouchDB and whose they are

    Fix:
      troubleshoot  Find out what is wrong with onboardings, and what to do
      explain       Explain a code that troubleshoot or lint prints
      check-access  Check whether a service account may use a database
      retry         Try a failed onboarding again, as troubleshoot says
      suspend       Suspend an onboarding: Flux leaves it alone until it is resumed
      resume        Resume a suspended onboarding: Flux looks at it again
      capture       Save onboardings in one file, to look into without the cluster

    In the GitOps repository:
      onboard       Write the manifest of a new onboarding
      lint          Check onboardings' manifests in the GitOps repository
      access        Add service accounts to a manifest, or remove them

    Delete and keep:
      offboard      Show the order in which an onboarding is removed
      delete-db     Delete the database of an onboarding that is gone
      backup        Copy a database into a compressed local file
      restore       Restore a backup into a database

    Other:
      doctor        Check that the plugin can do its work on this cluster
      config        Show the settings, and where each comes from
      demo          Play a recorded incident, without a cluster
      completion    Print a completion script for a shell
      options       List the flags that every command takes
      version       Show the versions of the plugin and of the server
      help          Show the help of a command

    Usage: kubectl skvs <command> [flags]

    Use "kubectl skvs <command> --help" for more information about a command
    Use "kubectl skvs options" for the flags that every command takes
    "#);
}

#[test]
fn the_help_of_a_command_names_its_own_flags_only() {
    for detail in ["-h", "--help"] {
        let help = skvs(&["backup", detail]).run().stdout;
        for hidden in [
            "--context",
            "--namespace <NAMESPACE>",
            "--color",
            "Print help",
        ] {
            let own = help.replace("--couchdb-namespace", "");
            assert!(!own.contains(hidden), "{detail}: {hidden}");
        }
        assert!(help.contains("kubectl skvs options"), "{help}");
    }
    // They work all the same.
    let told = skvs(&["explain", "SKVS301", "--context", "x", "-n", "y"]).run();
    assert_eq!(told.code, Some(0), "{told}");
    let options = skvs(&["options"]).run().stdout;
    for flag in [
        "--context <NAME>",
        "-n, --namespace",
        "--color <WHEN>",
        "-v, --v",
    ] {
        assert!(options.contains(flag), "{flag}");
    }
}

#[test]
fn unknown_command() {
    assert_snapshot!(skvs(&["lits"]).run(), @r#"
    exit 2
    stderr:
    error: unknown command "lits" for "kubectl skvs"
    hint: did you mean list?
    See 'kubectl skvs -h' for help and examples
    "#);
}

#[test]
fn unknown_flag() {
    assert_snapshot!(skvs(&["list", "--nope"]).run(), @r"
    exit 2
    stderr:
    error: unknown flag: --nope
    See 'kubectl skvs list -h' for help and examples
    ");
}

#[test]
fn flags_that_confirm_elsewhere() {
    for command in ["delete-db", "restore"] {
        for flag in ["--yes", "-y", "--force"] {
            let told = skvs(&[command, "a_b", flag]).run();
            assert_eq!(told.code, Some(2), "{told}");
            let hint = "\nhint: confirm with --context NAME --confirm DATABASE\n";
            assert!(told.stderr.contains(hint), "{told}");
        }
    }
    // Another command has nothing to confirm.
    assert!(!skvs(&["list", "--yes"]).run().stderr.contains("confirm"));
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

#[test]
fn a_code_given_for_a_name_leads_to_its_explanation() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");
    let told = skvs(&["troubleshoot", "SKVS301", "-f", example]).run();
    assert_eq!(told.code, Some(1), "{told}");
    let hint = "hint: that is a code of troubleshoot: kubectl skvs explain SKVS301\n";
    assert!(told.stderr.ends_with(hint), "{told}");
}
