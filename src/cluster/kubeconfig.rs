//! One kubeconfig file: read within a bound, parsed, its relative paths resolved against its folder.
//!
//! Its text holds credentials: an error names a place in it and quotes nothing of it.

use crate::error::{Error, Result, io_words};
use crate::text::{document, line};
use kube::config::{Kubeconfig, KubeconfigError};
use std::fs::File;
use std::io::Read;
use std::path::{MAIN_SEPARATOR, Path};

/// Largest kubeconfig, in bytes: a hundred times that of an organisation with a thousand clusters. An endless one (a device) stops here.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads a file; a pipe is read once.
///
/// # Errors
/// A file that cannot be read or parsed, by its name.
pub(super) fn read(path: &Path) -> Result<Kubeconfig> {
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
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.message(), "kubeconfig /dev/zero: larger than 64 MiB");
    }
}
