//! Completion in the real shells. A shell that is missing fails these tests in CI and is told elsewhere.

use crate::run::{BINARY, Run, Told, skvs};
use crate::server::{Listener, nobody};
use std::path::Path;
use std::time::Duration;

/// Well after the deadline of a completion, which is a second.
const LATE: Duration = Duration::from_secs(6);

/// Two onboardings, as an API server lists them.
const ONBOARDINGS: &str = r#"{"kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2",
  "metadata": {}, "items": [
  {"metadata": {"name": "skvs-onboarding-pds--database", "namespace": "flux-system"},
   "spec": {"values": {"namespace": "pds", "database": "database", "serviceAccounts": ["pds"]}}},
  {"metadata": {"name": "skvs-onboarding-kilo--orders", "namespace": "flux-system"},
   "spec": {"values": {"namespace": "kilo", "database": "orders"}}}]}"#;

fn complete(words: &[&str], url: &str) -> Told {
    let all: Vec<&str> = ["__complete"].iter().chain(words).copied().collect();
    let told = skvs(&all).server(url).run();
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
    told
}

#[test]
fn live_names() {
    let server = Listener::answering(200, ONBOARDINGS);
    let of = |words: &[&str]| complete(words, &server.http()).stdout;
    assert_eq!(
        of(&["list", ""]),
        "skvs-onboarding-kilo--orders\tkilo_orders\nskvs-onboarding-pds--database\tpds_database\n:4\n"
    );
    assert_eq!(
        of(&["list", "skvs-onboarding-kilo--orders", ""]),
        "skvs-onboarding-pds--database\tpds_database\n:4\n"
    );
    assert_eq!(
        of(&["list", "--database", "p"]),
        "pds_database\tclaimed by skvs-onboarding-pds--database\n:4\n"
    );
    assert_eq!(
        of(&["list", "--service-account=p"]),
        "--service-account=pds/pds\n:4\n"
    );
}

#[test]
fn flags_already_typed_choose_what_is_read() {
    let server = Listener::answering(200, ONBOARDINGS);
    complete(&["list", "-n", "team", "s"], &server.http());
    complete(&["list", "-A", "--database", ""], &server.http());
    let asked = server.requests();
    assert!(
        asked[0].contains("/namespaces/team/helmreleases?"),
        "{asked:?}"
    );
    assert!(asked[1].contains("/v2/helmreleases?"), "{asked:?}");
    assert_eq!(asked.len(), 2);
}

#[test]
fn names_of_the_kubeconfig() {
    let of = |words: &[&str]| complete(words, &nobody()).stdout;
    assert_eq!(of(&["list", "--context", "p"]), "prod-east\n:4\n");
    assert_eq!(
        of(&["list", "--contexts", "here,p"]),
        "here,prod-east\n:4\n"
    );
    assert_eq!(of(&["--cluster", ""]), "here\n:4\n");
    assert_eq!(of(&["list", "--user="]), "--user=me\n:4\n");
}

#[test]
fn clusters_of_the_repository() {
    let dir = tempfile::tempdir().unwrap();
    for cluster in ["lab", "prod-east"] {
        let folder = format!("infrastructure/k8s/{cluster}/secure-kvs/secure-kvs-onboarding");
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    let repo = dir.path().to_str().unwrap();
    let of = |words: &[&str]| complete(words, &nobody()).stdout;
    let all = "lab\nprod-east\n:4\n";
    let onboard = ["onboard", "pds", "x", "--repo", repo, "--for-cluster"];
    assert_eq!(of(&[&onboard[..], &[""]].concat()), all);
    assert_eq!(
        of(&[&onboard[..], &["lab,p"]].concat()),
        "lab,prod-east\n:4\n"
    );
    assert_eq!(
        of(&[&onboard[..], &["lab,"]].concat()),
        "lab,prod-east\n:4\n"
    );
    let lint = ["lint", repo, "--installed", "--for-cluster", ""];
    assert_eq!(of(&lint), all);
    let elsewhere = ["--layout", "clusters/<cluster>", "--for-cluster", ""];
    let offboard = ["offboard", "x", "--repo", repo];
    assert_eq!(of(&[&offboard[..], &elsewhere].concat()), ":4\n");
}

#[test]
fn a_cluster_that_is_away_offers_nothing() {
    let silent = Listener::silent();
    let forbidden = Listener::answering(403, "{}");
    for url in [nobody(), silent.http(), silent.https(), forbidden.http()] {
        assert_eq!(complete(&["list", ""], &url).stdout, ":4\n", "{url}");
    }
    let told = skvs(&["__complete", "list", "-v=9", ""]).run();
    assert_eq!(told.to_string(), "exit 0\nstdout:\n:4\n");
}

#[test]
fn a_credential_plugin_never_asks() {
    // It would wait for an answer for as long as its stdin is open, and it talks on stderr.
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, \
        args: ['-c', 'echo password? >&2; exec sleep 20'], interactiveMode: IfAvailable}}";
    let told = skvs(&["__complete", "list", ""])
        .user(&nobody(), user)
        .run();
    assert_eq!(told.to_string(), "exit 0\nstdout:\n:4\n");
}

