//! The one list of rules, sorted by code. A code is never given a second meaning.
//!
//! Bands: 1xx Flux and the HelmRelease, 2xx the chart and its source, 3xx the database and the creation Job, 4xx access,
//! 9xx unknown. 5xx are those of `lint`.

use super::rule::{Role, Rule};
use super::rules;

/// The bands of codes: first digit and what it is about.
pub const BANDS: [(char, &str); 5] = [
    ('1', "Flux and the HelmRelease"),
    ('2', "the chart and its source"),
    ('3', "the database and its creation Job"),
    ('4', "access"),
    ('9', "unknown"),
];

/// Every rule.
pub const RULES: &[&Rule] = &[
    &rules::target_namespace_missing::RULE,
    &rules::target_namespace_terminating::RULE,
    &rules::dependency_not_ready::RULE,
    &rules::values_reference_missing::RULE,
    &rules::no_answer::RULE,
    &rules::stale_status::RULE,
    &rules::suspended::RULE,
    &rules::in_progress::RULE,
    &rules::being_deleted::RULE,
    &rules::retries_exhausted::RULE,
    &rules::wait_timed_out::RULE,
    &rules::webhook_down::RULE,
    &rules::api_server_trouble::RULE,
    &rules::api_discovery_broken::RULE,
    &rules::release_locked::RULE,
    &rules::release_name_in_use::RULE,
    &rules::release_written_meanwhile::RULE,
    &rules::release_never_deployed::RULE,
    &rules::release_not_found::RULE,
    &rules::release_unreadable::RULE,
    &rules::stored_kind_removed::RULE,
    &rules::kind_missing::RULE,
    &rules::crd_step_failed::RULE,
    &rules::too_large::RULE,
    &rules::write_race::RULE,
    &rules::foreign_object::RULE,
    &rules::field_conflict::RULE,
    &rules::object_exists::RULE,
    &rules::field_immutable::RULE,
    &rules::remediated::RULE,
    &rules::remediation_failed::RULE,
    &rules::missing_rollback_target::RULE,
    &rules::tests_failed::RULE,
    &rules::dependency_circle::RULE,
    &rules::expression_invalid::RULE,
    &rules::release_name_invalid::RULE,
    &rules::name_too_long::RULE,
    &rules::drifted::RULE,
    &rules::diff_failed::RULE,
    &rules::storage_unread::RULE,
    &rules::impersonation_refused::RULE,
    &rules::chart_object_refused::RULE,
    &rules::action_interrupted::RULE,
    &rules::controller_disk::RULE,
    &rules::manifest_not_applied::RULE,
    &rules::controller_not_running::RULE,
    &rules::wrong_shard::RULE,
    &rules::ready_left_behind::RULE,
    &rules::release_shared::RULE,
    &rules::name_convention::RULE,
    &rules::label_missing::RULE,
    &rules::no_chart_version::RULE,
    &rules::unknown_chart::RULE,
    &rules::repository_unreachable::RULE,
    &rules::repository_unauthorized::RULE,
    &rules::repository_wrong_url::RULE,
    &rules::source_missing::RULE,
    &rules::repository_tls::RULE,
    &rules::repository_in_trouble::RULE,
    &rules::repository_index_broken::RULE,
    &rules::repository_url_invalid::RULE,
    &rules::repository_secret_unusable::RULE,
    &rules::cloud_login_failed::RULE,
    &rules::not_in_registry::RULE,
    &rules::chart_version_differs::RULE,
    &rules::source_kind_unsupported::RULE,
    &rules::source_access_denied::RULE,
    &rules::source_suspended::RULE,
    &rules::source_without_artifact::RULE,
    &rules::artifact_gone::RULE,
    &rules::source_storage_failed::RULE,
    &rules::source_not_looked_at::RULE,
    &rules::values_files_missing::RULE,
    &rules::chart_not_verified::RULE,
    &rules::chart_archive_broken::RULE,
    &rules::chart_dependency_missing::RULE,
    &rules::kube_version_too_old::RULE,
    &rules::chart_template_broken::RULE,
    &rules::source_stale::RULE,
    &rules::values_against_schema::RULE,
    &rules::values_refused::RULE,
    &rules::value_missing::RULE,
    &rules::value_of_wrong_type::RULE,
    &rules::rendered_yaml_broken::RULE,
    &rules::field_refused::RULE,
    &rules::post_renderer_failed::RULE,
    &rules::kube_config_unusable::RULE,
    &rules::chart_named_twice_or_not::RULE,
    &rules::values_reference_unusable::RULE,
    &rules::chart_mended::RULE,
    &rules::database_exists::RULE,
    &rules::database_shared::RULE,
    &rules::creation_job_failed::RULE,
    &rules::couchdb_unreachable::RULE,
    &rules::couchdb_unauthorized::RULE,
    &rules::image_not_pulled::RULE,
    &rules::pod_unscheduled::RULE,
    &rules::creation_timed_out::RULE,
    &rules::database_name_invalid::RULE,
    &rules::database_never_created::RULE,
    &rules::quota_exceeded::RULE,
    &rules::pod_security::RULE,
    &rules::admission_denied::RULE,
    &rules::job_account_missing::RULE,
    &rules::limit_range::RULE,
    &rules::sidecar_holds_job::RULE,
    &rules::pod_disrupted::RULE,
    &rules::job_out_of_memory::RULE,
    &rules::couchdb_service_broken::RULE,
    &rules::database_missing::RULE,
    &rules::database_unserved::RULE,
    &rules::upgrade_hook_failed::RULE,
    &rules::mesh_denies_job::RULE,
    &rules::database_changed::RULE,
    &rules::encryption_changed::RULE,
    &rules::notes_disagree::RULE,
    &rules::service_account_missing::RULE,
    &rules::service_account_without_rights::RULE,
    &rules::right_granted_since::RULE,
    &rules::policy_missing::RULE,
    &rules::policy_without_account::RULE,
    &rules::unknown_cause::RULE,
];

