//! `-o`: which format was asked for.

use super::Error;
use super::custom_columns::CustomColumns;
use super::jsonpath::Template;

/// A checked `-o` argument.
#[derive(Clone, Debug, Default)]
pub enum Output {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Name,
    JsonPath(Template),
    CustomColumns(CustomColumns),
}

impl Output {
    /// Reads `-o`'s argument; kubectl takes `=` and `:` nowhere else.
    ///
    /// # Errors
    /// kubectl's own line for a format that is not there, or what is wrong with the expression.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "table" => return Ok(Self::Table),
            "wide" => return Ok(Self::Wide),
            "json" => return Ok(Self::Json),
            "yaml" => return Ok(Self::Yaml),
            "name" => return Ok(Self::Name),
            "jsonpath" => {
                return Err(Error::new(
                    "template format specified but no template given",
                ));
            }
            "custom-columns" => {
                return Err(Error::new(
                    "custom-columns format specified but no custom columns given",
                ));
            }
            _ => {}
        }
        if let Some(template) = text.strip_prefix("jsonpath=") {
            if template.is_empty() {
                return Err(Error::new(
                    "template format specified but no template given",
                ));
            }
            return Template::parse(template).map(Self::JsonPath);
        }
        if let Some(columns) = text.strip_prefix("custom-columns=") {
            return CustomColumns::parse(columns).map(Self::CustomColumns);
        }
        if let Some(instead) = instead_of(text) {
            let format = text.split('=').next().unwrap_or_default();
            return Err(Error::new(format!(
                "the output format {format} is not supported, use {instead}"
            )));
        }
        Err(Error::new(format!(
            "unable to match a printer suitable for the output format {text:?}, allowed formats are: custom-columns,json,jsonpath,name,table,wide,yaml"
        )))
    }
}

/// What does the work of a format that kubectl has and this plugin does not.
fn instead_of(text: &str) -> Option<&'static str> {
    let (format, _) = text.split_once('=').unwrap_or((text, ""));
    Some(match format {
        "go-template" | "go-template-file" | "template" | "templatefile" => "jsonpath=TEMPLATE",
        "jsonpath-file" => "jsonpath=\"$(cat FILE)\"",
        "jsonpath-as-json" => "jsonpath=TEMPLATE, or json",
        "custom-columns-file" => "custom-columns=SPEC",
        "kyaml" => "yaml",
        _ => return None,
    })
}

/// The formats of a report: text for people, json and yaml for machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    #[default]
    Text,
    Json,
    Yaml,
}

/// The formats of a changed object, as those of kubectl's commands that change one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ObjectFormat {
    #[default]
    Text,
    Json,
    Yaml,
    Name,
}

/// The formats of a status: those of a report, and a file to attach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StatusFormat {
    #[default]
    Text,
    Json,
    Yaml,
    /// One file for a browser or paper.
    Html,
}

/// The formats of a document that is pasted into a ticket too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DocumentFormat {
    #[default]
    Text,
    Json,
    Yaml,
    Markdown,
}

/// The formats of findings: those of a report, and two that pipelines show at their own places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FindingsFormat {
    #[default]
    Text,
    Json,
    Yaml,
    /// Workflow commands of GitHub Actions.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// For a ticket.
    Markdown,
    /// One file for a browser or paper.
    Html,
}

/// The formats of findings in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LintFormat {
    #[default]
    Text,
    Json,
    Yaml,
    /// Workflow commands of GitHub Actions.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_format_is_told_as_kubectl_tells_it() {
        let error = |text| Output::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("xml"),
            "unable to match a printer suitable for the output format \"xml\", allowed formats are: custom-columns,json,jsonpath,name,table,wide,yaml"
        );
        assert_eq!(
            error("go-template={{.a}}"),
            "the output format go-template is not supported, use jsonpath=TEMPLATE"
        );
        for format in ["go-template-file=a", "template", "templatefile=a"] {
            assert!(error(format).ends_with("use jsonpath=TEMPLATE"), "{format}");
        }
        assert!(error("jsonpath-file=a").ends_with("use jsonpath=\"$(cat FILE)\""));
        assert!(error("custom-columns-file=a").ends_with("use custom-columns=SPEC"));
        assert_eq!(
            error("jsonpath="),
            "template format specified but no template given"
        );
        assert!(matches!(
            Output::parse("custom-columns=N:.metadata.name"),
            Ok(Output::CustomColumns(_))
        ));
        assert!(matches!(
            Output::parse("jsonpath={.a}"),
            Ok(Output::JsonPath(_))
        ));
    }
}
