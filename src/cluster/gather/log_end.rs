//! The end of a container's log. The API server takes the last lines first and then bytes from their beginning: a log that has as many
//! bytes as were asked for was cut at its end.

use crate::cluster::{Cluster, segment};
use crate::model::field::Meta;
use crate::snapshot::{Read, Why};

/// Most requests for one log.
pub(super) const REQUESTS_MAX: u64 = 2;

/// How much of a log is read.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) lines: usize,
    pub(super) bytes: usize,
}

/// Reads the last lines of a container's log; fewer, if they are too long. Unknown if the end was not read.
pub(super) async fn fetch(
    cluster: &Cluster,
    pod: &Meta,
    container: &str,
    most: Most,
) -> Read<String> {
    let few = Most {
        lines: most.lines.div_ceil(10),
        ..most
    };
    for most in [most, few] {
        let read = lines(cluster, pod, container, most).await;
        // Invalid UTF-8 and removed credentials change the lengths.
        if !matches!(&read, Read::Seen(text) if text.len() + most.bytes / 16 >= most.bytes) {
            return read;
        }
    }
    let Most { lines, bytes } = few;
    Read::Unknown(Why::Broken(format!(
        "its last {lines} lines have more than {bytes} bytes"
    )))
}

async fn lines(cluster: &Cluster, pod: &Meta, container: &str, most: Most) -> Read<String> {
    let Most { lines, bytes } = most;
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines={lines}&limitBytes={bytes}",
        segment(&pod.namespace),
        segment(&pod.name),
        segment(container)
    );
    Read::from_result(cluster.get_text(&path).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server;
    use serde_json::{Value, json};

    /// What is read where these are the answers, and what was asked.
    async fn read_of(answers: &[Value]) -> (Read<String>, Vec<String>) {
        let (cluster, asked) = test_server::cluster(answers);
        let most = Most {
            lines: 100,
            bytes: 1600,
        };
        let text = fetch(&cluster, &Meta::default(), "c", most).await;
        (text, asked.queries())
    }

    #[tokio::test]
    async fn a_log_that_was_cut_is_asked_for_again_and_has_no_end() {
        let [short, long] = [1400, 1510].map(|bytes| json!("x".repeat(bytes)));
        let (text, asked) = read_of(std::slice::from_ref(&short)).await;
        assert_eq!((text, asked.len()), (Read::Seen(short.to_string()), 1));
        let (text, asked) = read_of(&[long.clone(), short.clone()]).await;
        assert_eq!(text, Read::Seen(short.to_string()));
        assert_eq!(asked[1], "container=c&tailLines=10&limitBytes=1600");
        let (text, asked) = read_of(&[long.clone(), long]).await;
        assert_eq!(
            text.unknown().map(Why::clause).as_deref(),
            Some("its last 10 lines have more than 1600 bytes")
        );
        assert_eq!(asked.len() as u64, REQUESTS_MAX);
    }
}
