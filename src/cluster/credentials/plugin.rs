//! A credential plugin (`exec` of a kubeconfig's user): run, bounded, its answer read.
//!
//! Nothing of its answer, its arguments or its environment is shown. Its own words on stderr are.

use super::super::tls::Identity;
use super::{CredentialsError, bearer};
use crate::error::io_words;
use crate::text::{line, one_line};
use http::HeaderValue;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// A token that expires this soon is replaced: it has to live as long as the request.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Most lines of an install hint that are shown.
const HINT_LINES: usize = 20;

/// A plugin and what it gave last.
pub(in crate::cluster) struct Plugin {
    exec: ExecConfig,
    limit: Option<Duration>,
    token: Option<HeaderValue>,
    expires: Option<Timestamp>,
}

/// The part of an `ExecCredential` that a plugin fills in.
#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Plugin {
    /// Runs the plugin, for `limit` at most.
    ///
    /// # Errors
    /// Why it gave no credentials, by its name.
    pub(super) async fn run(
        exec: ExecConfig,
        limit: Option<Duration>,
    ) -> Result<(Self, Option<Identity>), CredentialsError> {
        let mut plugin = Self {
            exec,
            limit,
            token: None,
            expires: None,
        };
        let identity = plugin.renew().await?;
        Ok((plugin, identity))
    }

    pub(super) async fn header(&mut self) -> Result<Option<HeaderValue>, CredentialsError> {
        let soon = Timestamp::now().saturating_add(MARGIN).ok();
        if self.token.is_some() && self.expires.is_some_and(|e| soon.is_some_and(|s| s >= e)) {
            self.renew().await?;
        }
        Ok(self.token.clone())
    }

    /// The token in place of `used`, which the server refused. A plugin that fails leaves the refusal.
    pub(super) async fn renewed(&mut self, used: &HeaderValue) -> Option<HeaderValue> {
        if self.token.as_ref() == Some(used) {
            self.renew().await.ok()?;
        }
        self.token.clone()
    }

    async fn renew(&mut self) -> Result<Option<Identity>, CredentialsError> {
        let output = self.output().await?;
        let said = |why: String| self.failed(&why);
        if !output.status.success() {
            let words = match one_line(&String::from_utf8_lossy(&output.stderr)) {
                words if words.is_empty() => words,
                words => format!(": {words}"),
            };
            return Err(said(format!("ended with {}{words}", output.status)));
        }
        // Plugins write JSON; client-go takes YAML too.
        let answer: Answer = serde_saphyr::from_slice(&output.stdout)
            .map_err(|_| said("gave an answer that cannot be read".to_owned()))?;
        let status = answer
            .status
            .ok_or_else(|| said("gave an answer without a status".to_owned()))?;
        let expires = status.expiration_timestamp.map(|t| t.parse());
        let expires = expires
            .transpose()
            .map_err(|_| said("gave an expirationTimestamp that is not a time".to_owned()))?;
        let token = status.token.filter(|t| !t.trim().is_empty());
        let what = format!("the token of the {}", self.name());
        let token = token.map(|t| bearer(&t, &what)).transpose()?;
        let filled = |text: Option<String>| text.filter(|t| !t.is_empty()).map(String::into_bytes);
        let certificate = filled(status.client_certificate_data);
        let identity = match (certificate, filled(status.client_key_data)) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) if token.is_some() => None,
            (None, None) => {
                return Err(said("gave neither a token nor a certificate".to_owned()));
            }
            _ => return Err(said("gave a certificate or a key, not both".to_owned())),
        };
        (self.token, self.expires) = (token, expires);
        Ok(identity)
    }

    /// Runs it once. It is killed where it does not end in time.
    async fn output(&self) -> Result<Output, CredentialsError> {
        let exec = &self.exec;
        let Some(program) = exec.command.as_deref().filter(|c| !c.is_empty()) else {
            return Err(CredentialsError::new(
                "the credential plugin has no command",
            ));
        };
        let interactive = exec.interactive_mode != Some(ExecInteractiveMode::Never);
        let cluster = exec.cluster.as_ref().filter(|_| exec.provide_cluster_info);
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = cluster {
            spec["cluster"] = json!(cluster);
        }
        let info = json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec});
        let variables = exec.env.iter().flatten();
        let variables = variables.filter_map(|v| Some((v.get("name")?, v.get("value")?)));
        let (stdin, stderr) = match interactive {
            true => (Stdio::inherit(), Stdio::inherit()),
            false => (Stdio::null(), Stdio::piped()),
        };
        let mut command = Command::new(program);
        command
            .args(exec.args.iter().flatten())
            .envs(variables)
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true);
        for name in exec.drop_env.iter().flatten() {
            command.env_remove(name);
        }
        let child = command.spawn().map_err(|e| self.not_started(program, &e))?;
        let ended = child.wait_with_output();
        let ended = match self.limit {
            None => ended.await,
            Some(limit) => match tokio::time::timeout(limit, ended).await {
                Ok(ended) => ended,
                Err(_) => {
                    let mut error = self.failed(&format!("did not end within {limit:?}"));
                    error
                        .hints
                        .push("a longer wait: --request-timeout=2m".to_owned());
                    return Err(error);
                }
            },
        };
        ended.map_err(|e| self.failed(&format!("cannot be waited for: {}", io_words(&e))))
    }

    fn name(&self) -> String {
        let command = self.exec.command.as_deref().unwrap_or_default();
        format!("credential plugin {}", line(command))
    }

    fn failed(&self, why: &str) -> CredentialsError {
        CredentialsError::new(format!("the {} {why}", self.name()))
    }

    fn not_started(&self, program: &str, error: &std::io::Error) -> CredentialsError {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let mut failed = match missing && !program.contains(std::path::is_separator) {
            true => self.failed("is not installed: no such command on PATH"),
            false => self.failed(&format!("cannot be started: {}", io_words(error))),
        };
        if let Some(hint) = self.exec.install_hint.as_ref().filter(|_| missing) {
            let lines = hint.lines().map(|l| line(l.trim_end()).into_owned());
            let lines = lines.filter(|l| !l.trim().is_empty()).take(HINT_LINES);
            failed.hints.extend(lines);
        }
        failed
    }
}
