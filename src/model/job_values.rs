//! The values of the chart's creation Job (`values.databaseCreationJob`) that a diagnosis compares with what the mesh does.

use serde_json::Value;

/// `databaseCreationJob` of an onboarding's inline values.
#[derive(Clone, Copy, Debug)]
pub struct JobValues<'v> {
    job: &'v Value,
}

/// The port of Istio's agent, which ends the sidecar as a whole.
pub const AGENT_PORT: u64 = 15020;

impl<'v> JobValues<'v> {
    /// Those in `spec.values`.
    pub fn within(values: &'v Value) -> Self {
        Self {
            job: &values["databaseCreationJob"],
        }
    }

    /// The account that the Job runs as, where the values name one.
    pub fn service_account(self) -> Option<&'v str> {
        self.job["serviceAccount"].as_str()
    }

    /// The values switch the Job off.
    pub fn is_switched_off(self) -> bool {
        self.job["enabled"].as_bool() == Some(false)
    }

    /// The values say that the Job neither waits for the mesh's sidecar nor ends it.
    pub fn is_outside_the_mesh(self) -> bool {
        self.job["runInIstioServiceMesh"]["enabled"].as_bool() == Some(false)
    }

    /// The port at which the Job ends the sidecar, where the values name another one than the agent's.
    pub fn other_port(self) -> Option<&'v Value> {
        let port = &self.job["runInIstioServiceMesh"]["envoyPort"];
        let is_agents = port.as_u64() == Some(AGENT_PORT)
            || port.as_str() == Some(AGENT_PORT.to_string().as_str());
        (!port.is_null() && !is_agents).then_some(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_the_values_say_counts() {
        let empty = json!({});
        let values = JobValues::within(&empty);
        assert!(values.service_account().is_none() && values.other_port().is_none());
        assert!(!values.is_outside_the_mesh());
        let port = |port: Value| json!({"databaseCreationJob": {"serviceAccount": "a", "runInIstioServiceMesh": {"enabled": false, "envoyPort": port}}});
        for (said, other) in [
            (json!(15020), false),
            (json!("15020"), false),
            (json!(15000), true),
        ] {
            let values = port(said);
            let values = JobValues::within(&values);
            assert_eq!(values.other_port().is_some(), other);
            assert!(values.is_outside_the_mesh() && values.service_account() == Some("a"));
        }
    }
}
