//! Sentences folded to a width. Words are never cut: names and commands stay whole, so they can be copied.

use super::Shown;

/// Lines of `text`, each `width` columns at most where its words allow it; one line without a width.
pub fn fold(text: &str, width: Option<usize>, first: &str, further: &str) -> Vec<Shown> {
    let text = super::line(text);
    let options = textwrap::Options::new(width.unwrap_or(usize::MAX))
        .initial_indent(first)
        .subsequent_indent(further)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::wrap(&text, options)
        .into_iter()
        .map(|line| Shown::line(line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(
            fold("a skvs-onboarding-pds--database b", Some(12), "- ", "  "),
            ["- a", "  skvs-onboarding-pds--database", "  b"]
        );
        assert_eq!(fold("a\u{1b}[1m b", None, "", ""), ["a^[[1m b"]);
    }
}
