//! From template to nodes. It reads left to right like kubectl's own parser, and takes and refuses
//! the same texts: brackets end at the first `]`, filters at the first `)` outside their first
//! string, and what is inside both is parsed again as an expression of its own.

use super::{Error, Filter, Node, Slice, unquote};

/// Brackets inside brackets cannot nest by much; a limit keeps hostile text off the stack.
const DEEPEST: usize = 16;

pub(super) fn parse(template: &str) -> Result<Vec<Node>, Error> {
    parse_nested(template, 0)
}

fn parse_nested(template: &str, depth: usize) -> Result<Vec<Node>, Error> {
    if depth > DEEPEST {
        return Err(Error::new("expression nested too deeply"));
    }
    let mut nodes = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        if open > 0 {
            nodes.push(Node::Text(rest[..open].to_owned()));
        }
        let mut action = Action {
            rest: &rest[open + 1..],
            depth,
            nodes: Vec::new(),
        };
        action.parse()?;
        rest = action.rest;
        nodes.push(Node::List(action.nodes));
    }
    if !rest.is_empty() {
        nodes.push(Node::Text(rest.to_owned()));
    }
    Ok(nodes)
}

/// The nodes of one expression, as if it stood in braces; what follows a `}` in it is dropped.
fn parse_part(expression: &str, depth: usize) -> Result<Vec<Node>, Error> {
    match parse_nested(&format!("{{{expression}}}"), depth + 1)?
        .into_iter()
        .next()
    {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => unreachable!("text that starts with a brace starts with a list"),
    }
}

/// One pair of braces being read; `rest` starts behind the opening one.
struct Action<'t> {
    rest: &'t str,
    depth: usize,
    nodes: Vec<Node>,
}