/// Names that come long after the deadline are not offered: whoever waits for them would offer them.
#[test]
fn a_late_cluster_offers_nothing() {
    let late = Listener::answering_late(LATE, 200, ONBOARDINGS);
    assert_eq!(complete(&["list", ""], &late.http()).stdout, ":4\n");
    assert_eq!(complete(&["list", "-n", ""], &late.http()).stdout, ":4\n");
}

#[test]
fn a_late_credential_plugin_offers_nothing() {
    let server = Listener::answering(200, ONBOARDINGS);
    let tls = Listener::over_tls(&server);
    let after = |seconds: u64| {
        let credential = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "sesame"}}"#;
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, \
             args: ['-c', 'sleep {seconds}; echo \"$0\"', '{credential}'], interactiveMode: Never}}}}"
        );
        let told = skvs(&["__complete", "list", "skvs-onboarding-p"])
            .unchecked(&tls.https(), &user)
            .run();
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
        told.stdout
    };
    assert_eq!(
        after(0),
        "skvs-onboarding-pds--database\tpds_database\n:4\n"
    );
    assert_eq!(after(LATE.as_secs()), ":4\n");
}

#[test]
fn called_by_kubectls_name() {
    let run = Run::of("/bin/sh", &["-c", "\"$HOME/kubectl_complete-skvs\" vers"]);
    let link = run.file("x", "").with_file_name("kubectl_complete-skvs");
    std::os::unix::fs::symlink(BINARY, link).unwrap();
    let told = run.run();
    assert!(
        told.stdout.starts_with("version\tShow the versions"),
        "{told}"
    );
    assert!(told.stdout.ends_with("\n:4\n"));
}

#[test]
fn the_shim_is_silent_and_passes_empty_words() {
    let shim = script("kubectl_complete-skvs");
    let told = Run::of(&shim, &["completion", ""]).run();
    assert_eq!(
        told.to_string(),
        "exit 0\nstdout:\nbash\nzsh\nfish\nkubectl\tThe file kubectl_complete-skvs\n:4\n"
    );
}

#[test]
fn completion_prints_the_files() {
    for (shell, file) in [
        ("bash", "kubectl-skvs.bash"),
        ("zsh", "_kubectl-skvs"),
        ("fish", "kubectl-skvs.fish"),
        ("kubectl", "kubectl_complete-skvs"),
    ] {
        let told = skvs(&["completion", shell]).run();
        assert_eq!(told.stdout, std::fs::read_to_string(script(file)).unwrap());
    }
}

