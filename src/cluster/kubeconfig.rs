//! The kubeconfig: which files it is made of, each read within a bound, parsed, its relative paths resolved against its folder.
//!
//! A file's text holds credentials: an error names a place in it and quotes nothing of it.

use crate::advice::Command;
use crate::error::{Error, Result, io_words};
use crate::text::{document, line};
use kube::config::{Kubeconfig, KubeconfigError, LoadDataError};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// Largest kubeconfig, in bytes: a hundred times that of an organisation with a thousand clusters. An endless one (a device) stops here.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads the files that kubectl would read: the one that `named` names, else those in `KUBECONFIG`, else `.kube/config`; `None` where
/// none of them exists.
///
/// # Errors
/// A file that cannot be read or parsed, by its name.
pub(super) fn load(named: Option<&Path>) -> Result<Option<Kubeconfig>> {
    let paths = match (named, std::env::var_os("KUBECONFIG")) {
        (Some(path), _) => vec![path.to_owned()],
        (None, Some(list)) if !list.is_empty() => std::env::split_paths(&list).collect(),
        (None, _) => home().map(|h| h.join(".kube/config")).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|p| !p.as_os_str().is_empty()) {
        // A file of a list that is not there is skipped, as kubectl does; one named by the flag must be there.
        if named.is_none() && matches!(path.try_exists(), Ok(false)) {
            continue;
        }
        let next = read_file(path)?;
        merged = Some(match merged {
            None => next,
            Some(so_far) => so_far
                .merge(next)
                .map_err(|e| Error::new(format!("kubeconfig {}: {e}", path.display())))?,
        });
    }
    Ok(merged)
}

/// Reads a file; a pipe is read once.
///
/// # Errors
/// A file that cannot be read or parsed, by its name.
fn read_file(path: &Path) -> Result<Kubeconfig> {
    let error = |why: &str| Error::new(format!("kubeconfig {}: {why}", shown(path)));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|e| error(&io_words(&e)))?;
    if bytes.len() as u64 > BYTES_MAX {
        let most = BYTES_MAX / 1024 / 1024;
        return Err(error(&format!("larger than {most} MiB")));
    }
    parse(path, &bytes)
}

/// Parses the text of the file at `path`.
///
/// # Errors
/// The file's name and the place in it.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Kubeconfig> {
    let error = |why: String| Error::new(format!("kubeconfig {}: {why}", shown(path)));
    let text = document::decode(bytes).map_err(error)?;
    let mut kubeconfig = Kubeconfig::from_yaml(&text).map_err(|e| {
        error(match e {
            KubeconfigError::Parse(e) => without_values(document::yaml_error(&e)),
            other => crate::text::one_line(&other.to_string()),
        })
    })?;
    resolve_paths(&mut kubeconfig, path.parent().unwrap_or(Path::new("")));
    // Empty is unset: the next file of a list names the context.
    kubeconfig.current_context = kubeconfig.current_context.filter(|c| !c.is_empty());
    Ok(kubeconfig)
}

fn shown(path: &Path) -> String {
    line(&path.to_string_lossy()).into_owned()
}

/// The error without the value that it quotes: a token in the wrong place is one.
fn without_values(why: String) -> String {
    match why.find(['"', '`', '\'']) {
        Some(quote) => why[..quote].trim_end().to_owned(),
        None => why,
    }
}

/// Makes relative paths start at the kubeconfig's folder, as client-go does.
fn resolve_paths(kubeconfig: &mut Kubeconfig, folder: &Path) {
    let resolve = |path: &mut Option<String>| {
        if let Some(path) = path
            && Path::new(path.as_str()).is_relative()
            && let Some(resolved) = folder.join(&*path).to_str()
        {
            *path = resolved.to_owned();
        }
    };
    for cluster in kubeconfig.clusters.iter_mut() {
        if let Some(cluster) = &mut cluster.cluster {
            resolve(&mut cluster.certificate_authority);
        }
    }
    for user in kubeconfig.auth_infos.iter_mut() {
        let Some(user) = &mut user.auth_info else {
            continue;
        };
        resolve(&mut user.client_certificate);
        resolve(&mut user.client_key);
        resolve(&mut user.token_file);
        // A bare name is looked up in PATH.
        if let Some(exec) = &mut user.exec
            && exec
                .command
                .as_ref()
                .is_some_and(|c| c.contains(MAIN_SEPARATOR))
        {
            resolve(&mut exec.command);
        }
    }
}

/// Shows the one cluster and user that the context names.
pub(super) fn view() -> Command {
    Command::new(["kubectl", "config", "view", "--minify"])
}

/// kube's words but for a file that it cannot read: those hold Debug output.
pub(super) fn words(error: &KubeconfigError) -> String {
    let (what, data) = match error {
        KubeconfigError::LoadCertificateAuthority(e) => ("certificate authority", e),
        KubeconfigError::LoadClientCertificate(e) => ("client certificate", e),
        KubeconfigError::LoadClientKey(e) => ("client key", e),
        other => return other.to_string(),
    };
    match data {
        LoadDataError::ReadFile(io, path) => {
            format!("{what} {}: {}", path.display(), io_words(io))
        }
        other => format!("{what}: {other}"),
    }
}

