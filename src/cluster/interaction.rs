//! Whether a credential plugin may ask the user.

use crate::error::{Error, Result};
use kube::config::{AuthInfo, ExecInteractiveMode};

/// Who could answer a credential plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interaction {
    /// stdin is a terminal, and one plugin runs.
    Allowed,
    /// stdin is not a terminal.
    NoTerminal,
    /// Plugins of several contexts run at once: nobody could see which of them asks.
    SeveralContexts,
}

impl Interaction {
    /// With one context: a plugin may ask a person only when there is one.
    pub(super) fn of_stdin(is_terminal: bool) -> Self {
        match is_terminal {
            true => Self::Allowed,
            false => Self::NoTerminal,
        }
    }

    /// Makes the plugin of `user` ask nobody where nobody can answer.
    ///
    /// # Errors
    /// It must ask.
    pub(super) fn settle(self, user: &mut AuthInfo) -> Result<()> {
        let Some(exec) = user.exec.as_mut().filter(|_| self != Self::Allowed) else {
            return Ok(());
        };
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            let command = exec.command.as_deref().unwrap_or_default();
            let (why, hint) = match self {
                Self::SeveralContexts => (
                    "several contexts are asked at once",
                    "ask this context alone, with --context",
                ),
                _ => (
                    "stdin is not a terminal",
                    "log in first from a terminal, then run this again",
                ),
            };
            let must = format!("the credential plugin {command:?} must ask you, and {why}");
            return Err(Error::new(must).hint(hint));
        }
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::config::ExecConfig;

    #[test]
    fn a_plugin_that_must_ask_needs_a_terminal_of_its_own() {
        let user = |mode| AuthInfo {
            exec: Some(ExecConfig {
                command: Some("login".into()),
                interactive_mode: Some(mode),
                ..ExecConfig::default()
            }),
            ..AuthInfo::default()
        };
        let mut asks = user(ExecInteractiveMode::Always);
        assert!(Interaction::Allowed.settle(&mut asks).is_ok());
        for (nobody, why) in [
            (Interaction::NoTerminal, "stdin is not a terminal"),
            (Interaction::SeveralContexts, "several contexts"),
        ] {
            let error = nobody.settle(&mut asks).unwrap_err();
            let told = error.message();
            assert!(told.contains("\"login\"") && told.contains(why), "{told}");
            let mut may = user(ExecInteractiveMode::IfAvailable);
            assert!(nobody.settle(&mut may).is_ok());
            let exec = may.exec.unwrap();
            assert_eq!(exec.interactive_mode, Some(ExecInteractiveMode::Never));
        }
    }
}
