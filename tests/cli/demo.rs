//! The incident inside the program.

use crate::run::skvs;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");

#[test]
fn each_command_says_what_it_says_with_f() {
    // A kubeconfig that cannot be read is not looked at, nor is what the environment says of onboardings.
    let demo = skvs(&["demo", "--context", "nowhere"])
        .env("KUBECONFIG", "/nonexistent")
        .env("SKVS_NAMESPACE", "elsewhere")
        .run();
    assert_eq!((demo.code, demo.stderr.as_str()), (Some(0), ""), "{demo}");
    let commands: Vec<&str> = demo
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("$ kubectl skvs "))
        .collect();
    assert_eq!(
        commands,
        [
            "list",
            "troubleshoot orders_basket",
            "describe users_profiles",
            "notes users_profiles --share"
        ]
    );
    for command in commands {
        let words: Vec<&str> = command.split(' ').chain(["-f", EXAMPLE]).collect();
        for line in skvs(&words).run().stdout.lines() {
            let lasts = !line.contains("checks run");
            assert!(!lasts || demo.stdout.contains(line), "{command}: {line}");
        }
    }
    // What is printed to be pasted names the cluster that was captured.
    assert!(
        demo.stdout.contains("--dry-run --context sandbox\n"),
        "{demo}"
    );
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let told = skvs(&["demo"]).run_without_reader();
    assert_eq!(told.stderr, "", "{told}");
}
