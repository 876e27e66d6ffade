//! What to do where a cloud gives source-controller no credentials, by the cloud's own words.

/// Words, and what to do; the first that fits counts.
const TEXTS: [(&[&str], &str); 11] = [
    (
        &["Request ARN is invalid"],
        "AWS does not take the ARN of the role that source-controller asks for: correct the annotation eks.amazonaws.com/role-arn of its ServiceAccount (arn:aws:iam::ACCOUNT:role/NAME, with the account's number), and restart it",
    ),
    (
        &["no EC2 IMDS role found"],
        "source-controller has no role of its own and gets none from its node: annotate its ServiceAccount with eks.amazonaws.com/role-arn and restart it, or give the node a role and its metadata service a hop limit of 2",
    ),
    (
        &["ec2imds"],
        "source-controller has no role of its own and does not reach its node's metadata service: annotate its ServiceAccount with eks.amazonaws.com/role-arn and restart it, or give the metadata service a hop limit of 2",
    ),
    (
        &["AssumeRoleWithWebIdentity", "AccessDenied"],
        "AWS does not let source-controller take the role: the role's trust policy has to name the cluster's OIDC provider and the ServiceAccount flux-system/source-controller",
    ),
    (
        &["GetAuthorizationToken", "not authorized"],
        "AWS knows source-controller, and its role may not use the registry: give the role ecr:GetAuthorizationToken and the rights to pull (AmazonEC2ContainerRegistryReadOnly)",
    ),
    (
        &["AADSTS7002"],
        "Azure has no federated credential for source-controller: add one to its identity with the cluster's issuer and the subject system:serviceaccount:flux-system:source-controller",
    ),
    (
        &["ManagedIdentityCredential"],
        "source-controller does not use Azure's workload identity: annotate its ServiceAccount with azure.workload.identity/client-id, label its pods azure.workload.identity/use: \"true\", and restart it; or give the node an identity that may pull",
    ),
    (
        &["DefaultAzureCredential"],
        "source-controller does not use Azure's workload identity: annotate its ServiceAccount with azure.workload.identity/client-id, label its pods azure.workload.identity/use: \"true\", and restart it; or give the node an identity that may pull",
    ),
    (
        &["iam.serviceAccounts.getAccessToken"],
        "Google does not let source-controller act as the service account: grant roles/iam.workloadIdentityUser on it to the ServiceAccount flux-system/source-controller",
    ),
    (
        &["could not find default credentials"],
        "source-controller has no identity at Google: annotate its ServiceAccount with iam.gke.io/gcp-service-account, and switch on Workload Identity for its nodes",
    ),
    (
        &["unexpected status from metadata service"],
        "The metadata service of the node did not answer as it should: check that Workload Identity is on for the node, and that the ServiceAccount of source-controller is annotated with iam.gke.io/gcp-service-account",
    ),
];

/// What to do about it, as the beginning of a sentence; `None` where the words are not known.
pub fn of_cloud(text: &str) -> Option<&'static str> {
    let fits = |words: &[&str]| words.iter().all(|word| text.contains(word));
    let found = TEXTS.iter().find(|(words, _)| fits(words));
    found.map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_remedy() {
        for (text, part) in [
            (
                "failed to get credential from 'aws': operation error STS: AssumeRoleWithWebIdentity, AccessDenied",
                "trust policy",
            ),
            (
                "failed to get credential from 'aws': no EC2 IMDS role found, operation error ec2imds: GetMetadata",
                "role-arn",
            ),
            (
                "operation error ECR: GetAuthorizationToken, get identity: no EC2 IMDS role found, operation error ec2imds",
                "role-arn",
            ),
            (
                "AccessDeniedException: x is not authorized to perform: ecr:GetAuthorizationToken",
                "ecr:GetAuthorizationToken",
            ),
            (
                "failed to confirm existence of 'charts' bucket: Request ARN is invalid",
                "role-arn",
            ),
            (
                "failed to get credential from 'azure': AADSTS700213: No matching federated identity record found",
                "federated credential",
            ),
            (
                "failed to get credential from 'azure': ManagedIdentityCredential authentication failed",
                "azure.workload.identity/use",
            ),
            (
                "failed to get credential from 'gcp': Permission 'iam.serviceAccounts.getAccessToken' denied",
                "workloadIdentityUser",
            ),
            (
                "failed to get credential from 'gcp': unexpected status from metadata service: 404",
                "gcp-service-account",
            ),
        ] {
            let said = of_cloud(text).unwrap_or_default();
            assert!(said.contains(part), "{text}: {said}");
        }
        for text in [
            "failed to get credential from 'x': y",
            "operation error STS: AssumeRoleWithWebIdentity, dial tcp 192.0.2.1:443: i/o timeout",
        ] {
            assert_eq!(of_cloud(text), None, "{text}");
        }
    }
}
