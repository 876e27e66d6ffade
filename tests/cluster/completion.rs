//! Completion with the sandbox's live names: by the binary, and in the real shells through kubectl's own completion.

mod cache;

use crate::harness::{kubectl, skvs};
use crate::terminal::Terminal;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use testbed::Sandbox;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const NAME: &str = "skvs-onboarding-pds--database";

fn complete(words: &[&str]) -> Vec<String> {
    let said = skvs(["__complete"].iter().chain(words)).run();
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    said.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn names_databases_and_namespaces_are_live() {
    let names = complete(&["list", "skvs-onboarding-pds--d"]);
    assert_eq!(names, [&format!("{NAME}\tpds_database"), ":4"]);
    assert_eq!(
        complete(&["list", "--database", "pds_d"])[0]
            .split('\t')
            .next(),
        Some("pds_database")
    );
    assert_eq!(complete(&["list", "-n", "flux-s"]), ["flux-system", ":4"]);
    assert_eq!(complete(&["list", "-n", "default", ""]), [":4"]);
    let elsewhere = skvs(["__complete", "list", ""]).env("SKVS_NAMESPACE", "default");
    assert_eq!(elsewhere.run().stdout, ":4\n");
    assert_eq!(complete(&["list", "--context", "s"]), ["sandbox", ":4"]);
}

#[test]
fn a_name_is_completed_without_its_prefix() {
    assert_eq!(
        complete(&["describe", "pds--d"]),
        [&format!("pds--database\t{NAME}"), ":4"]
    );
    let begun = complete(&["list", "pds"]).concat();
    assert!(
        begun.starts_with("pds--database\t") && begun.contains("pds_database\tclaimed by "),
        "{begun}"
    );
}

#[test]
fn rights_that_are_missing_offer_nothing() {
    let nobody = Sandbox::shared()
        .user("completes-nothing", &[], "")
        .expect("a user");
    let said = crate::harness::Skvs::with(&nobody, ["__complete", "list", ""]).run();
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (0, ":4\n", "")
    );
}

/// Whether this shell is not installed: a failure in CI.
fn missing(shell: &str) -> bool {
    let installed = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(shell).is_file());
    if !installed {
        assert!(
            std::env::var_os("CI").is_none(),
            "{shell} is not installed; .ci/run installs it: apt-get install {shell}"
        );
        let _ = writeln!(
            std::io::stderr(),
            "not tested: {shell} is not installed (apt-get install {shell})"
        );
    }
    !installed
}

/// PATH with the plugin, its shim and the sandbox's kubectl.
fn path() -> String {
    let folder = |file: &std::path::Path| file.parent().expect("a folder").display().to_string();
    format!(
        "{}:{ROOT}/completions:{}:/usr/bin:/bin",
        folder(env!("CARGO_BIN_EXE_kubectl-skvs").as_ref()),
        folder(&Sandbox::shared().bin("kubectl"))
    )
}

