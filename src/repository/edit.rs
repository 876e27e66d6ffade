//! Edits of a list in a file that keep everything else as it is: comments, quotes, order and line ends.
//!
//! An edit works on lines. It is only made where the list is empty or written as one item a line, and only kept when a second reading finds
//! exactly the wanted values and nothing else changed. What is written otherwise is refused with the reason.

use super::manifest;
use super::node::{Kind, Node, Style};
use crate::model::documents::Room;
use crate::text::yaml::is_plain;
use serde_json::{Value, json};

/// What becomes of a list of texts.
#[derive(Clone, Copy, Debug)]
pub struct ListChange<'c> {
    /// The list's keys, from the top of its document.
    pub path: &'c [&'c str],
    pub remove: &'c [String],
    /// At the end; in their places where the list is sorted and `sorted` is set.
    pub add: &'c [String],
    pub sorted: bool,
}

/// The text with the list changed in the one document that `is_meant` picks.
///
/// # Errors
/// A clause that says why it cannot be edited: it is not one document, the form is not one that is edited, or the second reading found
/// another change.
pub fn changed(
    text: &str,
    is_meant: impl Fn(&Value) -> bool,
    change: ListChange<'_>,
) -> Result<String, String> {
    if text.starts_with('\u{feff}') {
        return Err("it begins with a byte order mark".to_owned());
    }
    let mut documents = manifest::documents(text.as_bytes(), &mut Room::default())?;
    let mut meant = documents
        .iter()
        .enumerate()
        .filter(|(_, (value, _))| is_meant(value));
    let (Some((at, _)), None) = (meant.next(), meant.next()) else {
        return Err("it is not one document of its own".to_owned());
    };
    let (value, node) = &documents[at];
    let before = texts(value, change.path)?;
    let list = listed(node, change.path)?;
    let (new, wanted) = match begun(text, list, change) {
        Some(begun) => begun,
        None => Lines::around(text, list)?.with(&before, change),
    };
    let again = manifest::documents(new.as_bytes(), &mut Room::default());
    // Exactly this, and nothing else.
    set(&mut documents[at].0, change.path, json!(wanted));
    let expected = documents.iter().map(|(value, _)| value);
    let is_exact = again.is_ok_and(|again| again.iter().map(|(value, _)| value).eq(expected));
    is_exact
        .then_some(new)
        .ok_or_else(|| "the edit would change something else".to_owned())
}

/// The texts of the list.
fn texts(value: &Value, path: &[&str]) -> Result<Vec<String>, String> {
    let list = path.iter().try_fold(value, |value, key| value.get(key));
    let items = list.and_then(Value::as_array).into_iter().flatten();
    let texts = items.map(|item| item.as_str().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts.ok_or_else(|| "the list holds something other than text".to_owned())
}

fn set(value: &mut Value, path: &[&str], new: Value) {
    let found = path.iter().try_fold(value, |value, key| value.get_mut(key));
    if let Some(found) = found {
        *found = new;
    }
}

/// The list under these keys, each of which is there once and written out.
fn listed<'n>(node: &'n Node, path: &[&str]) -> Result<&'n Node, String> {
    let mut node = node;
    for key in path {
        let named = |key: &str| {
            node.entries()
                .iter()
                .filter(|e| e.key.text() == Some(key))
                .count()
        };
        if node.marked {
            return Err("it is written with an anchor or a tag".to_owned());
        }
        if named(key) > 1 {
            return Err(format!("the key {key} is there twice"));
        }
        match node.entry(key) {
            Some(entry) => node = &entry.value,
            None if named("<<") > 0 => return Err("a merge key brings the list".to_owned()),
            None => return Err(format!("it has no {key}")),
        }
    }
    Ok(node)
}