impl<'t> Action<'t> {
    fn parse(&mut self) -> Result<(), Error> {
        loop {
            if let Some(rest) = self.rest.strip_prefix("[?(") {
                self.rest = rest;
                self.filter()?;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("..") {
                self.rest = rest;
                self.recursive()?;
                continue;
            }
            let mut chars = self.rest.chars();
            let next = chars.next();
            let behind = chars.as_str();
            match next {
                None | Some('\r' | '\n') => return Err(Error::new("unclosed action")),
                Some('}') => {
                    self.rest = behind;
                    return Ok(());
                }
                Some(' ' | '@' | '$') => self.rest = behind,
                Some('[') => {
                    self.rest = behind;
                    self.brackets()?;
                }
                Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
                Some('.') => {
                    self.rest = behind;
                    self.field();
                }
                Some(c) if c == '+' || c == '-' || c.is_ascii_digit() => self.number()?,
                Some(c) if starts_word(c) => self.word(),
                Some(c) => {
                    let shown = if c.is_control() {
                        String::new()
                    } else {
                        format!(" '{c}'")
                    };
                    return Err(Error::new(format!(
                        "unrecognized character in action: U+{:04X}{shown}",
                        c as u32
                    )));
                }
            }
        }
    }

    /// Takes text up to this byte offset.
    fn take(&mut self, end: usize) -> &'t str {
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    fn recursive(&mut self) -> Result<(), Error> {
        if self.nodes.last() == Some(&Node::Recursive) {
            return Err(Error::new("invalid multiple recursive descent"));
        }
        self.nodes.push(Node::Recursive);
        if self.rest.starts_with(starts_word) {
            self.field();
        }
        Ok(())
    }

    fn field(&mut self) {
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = !escaped && ends_word(c);
            escaped = !escaped && c == '\\';
            ends
        });
        let name = self.take(end.unwrap_or(self.rest.len()));
        self.nodes.push(match name {
            "*" => Node::Wildcard,
            _ => Node::Field(name.replace('\\', "")),
        });
    }

    fn word(&mut self) {
        let word = self.take(self.rest.find(ends_word).unwrap_or(self.rest.len()));
        self.nodes.push(match word {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ => Node::Word(word.to_owned()),
        });
    }

    fn number(&mut self) -> Result<(), Error> {
        let digits = self.rest.trim_start_matches(['+', '-']);
        let sign = (self.rest.len() - digits.len()).min(1);
        let end = self.rest[sign..].find(|c: char| c != '.' && !c.is_ascii_digit());
        let text = self.take(end.map_or(self.rest.len(), |end| sign + end));
        let float = || text.parse().ok().filter(|float: &f64| float.is_finite());
        self.nodes.push(match text.parse() {
            Ok(int) => Node::Int(int),
            Err(_) => Node::Float(
                float().ok_or_else(|| Error::new(format!("cannot parse number {text}")))?,
            ),
        });
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), Error> {
        let unterminated = || Error::new("unterminated quoted string");
        let end = self.rest[1..]
            .char_indices()
            .find(|(i, c)| *c == '\n' || (*c == quote && self.rest.as_bytes()[*i] != b'\\'))
            .filter(|(_, c)| *c == quote)
            .map(|(i, _)| i + 1)
            .ok_or_else(unterminated)?;
        let text = self.take(end + 1);
        let inside = unquote::unquote(&text[1..end], quote)
            .ok_or_else(|| Error::new(format!("unquote string {text} error invalid syntax")))?;
        self.nodes.push(Node::Text(inside));
        Ok(())
    }

    fn brackets(&mut self) -> Result<(), Error> {
        let end = self
            .rest
            .find([']', '\n'])
            .filter(|end| self.rest.as_bytes()[*end] == b']')
            .ok_or_else(|| Error::new("unterminated array"))?;
        let text = match self.take(end) {
            "*" => ":",
            text => text,
        };
        self.rest = &self.rest[1..];
        if text.contains(',') {
            let parts = text
                .split(',')
                .map(|part| parse_part(&format!("[{}]", part.trim_matches(' ')), self.depth));
            self.nodes
                .push(Node::Union(parts.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            self.nodes
                .append(&mut parse_part(&format!(".{key}"), self.depth)?);
            return Ok(());
        }
        self.nodes.push(Node::Slice(slice(text)?));
        Ok(())
    }

    fn filter(&mut self) -> Result<(), Error> {
        // Only the first string is respected: inside it a parenthesis ends nothing.
        let mut open: Option<char> = None;
        let mut closed = false;
        let mut previous = '(';
        let mut end = None;
        for (i, c) in self.rest.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' if open.is_none() => open = Some(c),
                '"' | '\'' if open == Some(c) && previous != '\\' => closed = true,
                ')' if open.is_some() == closed => {
                    end = Some(i);
                    break;
                }
                _ => {}
            }
            previous = c;
        }
        let text = self.take(end.ok_or_else(|| Error::new("unterminated filter"))?);
        self.rest = self.rest[1..]
            .strip_prefix(']')
            .ok_or_else(|| Error::new("unclosed array expect ]"))?;
        self.nodes.push(Node::Filter(match comparison(text) {
            Some((left, operator, right)) => Filter {
                left: parse_part(left, self.depth)?,
                right: Some((operator.to_owned(), parse_part(right, self.depth)?)),
            },
            None => Filter {
                left: parse_part(text, self.depth)?,
                right: None,
            },
        }));
        Ok(())
    }
}

/// Left side, operator and right side, if the text has all three.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let start = text.find(is_operator).filter(|start| *start > 0)?;
    let mut end = text[start..]
        .find(|c| !is_operator(c))
        .map_or(text.len(), |len| start + len);
    if end == text.len() {
        // The right side must not be empty, so the last sign becomes it.
        end -= 1;
    }
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
}

/// `1`, `-1`, `1:3`, `::2`: up to three numbers, each may be left out.
fn slice(text: &str) -> Result<Slice, Error> {
    let invalid = || Error::new(format!("invalid array index {text}"));
    let parts: Vec<&str> = text.split(':').collect();
    let shaped = |part: &&str| {
        part.strip_prefix('-')
            .unwrap_or(part)
            .bytes()
            .all(|b| b.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(shaped) {
        return Err(invalid());
    }
    let number = |i: usize| match parts.get(i) {
        None | Some(&"") => Ok(None),
        Some(part) => part
            .parse::<i64>()
            .map(Some)
            .map_err(|_| Error::new(format!("array index {part} is not a number"))),
    };
    let start = number(0)?;
    let single = parts.len() == 1;
    let end = if single {
        Some(start.unwrap_or(0).wrapping_add(1))
    } else {
        number(1)?
    };
    Ok(Slice {
        start,
        end,
        single,
        step: number(2)?,
    })
}

fn starts_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn ends_word(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}
