//! `-o name`: the line that kubectl prints for one object, which `kubectl get` takes back.

use crate::text::{Screen, shown};
use std::io;

/// Writes `kind.group/NAME` in lower case but for the name; the core group (`""`) has no dot.
pub fn write(screen: &mut Screen<'_>, kind: &str, group: &str, name: &str) -> io::Result<()> {
    let kind = kind.to_lowercase();
    match group {
        "" => screen.line(shown!("{kind}/{name}")),
        _ => screen.line(shown!("{kind}.{group}/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_follows_the_kind() {
        let mut out = Vec::new();
        let screen = &mut Screen::new(&mut out);
        write(
            screen,
            "HelmRelease",
            "helm.toolkit.fluxcd.io",
            "skvs-onboarding-pds--database",
        )
        .unwrap();
        write(screen, "Secret", "", "sh.helm.release.v1.a.v1").unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-pds--database
        secret/sh.helm.release.v1.a.v1
        ");
    }
}
