//! Which onboardings the flags let through.

use super::Args;
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};

/// Whether `hr` is to be shown.
pub(super) fn passes(args: &Args, hr: &HelmRelease) -> bool {
    let ready = status::ready(hr);
    if (args.failed && ready != Ready::False) || (args.ready && ready != Ready::True) {
        return false;
    }
    if let Some(database) = &args.database
        && hr.claim().joined() != Some(database)
    {
        return false;
    }
    if let Some(account) = &args.service_account {
        let lets_in = |full: String| full == *account || full.rsplit('/').next() == Some(account);
        return hr.values().accounts().into_iter().any(lets_in);
    }
    true
}
