//! The log of a mesh sidecar (istio-proxy) that does not become ready: the line that gives the reason.

/// Why istiod does not configure the sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer comes back.
    Silent,
    /// Nothing listens at istiod's address.
    Refused,
    /// istiod's name does not resolve.
    Nameless,
    /// istiod does not accept the sidecar's token.
    Unauthenticated,
    /// The sidecar does not accept istiod's certificate.
    Distrusted,
}

/// Words of a line about istiod: it is the one server whose gRPC the sidecar's agent calls.
const RPC: &[&str] = &["rpc error", "gRPC config", "transport: ", "lookup istiod"];
/// The ports of istiod. The agent also connects to other addresses: the cloud's metadata service, the pod's own probes.
const PORTS: &[&str] = &[":15010: ", ":15012: "];

/// Words of a line, all of which it must have, others, one of which it must have, and the fault; the first row that fits a line counts.
const ROWS: [(&[&str], &[&str], Fault); 9] = [
    (&["authentication failure"], RPC, Fault::Unauthenticated),
    (&["code = Unauthenticated"], RPC, Fault::Unauthenticated),
    (&["x509: "], RPC, Fault::Distrusted),
    (&["CERTIFICATE_VERIFY_FAILED"], RPC, Fault::Distrusted),
    (&["dial tcp: lookup "], RPC, Fault::Nameless),
    (&["dial tcp", "connection refused"], PORTS, Fault::Refused),
    (&["dial tcp", "i/o timeout"], PORTS, Fault::Silent),
    (&["dial tcp", "no route to host"], PORTS, Fault::Silent),
    (&["dial tcp", "deadline exceeded"], PORTS, Fault::Silent),
];

/// Words of a line by which istiod configured the sidecar: older faults are over.
const CONFIGURED: [&str; 2] = ["config received from XDS server", "Envoy proxy is ready"];

/// Reads the newest line with a reason.
pub fn fault(log: &str) -> Option<(Fault, &str)> {
    let has = |line: &str, words: &[&str]| words.iter().any(|word| line.contains(word));
    let newest_first = log.lines().rev();
    newest_first
        .take_while(|line| !has(line, &CONFIGURED))
        .find_map(|line| {
            let fits = |words: &[&str]| words.iter().all(|word| line.contains(word));
            let (.., fault) = ROWS
                .iter()
                .find(|(all, one, _)| fits(all) && has(line, one))?;
            Some((*fault, line.trim_end()))
        })
}

impl Fault {
    /// The meaning, as a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Silent => {
                "By its log istiod, from which it gets its configuration, does not answer in time."
            }
            Self::Refused => {
                "By its log nothing listens at the address of istiod, from which it gets its configuration."
            }
            Self::Nameless => {
                "By its log the name of istiod, from which it gets its configuration, does not resolve."
            }
            Self::Unauthenticated => {
                "By its log istiod does not accept its token (authentication failure), so it gets neither a certificate nor a configuration."
            }
            Self::Distrusted => {
                "By its log it does not accept istiod's certificate, so it gets no configuration."
            }
        }
    }

    /// The remedy, as the beginning of a step.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Silent => {
                "Check that istiod is ready, and that network policies and firewalls let the Job's pod reach its port 15012"
            }
            Self::Refused => "Start istiod, or check that its Service leads to ready pods",
            Self::Nameless => {
                "Check the cluster's DNS, and the address of istiod in the sidecar's injector (discoveryAddress)"
            }
            Self::Unauthenticated => {
                "See in istiod's log why it refuses the token. If the token is for another audience than istiod expects (istio-ca), the injector and istiod have different settings (jwtPolicy), or are of different revisions: have the mesh's owners make them agree"
            }
            Self::Distrusted => {
                "Compare the mesh's root certificates, and restart istiod or the pods that are older than its present certificate"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_line_with_a_reason_counts() {
        let not_ready = "2026-11-27T05:05:08Z\twarn\tEnvoy proxy is NOT ready: config not received from XDS server (is Istiod running?)";
        let silent = "warning\tenvoy config\tgRPC config stream closed: 14, connection error: desc = \"transport: Error while dialing: dial tcp 10.96.7.12:15012: i/o timeout\"";
        let refused = "warn\tca\trpc error: dial tcp 10.96.7.12:15012: connect: connection refused";
        let token = "error\tsds\tfailed to warm certificate: rpc error: code = Unauthenticated desc = authentication failure";
        assert_eq!(fault(not_ready), None);
        assert_eq!(fault(""), None);
        for (log, newest) in [
            (
                format!("{silent}\n{not_ready}"),
                Some((Fault::Silent, silent)),
            ),
            (
                format!("{silent}\n{token}\n{not_ready}"),
                Some((Fault::Unauthenticated, token)),
            ),
            (
                format!("{token}\n{refused}"),
                Some((Fault::Refused, refused)),
            ),
            (
                "warn\tReadiness: dial tcp 127.0.0.1:15021: connect: connection refused".to_owned(),
                None,
            ),
        ] {
            assert_eq!(fault(&log), newest, "{log}");
        }
        let nameless =
            "warn\tdial tcp: lookup istiod.istio-system.svc on 10.96.0.10:53: no such host";
        assert_eq!(
            fault(nameless).map(|(fault, _)| fault),
            Some(Fault::Nameless)
        );
        let distrusted = "error\tcitadelclient\tFailed to create certificate: rpc error: code = Unavailable desc = connection error: desc = \"transport: authentication handshake failed: x509: certificate signed by unknown authority\"";
        assert_eq!(
            fault(distrusted).map(|(fault, _)| fault),
            Some(Fault::Distrusted)
        );
    }

    #[test]
    fn a_line_about_another_server_is_not_about_istiod() {
        for line in [
            "warn\tError fetching GCP zone: Get \"http://169.254.169.254/computeMetadata/v1/instance/zone\": dial tcp 169.254.169.254:80: i/o timeout",
            "error\tRequest to probe app failed: Get \"http://10.42.1.17:8080/healthz\": dial tcp 10.42.1.17:8080: connect: connection refused",
            "error\tRequest to probe app failed: Get \"https://10.42.1.17:8443/healthz\": x509: certificate signed by unknown authority",
            "warn\tdial tcp: lookup metadata.google.internal on 10.96.0.10:53: no such host",
        ] {
            assert_eq!(fault(line), None, "{line}");
        }
        let silent = "warn\tca\trpc error: dial tcp: lookup istiod.istio-system.svc on 10.96.0.10:53: read udp 10.42.1.17:40001->10.96.0.10:53: i/o timeout";
        assert_eq!(fault(silent).map(|(fault, _)| fault), Some(Fault::Nameless));
    }

    #[test]
    fn a_fault_before_the_configuration_came_is_over() {
        let refused = "warn\tca\trpc error: dial tcp 10.96.7.12:15012: connect: connection refused";
        for newer in [
            "warn\tEnvoy proxy is NOT ready: config received from XDS server, but was rejected: cds updates: 0 successful, 3 rejected",
            "info\tEnvoy proxy is ready",
        ] {
            assert_eq!(fault(&format!("{refused}\n{newer}")), None, "{newer}");
            let again = format!("{newer}\n{refused}");
            assert_eq!(fault(&again), Some((Fault::Refused, refused)));
        }
    }
}
