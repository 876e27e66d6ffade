//! Which of the kubeconfig, the flags and the files of a list wins.

use super::*;

#[test]
fn an_unknown_context_names_the_near_one_and_all() {
    let error = unknown(
        "context",
        "prod-esat",
        ["prod-east", "prod-west"].into_iter(),
    );
    assert_eq!(
        error.to_string(),
        "error: context \"prod-esat\" does not exist in the kubeconfig"
    );
    assert_eq!(
        error.hints(),
        ["did you mean prod-east? contexts: prod-east, prod-west"]
    );
}

fn two_contexts() -> Kubeconfig {
    Kubeconfig::from_yaml(
        "current-context: a\ncontexts:\n- {name: a, context: {cluster: ca, user: ua, namespace: x}}\n- {name: b, context: {cluster: cb, user: ub}}\nclusters:\n- {name: ca, cluster: {server: 'https://a:1'}}\n- {name: cb, cluster: {server: 'https://b:2'}}\nusers:\n- {name: ua, user: {token: ta}}\n- {name: ub, user: {token: tb}}\n",
    )
    .unwrap()
}

#[tokio::test]
async fn flags_win_over_the_kubeconfig() {
    let args = ConnectionArgs {
        context: Some("b".into()),
        server: Some("c:3".into()),
        impersonate: Some("jane".into()),
        impersonate_groups: vec!["ops".into()],
        impersonate_uid: Some("7".into()),
        insecure_skip_tls_verify: Some(true),
        ..ConnectionArgs::default()
    };
    let mut kubeconfig = two_contexts();
    let (context, proxy) = args.select(&mut kubeconfig).unwrap();
    assert_eq!((context.as_str(), proxy), ("b", None));
    let options = KubeConfigOptions {
        context: Some(context),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    assert_eq!(config.cluster_url.to_string(), "https://c:3/");
    assert!(config.accept_invalid_certs);
    assert_eq!(config.auth_info.impersonate.as_deref(), Some("jane"));
    assert_eq!(
        config.auth_info.impersonate_groups,
        Some(vec!["ops".to_owned()])
    );
    assert_eq!(config.auth_info.impersonate_uid.as_deref(), Some("7"));
}

/// The cluster and the user that `args` make of a kubeconfig.
fn laid_over(args: &ConnectionArgs, cluster: &str, user: &str) -> (Cluster, AuthInfo) {
    try_laid_over(args, cluster, user).unwrap()
}

fn try_laid_over(args: &ConnectionArgs, cluster: &str, user: &str) -> Result<(Cluster, AuthInfo)> {
    let mut kubeconfig = Kubeconfig::from_yaml(&format!(
        "current-context: a\ncontexts:\n- {{name: a, context: {{cluster: c, user: u}}}}\nclusters:\n- {{name: c, cluster: {cluster}}}\nusers:\n- {{name: u, user: {user}}}\n"
    ))
    .unwrap();
    args.select(&mut kubeconfig)?;
    Ok((
        kubeconfig.clusters.remove(0).cluster.unwrap(),
        kubeconfig.auth_infos.remove(0).auth_info.unwrap(),
    ))
}

/// client-go's `getCluster` and `TLSConfigFor`: a flag clears what the kubeconfig says, and both together are refused.
#[test]
fn an_authority_and_no_check_exclude_each_other() {
    const REFUSED: &str =
        "specifying a root certificates file with the insecure flag is not allowed";
    let told = |cluster: &str, insecure: Option<bool>, authority: Option<&str>| {
        let args = ConnectionArgs {
            insecure_skip_tls_verify: insecure,
            certificate_authority: authority.map(str::to_owned),
            ..ConnectionArgs::default()
        };
        match try_laid_over(&args, cluster, "{}") {
            Ok((c, _)) => format!(
                "{:?} {:?} {:?}",
                c.insecure_skip_tls_verify.unwrap_or(false),
                c.certificate_authority.unwrap_or_default(),
                c.certificate_authority_data.unwrap_or_default()
            ),
            Err(error) => error.message().to_owned(),
        }
    };
    let insecure = "{server: 'https://a:1', insecure-skip-tls-verify: true}";
    let file = "{server: 'https://a:1', certificate-authority: a.crt}";
    let data = "{server: 'https://a:1', certificate-authority-data: QQ==}";
    let both =
        "{server: 'https://a:1', certificate-authority-data: QQ==, insecure-skip-tls-verify: true}";
    let both_files =
        "{server: 'https://a:1', certificate-authority: a.crt, insecure-skip-tls-verify: true}";
    for (cluster, flag, authority, want) in [
        (insecure, None, None, r#"true "" """#),
        (insecure, None, Some("ca.crt"), r#"false "ca.crt" """#),
        (insecure, Some(false), None, r#"false "" """#),
        (insecure, Some(true), Some("ca.crt"), REFUSED),
        (file, Some(true), None, r#"true "" """#),
        (data, Some(true), None, r#"true "" """#),
        (data, Some(false), None, r#"false "" "QQ==""#),
        (data, None, Some("ca.crt"), r#"false "ca.crt" """#),
        (both, None, None, REFUSED),
        (both_files, None, None, REFUSED),
        (both, Some(true), None, r#"true "" """#),
        (both, Some(false), None, r#"false "" "QQ==""#),
        (both, None, Some("ca.crt"), r#"false "ca.crt" """#),
    ] {
        assert_eq!(
            told(cluster, flag, authority),
            want,
            "{cluster} {flag:?} {authority:?}"
        );
    }
    // Without TLS there is nothing to check.
    let plain = both.replace("https:", "http:");
    assert_eq!(told(&plain, None, None), r#"true "" "QQ==""#);
}

#[test]
fn another_server_is_not_checked_for_the_kubeconfigs_name() {
    let cluster = "{server: 'https://a:1', tls-server-name: a.internal}";
    let mut args = ConnectionArgs::default();
    let name = |args: &ConnectionArgs| laid_over(args, cluster, "{}").0.tls_server_name;
    assert_eq!(name(&args).as_deref(), Some("a.internal"));
    args.server = Some("https://b:2".into());
    assert_eq!(name(&args), None);
    args.tls_server_name = Some("b.internal".into());
    assert_eq!(name(&args).as_deref(), Some("b.internal"));
}

#[test]
fn a_token_replaces_credentials_and_keeps_who_is_impersonated() {
    let args = ConnectionArgs {
        token: Some("mine".into()),
        ..ConnectionArgs::default()
    };
    let user = "{token: file's, username: x, as: jane, as-groups: [ops], as-uid: '7', as-user-extra: {scope: [view]}}";
    let (_, user) = laid_over(&args, "{server: 'https://a:1'}", user);
    assert!(user.token.is_some() && user.username.is_none());
    assert_eq!(user.impersonate.as_deref(), Some("jane"));
    assert_eq!(user.impersonate_groups, Some(vec!["ops".to_owned()]));
    assert_eq!(user.impersonate_uid.as_deref(), Some("7"));
    assert_eq!(
        user.impersonate_user_extra.unwrap()["scope"],
        ["view".to_owned()]
    );
}
