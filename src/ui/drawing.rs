//! An answer that is drawn again in place: as many of its lines as the terminal has room for.

use super::terminal::width;
use crate::text::count;

/// What is written, and how many rows it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) text: String,
    pub(super) rows: usize,
}

impl Drawing {
    /// As much of `text` as `rows` of so many `columns` hold, one row left for the cursor. What is left out is counted in the last row.
    pub(super) fn fitting(text: &str, (rows, columns): (usize, usize)) -> Self {
        let room = rows.saturating_sub(1).max(1);
        let lines: Vec<&str> = text.lines().collect();
        let taken = |line: &str| width(line).div_ceil(columns.max(1)).max(1);
        let all: usize = lines.iter().map(|line| taken(line)).sum();
        if all <= room {
            return Self {
                text: text.to_owned(),
                rows: all,
            };
        }
        let (mut kept, mut used) = (String::new(), 0);
        let mut shown = 0;
        for line in &lines {
            if used + taken(line) + 1 > room {
                break;
            }
            used += taken(line);
            shown += 1;
            kept.push_str(line);
            kept.push('\n');
        }
        let more = count((lines.len() - shown) as u64, "more line");
        kept.push_str(&format!("… {more}\n"));
        Self {
            text: kept,
            rows: used + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(text: &str, size: (usize, usize)) -> (String, usize) {
        let drawing = Drawing::fitting(text, size);
        (drawing.text, drawing.rows)
    }

    #[test]
    fn rows_are_counted_as_the_terminal_wraps_them() {
        assert_eq!(fitting("a\nb\n", (24, 80)), ("a\nb\n".to_owned(), 2));
        assert_eq!(fitting("abcdef\n\n", (24, 5)).1, 3);
        assert_eq!(fitting("\u{1b}[31mabcde\u{1b}[0m\n", (24, 5)).1, 1);
        assert_eq!(fitting("日本語\n", (24, 5)).1, 2);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let text = "1\n2\n3\n4\n5\n6\n";
        assert_eq!(fitting(text, (7, 80)).0, text);
        assert_eq!(
            fitting(text, (5, 80)),
            ("1\n2\n3\n… 3 more lines\n".to_owned(), 4)
        );
        assert_eq!(fitting(text, (1, 80)), ("… 6 more lines\n".to_owned(), 1));
        assert_eq!(
            fitting("1\n2\nabcdefghijk\n", (4, 5)),
            ("1\n2\n… 1 more line\n".to_owned(), 3)
        );
        // A line that is wrapped is shown whole or not at all.
        assert_eq!(
            fitting("abcdefgh\n2\n3\n", (3, 5)),
            ("… 3 more lines\n".to_owned(), 1)
        );
    }
}
