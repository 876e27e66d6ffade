//! Known texts of helm-controller that do not name a cause, with their meaning and a remedy.

/// A text, its meaning, and the remedy.
const NOTES: [(&str, &str, &str); 4] = [
    (
        "runtime error: ",
        "helm-controller met a mistake of its own (a panic); the onboarding is not at fault.",
        "Update helm-controller or go back to the version before, and report the error to the Flux project",
    ),
    (
        "reconciler panic",
        "helm-controller met a mistake of its own (a panic); the onboarding is not at fault.",
        "Update helm-controller or go back to the version before, and report the error to the Flux project",
    ),
    (
        "failed to wait for object to sync in-cache after patching",
        "helm-controller's copy of the cluster's objects lags behind the API server; this passes.",
        "If it stays, check the API server, and restart helm-controller",
    ),
    (
        "context canceled",
        "The controller was stopped, or stopped itself, in the middle of its work; this passes.",
        "If it stays, see whether the pods of Flux's controllers restart, and why",
    ),
];

/// What the text means and what to do, where it is known.
pub fn noted(text: &str) -> Option<(&'static str, &'static str)> {
    let mut notes = NOTES.into_iter();
    let (_, why, step) = notes.find(|(lead, _, _)| text.contains(lead))?;
    Some((why, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_mistake_of_the_controller() {
        let panic = "runtime error: invalid memory address or nil pointer dereference";
        assert!(noted(panic).is_some_and(|(why, _)| why.contains("panic")));
        assert_eq!(noted("panic buttons"), None);
    }
}
