//! A part of a page: elements and attributes of this program, and escaped text between them.
//!
//! [`Html`] is the only way into a page, and text enters it only by [`Html::text`]. Tags and attributes are literals and numbers, so no text
//! of a cluster reaches one, and every element that is opened is closed.

use crate::text::{Screen, Shown, line};
use std::fmt::Write as _;
use std::io;

/// An attribute; its value is never a text of a cluster.
#[derive(Clone, Copy)]
pub(super) enum Attribute {
    /// `class="chain"`.
    Word(&'static str, &'static str),
    /// `open`.
    Flag(&'static str),
    /// `id="cause-3"`.
    Id(&'static str, usize),
    /// `href="#cause-3"`: a place in the page itself.
    To(&'static str, usize),
}

/// Markup that was made here.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// One line of text: what could steer a reader's eye is shown or removed as on a terminal, the rest is escaped.
    pub(super) fn text(&mut self, text: &str) {
        for c in line(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// An element with others in it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute],
        inner: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        inner(self);
        let _ = write!(self.0, "</{tag}>");
    }

    /// An element on a line of its own.
    pub(super) fn block(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute],
        inner: impl FnOnce(&mut Self),
    ) {
        self.element(tag, attributes, inner);
        self.end_line();
    }

    /// An element with text alone in it, on a line of its own.
    pub(super) fn line(&mut self, tag: &'static str, attributes: &[Attribute], text: &str) {
        self.block(tag, attributes, |html| html.text(text));
    }

    /// A start tag: the whole of an element that has no end tag.
    pub(super) fn open(&mut self, tag: &'static str, attributes: &[Attribute]) {
        let _ = write!(self.0, "<{tag}");
        for attribute in attributes {
            let _ = match attribute {
                Attribute::Word(name, word) => write!(self.0, " {name}=\"{word}\""),
                Attribute::Flag(name) => write!(self.0, " {name}"),
                Attribute::Id(name, number) => write!(self.0, " id=\"{name}-{number}\""),
                Attribute::To(name, number) => write!(self.0, " href=\"#{name}-{number}\""),
            };
        }
        self.0.push('>');
    }

    /// Markup of this program as it is: the doctype and the style sheet.
    pub(super) fn literal(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Adds what was made apart.
    pub(super) fn append(&mut self, html: Self) {
        self.0.push_str(&html.0);
    }

    pub(super) fn end_line(&mut self) {
        self.0.push('\n');
    }

    /// Writes it.
    ///
    /// # Errors
    /// The output is closed.
    pub(super) fn write(self, out: &mut Screen<'_>) -> io::Result<()> {
        let text = self.0.trim_end_matches('\n').to_owned();
        out.line(Shown::lines(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(html: Html) -> String {
        let mut out = Vec::new();
        html.write(&mut Screen::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_and_cleaned() {
        let mut html = Html::default();
        html.text("<b a='x'>\"&amp;\u{1b}[2J\u{202e}\n</b>");
        assert_eq!(
            written(html),
            "&lt;b a=&#39;x&#39;&gt;&quot;&amp;amp;^[[2J\\n&lt;/b&gt;\n"
        );
    }

    #[test]
    fn an_element_has_its_attributes_and_its_end() {
        let mut html = Html::default();
        let attributes = [
            Attribute::Word("class", "c"),
            Attribute::Id("cause", 3),
            Attribute::Flag("open"),
        ];
        html.block("p", &attributes, |html| {
            html.element("a", &[Attribute::To("cause", 4)], |html| html.text("x"));
        });
        assert_eq!(
            written(html),
            "<p class=\"c\" id=\"cause-3\" open><a href=\"#cause-4\">x</a></p>\n"
        );
    }
}
