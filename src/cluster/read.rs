//! A request's result as a part of a [snapshot](crate::snapshot): seen, absent, or unknown and why.

use super::ClusterError;
use crate::snapshot::{Read, Why};

impl<T> Read<T> {
    /// From a read: 404 is absent, every other error is unknown.
    pub fn from_result(result: Result<T, ClusterError>) -> Self {
        match result {
            Ok(value) => Read::Seen(value),
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
    use kube::core::Status;

    fn read(code: u16, message: &str) -> Read<()> {
        let status = Status::failure(message, "Reason").with_code(code);
        Read::from_result(Err(ClusterError::Api(Box::new(status))))
    }

    #[test]
    fn only_a_404_is_absent() {
        assert_eq!(Read::from_result(Ok(1)), Read::Seen(1));
        assert!(read(404, "secrets \"a\" not found").is_absent());
        assert_eq!(
            read(500, "etcdserver: request timed out"),
            Read::Unknown(Why::Failed("etcdserver: request timed out".to_owned()))
        );
    }

    #[test]
    fn a_refusal_names_the_right_that_is_missing() {
        let told = "events is forbidden: User \"dev\" cannot list resource \"events\" in API group \"\" in the namespace \"flux-system\"";
        assert_eq!(
            read(403, told),
            Read::Unknown(Why::Forbidden("list events in flux-system".to_owned()))
        );
    }
}