/// `[]` at the end of its line becomes one item a line; `None` for another form.
fn begun(text: &str, list: &Node, change: ListChange<'_>) -> Option<(String, Vec<String>)> {
    let rest = text[list.range.start..].strip_prefix("[]")?;
    if list.marked || change.add.is_empty() {
        return None;
    }
    let start = text[..list.range.start].rfind('\n').map_or(0, |at| at + 1);
    let line = &text[start..list.range.start];
    let indent = line.len() - line.trim_start_matches(' ').len();
    let (after, following) = match rest.split_once('\n') {
        Some((after, following)) => (after, Some(following)),
        None => (rest, None),
    };
    let line_end = if after.ends_with('\r') { "\r\n" } else { "\n" };
    let after = after.trim_end();
    if !(after.is_empty() || after.trim_start().starts_with('#')) {
        return None;
    }
    let mut wanted = change.add.to_vec();
    if change.sorted {
        wanted.sort();
    }
    let mut new = format!("{}{after}{line_end}", text[..list.range.start].trim_end());
    for item in &wanted {
        let item = quoted(item, Style::Plain);
        new.push_str(&format!("{:indent$}  - {item}{line_end}", ""));
    }
    new.push_str(following.unwrap_or_default());
    Some((new, wanted))
}

/// A list that is written as one item a line.
struct Lines<'t> {
    text: &'t str,
    /// From the beginning of each item's line to the beginning of the next line.
    items: Vec<std::ops::Range<usize>>,
    /// The blanks before an item, its dash and the blanks after it.
    lead: &'t str,
    /// How the last item is quoted.
    style: Style,
}

impl<'t> Lines<'t> {
    fn around(text: &'t str, node: &Node) -> Result<Self, String> {
        let other = |why: &str| Err(why.to_owned());
        let Kind::List { items, flow } = &node.kind else {
            return other("the list is not written out in its place");
        };
        if node.marked {
            return other("the list has an anchor or a tag");
        }
        if *flow {
            return other("the list is written in brackets");
        }
        let mut lines = Self {
            text,
            items: Vec::new(),
            lead: "",
            style: Style::Plain,
        };
        for item in items {
            let Kind::Scalar { style, .. } = item.kind else {
                return other("an item is not one text");
            };
            if item.marked || style == Style::Block {
                return other("an item has an anchor or a tag, or more than one line");
            }
            let start = text[..item.range.start].rfind('\n').map_or(0, |at| at + 1);
            let end = text[item.range.end..].find('\n');
            let end = end.map_or(text.len(), |at| item.range.end + at + 1);
            let (lead, after) = (&text[start..item.range.start], &text[item.range.end..end]);
            let is_dash = lead.trim_start_matches(' ').strip_prefix('-');
            let is_dash =
                is_dash.is_some_and(|rest| !rest.is_empty() && rest.trim_matches(' ').is_empty());
            let after = after.trim();
            if !is_dash
                || text[item.range.clone()].contains('\n')
                || !(after.is_empty() || after.starts_with('#'))
            {
                return other("an item is not on a line of its own");
            }
            lines.items.push(start..end);
            (lines.lead, lines.style) = (lead, style);
        }
        match lines.items.is_empty() {
            true => other("the list is empty"),
            false => Ok(lines),
        }
    }

    /// The new text and the new list.
    fn with(&self, before: &[String], change: ListChange<'_>) -> (String, Vec<String>) {
        let is_sorted = change.sorted && before.is_sorted();
        let mut add: Vec<&String> = change.add.iter().collect();
        if is_sorted {
            add.sort();
        }
        let mut add = add.into_iter().peekable();
        let (mut text, mut list) = (String::new(), Vec::new());
        let mut at = self.items[0].start;
        text.push_str(&self.text[..at]);
        for (line, item) in self.items.iter().zip(before) {
            // Comments between two items stay where they are.
            text.push_str(&self.text[at..line.start]);
            while let Some(new) = add.next_if(|new| is_sorted && *new < item) {
                self.push(&mut text, new, self.line_end(line));
                list.push(new.clone());
            }
            if !change.remove.contains(item) {
                text.push_str(&self.text[line.clone()]);
                list.push(item.clone());
            }
            at = line.end;
        }
        let line_end = self.items.last().map_or("\n", |last| self.line_end(last));
        for new in add {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(line_end);
            }
            self.push(&mut text, new, line_end);
            list.push(new.clone());
        }
        text.push_str(&self.text[at..]);
        (text, list)
    }

    /// How this line ends; if the text ends with it, how the one above does.
    fn line_end(&self, line: &std::ops::Range<usize>) -> &'static str {
        let is_whole = self.text[line.clone()].ends_with('\n');
        let end = if is_whole { line.end } else { line.start };
        match self.text[..end].ends_with("\r\n") {
            true => "\r\n",
            false => "\n",
        }
    }

    fn push(&self, text: &mut String, new: &str, line_end: &str) {
        text.push_str(self.lead);
        text.push_str(&quoted(new, self.style));
        text.push_str(line_end);
    }
}