/// What a shell prints that has kubectl's completion, with the plugin and its shim on PATH.
fn through_kubectl(shell: &str, script: &str) -> Option<String> {
    let sandbox = Sandbox::shared();
    if missing(shell) {
        return None;
    }
    let output = Command::new(shell)
        .args(["-c", script])
        .env_clear()
        .env("PATH", path())
        .env("HOME", sandbox.run_dir())
        .env("KUBECONFIG", sandbox.kubeconfig())
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn bash_through_kubectl() {
    let script = "
        _get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=(\"${COMP_WORDS[@]}\") cword=$COMP_CWORD; }
        compopt() { :; }
        source <(kubectl completion bash)
        COMP_LINE='kubectl skvs list skvs-onboarding-pds--d' COMP_POINT=${#COMP_LINE}
        COMP_WORDS=(kubectl skvs list skvs-onboarding-pds--d) COMP_CWORD=3 COMP_TYPE=9
        $(complete -p kubectl | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    if let Some(said) = through_kubectl("bash", script) {
        assert_eq!(said.trim(), NAME);
    }
}

#[test]
fn zsh_through_kubectl() {
    let script = "
        zmodload zsh/zpty
        zpty shell 'zsh -f -i'
        zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source <(kubectl completion zsh)'
        zpty -w shell 'show() { print -r -- \"LINE<$BUFFER>\" }; zle -N show; bindkey \"^X\" show; print rea\"\"dy'
        zpty -r shell out '*ready*'
        zpty -w -n shell $'kubectl skvs list skvs-onboarding-pds--d\\t\\x18'
        zpty -r shell out '*LINE<*>*'
        print -r -- \"${${out#*LINE<}%%>*}\"
        zpty -d shell";
    if let Some(said) = through_kubectl("zsh", script) {
        assert_eq!(said.trim(), format!("kubectl skvs list {NAME}"));
    }
}

#[test]
fn fish_through_kubectl() {
    let script =
        "kubectl completion fish | source; complete -C 'kubectl skvs list skvs-onboarding-pds--d'";
    if let Some(said) = through_kubectl("fish", script) {
        assert_eq!(said.trim(), format!("{NAME}\tpds_database"));
    }
}

/// Texts that would make `mark` when a shell evaluates them; two begin alike, for what a shell inserts of both.
fn payloads(mark: &str) -> [String; 4] {
    [
        format!("b$(touch${{IFS}}{mark})x"),
        format!("b$(touch${{IFS}}{mark})y"),
        format!("f(touch {mark})x"),
        format!("z$(touch {mark})x"),
    ]
}

/// Onboardings whose database and accounts are such texts, as a list, with one that is fine.
fn hostile(namespace: &str, mark: &str) -> String {
    let release = |name: &str, values: serde_json::Value| {
        serde_json::json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": namespace, "labels": {
                "app.kubernetes.io/part-of": "secure-kvs-onboarding", "sharding.fluxcd.io/key": "nobody"}},
            "spec": {"suspend": true, "interval": "5m", "values": values, "chart": {"spec": {
                "chart": "secure-kvs-onboarding",
                "sourceRef": {"kind": "HelmRepository", "name": "wit-artifactory"}}}}
        })
    };
    let mut all: Vec<_> = payloads(mark)
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let values = serde_json::json!({"namespace": "pds", "database": text, "serviceAccounts": [text]});
            release(&format!("bait-{i}"), values)
        })
        .collect();
    let values = serde_json::json!({"namespace": "fine", "database": "orders", "serviceAccounts": ["batch"]});
    all.push(release("fine", values));
    serde_json::json!({"apiVersion": "v1", "kind": "List", "items": all}).to_string()
}

/// Types at an interactive shell against a cluster, a saved file and a kubeconfig full of payloads: nothing of them runs on TAB,
/// on the next TAB or on Enter, and nothing of them is even inserted, while the values that are fine are offered.
///
/// `setup` makes the completion of `command`; `shell` starts the shell, after its name.
fn evaluates_nothing(id: &str, shell: &str, setup: &str, command: &str) {
    if missing(shell.split(' ').next().unwrap_or_default()) {
        return;
    }
    let sandbox = Sandbox::shared();
    let namespace = format!("bait-{id}");
    let file = |name: &str| -> PathBuf { sandbox.run_dir().join(format!("{namespace}-{name}")) };
    let mark = file("mark");
    let text = mark.display().to_string();
    kubectl(&["create", "namespace", &namespace]);
    sandbox
        .apply(&hostile(&namespace, &text))
        .expect("the API server takes any text in values");
    let saved = file("saved.json");
    std::fs::write(&saved, hostile(&namespace, &text)).expect("written");
    let contexts: Vec<_> = payloads(&text)
        .iter()
        .map(|name| serde_json::json!({"name": name, "context": {"cluster": name, "user": name}}))
        .collect();
    let kubeconfig = file("kubeconfig");
    let config = serde_json::json!({"apiVersion": "v1", "kind": "Config", "contexts": contexts});
    std::fs::write(&kubeconfig, config.to_string()).expect("written");

    let start = format!(
        "env PATH={} KUBECONFIG={}:{} {shell}",
        path(),
        sandbox.kubeconfig().display(),
        kubeconfig.display()
    );
    let mut terminal = Terminal::shell(&start, &[]);
    let mut ready = 0;
    let mut enter = |terminal: &mut Terminal, keys: &str| {
        ready += 1;
        terminal.press(keys);
        terminal.press(&format!("\necho \necho rea''dy-{ready}\n"));
        terminal.expect(&format!("ready-{ready}"));
    };
    enter(&mut terminal, setup);
    let sources = [format!("-n {namespace}"), format!("-f {}", saved.display())];
    for source in &sources {
        for begun in ["b", "f", "z"] {
            // The second TAB and the one after a further word evaluate what the first inserted.
            enter(
                &mut terminal,
                &format!("{command} list {source} --service-account pds/{begun}\t\t -o \t"),
            );
            enter(
                &mut terminal,
                &format!("{command} list {source} --database pds_{begun}\t\t -o \t"),
            );
            enter(
                &mut terminal,
                &format!("{command} list --context {begun}\t\t -o \t"),
            );
        }
        enter(
            &mut terminal,
            &format!("{command} list {source} --service-account pds/\t\t"),
        );
        terminal.press(&format!("{command} list {source} --database fine\t-o name"));
        terminal.expect("fine_orders");
        enter(&mut terminal, "");
    }
    terminal.press("exit\n");
    terminal.close();
    let screen = terminal.end().stdout;
    kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
    assert!(!mark.exists(), "a payload ran:\n{screen}");
    assert!(
        !screen.contains("touch"),
        "a payload was inserted:\n{screen}"
    );
}

