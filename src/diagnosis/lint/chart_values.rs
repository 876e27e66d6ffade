//! The values that the onboarding chart knows, up to version 0.2.1.

use crate::text::near;

/// A value of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Any value, and any keys below.
    Any,
    /// A map of these.
    Map(&'static [(&'static str, Known)]),
}

use Known::{Any, Map};

/// Every value, from the top.
pub const CHART: Known = Map(&[
    ("namespace", Any),
    ("database", Any),
    ("serviceAccounts", Any),
    ("encryption", Any),
    (
        "couchdb",
        Map(&[
            ("serviceName", Any),
            ("port", Any),
            ("targetPort", Any),
            ("labels", Any),
            (
                "credentials",
                Map(&[
                    ("secretName", Any),
                    ("userSecretKey", Any),
                    ("passwordSecretKey", Any),
                ]),
            ),
        ]),
    ),
    (
        "steelcouch",
        Map(&[
            ("serviceName", Any),
            ("port", Any),
            ("targetPort", Any),
            ("labels", Any),
        ]),
    ),
    (
        "databaseCreationJob",
        Map(&[
            ("enabled", Any),
            ("serviceAccount", Any),
            (
                "image",
                Map(&[("repository", Any), ("tag", Any), ("pullPolicy", Any)]),
            ),
            ("resources", Any),
            (
                "runInIstioServiceMesh",
                Map(&[("enabled", Any), ("envoyPort", Any)]),
            ),
        ]),
    ),
    // Helm gives these to every chart.
    ("global", Any),
]);

impl Known {
    /// The keys of a map.
    fn keys(self) -> &'static [(&'static str, Known)] {
        match self {
            Any => &[],
            Map(keys) => keys,
        }
    }

    /// The value under a key; `None` where the chart has no such key.
    pub fn get(self, key: &str) -> Option<Known> {
        match self {
            Any => Some(Any),
            Map(keys) => keys.iter().find(|(name, _)| *name == key).map(|(_, k)| *k),
        }
    }

    /// The key that was probably meant.
    pub fn near(self, key: &str) -> Option<&'static str> {
        let names = self.keys().iter().map(|(name, _)| *name);
        near(key, names).first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_testbeds_chart_has_no_other_values() {
        let text = include_str!("../../../tests/testbed/chart/secure-kvs-onboarding/values.yaml");
        let values: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        fn check(known: Known, value: &serde_json::Value) {
            for (key, value) in value.as_object().into_iter().flatten() {
                check(known.get(key).unwrap_or_else(|| panic!("{key}")), value);
            }
        }
        check(CHART, &values);
        assert_eq!(CHART.get("stranger"), None);
    }

    #[test]
    fn a_key_that_is_written_otherwise_is_recognised() {
        assert_eq!(CHART.near("service_accounts"), Some("serviceAccounts"));
        assert_eq!(CHART.near("serviceAccount"), Some("serviceAccounts"));
        assert_eq!(CHART.near("encrpytion"), Some("encryption"));
        assert_eq!(CHART.near("zzz"), None);
    }
}
