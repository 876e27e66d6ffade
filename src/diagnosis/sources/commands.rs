//! Commands on the objects of source-controller, named with their group.

use crate::advice::Command;
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
pub(in crate::diagnosis) use crate::model::source::resource;

/// `kubectl describe -n NAMESPACE KIND NAME`.
pub(in crate::diagnosis) fn describe(subject: &Subject) -> Command {
    Command::new([
        "kubectl",
        "describe",
        "-n",
        &subject.namespace,
        &resource(&subject.kind),
        &subject.name,
    ])
}

/// Makes source-controller look at the object now.
pub(in crate::diagnosis) fn reconcile(case: &Case<'_>, subject: &Subject) -> Command {
    let token = case.now.strftime("%Y-%m-%dT%H:%M:%SZ");
    Command::new([
        "kubectl",
        "annotate",
        "-n",
        &subject.namespace,
        &resource(&subject.kind),
        &subject.name,
        "--overwrite",
        "--field-manager=flux-client-side-apply",
        &format!("reconcile.fluxcd.io/requestedAt={token}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_group_where_others_have_the_kind() {
        let chart = Subject::new("HelmChart", "flux-system", "a");
        assert_eq!(
            describe(&chart)
                .at(&crate::advice::Origin::default())
                .to_string(),
            "kubectl describe -n flux-system helmcharts.source.toolkit.fluxcd.io a"
        );
        assert_eq!(
            resource("HelmRelease"),
            "helmreleases.helm.toolkit.fluxcd.io"
        );
        assert_eq!(resource("Secret"), "secret");
    }
}
