//! A request's result as a part of a [snapshot](crate::snapshot): seen, absent, or unknown and why.

use super::ClusterError;
use crate::snapshot::{Read, Why};

/// What stands for a kind that this API server has not, or has in other versions only.
const UNSERVED: &str = "the API server does not serve this kind in the version that was asked for";

impl<T> Read<T> {
    /// From a read: 404 of an object is absent, every other error is unknown.
    pub fn from_result(result: Result<T, ClusterError>) -> Self {
        match result {
            Ok(value) => Read::Seen(value),
            Err(error) if error.is_unserved() => Read::failed(UNSERVED),
            Err(error) if error.is_not_found() => Read::Absent,
            Err(error) => Read::Unknown(Why::from(&error)),
        }
    }
}

impl From<&ClusterError> for Why {
    fn from(error: &ClusterError) -> Self {
        let clause = error.clause();
        if error.is_not_saved() {
            return Why::NotAsked(clause);
        }
        if error.is_forbidden() {
            let what = clause
                .strip_prefix("forbidden (")
                .and_then(|c| c.strip_suffix(')'))
                .unwrap_or(&clause);
            return Why::Forbidden(what.to_owned());
        }
        Why::Failed(clause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::request::Status;

    /// As the API server answers, which names the object that it did not find.
    fn read(code: u16, name: &str, message: &str) -> Read<()> {
        Read::from_result(Err(ClusterError::from(Status {
            code,
            reason: "Reason".to_owned(),
            message: message.to_owned(),
            name: name.to_owned(),
        })))
    }

    #[test]
    fn only_a_404_of_an_object_is_absent() {
        assert_eq!(Read::from_result(Ok(1)), Read::Seen(1));
        assert!(read(404, "a", "secrets \"a\" not found").is_absent());
        let unserved = read(404, "", "404 page not found");
        assert_eq!(unserved, Read::Unknown(Why::Failed(UNSERVED.to_owned())));
        assert_eq!(
            read(500, "", "etcdserver: request timed out"),
            Read::Unknown(Why::Failed("etcdserver: request timed out".to_owned()))
        );
    }

    #[test]
    fn a_refusal_names_the_right_that_is_missing() {
        let told = "events is forbidden: User \"dev\" cannot list resource \"events\" in API group \"\" in the namespace \"flux-system\"";
        assert_eq!(
            read(403, "", told),
            Read::Unknown(Why::Forbidden("list events in flux-system".to_owned()))
        );
    }
}
