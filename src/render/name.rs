//! `-o name`: the line that kubectl prints for one object, which `kubectl get` takes back.

use std::io::{self, Write};

/// Writes `kind.group/NAME` in lower case but for the name; the core group (`""`) has no dot.
pub fn write(out: &mut impl Write, kind: &str, group: &str, name: &str) -> io::Result<()> {
    let kind = kind.to_lowercase();
    let name = crate::text::line(name);
    match group {
        "" => writeln!(out, "{kind}/{name}"),
        _ => writeln!(out, "{kind}.{group}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_follows_the_kind() {
        let mut out = Vec::new();
        write(
            &mut out,
            "HelmRelease",
            "helm.toolkit.fluxcd.io",
            "skvs-onboarding-pds--database",
        )
        .unwrap();
        write(&mut out, "Secret", "", "sh.helm.release.v1.a.v1").unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-pds--database
        secret/sh.helm.release.v1.a.v1
        ");
    }
}
