//! CouchDB's own log, as far as it says how it answers its probes.

/// The longest time in milliseconds after which it answered 200 to `/_up`: `… GET /_up 200 ok 2341`.
pub fn slowest_up(log: &str) -> Option<u64> {
    let times = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" GET /_up 200 ok ")?;
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    times.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_answer_to_the_probe_counts() {
        let up = |end: &str| {
            format!(
                "[notice] 2026-11-27T04:59:31Z couchdb@a <0.1.0> 5f1c 10.0.0.1:5984 10.0.0.1 undefined GET /_up {end}\n"
            )
        };
        let log = [up("200 ok 12"), up("200 ok 2341"), up("200 ok 9")].concat();
        assert_eq!(slowest_up(&log), Some(2341));
        for other in [
            up("404 ok 9000"),
            up("200 ok x"),
            up("200 ok"),
            "GET /db 200 ok 9".to_owned(),
        ] {
            assert_eq!(slowest_up(&other), None, "{other}");
        }
    }
}
