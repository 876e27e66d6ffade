//! Which keys name a credential, and which words only continue a sentence.

/// Parts of a key that make its value a credential.
const SECRET: &str = "password passwd passphrase secret token credential apikey appkey accesskey privatekey signingkey encryptionkey \
    masterkey secretkey clientkey connectionstring dockerconfigjson setcookie";

/// Last words of a key that do, too.
const LAST: &str =
    "pass pw pwd auth authorization cookie dsn jwt bearer keydata htpasswd sig signature hmac";

/// Ends of keys that say where a credential is, or what it is like.
const REFERENCE: &str = "name ref path file dir seconds ttl type url uri endpoint mode kind namespace usersecretkey passwordsecretkey";

/// Words that go on with a sentence: `token: connection refused`.
const PROSE: &str = "a additional an and ask auth authentication authorization bad cannot certificate challenge connection context could denied \
    dial eof error expired failed field for forbidden get got has http illegal in incorrect invalid is key missing must no not \
    of on post realm required rpc secret secrets serviceaccounts the to token unable unauthorized unexpected unknown value was x509";

pub(super) fn is_prose(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let is_status = word.len() == 3 && word.starts_with(['4', '5']) && word.parse::<u16>().is_ok();
    is_status
        || PROSE
            .split(' ')
            .any(|prose| word.eq_ignore_ascii_case(prose))
}

/// Whether the value under this key is a credential.
pub(super) fn is_secret(key: &str) -> bool {
    let joined: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let lower = joined.to_ascii_lowercase();
    if REFERENCE.split(' ').any(|end| lower.ends_with(end)) {
        return false;
    }
    let word = key
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .find(|w| !w.is_empty());
    let word = word.unwrap_or_default();
    // `dbPass` ends with a word of its own, `compass` does not.
    let ends = |last: &str| {
        let (stem, tail) = joined.split_at(joined.len().saturating_sub(last.len()));
        let own = tail.starts_with(|c: char| c.is_ascii_uppercase())
            && !stem.ends_with(|c: char| c.is_ascii_uppercase());
        word.eq_ignore_ascii_case(last) || (own && tail.eq_ignore_ascii_case(last))
    };
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = stem.strip_suffix('s').unwrap_or(stem);
    let is_variable = !key.contains(|c: char| c.is_ascii_lowercase());
    SECRET.split(' ').any(|part| stem.ends_with(part) || stem.ends_with(&format!("{part}id")) || (is_variable && lower.contains(part)))
        || LAST.split(' ').any(ends)
        // `APP_KEY`, as environments name them.
        || (word == "KEY" && key.len() > word.len())
}
