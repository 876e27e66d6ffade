//! What to do about what a Kustomization says.
//!
//! The texts are those of kustomize-controller, of the tools that it calls (kustomize, SOPS, envsubst) and of the API server's dry run.

/// Parts of a message, in order of how much they say, and what to do.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &[".sops: field not declared in schema", "field \"sops\""],
        "the manifest is encrypted with SOPS: set spec.decryption of the Kustomization",
    ),
    (
        &[
            "decryption failed for ",
            "cannot get sops data key",
            "failed to decrypt",
        ],
        "compare the keys that the file is encrypted for with those in the Secret that spec.decryption of the Kustomization names",
    ),
    (
        &["kustomization path not found", "failed to find path"],
        "correct spec.path of the Kustomization, or restore the folder in the repository",
    ),
    (
        &[
            "variable substitution failed",
            "envsubst error",
            "var substitution failed",
        ],
        "set the variable in spec.postBuild of the Kustomization, or write $${ where ${ is meant as text",
    ),
    (
        &[".valuesFile: field not declared in schema"],
        "write valuesFiles, a list, in place of valuesFile",
    ),
    (
        &["namespace not specified"],
        "set metadata.namespace in the manifest",
    ),
    (
        &["field not declared in schema", "unknown field"],
        "remove the field, or update Flux's CRDs if it is a newer one",
    ),
    (
        &["no matches for kind"],
        "use a version of the kind that the cluster serves, or install the CRD first",
    ),
    (
        &[" is forbidden: User "],
        "grant the right to the account that the Kustomization uses (spec.serviceAccountName)",
    ),
    (
        &[
            "MalformedYAMLError",
            "error converting YAML to JSON",
            "yaml: ",
        ],
        "correct the YAML of the file",
    ),
    (
        &["kustomize build failed"],
        "build the folder with kubectl kustomize to see it, and correct it",
    ),
    (&[" dry-run failed"], "correct what the API server refuses"),
];

/// What to do about a message, as a clause; `None` where the text is not known.
pub fn remedy(message: &str) -> Option<&'static str> {
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    let found = REMEDIES.iter().find(|(parts, _)| says(parts));
    found.map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_says_most_decides() {
        for (message, part) in [
            (
                "HelmRelease/flux-system/a dry-run failed: failed to create typed patch object (flux-system/a; helm.toolkit.fluxcd.io/v2, Kind=HelmRelease): .sops: field not declared in schema",
                "spec.decryption",
            ),
            (
                "HelmRelease/flux-system/a dry-run failed: failed to create typed patch object (x): .spec.y: field not declared in schema",
                "remove the field",
            ),
            (
                "HelmRelease/n/a dry-run failed: .spec.chart.spec.valuesFile: field not declared in schema",
                "valuesFiles, a list",
            ),
            (
                "decryption failed for 'a': cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.",
                "Secret that spec.decryption",
            ),
            (
                "kustomization path not found: stat /tmp/x/onboardings: no such file or directory",
                "spec.path",
            ),
            (
                "post build failed for 'a': envsubst error: variable substitution failed: variable not set (strict mode): \"A\"",
                "spec.postBuild",
            ),
            (
                "HelmRelease/a namespace not specified: the server could not find the requested resource",
                "metadata.namespace",
            ),
            (
                "HelmRelease/n/a dry-run failed: no matches for kind \"HelmRelease\" in version \"helm.toolkit.fluxcd.io/v3\"",
                "version of the kind",
            ),
            (
                "HelmRelease/n/a dry-run failed: helmreleases is forbidden: User \"x\" cannot patch",
                "spec.serviceAccountName",
            ),
            (
                "kustomize build failed: accumulating resources: a.yaml: MalformedYAMLError: yaml: line 3",
                "correct the YAML",
            ),
        ] {
            let remedy = remedy(message).unwrap();
            assert!(remedy.contains(part), "{message}: {remedy}");
        }
        assert_eq!(remedy("Source artifact not found, retrying in 30s"), None);
    }
}