/// A text as YAML, quoted as its neighbours are or as it needs.
fn quoted(text: &str, style: Style) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let safe = text.chars().all(word);
    match style {
        Style::Single if safe => format!("'{text}'"),
        Style::Plain if is_plain(text) => text.to_owned(),
        Style::Plain | Style::Single | Style::Double | Style::Block => json!(text).to_string(),
    }
}

/// A text as it is written among others without quotes.
pub fn text(text: &str) -> String {
    quoted(text, Style::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accounts(text: &str, remove: &[&str], add: &[&str]) -> Result<String, String> {
        let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let change = ListChange {
            path: &["spec", "accounts"],
            remove: &owned(remove),
            add: &owned(add),
            sorted: false,
        };
        changed(text, |v| v["kind"] == "X", change)
    }

    const TEXT: &str = "# above\n---\nkind: Y\nspec: {accounts: [a]}\n---\nkind:   X # kept\nspec:\n  accounts:\n  # the first\n  - a # why\n  - 'b'\n\n  other: \"z\"";

    #[test]
    fn one_line_changes_and_nothing_else() {
        let added = accounts(TEXT, &[], &["c", "1"]).unwrap();
        assert_eq!(
            added,
            TEXT.replace("  - 'b'\n", "  - 'b'\n  - 'c'\n  - '1'\n")
        );
        let removed = accounts(TEXT, &["a"], &[]).unwrap();
        assert_eq!(removed, TEXT.replace("  - a # why\n", ""));
        let plain = TEXT.replace("'b'", "b");
        let added = accounts(&plain, &["a"], &["c", "on", "1.5"]).unwrap();
        assert_eq!(
            added,
            plain
                .replace("  - a # why\n", "")
                .replace("  - b\n", "  - b\n  - c\n  - \"on\"\n  - \"1.5\"\n")
        );
    }

    #[test]
    fn line_ends_and_a_missing_one_are_kept() {
        let text = "kind: X\r\nspec:\r\n  accounts:\r\n    - a";
        assert_eq!(
            accounts(text, &[], &["b"]).unwrap(),
            format!("{text}\r\n    - b\r\n")
        );
        // Of mixed line ends, the neighbour's.
        let text = "# a\r\nkind: X\nspec:\n  accounts:\n  - a\n# z\r\n";
        assert_eq!(
            accounts(text, &[], &["b"]).unwrap(),
            text.replace("- a\n", "- a\n  - b\n")
        );
    }

    #[test]
    fn a_sorted_list_stays_sorted() {
        let change = ListChange {
            path: &["resources"],
            remove: &[],
            add: &["b.yaml".to_owned(), "d.yaml".to_owned()],
            sorted: true,
        };
        let new = changed(
            "resources:\n- a.yaml\n# three\n- c.yaml\n",
            |_| true,
            change,
        )
        .unwrap();
        assert_eq!(
            new,
            "resources:\n- a.yaml\n# three\n- b.yaml\n- c.yaml\n- d.yaml\n"
        );
        let new = changed("resources:\n- c.yaml\n- a.yaml\n", |_| true, change).unwrap();
        assert_eq!(new, "resources:\n- c.yaml\n- a.yaml\n- b.yaml\n- d.yaml\n");
    }

    #[test]
    fn an_empty_list_is_begun() {
        for (text, new) in [
            (
                "kind: X\nspec:\n  accounts: [] # none\n  other: z\n",
                "kind: X\nspec:\n  accounts: # none\n    - c\n    - \"on\"\n  other: z\n",
            ),
            (
                "kind: X\r\nspec:\r\n  accounts:  []\r\n---\r\n",
                "kind: X\r\nspec:\r\n  accounts:\r\n    - c\r\n    - \"on\"\r\n---\r\n",
            ),
            (
                "kind: X\nspec:\n  accounts: []",
                "kind: X\nspec:\n  accounts:\n    - c\n    - \"on\"\n",
            ),
        ] {
            assert_eq!(accounts(text, &[], &["c", "on"]).as_deref(), Ok(new));
        }
        let sorted = ListChange {
            path: &["resources"],
            remove: &[],
            add: &["b.yaml".to_owned(), "a.yaml".to_owned()],
            sorted: true,
        };
        let new = changed("resources: []\n", |_| true, sorted).unwrap();
        assert_eq!(new, "resources:\n  - a.yaml\n  - b.yaml\n");
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        for (text, why) in [
            ("kind: X\nspec: {accounts: [a, b]}\n", "in brackets"),
            ("kind: X\nspec:\n  accounts: &all\n  - a\n", "anchor"),
            ("kind: X\nspec: &s\n  accounts:\n  - a\n", "anchor"),
            ("kind: X\nspec:\n  accounts:\n  - &a a\n", "anchor"),
            (
                "kind: X\nspec:\n  accounts:\n  - >\n    a\n",
                "more than one line",
            ),
            (
                "kind: X\nspec:\n  accounts:\n  - \"a\n    b\"\n",
                "line of its own",
            ),
            (
                "kind: X\nspec:\n  accounts:\n  -\n    a\n",
                "line of its own",
            ),
            (
                "base: &b [a]\nkind: X\nspec:\n  accounts: *b\n",
                "not written out",
            ),
            (
                "base: &b\n  accounts: [a]\nkind: X\nspec:\n  <<: *b\n",
                "merge key",
            ),
            ("kind: X\nspec: {accounts: []}\n", "in brackets"),
            ("kind: X\nspec: {accounts: []\n  }\n", "something else"),
            ("kind: X\nspec:\n  accounts: &a []\n", "anchor"),
            ("kind: X\nspec:\n  accounts:\n", "not written out"),
            ("kind: X\nspec:\n  other: 1\n", "no accounts"),
            (
                "kind: X\nspec:\n  accounts: [a]\n  accounts:\n  - a\n",
                "twice",
            ),
            (
                "kind: X\nspec:\n  accounts:\n  - a\n---\nkind: X\n",
                "one document",
            ),
            ("kind: Z\n", "one document"),
            (
                "\u{feff}kind: X\nspec:\n  accounts:\n  - a\n",
                "byte order mark",
            ),
            ("kind: X\nspec:\n  accounts:\n  - 7\n", "other than text"),
        ] {
            let told = accounts(text, &["a"], &["c"]).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn an_edit_is_exact_or_refused(
            items in proptest::collection::vec("(- [a-c]|- [ab]{2} # c|- 'c'|- [a-c0-9'\"#:]{0,3}|# [a-c]|)", 0..6),
            indent in " {1,4}", new in "[a-z0-9.-]{1,6}", gone in "[a-c]"
        ) {
            let list: String = items.iter().map(|i| format!("{indent}{i}\n")).collect();
            let text = format!("kind: X\nspec:\n{indent}accounts:\n{list}{indent}after: 1\n");
            if let Ok(edited) = accounts(&text, &[&gone], &[&new]) {
                let list = |text: &str| {
                    let all = manifest::documents(text.as_bytes(), &mut Room::default()).unwrap();
                    texts(&all[0].0, &["spec", "accounts"]).unwrap()
                };
                let mut wanted = list(&text);
                wanted.retain(|item| *item != gone);
                wanted.push(new);
                prop_assert_eq!(list(&edited), wanted);
            }
        }
    }
}
