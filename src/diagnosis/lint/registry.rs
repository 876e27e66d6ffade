//! The one list of rules, sorted by code. A code is never given a second meaning.
//!
//! 50x the file and its object, 51x the chart, 52x the values, 53x beside other manifests, 54x the kustomization, 55x changes.

use super::rule::Rule;
use super::rules;

/// The first digit of its codes and what they are about.
pub const BAND: (char, &str) = ('5', "manifests in the GitOps repository");

/// Every rule.
pub const RULES: &[&Rule] = &[
    &rules::file_name::RULE,
    &rules::object_name::RULE,
    &rules::object_name_invalid::RULE,
    &rules::object_namespace::RULE,
    &rules::onboarding_label::RULE,
    &rules::api_version::RULE,
    &rules::required_field::RULE,
    &rules::duplicate_key::RULE,
    &rules::chart_name::RULE,
    &rules::chart_source::RULE,
    &rules::chart_range::RULE,
    &rules::value_unset::RULE,
    &rules::value_type::RULE,
    &rules::value_unknown::RULE,
    &rules::database_name::RULE,
    &rules::service_accounts::RULE,
    &rules::derived_name::RULE,
    &rules::database_twice::RULE,
    &rules::object_twice::RULE,
    &rules::names_collide::RULE,
    &rules::not_listed::RULE,
    &rules::listed_missing::RULE,
    &rules::claim_changed::RULE,
    &rules::encryption_switched::RULE,
    &rules::release_renamed::RULE,
    &rules::manifest_removed::RULE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_every_rule_says_all_that_is_asked_of_it() {
        for pair in RULES.windows(2) {
            assert!(
                pair[0].entry.code < pair[1].entry.code,
                "{}",
                pair[1].entry.code
            );
        }
        for rule in RULES {
            let entry = &rule.entry;
            assert!(entry.code.starts_with("SKVS5") && entry.code.len() == 7);
            assert!(
                !entry.title.ends_with('.') && entry.title.len() < 75,
                "{}",
                entry.code
            );
            for text in [entry.explanation, entry.fix, entry.example] {
                assert!(text.len() > 15, "{}", entry.code);
            }
            for line in entry.explanation.lines().chain(entry.fix.lines()) {
                assert!(line.chars().count() <= 132, "{}: {line}", entry.code);
            }
        }
    }
}
