//! Healthy onboardings: a report finds nothing, and every check was run.

use super::stage::{skvs, stage};

#[test]
fn nothing_is_found_of_a_healthy_one() {
    let stage = stage();
    let healthy: Vec<_> = stage.ended.iter().filter(|e| e.healthy).collect();
    let mut wrong = Vec::new();
    for ended in &healthy {
        let lines = ended.text.stdout.lines().count();
        let well = ended.stuck.is_none()
            && ended.text.code == 0
            && ended.text.stderr.is_empty()
            && ended.text.stdout.contains("nothing found")
            && ended.text.stdout.contains("checks run")
            && !ended.text.stdout.contains("not run")
            && lines == 1;
        if !well {
            wrong.push(format!(
                "== {}: {:?}\n{}{}",
                ended.case.slug, ended.stuck, ended.text.stdout, ended.text.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(healthy.len() >= 20, "{}", healthy.len());
}

#[test]
fn all_healthy_ones_together_are_fine() {
    let stage = stage();
    let said = skvs(&stage.sandbox, &["troubleshoot", "-l", "matrix=healthy"]);
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (0, ""),
        "{}",
        said.stdout
    );
    let count = stage.ended.iter().filter(|e| e.healthy).count();
    assert!(
        said.stdout
            .starts_with(&format!("{count} onboardings in flux-system: none is ")),
        "{}",
        said.stdout
    );
}