/// Those that judge by the creation Job's pods.
pub const BY_PODS: [&Rule; 9] = [
    &rules::database_exists::RULE,
    &rules::couchdb_unreachable::RULE,
    &rules::couchdb_unauthorized::RULE,
    &rules::image_not_pulled::RULE,
    &rules::pod_unscheduled::RULE,
    &rules::database_name_invalid::RULE,
    &rules::sidecar_holds_job::RULE,
    &rules::pod_disrupted::RULE,
    &rules::job_out_of_memory::RULE,
];

/// Those that judge by the claims of other onboardings.
pub const BY_CLAIMS: [&Rule; 1] = [&rules::database_shared::RULE];

/// Those that judge by the databases in CouchDB.
pub const BY_DATABASES: [&Rule; 2] = [
    &rules::database_missing::RULE,
    &rules::database_unserved::RULE,
];

/// Those that judge by what the first revision of a release says.
pub const BY_FIRST_REVISION: [&Rule; 3] = [
    &rules::database_never_created::RULE,
    &rules::database_changed::RULE,
    &rules::encryption_changed::RULE,
];

/// Those that judge by the AuthorizationPolicy.
pub const BY_POLICY: [&Rule; 1] = [&rules::policy_missing::RULE];

/// Those that find an onboarding without the label.
pub const BY_LABEL: [&Rule; 1] = [&rules::label_missing::RULE];

/// Those on the chart and its source.
pub fn of_sources() -> impl Iterator<Item = &'static Rule> {
    let all = RULES.iter().copied();
    all.filter(|rule| rule.code.starts_with("SKVS2"))
}

/// The rule of `code`, in any case of letters.
pub fn find(code: &str) -> Option<&'static Rule> {
    let mut rules = RULES.iter().copied();
    rules.find(|r| super::catalogue::names(r.code, r.slug, code))
}

/// Whether the rule of `code` finds something only if nothing else does.
pub fn is_fallback(code: &str) -> bool {
    find(code).is_some_and(|rule| rule.role == Role::Fallback)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn codes_are_unique_sorted_and_in_a_band() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
        }
        for rule in RULES {
            let digits = rule.code.strip_prefix("SKVS").unwrap();
            assert!(digits.len() == 3 && digits.parse::<u16>().is_ok());
            assert!(
                BANDS.iter().any(|(d, _)| digits.starts_with(*d)),
                "{}",
                rule.code
            );
        }
    }

    #[test]
    fn every_rule_says_all_that_is_asked_of_it() {
        for rule in RULES {
            for (what, text) in [
                ("explanation", rule.explanation),
                ("fix", rule.fix),
                ("example", rule.example),
            ] {
                assert!(text.len() > 15, "{}: {what}", rule.code);
            }
            assert!(
                !rule.title.ends_with('.') && rule.title.len() < 75,
                "{}",
                rule.code
            );
            assert!(
                rule.fix.contains("See it") || rule.role == Role::Fallback,
                "{}",
                rule.code
            );
            for line in rule.explanation.lines().chain(rule.fix.lines()) {
                assert!(line.chars().count() <= 132, "{}: {line}", rule.code);
            }
        }
    }

    #[test]
    fn what_is_explained_exists_and_goes_in_no_circle() {
        for rule in RULES {
            let mut next = rule.explains.to_vec();
            for _ in 0..RULES.len() {
                assert!(!next.contains(&rule.code), "{} explains itself", rule.code);
                next = next
                    .iter()
                    .flat_map(|c| {
                        find(c)
                            .unwrap_or_else(|| panic!("{c}"))
                            .explains
                            .iter()
                            .copied()
                    })
                    .collect();
            }
        }
    }

    #[test]
    fn every_case_names_its_codes_and_every_rule_has_a_case() {
        let mut hit = Vec::new();
        let mut wrong = Vec::new();
        for name in fixture::names() {
            let meta = fixture::meta(&name);
            assert!(
                ["recorded", "written"].contains(&meta.origin.as_str()),
                "{name}"
            );
            let version = |v: &str| v.split('.').filter(|n| n.parse::<u32>().is_ok()).count() == 3;
            assert!(meta.controller.as_deref().is_none_or(version), "{name}");
            let mut roots: Vec<&str> = fixture::diagnosis(&name)
                .roots
                .iter()
                .map(|r| r.rule.code)
                .collect();
            roots.sort_unstable();
            let follows = fixture::followers(&name);
            if roots != meta.expect || follows != meta.follows {
                wrong.push(format!("{name}: {roots:?}, under them {follows:?}"));
            }
            hit.extend(roots);
            hit.extend(follows);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let missed: Vec<&str> = RULES
            .iter()
            .map(|r| r.code)
            .filter(|c| !hit.contains(c))
            .collect();
        assert!(missed.is_empty(), "without a case: {missed:?}");
    }
}
