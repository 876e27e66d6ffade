//! The mark of onboardings: the label selector that finds them.

use super::helm_release::ONBOARDING_SELECTOR;
use super::not_read::NotRead;
use super::selector::Labels;
use std::str::FromStr;

/// The part that a check lacks if the selector is not one label.
pub const WHAT: &str = "the label of onboardings";

/// A selector that finds onboardings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    selector: String,
    labels: Labels,
}

impl Default for Mark {
    /// The runbook's.
    fn default() -> Self {
        ONBOARDING_SELECTOR
            .parse()
            .expect("the runbook's selector is one")
    }
}

impl FromStr for Mark {
    type Err = String;

    /// Reads a selector.
    fn from_str(text: &str) -> Result<Self, String> {
        let selector = text.trim().to_owned();
        let fault = |part| format!("{part:?} is not a requirement of a label selector");
        let labels = Labels::parse(&selector).map_err(fault)?;
        Ok(Self { selector, labels })
    }
}

impl Mark {
    /// The label that every onboarding has.
    ///
    /// # Errors
    /// The selector is not `key=value`: which labels to give an onboarding is not known.
    pub fn label(&self) -> Result<(&str, &str), NotRead> {
        self.labels.pair().ok_or_else(|| {
            let why = format!("the selector {:?} is not key=value", self.selector);
            NotRead::new(WHAT, why)
        })
    }

    /// Whether the selector finds an object with these labels. An empty selector finds everything and marks nothing.
    pub fn is_on<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        !self.selector.is_empty() && self.labels.matches(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pair_is_a_label() {
        let mark = |text: &str| text.parse::<Mark>().unwrap();
        assert_eq!(
            Mark::default().label(),
            Ok(("app.kubernetes.io/part-of", "secure-kvs-onboarding"))
        );
        for text in ["a=b", " a == b ", "a in (b)"] {
            assert_eq!(mark(text).label(), Ok(("a", "b")), "{text}");
        }
        for text in ["", "a", "a=b,c=d", "a in (b,c)", "a!=b", "a>1"] {
            let missing = mark(text).label().unwrap_err();
            assert_eq!(missing.what, "the label of onboardings", "{text}");
        }
        assert!("a=b=c".parse::<Mark>().is_err());
        let has = |key: &str| (key == "a").then_some("b");
        assert!(mark("a in (b,c)").is_on(has));
        assert!(!mark("a=c").is_on(has) && !mark("").is_on(has));
    }
}