/// The folder of `.kube/config`.
fn home() -> Option<PathBuf> {
    let on_windows = cfg!(windows).then(|| windows_home(|name| std::env::var_os(name)));
    on_windows
        .flatten()
        .or_else(std::env::home_dir)
        .filter(|h| !h.as_os_str().is_empty())
}

/// As client-go's `homedir`: the first of `%HOME%`, `%HOMEDRIVE%%HOMEPATH%` and `%USERPROFILE%` that has a `.kube/config`.
fn windows_home(get: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let get = |name: &str| get(name).filter(|value| !value.is_empty());
    let on_drive = || {
        let mut path = get("HOMEDRIVE")?;
        path.push(get("HOMEPATH")?);
        Some(path)
    };
    [get("HOME"), on_drive(), get("USERPROFILE")]
        .into_iter()
        .flatten()
        .map(PathBuf::from)
        .find(|home| home.join(".kube/config").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let read = parse(Path::new("/a/config"), text.as_bytes());
        read.unwrap_err().message().to_owned()
    }

    #[test]
    fn a_broken_kubeconfig_is_not_quoted() {
        for (text, expected) in [
            (
                "users:\n- name: a\n  user:\n    token: sesame: x\n    password: sesame\n",
                "kubeconfig /a/config: line 4, column 18: mapping values are not allowed in this context",
            ),
            (
                "users:\n- name: a\n  user:\n    token: [sesame]\n",
                "kubeconfig /a/config: line 4, column 12: expected string scalar",
            ),
        ] {
            assert_eq!(said(text), expected);
        }
        for field in [
            "user: sesame",
            "user: {exec: sesame}",
            "user: {exec: {env: sesame}}",
            "user: {exec: {interactiveMode: sesame}}",
            "user: {as-groups: sesame}",
            "user: {auth-provider: sesame}",
            "user: {sesame: *sesame}",
            "user: {a: 'sesame",
            "sesame\n b",
        ] {
            let message = said(&format!("users:\n- name: a\n  {field}\n"));
            assert!(!message.contains("sesame"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn relative_paths_start_at_the_file() {
        let text = "clusters: [{name: a, cluster: {certificate-authority: ca.pem}}]\nusers: [{name: a, user: {client-certificate: /c.pem, client-key: k/k.pem, tokenFile: t, exec: {command: ./login}}}, {name: b, user: {exec: {command: login}}}]";
        let read = parse(Path::new("/a/config"), text.as_bytes()).unwrap();
        let cluster = read.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority.as_deref(), Some("/a/ca.pem"));
        let user = read.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(user.client_certificate.as_deref(), Some("/c.pem"));
        assert_eq!(user.client_key.as_deref(), Some("/a/k/k.pem"));
        assert_eq!(user.token_file.as_deref(), Some("/a/t"));
        let command = |n: usize| {
            let user = read.auth_infos[n].auth_info.as_ref().unwrap();
            user.exec.as_ref().unwrap().command.clone().unwrap()
        };
        assert_eq!(
            (command(0), command(1)),
            ("/a/./login".into(), "login".into())
        );
    }

    #[test]
    fn a_half_character_of_utf_16_is_an_error() {
        assert!(parse(Path::new("a"), b"\xff\xfea").is_err());
        assert!(parse(Path::new("a"), b"\xff\xfea\0").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_kubeconfig_is_an_error() {
        let error = read_file(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.message(), "kubeconfig /dev/zero: larger than 64 MiB");
    }

    #[test]
    fn an_empty_current_context_is_none() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "current-context: \"\"\n").unwrap();
        assert_eq!(read_file(&file).unwrap().current_context, None);
        std::fs::write(&file, "current-context: a\n").unwrap();
        let named = read_file(&file).unwrap().current_context;
        assert_eq!(named.as_deref(), Some("a"));
    }

    /// As client-go: a `.kube/config` decides, then the order of the variables.
    #[test]
    fn on_windows_the_first_home_with_a_kubeconfig_counts() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let profile = path("profile");
        let of = |home: &str| {
            windows_home(|name| match name {
                "HOME" => Some(home.into()),
                "HOMEDRIVE" => Some(folder.path().into()),
                "HOMEPATH" => Some("/drive".into()),
                "USERPROFILE" => Some(profile.clone().into()),
                other => panic!("{other}"),
            })
        };
        let home = path("home");
        let home = home.to_str().unwrap();
        let mut expected = None;
        for name in ["profile", "drive", "home"] {
            assert_eq!(of(home), expected);
            std::fs::create_dir_all(path(name).join(".kube")).unwrap();
            std::fs::write(path(name).join(".kube/config"), "").unwrap();
            expected = Some(path(name));
            assert_eq!(of(home), expected);
        }
        assert_eq!(of(""), Some(path("drive")));
    }
}