const BASH: &str = "bash --norc --noprofile -i";
const ZSH: &str = "zsh -f -i";
const FISH: &str = "fish --no-config -i";

/// bash with the script that this command prints, and the one function that it takes from the package bash-completion.
fn bash(prints: &str) -> String {
    format!(
        "_get_comp_words_by_ref() {{ cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words=(\"${{COMP_WORDS[@]}}\") cword=$COMP_CWORD; }}; source <({prints})"
    )
}

fn zsh(prints: &str) -> String {
    format!("autoload -Uz compinit; compinit -u -D; source <({prints})")
}

fn fish(prints: &str) -> String {
    format!("{prints} | source")
}

/// The command that prints the completion of kubectl 1.32 for a shell.
fn old(shell: &str) -> String {
    let program = Sandbox::shared().bin("old-completion");
    format!("{} {shell}", program.display())
}

#[test]
fn hostile_text_in_bash() {
    let setup = bash("kubectl-skvs completion bash");
    evaluates_nothing("bash", BASH, &setup, "kubectl-skvs");
}

#[test]
fn hostile_text_in_bash_through_kubectl() {
    let setup = bash("kubectl completion bash");
    evaluates_nothing("bash-new", BASH, &setup, "kubectl skvs");
}

#[test]
fn hostile_text_in_bash_through_an_old_kubectl() {
    evaluates_nothing("bash-old", BASH, &bash(&old("bash")), "kubectl skvs");
}

#[test]
fn hostile_text_in_zsh() {
    let setup = zsh("kubectl-skvs completion zsh");
    evaluates_nothing("zsh", ZSH, &setup, "kubectl-skvs");
}

#[test]
fn hostile_text_in_zsh_through_kubectl() {
    let setup = zsh("kubectl completion zsh");
    evaluates_nothing("zsh-new", ZSH, &setup, "kubectl skvs");
}

#[test]
fn hostile_text_in_zsh_through_an_old_kubectl() {
    evaluates_nothing("zsh-old", ZSH, &zsh(&old("zsh")), "kubectl skvs");
}

#[test]
fn hostile_text_in_fish() {
    let setup = fish("kubectl-skvs completion fish");
    evaluates_nothing("fish", FISH, &setup, "kubectl-skvs");
}

#[test]
fn hostile_text_in_fish_through_kubectl() {
    let setup = fish("kubectl completion fish");
    evaluates_nothing("fish-new", FISH, &setup, "kubectl skvs");
}

#[test]
fn hostile_text_in_fish_through_an_old_kubectl() {
    evaluates_nothing("fish-old", FISH, &fish(&old("fish")), "kubectl skvs");
}
