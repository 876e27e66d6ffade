//! `-o markdown`, for a ticket.

use crate::run::skvs;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");

/// An onboarding whose text would be markup, links and mentions.
const HOSTILE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: '@everyone', namespace: flux-system, generation: 1, labels: {app.kubernetes.io/part-of: secure-kvs-onboarding}}
spec:
  chart: {spec: {chart: '[x](http://evil.example)', sourceRef: {kind: HelmRepository, name: '```'}}}
  values: {namespace: a, database: b}
status:
  observedGeneration: 1
  conditions:
  - {type: Ready, status: 'False', reason: InstallFailed, message: \"```\\n````\\n# heading @everyone <img src=x> [x](http://evil.example) GH-1 **b**\"}
";

/// Outside of code: code spans and blocks are taken out.
fn outside(markdown: &str) -> String {
    let (mut text, mut fence) = (String::new(), None::<String>);
    for line in markdown.lines() {
        let run: String = line
            .trim_start()
            .chars()
            .take_while(|c| *c == '`')
            .collect();
        match &fence {
            Some(open) => {
                if line.trim() == open {
                    fence = None;
                }
                continue;
            }
            None if run.len() >= 3 => fence = Some(run),
            None => {
                let mut rest = line;
                while let Some(at) = rest.find('`') {
                    text.push_str(&rest[..at]);
                    let run = rest[at..].chars().take_while(|c| *c == '`').count();
                    let (tick, inner) = ("`".repeat(run), &rest[at + run..]);
                    let end = inner.find(&tick).expect("a code span ends");
                    rest = &inner[end + run..];
                }
                text.push_str(rest);
                text.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block ends\n{markdown}");
    text
}

#[test]
fn cluster_text_is_code() {
    let run = skvs(&[]);
    let file = run.file("a.yaml", HOSTILE).display().to_string();
    for command in ["troubleshoot", "describe"] {
        let told = skvs(&[command, "-f", &file, "-o", "markdown"]).run();
        assert!(told.stdout.contains("@everyone"), "{told}");
        let outside = outside(&told.stdout);
        for word in ["@", "evil", "<", "GH-1", "**b**", "\n# "] {
            assert!(!outside.contains(word), "{command}: {word} in\n{told}");
        }
    }
}

#[test]
fn a_report_has_its_causes_evidence_and_commands() {
    let told = skvs(&["troubleshoot", "-f", EXAMPLE, "-o", "markdown"]).run();
    assert_eq!(told.code, Some(3), "{told}");
    for part in [
        "### `skvs-onboarding-orders--basket` (database `orders_basket`): failing",
        "**error SKVS301**: the database `orders_basket` already exists",
        "\n  curl: (22) The requested URL returned error: 412\n",
        "  ```sh\n  kubectl skvs delete-db orders_basket --dry-run --context sandbox\n  ```\n",
        "context sandbox, `https://127.0.0.1:8443`, 2026-11-27 14:08 UTC\n",
    ] {
        assert!(told.stdout.contains(part), "{part} in\n{told}");
    }
    let told = skvs(&["describe", "rides_trips", "-f", EXAMPLE, "-o", "markdown"]).run();
    assert_eq!(told.code, Some(0), "{told}");
    let start = "### `skvs-onboarding-rides--trips`\n\n```text\nName:             skvs-onboarding-rides--trips\n";
    assert!(told.stdout.starts_with(start), "{told}");
}
