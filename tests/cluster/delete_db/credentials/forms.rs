//! The forms in which a password can leak, and the search for them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What gives a password away wherever it stands.
pub(super) struct Forms(Vec<String>);

impl Forms {
    /// Of this user's password. Its `core`, letters and digits alone, is what every escape leaves as it is: shells', JSON's, URLs'.
    pub(super) fn of(user: &str, password: &str, core: &str) -> Self {
        assert!(password.contains(core) && core.bytes().all(|b| b.is_ascii_alphanumeric()));
        let mut forms = vec![core.to_owned()];
        for text in [
            password.to_owned(),
            format!("{user}:{password}"),
            core.to_owned(),
        ] {
            forms.push(STANDARD_NO_PAD.encode(&text));
            // The same inside of a longer text: what its neighbours do not touch, at each of the three places.
            for before in 0..3 {
                let padded = format!("{}{text}", "x".repeat(before));
                let encoded = STANDARD_NO_PAD.encode(padded);
                forms.push(encoded[before.div_ceil(3) * 4..encoded.len() - 2].to_owned());
            }
            let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
            forms.extend([hex.to_uppercase(), hex]);
        }
        Self(forms)
    }

    /// The lines of `text` that hold one of them.
    pub(super) fn found<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let holds = |line: &&str| {
            // base64 in a URL or in a header of JSON.
            let plain = line.replace("%2B", "+").replace("%2F", "/");
            let plain = plain
                .replace("\\/", "/")
                .replace('-', "+")
                .replace('_', "/");
            self.0.iter().any(|f| line.contains(f) || plain.contains(f))
        };
        text.lines().filter(holds).collect()
    }
}

#[test]
fn a_password_is_found_in_every_form() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let (user, password, core) = (
        "admin",
        "p\"a\\ss'w:100%d $H `id` Kern4711abc ;#?>~",
        "Kern4711abc",
    );
    let forms = Forms::of(user, password, core);
    let both = format!("{user}:{password}");
    for leak in [
        password.to_owned(),
        format!("{password:?}"),
        serde_json::json!({ "p": password }).to_string(),
        format!("curl -u '{}'", both.replace('\'', "'\\''")),
        percent_encoding::utf8_percent_encode(&both, percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        format!("Authorization: Basic {}", STANDARD.encode(&both)),
        format!(
            "command={}",
            STANDARD
                .encode(&both)
                .replace('+', "%2B")
                .replace('/', "%2F")
        ),
        URL_SAFE.encode(&both),
        STANDARD.encode(password),
        STANDARD.encode(format!("ab{both}cd")),
        STANDARD.encode(format!("{{\"a\":\"b\",\"password\":\"{core}\"}}")),
        both.bytes().map(|b| format!("{b:02X}")).collect(),
    ] {
        assert_eq!(
            forms.found(&format!("a line\nx{leak}y\n")).len(),
            1,
            "{leak}"
        );
    }
    for nothing in [
        "",
        "admin",
        "p\"a\\ss",
        "Kern4711",
        "QmFzaWM",
        "the whole line",
    ] {
        assert!(forms.found(nothing).is_empty(), "{nothing}");
    }
}