/// What bash would offer for a line that is typed up to its end, split as readline splits it.
fn bash(words: &str, line: &str) -> String {
    let script = format!(
        "source {}
compopt() {{ echo \"compopt $*\"; }}
COMP_LINE='{line}' COMP_POINT={} COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$(complete -p kubectl-skvs | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script("kubectl-skvs.bash"),
        line.len()
    );
    in_shell("bash", &["--norc", "--noprofile", "-c", &script])
}

#[test]
fn bash_completes() {
    if missing("bash") {
        return;
    }
    assert_eq!(bash("kubectl-skvs lis", "kubectl-skvs lis"), "list\n");
    assert_eq!(
        bash("kubectl-skvs completion ''", "kubectl-skvs completion "),
        "bash\nzsh\nfish\nkubectl\n"
    );
    assert_eq!(
        bash("kubectl-skvs list -o ya", "kubectl-skvs list -o ya"),
        "yaml\n"
    );
    assert_eq!(
        bash(
            "kubectl-skvs list --output = ya",
            "kubectl-skvs list --output=ya"
        ),
        "yaml\n"
    );
    assert_eq!(
        bash("kubectl-skvs list -o jsonp", "kubectl-skvs list -o jsonp"),
        "compopt -o nospace\njsonpath=\n"
    );
    assert_eq!(
        bash(
            "kubectl-skvs --context arn : aws : ek",
            "kubectl-skvs --context arn:aws:ek"
        ),
        "eks:eu:1:cluster/kvs\n"
    );
    assert_eq!(
        bash(
            "kubectl-skvs list --kubeconfig ''",
            "kubectl-skvs list --kubeconfig "
        ),
        "compopt -o default\n\n"
    );
}

/// What zsh would add for these words, the last one being typed: each line as it is shown.
fn zsh(words: &str) -> String {
    let script = format!(
        "compdef() {{ :; }}
source {}
compadd() {{ print -r -- \"compadd ${{(@)argv[1,-3]}}\"; print -rl -- $shown; }}
_files() {{ print files; }}
words=({words}) CURRENT=$#words PREFIX=$words[-1]
_kubectl-skvs",
        script("_kubectl-skvs")
    );
    in_shell("zsh", &["-f", "-c", &script])
}

#[test]
fn zsh_completes() {
    if missing("zsh") {
        return;
    }
    assert_eq!(
        zsh("kubectl-skvs lis"),
        "compadd -l -d shown\nlist  -- List onboardings, one line each\n"
    );
    assert_eq!(
        zsh("kubectl-skvs list -o jsonp"),
        "compadd -S  -l -d shown\njsonpath=\n"
    );
    assert_eq!(
        zsh("kubectl-skvs --context ''"),
        "compadd -l -d shown\narn:aws:eks:eu:1:cluster/kvs\nhere\nprod-east\n"
    );
    assert_eq!(zsh("kubectl-skvs list --kubeconfig ''"), "files\n");
}

/// The line as it stands in an interactive zsh on a terminal of its own, after a tab.
#[test]
fn zsh_completes_on_a_terminal() {
    if missing("zsh") {
        return;
    }
    let script = format!(
        "zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source {}'
zpty -w shell 'show() {{ print -r -- \"LINE<$BUFFER>\" }}; zle -N show; bindkey \"^X\" show; print rea\"\"dy'
zpty -r shell out '*ready*'
zpty -w -n shell $'kubectl-skvs compl\\tz\\t\\x18'
zpty -r shell out '*LINE<*>*'
print -r -- \"${{${{out#*LINE<}}%%>*}}\"
zpty -d shell",
        script("_kubectl-skvs")
    );
    assert_eq!(
        in_shell("zsh", &["-f", "-c", &script]),
        "kubectl-skvs completion zsh \n"
    );
}

fn fish(line: &str) -> String {
    let script = format!(
        "source {}; complete -C '{line}'",
        script("kubectl-skvs.fish")
    );
    in_shell("fish", &["--no-config", "-c", &script])
}

#[test]
fn fish_completes() {
    if missing("fish") {
        return;
    }
    assert_eq!(
        fish("kubectl-skvs lis"),
        "list\tList onboardings, one line each\n"
    );
    assert_eq!(fish("kubectl-skvs completion z"), "zsh\n");
    assert_eq!(fish("kubectl-skvs list --context pr"), "prod-east\n");
    assert_eq!(fish("kubectl-skvs list --output=ya"), "--output=yaml\n");
}

/// A program whose answer ends in the middle of a description leaves no directive, and the last line is not evaluated as one.
fn cut_off(shell: &str, words: &[&str], completes: &str) {
    if missing(shell) {
        return;
    }
    let script = format!(
        "cat > ~/skvs <<'END'
#!/bin/sh
printf %s 'path[$(touch ~/ran)]'
END
chmod +x ~/skvs
{completes}
ls ~"
    );
    let words: Vec<&str> = words.iter().copied().chain(["-c", &script]).collect();
    assert_eq!(in_shell(shell, &words), "skvs\n", "{shell}");
}

#[test]
fn bash_evaluates_no_answer_that_is_cut_off() {
    let completes = format!(
        "source {}; COMP_LINE='~/skvs ' COMP_POINT=7 COMP_WORDS=('~/skvs' '') COMP_CWORD=1; _kubectl_skvs",
        script("kubectl-skvs.bash")
    );
    cut_off("bash", &["--norc", "--noprofile"], &completes);
}

#[test]
fn zsh_evaluates_no_answer_that_is_cut_off() {
    let completes = format!(
        "compdef() {{ :; }}; compadd() {{ :; }}; _files() {{ :; }}; source {}
words=(~/skvs '') CURRENT=2 PREFIX=''; _kubectl-skvs",
        script("_kubectl-skvs")
    );
    cut_off("zsh", &["-f"], &completes);
}

/// The output of a shell that finds the plugin on PATH and a kubeconfig at home.
fn in_shell(shell: &str, words: &[&str]) -> String {
    let told = Run::of(shell, words)
        .server(&nobody())
        .env("TERM", "xterm")
        .run();
    assert_eq!(told.stderr, "", "{told}");
    told.stdout
}

fn script(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    folder.join(name).display().to_string()
}

/// Whether this shell is not installed: a failure in CI, which `.ci/run` provides with them all.
fn missing(shell: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(shell).is_file()) {
        return false;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{shell} is not installed; .ci/run installs it: apt-get install {shell}"
    );
    eprintln!("not tested: {shell} is not installed (apt-get install {shell})");
    true
}
