//! A page as an HTML parser sees it: its tags with their attributes, and its text. Test code only.
//!
//! The states of the HTML standard's tokenizer that a page of ours, or text that broke out of its place, can reach.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Start(String, Vec<(String, String)>),
    End(String),
    Text(String),
    /// A doctype, a comment or a processing instruction.
    Other(String),
}

/// Reads a page.
pub(super) fn tokens(page: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        let text = match all.last() {
            Some(Token::Start(tag, _)) if ["style", "script"].contains(&tag.as_str()) => {
                let end = rest.find(&format!("</{tag}"));
                end.unwrap_or(rest.len())
            }
            Some(Token::Start(tag, _)) if ["title", "textarea"].contains(&tag.as_str()) => {
                rest.find(&format!("</{tag}")).unwrap_or(rest.len())
            }
            _ => rest
                .match_indices('<')
                .map(|(at, _)| at)
                .find(|at| is_tag(&rest[*at..]))
                .unwrap_or(rest.len()),
        };
        if text > 0 {
            all.push(Token::Text(decoded(&rest[..text])));
            rest = &rest[text..];
            continue;
        }
        let (token, left) = tag(rest);
        all.push(token);
        rest = left;
    }
    all
}

fn is_tag(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('/' | '!' | '?') => true,
        Some(c) => c.is_ascii_alphabetic(),
        None => false,
    }
}

fn tag(text: &str) -> (Token, &str) {
    let end = |from: &str| from.find('>').map_or(from.len(), |at| at + 1);
    if text.starts_with("<!") || text.starts_with("<?") {
        let (other, rest) = text.split_at(end(text));
        return (Token::Other(other.to_owned()), rest);
    }
    let is_end = text.starts_with("</");
    let rest = &text[if is_end { 2 } else { 1 }..];
    let stops = |c: char| c.is_ascii_whitespace() || c == '>' || c == '/';
    let (name, mut rest) = rest.split_at(rest.find(stops).unwrap_or(rest.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(left) = rest.strip_prefix('>') {
            rest = left;
            break;
        }
        let stops = |c: char| c.is_ascii_whitespace() || "=>/".contains(c);
        let (name, left) = rest.split_at(rest.find(stops).unwrap_or(rest.len()).max(1));
        rest = left.trim_start();
        let Some(left) = rest.strip_prefix('=') else {
            attributes.push((name.to_owned(), String::new()));
            continue;
        };
        let left = left.trim_start();
        let quote = left.chars().next().filter(|c| "\"'".contains(*c));
        let (value, left) = match quote {
            Some(quote) => left[1..].split_once(quote).unwrap_or((&left[1..], "")),
            None => {
                let stops = |c: char| c.is_ascii_whitespace() || c == '>';
                left.split_at(left.find(stops).unwrap_or(left.len()))
            }
        };
        attributes.push((name.to_owned(), decoded(value)));
        rest = left;
    }
    let name = name.to_ascii_lowercase();
    match is_end {
        true => (Token::End(name), rest),
        false => (Token::Start(name, attributes), rest),
    }
}

fn decoded(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[test]
fn text_that_breaks_out_is_seen() {
    let start = |name: &str, attributes: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Token::Start(name.to_owned(), attributes.iter().map(own).collect())
    };
    assert_eq!(
        tokens(
            "<!doctype html><p class=\"a\" x='y' z=1 open>a &lt;b&gt; < 3<IMG SRC=x></p><style>a>b<i></style>"
        ),
        [
            Token::Other("<!doctype html>".to_owned()),
            start("p", &[("class", "a"), ("x", "y"), ("z", "1"), ("open", "")]),
            Token::Text("a <b> < 3".to_owned()),
            start("img", &[("SRC", "x")]),
            Token::End("p".to_owned()),
            start("style", &[]),
            Token::Text("a>b<i>".to_owned()),
            Token::End("style".to_owned()),
        ]
    );
}
