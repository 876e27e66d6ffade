//! SKVS235: a patch after rendering cannot be applied.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::chart::ChartError;
use crate::model::status::is_old_controller;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS235",
    slug: "post-renderer-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a patch after rendering cannot be applied",
    explanation: r#"`spec.postRenderers` patches the rendered chart, and Flux adds its own labels in the same step. A patch does not fit (its
target does not exist, its path is wrong), or the rendered chart cannot be split into documents."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.postRenderers}'`

Correct or remove the patch in the manifest. Without a patch: controllers 1.5.0 to 1.5.2 fail on some `---` lines; update
Flux."#,
    example: r#"error while running post render on files: …
error while parsing post rendered output: …"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Chart(ChartError::PostRender(told))) = rendering::cause(case)? else {
        return Ok(None);
    };
    let has_own = case.hr().has_post_renderers();
    let file = told.file.as_ref();
    let file = file.map_or(String::new(), |f| format!(" ({f})"));
    if let Some(key) = &told.duplicate {
        return rendering::finding(
            case,
            &format!("the chart renders the key {key} twice{file}"),
            "Helm alone accepts a YAML with a key twice; Flux reads it once more after rendering, before any patch, and there it is an error: the chart is at fault.",
            "Use another version of the chart, and report it to the chart's publisher",
        )
        .why(&told.says)
        .into();
    }
    if let Some(object) = &told.registered {
        return rendering::finding(
            case,
            &format!("the chart renders {object} twice"),
            "Helm alone accepts an object twice; Flux reads the rendered chart once more, before any patch, and there it is an error: the chart is at fault.",
            "Use another version of the chart, and report it to the chart's publisher",
        )
        .into();
    }
    // The patch refers to something that the chart does not have; the field of the manifest may not have been read.
    let of_patch = [
        "unique target for patch",
        "no matches for Id ",
        "unable to parse SM or JSON patch",
        "operation does not apply: ",
        "PatchTransformer",
        "PatchStrategicMerge",
        "PatchJson6902",
    ];
    let (sentence, step) = if has_own || of_patch.iter().any(|t| told.says.contains(t)) {
        (
            format!("spec.postRenderers cannot be applied to the rendered chart{file}"),
            "Correct or remove the patch in spec.postRenderers of the manifest",
        )
    } else {
        (
            format!("the rendered chart cannot be read{file}"),
            match is_old_controller(case.hr()) {
                Some(true) => {
                    "The HelmRelease has no patch of its own: report it to the chart's publisher"
                }
                _ => {
                    "The HelmRelease has no patch of its own: report it to the chart's publisher, and update Flux if the controller is 1.5.0 to 1.5.2"
                }
            },
        )
    };
    rendering::finding(
        case,
        &sentence,
        &format!("The error after rendering: {}", told.says),
        step,
    )
    .seen([Evidence::new(
        case.subject(),
        ".spec.postRenderers",
        if has_own {
            "spec.postRenderers is set"
        } else {
            "spec.postRenderers is not set"
        },
    )])
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("post-renderer-failed", "SKVS235"),
            "spec.postRenderers cannot be applied to the rendered chart"
        );
        assert_eq!(
            fixture::sentence("post-renderer-failed-own", "SKVS235"),
            "the rendered chart cannot be read"
        );
        assert_eq!(
            fixture::sentence("post-renderer-failed-old", "SKVS235"),
            "spec.postRenderers cannot be applied to the rendered chart"
        );
    }
}
