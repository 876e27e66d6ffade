//! Which link of the chain a code is about.

use crate::diagnosis::finding::Subject;
use crate::model::source;

/// A link of the chain, in the order in which one depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Source,
    Chart,
    Release,
    Job,
    Database,
}

impl Place {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [
        Self::Source,
        Self::Chart,
        Self::Release,
        Self::Job,
        Self::Database,
    ];

    /// Its name as people say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Chart => "Chart",
            Self::Release => "Release",
            Self::Job => "Job",
            Self::Database => "Database",
        }
    }
}

/// Every code by the link that it breaks. The release is Flux, the HelmRelease and Helm's work with it; the Job is all that keeps it from
/// creating the database; the database is the result, with the access to it.
const PLACES: [(Place, &[&str]); 5] = [
    (
        Place::Source,
        &[
            "SKVS203", "SKVS204", "SKVS205", "SKVS206", "SKVS207", "SKVS208", "SKVS209", "SKVS210",
            "SKVS211", "SKVS212", "SKVS215", "SKVS216", "SKVS217", "SKVS218", "SKVS220", "SKVS221",
            "SKVS228",
        ],
    ),
    (
        Place::Chart,
        &[
            "SKVS145", "SKVS201", "SKVS202", "SKVS213", "SKVS214", "SKVS219", "SKVS222", "SKVS223",
            "SKVS224", "SKVS225", "SKVS226", "SKVS227", "SKVS237",
        ],
    ),
    (
        Place::Release,
        &[
            "SKVS101", "SKVS102", "SKVS103", "SKVS104", "SKVS105", "SKVS106", "SKVS107", "SKVS108",
            "SKVS109", "SKVS110", "SKVS111", "SKVS112", "SKVS113", "SKVS114", "SKVS115", "SKVS116",
            "SKVS117", "SKVS118", "SKVS119", "SKVS120", "SKVS121", "SKVS122", "SKVS123", "SKVS124",
            "SKVS125", "SKVS126", "SKVS127", "SKVS128", "SKVS129", "SKVS130", "SKVS131", "SKVS132",
            "SKVS133", "SKVS134", "SKVS135", "SKVS137", "SKVS138", "SKVS139", "SKVS140", "SKVS142",
            "SKVS143", "SKVS146", "SKVS147", "SKVS148", "SKVS150", "SKVS151", "SKVS152", "SKVS153",
            "SKVS160", "SKVS161", "SKVS229", "SKVS230", "SKVS231", "SKVS232", "SKVS233", "SKVS234",
            "SKVS235", "SKVS236", "SKVS238", "SKVS239", "SKVS313", "SKVS325", "SKVS332", "SKVS401",
            "SKVS402", "SKVS403", "SKVS900",
        ],
    ),
    (
        Place::Job,
        &[
            "SKVS301", "SKVS303", "SKVS304", "SKVS305", "SKVS306", "SKVS307", "SKVS308", "SKVS309",
            "SKVS310", "SKVS311", "SKVS312", "SKVS314", "SKVS315", "SKVS316", "SKVS317", "SKVS318",
            "SKVS320", "SKVS326",
        ],
    ),
    (
        Place::Database,
        &[
            "SKVS302", "SKVS323", "SKVS324", "SKVS330", "SKVS331", "SKVS410", "SKVS411",
        ],
    ),
];

/// Codes that can be about several links. The object of the finding says which.
const BY_OBJECT: [&str; 8] = [
    "SKVS112", "SKVS128", "SKVS206", "SKVS217", "SKVS219", "SKVS220", "SKVS221", "SKVS313",
];

/// The link that a finding of `code` about `subject` breaks; `None` for a code without a place.
pub(in crate::diagnosis) fn broken_by(code: &str, subject: &Subject) -> Option<Place> {
    let (place, _) = PLACES.iter().find(|(_, codes)| codes.contains(&code))?;
    let by_object = || match subject.kind.as_str() {
        "HelmChart" => Some(Place::Chart),
        "Job" | "Pod" => Some(Place::Job),
        "HelmRelease" => Some(Place::Release),
        kind => source::plural(kind).map(|_| Place::Source),
    };
    let told = BY_OBJECT.contains(&code).then(by_object).flatten();
    Some(told.unwrap_or(*place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::registry::RULES;

    #[test]
    fn every_code_has_one_place_and_no_other_has() {
        let mut placed: Vec<&str> = PLACES
            .iter()
            .flat_map(|(_, codes)| *codes)
            .copied()
            .collect();
        placed.sort_unstable();
        let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(placed, codes);
        assert!(BY_OBJECT.iter().all(|code| codes.contains(code)));
        let none = Subject::new("HelmRelease", "n", "a");
        assert_eq!(broken_by("SKVS999", &none), None);
    }

    #[test]
    fn the_object_tells_which_of_several_links_it_is() {
        let of = |code, kind| broken_by(code, &Subject::new(kind, "n", "a")).unwrap();
        assert_eq!(of("SKVS217", "HelmRepository"), Place::Source);
        assert_eq!(of("SKVS217", "HelmChart"), Place::Chart);
        assert_eq!(of("SKVS217", "Widget"), Place::Source);
        assert_eq!(of("SKVS313", "Job"), Place::Job);
        assert_eq!(of("SKVS112", "Job"), Place::Job);
        assert_eq!(of("SKVS219", "HelmRepository"), Place::Source);
        assert_eq!(of("SKVS220", "HelmRelease"), Place::Release);
        assert_eq!(of("SKVS313", "AuthorizationPolicy"), Place::Release);
        // Of other codes the object says nothing: a Job can only not be created in a namespace that does not exist.
        assert_eq!(of("SKVS101", "Job"), Place::Release);
    }
}
