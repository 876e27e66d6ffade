use super::*;
use std::path::{Path, PathBuf};

fn flag(name: &'static str, value: &str) -> Flag {
    Flag {
        name,
        value: value.to_owned(),
    }
}

fn origin(flags: &[(&'static str, &str)]) -> Origin {
    let flags = flags.iter().map(|(name, value)| flag(name, value));
    let (context, server) = ("prod-east".to_owned(), "https://10.20.0.1:6443".to_owned());
    Origin::new(Some(context), Some(server), flags.collect())
}

fn line(words: &str, origin: &Origin) -> String {
    Command::new(words.split(' ')).at(origin).to_string()
}

#[test]
fn each_program_is_given_the_context_in_its_own_words() {
    let origin = origin(&[]);
    for (words, flags) in [
        ("kubectl get -n core pods", " --context prod-east"),
        ("kubectl skvs list -A", " --context prod-east"),
        ("flux reconcile hr a", " --context prod-east"),
        ("helm uninstall -n core a", " --kube-context prod-east"),
        ("kubectl skvs explain SKVS301", ""),
        ("kubectl skvs troubleshoot -f bundle", ""),
        ("kubectl config current-context", ""),
        ("helm show chart x", ""),
    ] {
        assert_eq!(line(words, &origin), format!("{words}{flags}"));
    }
    let nowhere = Origin::default();
    assert_eq!(line("helm history -n a b", &nowhere), "helm history -n a b");
}

#[test]
fn the_flags_that_were_given_are_given_again() {
    let origin = origin(&[
        ("kubeconfig", "/k e"),
        ("cluster", "l"),
        ("user", "u"),
        ("as", "a"),
        ("as-group", "g"),
        ("insecure-skip-tls-verify", "true"),
        ("request-timeout", "5000ms"),
    ]);
    assert_eq!(
        line("kubectl get pods", &origin),
        "kubectl get pods --kubeconfig '/k e' --context prod-east --cluster l --user u --as a --as-group g --insecure-skip-tls-verify=true --request-timeout 5000ms"
    );
    assert_eq!(
        line("flux check", &origin),
        "flux check --kubeconfig '/k e' --context prod-east --cluster l --user u --as a --as-group g --insecure-skip-tls-verify=true"
    );
    assert_eq!(
        line("helm history a", &origin),
        "helm history a --kubeconfig '/k e' --kube-context prod-east --kube-as-user a --kube-as-group g --kube-insecure-skip-tls-verify=true --kube-apiserver https://10.20.0.1:6443"
    );
}

#[test]
fn a_look_at_the_kubeconfig_is_at_the_one_that_was_given() {
    let origin = origin(&[("kubeconfig", "/k"), ("as", "a")]);
    assert_eq!(
        line("kubectl config view", &origin),
        "kubectl config view --kubeconfig /k"
    );
}

#[test]
fn flags_stand_before_another_programs_words() {
    assert_eq!(
        line("kubectl exec p -- curl -s x", &origin(&[])),
        "kubectl exec p --context prod-east -- curl -s x"
    );
}

#[test]
fn a_context_that_looks_like_a_flag_or_holds_control_characters_stays_one_word() {
    let named = |name: &str| Origin::new(Some(name.to_owned()), None, Vec::new());
    assert_eq!(
        line("helm history a", &named("-x; rm")),
        "helm history a '--kube-context=-x; rm'"
    );
    assert_eq!(
        line("kubectl get pods", &named("a\u{1b}[31m\nb")),
        "kubectl get pods --context 'a^[[31m\\nb'"
    );
}

#[test]
fn a_hint_says_that_the_token_is_not_in_its_command() {
    let hint = Command::skvs(["list"]).after("see:");
    assert_eq!(
        hint.line(&origin(&[])),
        "see: kubectl skvs list --context prod-east"
    );
    let token = origin(&[]).with_token(true);
    assert_eq!(
        hint.line(&token),
        "see (with --token as before): kubectl skvs list --context prod-east"
    );
    let local = Command::skvs(["explain"]).after("all codes:");
    assert_eq!(local.line(&token), "all codes: kubectl skvs explain");
    assert_eq!(Hint::from("plain").line(&token), "plain");
}

/// Words about a program, not commands to run: the file and a part of the text.
const PROSE: &[(&str, &str)] = &[
    // Names what is shadowed.
    ("programs/shadow.rs", "kubectl skvs {command}"),
    // What the chart's publisher uses; its words are not known here.
    (
        "diagnosis/rules/chart_version_differs.rs",
        "pushed with helm push",
    ),
    // Which of two ways it is depends on what was not read.
    ("diagnosis/retries.rs", "(helm uninstall)"),
    // A page that is generated.
    ("render/docs.rs", "# Diagnoses"),
];

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
}

/// The string literals of a source text that are no attribute's, with what stands before each on its line. Comments are skipped;
/// what follows `#[cfg(test)]` belongs to tests.
fn literals(source: &str) -> Vec<(String, String)> {
    let source = source.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    let chars: Vec<char> = source.chars().collect();
    let (mut found, mut at, mut attribute) = (Vec::new(), 0, 0_usize);
    let starts = |at: usize, text: &str| {
        chars[at..]
            .iter()
            .copied()
            .take(text.len())
            .eq(text.chars())
    };
    while at < chars.len() {
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
            continue;
        }
        match chars[at] {
            '#' if starts(at, "#[") => attribute = attribute.max(1),
            '[' if attribute > 0 && at > 0 && chars[at - 1] != '#' => attribute += 1,
            ']' if attribute > 0 => attribute -= 1,
            '\'' if starts(at, "'\"'") => at += 2,
            '\'' if starts(at, "'\\") => at += 3,
            '"' => {
                let hashes = chars[..at].iter().rev().take_while(|c| **c == '#').count();
                let raw = at > hashes && chars[at - hashes - 1] == 'r';
                let line: String = {
                    let from = chars[..at].iter().rposition(|c| *c == '\n');
                    chars[from.map_or(0, |f| f + 1)..at].iter().collect()
                };
                let begin = at + 1;
                at = begin;
                let end = format!("\"{}", "#".repeat(if raw { hashes } else { 0 }));
                while !starts(at, &end) {
                    at += if chars[at] == '\\' && !raw { 2 } else { 1 };
                }
                if attribute == 0 {
                    found.push((line.trim().to_owned(), chars[begin..at].iter().collect()));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether the text holds a command line: a program and its first word.
fn holds_a_command(text: &str) -> bool {
    ["kubectl", "helm", "flux"].iter().any(|program| {
        text.match_indices(program).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = &text[at + program.len()..];
            let verb = after.strip_prefix(' ').unwrap_or_default();
            !before.is_some_and(|c| c.is_alphanumeric() || "-_./".contains(c))
                && verb.starts_with(|c: char| c.is_ascii_lowercase())
                && VERBS.contains(
                    &verb
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                        .next()
                        .unwrap_or_default(),
                )
        })
    })
}

/// First words of commands that are or may be printed.
const VERBS: &[&str] = &[
    "annotate",
    "api-resources",
    "apply",
    "auth",
    "config",
    "cp",
    "create",
    "delete",
    "describe",
    "diff",
    "edit",
    "exec",
    "explain",
    "get",
    "label",
    "logs",
    "patch",
    "replace",
    "rollout",
    "scale",
    "skvs",
    "top",
    "version",
    "wait",
    "history",
    "install",
    "list",
    "mapkubeapis",
    "pull",
    "push",
    "rollback",
    "search",
    "show",
    "status",
    "template",
    "uninstall",
    "upgrade",
    "check",
    "events",
    "reconcile",
    "resume",
    "suspend",
    "trace",
    "tree",
];

#[cfg(unix)]
#[test]
fn no_command_is_printed_as_a_bare_string() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 300, "{}", all.len());
    let (mut wrong, mut literals_seen) = (Vec::new(), 0);
    for path in all {
        let name = path.strip_prefix(&src).unwrap().display().to_string();
        // Tests say what is printed; explanations, the schema and the help speak of no cluster.
        if name.ends_with("tests.rs")
            || name.contains("/tests/")
            || name.starts_with("advice")
            || name.contains("/complet")
            || name == "view/report/schema.rs"
            || name == "help.rs"
        {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        if source.contains("Test code\n//! only") || source.contains("Test code only") {
            continue;
        }
        for (before, text) in literals(&source) {
            literals_seen += 1;
            let generic = ["explanation:", "fix:", "example:"]
                .iter()
                .any(|field| before.starts_with(field));
            let prose = PROSE
                .iter()
                .any(|(file, words)| name == *file && text.contains(words));
            if holds_a_command(&text) && !generic && !prose {
                wrong.push(format!("src/{name}: {text:?}"));
            }
        }
    }
    assert!(literals_seen > 4000, "{literals_seen}");
    assert!(
        wrong.is_empty(),
        "make each a crate::advice::Command:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_bare_command_is_noticed() {
    let noticed = |source: &str| literals(source).iter().any(|(_, t)| holds_a_command(t));
    assert!(noticed("error.hint(\"see: kubectl get pods\")"));
    assert!(noticed("format!(\"helm uninstall -n {ns}\")"));
    assert!(noticed("let quote = '\"'; let x = r#\"flux check\"#;"));
    assert!(!noticed(
        "#[command(after_help = \"kubectl skvs list\")] let x = \"a\";"
    ));
    assert!(!noticed(
        "// \"kubectl get pods\"\nlet x = \"kubectl's own\";"
    ));
    assert!(!noticed("let x = [\"kubectl\", \"get\"];"));
}
