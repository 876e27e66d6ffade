//! Completion with the sandbox's live names: by the binary, and in the real shells through kubectl's own completion.

use crate::harness::skvs;
use std::io::Write as _;
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

/// What a shell prints that has kubectl's completion, with the plugin and its shim on PATH.
fn through_kubectl(shell: &str, script: &str) -> Option<String> {
    let sandbox = Sandbox::shared();
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
        return None;
    }
    let folder = |file: &std::path::Path| file.parent().expect("a folder").display().to_string();
    let path = format!(
        "{}:{ROOT}/completions:{}:/usr/bin:/bin",
        folder(env!("CARGO_BIN_EXE_kubectl-skvs").as_ref()),
        folder(&sandbox.bin("kubectl"))
    );
    let output = Command::new(shell)
        .args(["-c", script])
        .env_clear()
        .env("PATH", path)
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
