//! What differs between two texts, line by line, as `diff -u` prints it.

/// Lines around a change.
const AROUND: usize = 3;
/// Most lines that are compared with each other; beyond that all old lines go and all new ones come.
const COMPARED_MAX: usize = 500;

/// One line of both texts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'t> {
    Kept(&'t str),
    Gone(&'t str),
    New(&'t str),
}

/// The differences of two states of `file`; empty where there are none.
pub fn unified(file: &str, before: &str, after: &str) -> String {
    let lines = lines(before, after);
    let is_change = |line: &Line<'_>| !matches!(line, Line::Kept(_));
    if !lines.iter().any(is_change) {
        return String::new();
    }
    // A carriage return is shown unless all lines have one.
    let has_none = |line: &str| line.ends_with('\n') && !line.ends_with("\r\n");
    let shown = [before, after]
        .iter()
        .any(|text| text.split_inclusive('\n').any(has_none));
    let mut out = format!("--- a/{file}\n+++ b/{file}\n");
    let mut at = 0;
    while let Some(first) = lines[at..].iter().position(is_change).map(|n| at + n) {
        let start = first.saturating_sub(AROUND).max(at);
        let mut end = first;
        // A change that is near belongs to the same part.
        while let Some(next) = lines[end..].iter().position(is_change) {
            if next > 2 * AROUND {
                break;
            }
            end += next + 1;
        }
        end = (end + AROUND).min(lines.len());
        part(&mut out, &lines, start..end, shown);
        at = end;
    }
    out
}

/// A file that did not exist.
pub fn created(file: &str, text: &str) -> String {
    unified(file, "", text).replacen(&format!("--- a/{file}"), "--- /dev/null", 1)
}

fn part(out: &mut String, lines: &[Line<'_>], range: std::ops::Range<usize>, returns: bool) {
    let count = |lines: &[Line<'_>], old: bool| {
        let not_in = |line: &&Line<'_>| match line {
            Line::Kept(_) => true,
            Line::Gone(_) => old,
            Line::New(_) => !old,
        };
        lines.iter().filter(not_in).count()
    };
    let of = |old: bool| {
        let length = count(&lines[range.clone()], old);
        let before = count(&lines[..range.start], old);
        format!("{},{length}", before + usize::from(length > 0))
    };
    out.push_str(&format!("@@ -{} +{} @@\n", of(true), of(false)));
    for line in &lines[range] {
        let (mark, text) = match line {
            Line::Kept(text) => (' ', text),
            Line::Gone(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(mark);
        out.push_str(text.trim_end_matches(['\n', '\r']));
        if returns && text.ends_with("\r\n") {
            out.push_str("\\r");
        }
        out.push('\n');
        if !text.ends_with('\n') {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

fn lines<'t>(before: &'t str, after: &'t str) -> Vec<Line<'t>> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[same..], &new[same..]);
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let mut lines: Vec<Line<'t>> = old[..same].iter().map(|l| Line::Kept(l)).collect();
    let (gone, come) = (
        &old_rest[..old_rest.len() - end],
        &new_rest[..new_rest.len() - end],
    );
    lines.extend(between(gone, come));
    lines.extend(
        old_rest[old_rest.len() - end..]
            .iter()
            .map(|l| Line::Kept(l)),
    );
    lines
}

/// The longest common lines stay.
fn between<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    if old.len().max(new.len()) > COMPARED_MAX {
        let gone = old.iter().map(|l| Line::Gone(l));
        return gone.chain(new.iter().map(|l| Line::New(l))).collect();
    }
    let mut longest = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] = match old[i] == new[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Kept(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_change_is_shown_with_the_lines_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n";
        let after = before.replace("5\n", "five\n").replace("13\n", "13");
        assert_eq!(
            unified("f", before, &after),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,4 +10,4 @@\n 10\n 11\n 12\n-13\n+13\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("f", before, before), "");
        assert_eq!(
            unified("f", "", "a\n"),
            "--- a/f\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n"
        );
    }

    #[test]
    fn a_line_end_alone_is_a_change_too() {
        let shown = unified("f", "a\r\nb\n", "a\nb\n");
        assert!(shown.ends_with("@@\n-a\\r\n+a\n b\n"), "{shown:?}");
        let shown = unified("f", "a\r\nb\r\n", "a\r\n");
        assert!(shown.ends_with("@@\n a\n-b\n"), "{shown:?}");
    }

    proptest! {
        #[test]
        fn both_texts_are_in_it(before in "([ab]\n){0,9}[ab]?", after in "([ab]\n){0,9}[ab]?") {
            let all = lines(&before, &after);
            let of = |old: bool| -> String {
                let kept = all.iter().filter_map(|line| match line {
                    Line::Kept(text) => Some(*text),
                    Line::Gone(text) => old.then_some(*text),
                    Line::New(text) => (!old).then_some(*text),
                });
                kept.collect()
            };
            prop_assert_eq!(of(true), before.clone());
            prop_assert_eq!(of(false), after.clone());
            prop_assert_eq!(unified("f", &before, &after).is_empty(), before == after);
        }
    }
}
