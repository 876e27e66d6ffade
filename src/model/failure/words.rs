//! A failure's error in words, for one line: without the wrappers of Helm and Flux around it.

use super::text::{FailureText, unwrap_action};
use super::wait::resources;

impl FailureText<'_> {
    /// The error without wrappers, the commonest forms in plain words; may be of several lines.
    pub fn words(&self) -> String {
        plain(unwrapped(unwrap_action(self.raw).1))
    }
}

/// Takes Helm's wrappers off the front, as often as they occur.
fn unwrapped(error: &str) -> &str {
    const WRAPPERS: [&str; 15] = [
        "failed pre-install: ",
        "failed post-install: ",
        "pre-upgrade hooks failed: ",
        "post-upgrade hooks failed: ",
        "unable to continue with install: ",
        "Unable to continue with install: ",
        "unable to continue with update: ",
        "Unable to continue with update: ",
        "create: failed to create: ",
        "failed to create resource: ",
        "1 error occurred:\n\t* ",
        "invalid chart reference: ",
        "failed to get chart version for remote reference: ",
        "Could not determine release state: ",
        "chart pull error: ",
    ];
    let mut rest = error.trim();
    loop {
        let before = rest;
        for wrapper in WRAPPERS {
            rest = rest.strip_prefix(wrapper).unwrap_or(rest);
        }
        for (from, to) in [
            ("warning: Hook ", " failed: "),
            ("server-side apply failed for object ", ": "),
        ] {
            if let Some((_, inner)) = rest.strip_prefix(from).and_then(|r| r.split_once(to)) {
                rest = inner;
            }
        }
        if let Some((_, inner)) = rest.split_once(" is not ready: ")
            && rest.starts_with(['H', 'O', 'E'])
            && rest
                .split('\'')
                .next()
                .is_some_and(|k| ["HelmChart ", "OCIRepository ", "ExternalArtifact "].contains(&k))
        {
            rest = inner;
        }
        if rest == before {
            return rest.trim();
        }
    }
}

/// `[Job/core/x status: 'Failed']` as `Job core/x failed`, `namespaces "x" not found` as `namespace "x" not found`.
fn plain(error: &str) -> String {
    // What is left of Helm's wait when its time is up: the text says nothing about what it waited for.
    if error.contains("client rate limiter Wait returned an error")
        || error == "context deadline exceeded"
    {
        return "timed out".to_owned();
    }
    if let Some(rest) = error.strip_prefix("namespaces \"") {
        return format!("namespace \"{rest}");
    }
    for (prefix, lead) in [
        ("failed early due to stalled resources: ", ""),
        ("timeout waiting for: ", "timed out waiting for "),
    ] {
        if let Some(list) = error.strip_prefix(prefix) {
            let objects = resources(list);
            if !objects.is_empty() {
                let words: Vec<String> = objects
                    .iter()
                    .map(|o| {
                        if lead.is_empty() {
                            format!("{} {} failed", o.kind, o.id())
                        } else {
                            format!("{} {} ({})", o.kind, o.id(), o.status)
                        }
                    })
                    .collect();
                return format!("{lead}{}", words.join(", "));
            }
        }
    }
    error.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "(server-side apply failed for object |cannot patch \"|\" with kind |, Kind=|\\[|Job/|core/x| status: '|Failed|', |\\]|Helm install failed: | for release x/y with chart c@1: ){0,10}") {
            let _ = FailureText::parse("", &text).words();
        }
    }
}
