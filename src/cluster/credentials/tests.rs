use super::*;
use kube::config::{AuthProviderConfig, ExecConfig};
use proptest::prelude::*;

async fn header_of(mut user: AuthInfo) -> Result<Option<String>, String> {
    let taken = Credentials::take(&mut user, None).await;
    let (credentials, _) = taken.map_err(|e| e.to_string())?;
    let header = credentials.header().await.map_err(|e| e.to_string())?;
    Ok(header.map(|h| h.to_str().unwrap().to_owned()))
}

fn token(token: &str) -> AuthInfo {
    AuthInfo {
        token: Some(token.to_owned().into()),
        ..AuthInfo::default()
    }
}

#[tokio::test]
async fn a_line_end_after_a_token_is_not_part_of_it() {
    for text in ["t", "t\n", "t\r\n", " t \n\n"] {
        let header = header_of(token(text)).await;
        assert_eq!(header, Ok(Some("Bearer t".to_owned())), "{text:?}");
    }
    for text in ["a\nb", "a\0b", "a\u{7f}"] {
        let error = header_of(token(text)).await.unwrap_err();
        assert_eq!(
            error,
            "the token contains a line break or a control character, which a token never has"
        );
    }
    assert_eq!(header_of(token("\n")).await, Ok(None));
}

#[tokio::test]
async fn a_token_file_wins_and_the_token_stands_in() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("token");
    let user = || AuthInfo {
        token_file: Some(path.to_str().unwrap().to_owned()),
        ..token("spare")
    };
    assert_eq!(header_of(user()).await.unwrap().unwrap(), "Bearer spare");
    std::fs::write(&path, "of the file\n").unwrap();
    assert_eq!(
        header_of(user()).await.unwrap().unwrap(),
        "Bearer of the file"
    );
    std::fs::write(&path, "\n").unwrap();
    let alone = AuthInfo {
        token: None,
        ..user()
    };
    assert!(header_of(alone).await.unwrap_err().ends_with("it is empty"));
}

#[tokio::test]
async fn a_token_file_is_read_again_after_a_minute() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one").unwrap();
    let mut file = TokenFile::new(path.to_str().unwrap().to_owned(), None).unwrap();
    std::fs::write(&path, "two\n").unwrap();
    assert_eq!(file.header(), "Bearer one");
    let late = |file: &mut TokenFile| file.read = Instant::now().checked_sub(FRESH).unwrap();
    late(&mut file);
    assert_eq!(file.header(), "Bearer two");
    std::fs::remove_file(&path).unwrap();
    late(&mut file);
    assert_eq!(file.header(), "Bearer two");
}

#[tokio::test]
async fn client_gos_order() {
    let exec = Some(ExecConfig {
        command: Some("/nonexistent/plugin".to_owned()),
        ..ExecConfig::default()
    });
    let all = || AuthInfo {
        username: Some("jane".to_owned()),
        password: Some("p@w".to_owned().into()),
        exec: exec.clone(),
        auth_provider: Some(AuthProviderConfig::default()),
        ..token("t")
    };
    assert_eq!(header_of(all()).await.unwrap().unwrap(), "Bearer t");
    let basic = AuthInfo {
        token: None,
        ..all()
    };
    assert_eq!(
        header_of(basic).await.unwrap().unwrap(),
        "Basic amFuZTpwQHc="
    );
    // A client certificate says who asks: the plugin is not run.
    let certificate = AuthInfo {
        exec: exec.clone(),
        client_certificate: Some("c".to_owned()),
        ..AuthInfo::default()
    };
    assert_eq!(header_of(certificate).await, Ok(None));
    let mut user = all();
    Credentials::take(&mut user, None).await.unwrap();
    assert!(user.auth_provider.is_none() && user.exec.is_none() && user.token.is_none());
}

/// A plugin that is a shell script.
#[cfg(unix)]
fn script(text: &str) -> AuthInfo {
    AuthInfo {
        exec: Some(ExecConfig {
            command: Some("/bin/sh".to_owned()),
            args: Some(vec!["-c".to_owned(), text.to_owned()]),
            interactive_mode: Some(kube::config::ExecInteractiveMode::Never),
            ..ExecConfig::default()
        }),
        ..AuthInfo::default()
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_plugin_is_run_once_until_its_token_expires() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let plugin = |expires: &str| {
        script(&format!(
            r#"echo x >> {0}; echo "{{status: {{token: \"t$(wc -l < {0} | tr -d ' ')\n\"{expires}}}}}""#,
            runs.display()
        ))
    };
    for (expires, second) in [
        ("", "Bearer t1"),
        (", expirationTimestamp: '2999-01-01T00:00:00Z'", "Bearer t1"),
        (", expirationTimestamp: '2001-01-01T00:00:00Z'", "Bearer t3"),
    ] {
        let _ = std::fs::remove_file(&runs);
        let (credentials, _) = Credentials::take(&mut plugin(expires), None).await.unwrap();
        let first = credentials.header().await.unwrap().unwrap();
        assert!(first.to_str().unwrap().starts_with("Bearer t"), "{first:?}");
        let then = credentials.header().await.unwrap().unwrap();
        assert_eq!(then, second, "{expires}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_plugin_that_does_not_end_is_killed() {
    let folder = tempfile::TempDir::new().unwrap();
    let pid = folder.path().join("pid");
    let mut user = script(&format!("echo $$ > {}; exec sleep 600", pid.display()));
    let limit = Duration::from_millis(500);
    let error = Credentials::take(&mut user, Some(limit))
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "the credential plugin /bin/sh did not end within 500ms"
    );
    let process = format!("/proc/{}", std::fs::read_to_string(&pid).unwrap().trim());
    if cfg!(target_os = "linux") {
        // Killed at once, gone when it was waited for.
        for _ in 0..100 {
            if !std::path::Path::new(&process).exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{process} still runs");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_plugin_gives_must_be_whole() {
    for (answer, why) in [
        ("{}", "gave an answer without a status"),
        ("{status: {}}", "gave neither a token nor a certificate"),
        (
            "{status: {clientKeyData: k}}",
            "gave a certificate or a key, not both",
        ),
        (
            "{status: {token: t, expirationTimestamp: soon}}",
            "gave an expirationTimestamp that is not a time",
        ),
        ("[", "gave an answer that cannot be read"),
    ] {
        let error = header_of(script(&format!("echo '{answer}'"))).await;
        assert_eq!(error, Err(format!("the credential plugin /bin/sh {why}")));
    }
    let torn = header_of(script(r#"printf %s '{"status": {"token": "a\nb"}}'"#)).await;
    assert_eq!(
        torn.unwrap_err(),
        "the token of the credential plugin /bin/sh contains a line break or a control character, which a token never has"
    );
}

proptest! {
    #[test]
    fn no_token_panics(text in "\\PC{0,8}[\\x00-\\x7f]{0,8}") {
        if let Ok(value) = bearer(&text, "it") {
            prop_assert!(!value.as_bytes().contains(&b'\n'));
        }
    }
}
