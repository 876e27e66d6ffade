//! The page around the content: everything is in it, it asks for nothing from outside and runs no script.

use super::markup::Attribute::{Flag, Word};
use super::markup::Html;
use crate::text::Screen;
use std::io;

/// Nothing is loaded, run or sent; the style sheet of the page itself counts.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("style.css");

/// What is written around the content.
pub(super) struct Document<'d> {
    pub(super) title: &'static str,
    /// Where and when it was made.
    pub(super) scene: Option<&'d str>,
    /// The content.
    pub(super) body: Html,
}

impl Document<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// The output is closed.
    pub(super) fn write(self, out: &mut Screen<'_>) -> io::Result<()> {
        let Self { title, scene, body } = self;
        let mut html = Html::default();
        html.literal("<!doctype html>\n");
        html.block("html", &[Word("lang", "en")], |html| {
            html.end_line();
            html.block("head", &[], |html| head(html, title, scene));
            html.block("body", &[], |html| {
                html.end_line();
                html.block("header", &[], |html| {
                    html.line("h1", &[], title);
                    if let Some(scene) = scene {
                        html.line("p", &[Word("class", "scene")], scene);
                    }
                });
                html.block("main", &[], |html| {
                    html.end_line();
                    html.append(body);
                });
                let version = concat!("kubectl-skvs ", env!("CARGO_PKG_VERSION"));
                html.block("footer", &[], |html| {
                    html.text("Made by ");
                    html.text(version);
                });
            });
        });
        html.write(out)
    }
}

fn head(html: &mut Html, title: &str, scene: Option<&str>) {
    html.end_line();
    let meta = |html: &mut Html, name, value| {
        let kind = match name {
            "Content-Security-Policy" => Word("http-equiv", name),
            _ => Word("name", name),
        };
        html.open("meta", &[kind, Word("content", value)]);
        html.end_line();
    };
    html.open("meta", &[Word("charset", "utf-8")]);
    html.end_line();
    meta(html, "Content-Security-Policy", POLICY);
    meta(html, "viewport", "width=device-width, initial-scale=1");
    html.block("title", &[], |html| {
        html.text(title);
        if let Some(scene) = scene {
            html.text(", ");
            html.text(scene);
        }
    });
    html.block("style", &[], |html| {
        html.end_line();
        html.literal(STYLE);
    });
}

/// `open` for what is shown at once.
pub(super) fn open(is_open: bool) -> &'static [super::markup::Attribute] {
    match is_open {
        true => &[Flag("open")],
        false => &[],
    }
}
