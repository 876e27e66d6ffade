//! The texts by which a chart's templates refuse or fail on the values: where, on which value, and what is said.
//!
//! Helm 3 says it in one line (`template: chart/templates/f.yaml:12:3: executing "…" at <…>: …`, repeated for every include),
//! Helm 4 in indented lines. The innermost place counts: the outer ones only say how it was reached.

use crate::model::lead;

/// A place in the chart's templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, without the chart's name before it: `templates/job.yaml`, `charts/a/templates/b.yaml`. Empty where the text names none.
    pub template: String,
    pub line: Option<u32>,
}

/// What went wrong in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// The chart refuses the values by `fail` or `required`; the text is its author's.
    Refused { place: Place, says: String },
    /// A value is used that nothing sets.
    Missing {
        place: Place,
        /// Below `spec.values`: `couchdb.credentials`; `None` where the text does not lead back to the values.
        value: Option<String>,
        says: String,
    },
    /// A value is of a type that the template cannot use.
    Type {
        place: Place,
        value: Option<String>,
        says: String,
    },
    /// The template itself is at fault: its syntax, or a template that it includes and that is not there.
    Broken { place: Place, says: String },
    /// What came out of it is not YAML.
    Yaml {
        place: Place,
        /// The line of the rendered document.
        line: Option<u32>,
        says: String,
    },
}

impl TemplateError {
    /// Reads a text; `None` when no template is at fault.
    pub(super) fn parse(text: &str) -> Option<Self> {
        refused(text)
            .or_else(|| subchart(text))
            .or_else(|| rendered(text))
            .or_else(|| broken(text))
            .or_else(|| executed(text))
    }
}

/// Whether the text is what a chart's author made the templates say: it may quote anything.
pub(super) fn is_charts_own(text: &str) -> bool {
    text.contains("execution error at (")
}

/// `execution error at (chart/templates/f.yaml:3:4): the author's words`.
fn refused(text: &str) -> Option<TemplateError> {
    let (_, after) = text.split_once("execution error at (")?;
    let (place, says) = after.split_once("): ")?;
    Some(TemplateError::Refused {
        place: self::place(place),
        says: says.trim().to_owned(),
    })
}

/// The values that the chart's author wants by `--set KEY=…`.
pub fn wanted_flags(says: &str) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for lead in ["--set ", "--set-string "] {
        for (at, _) in says.match_indices(lead) {
            let rest = &says[at + lead.len()..];
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-[]".contains(c);
            let key = crate::model::lead(rest, plain);
            if rest[key.len()..].starts_with('=') && !key.is_empty() && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

/// `type mismatch on redis: %!t(<nil>)`: the values for a subchart are not a map.
fn subchart(text: &str) -> Option<TemplateError> {
    let (_, rest) = text.split_once("type mismatch on ")?;
    let (name, _) = rest.split_once(": ")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then(|| TemplateError::Type {
        place: Place::default(),
        value: Some(name.to_owned()),
        says: format!("the values of the subchart {name} have to be a map"),
    })
}

/// `YAML parse error on chart/templates/f.yaml: error converting YAML to JSON: yaml: line 12: …`; where Flux reads it first
/// (since 1.5): `error merging manifests: parsing chart/templates/f.yaml: MalformedYAMLError: yaml: line 12: …`.
fn rendered(text: &str) -> Option<TemplateError> {
    // Here Helm does not name the file.
    let unnamed = ["release manifest: error parsing : ", "MalformedYAMLError: "];
    let leads = ["YAML parse error on ", "error merging manifests: parsing "];
    let Some((_, after)) = leads.iter().find_map(|lead| text.split_once(lead)) else {
        let (_, says) = unnamed.iter().find_map(|lead| text.split_once(lead))?;
        let says = says.lines().next().unwrap_or_default();
        let says = says
            .strip_prefix("error converting YAML to JSON: ")
            .unwrap_or(says);
        return Some(TemplateError::Yaml {
            place: Place::default(),
            line: says.split_once("line ").and_then(|(_, rest)| number(rest)),
            says: says.trim().to_owned(),
        });
    };
    let (template, says) = after.split_once(": ")?;
    let mut says = says.trim();
    for lead in [
        "error converting YAML to JSON: ",
        "error unmarshaling JSON: while decoding JSON: ",
        "MalformedYAMLError: ",
    ] {
        says = says.strip_prefix(lead).unwrap_or(says);
    }
    let line = says.split_once("line ").and_then(|(_, rest)| number(rest));
    Some(TemplateError::Yaml {
        place: place(template),
        line,
        says: says.to_owned(),
    })
}

/// helm-controller 1.5.0 to 1.5.2 read the output of a chart in these ways; Helm itself does not (helm-controller#1423, #1441).
pub fn is_of_merging(says: &str) -> bool {
    ["wrong node kind", "invalid document separator"]
        .iter()
        .any(|text| says.starts_with(text))
}

/// `parse error at (chart/templates/f.yaml:3): …`, `no template "x" associated with template "y"`.
fn broken(text: &str) -> Option<TemplateError> {
    if let Some((_, after)) = text.split_once("parse error at (") {
        let (place, says) = after.split_once("): ")?;
        return Some(TemplateError::Broken {
            place: self::place(place),
            says: says.trim().to_owned(),
        });
    }
    if let Some((_, says)) = text.split_once("rendering template failed: ") {
        return Some(TemplateError::Broken {
            place: innermost(text),
            says: says.lines().next().unwrap_or_default().trim().to_owned(),
        });
    }
    let at = text.find("no template \"")?;
    let says = text[at..].lines().next()?;
    says.contains("\" associated with template \"")
        .then(|| TemplateError::Broken {
            place: innermost(&text[..at]),
            says: says.trim().to_owned(),
        })
}

/// What only the root of a template has. Inside `range` and `with`, and in a template that is included from there, `.` is something else.
const OF_THE_ROOT: [&str; 6] = [
    "Values",
    "Release",
    "Chart",
    "Capabilities",
    "Template",
    "Files",
];

impl TemplateError {
    /// Whether a template asks something else than the root for what the root has.
    pub fn lacks_root(&self) -> bool {
        let Self::Broken { says, .. } = self else {
            return false;
        };
        let field = says.split_once("can't evaluate field ");
        let field = field.and_then(|(_, rest)| rest.split_whitespace().next());
        field.is_some_and(|field| OF_THE_ROOT.contains(&field))
    }
}

/// `… executing "…" at <.Values.a.b>: …`, of which the last one counts.
fn executed(text: &str) -> Option<TemplateError> {
    if !text.contains("executing \"") {
        return None;
    }
    let (before, after) = text.rsplit_once(" at <")?;
    let (expression, says) = after.split_once(">:")?;
    let says = says.trim();
    let place = innermost(before);
    let path = values_path(expression);
    let of_chart = subcharts(text);
    let value = |path: Option<Vec<&str>>| {
        let path = path.filter(|path| !path.is_empty())?;
        // Helm gives a subchart its own part of the values, and the global ones.
        let of_chart = match path[0] {
            "global" => &[][..],
            _ => of_chart.as_slice(),
        };
        Some([of_chart, &path].concat().join("."))
    };
    let mut words = path.iter().flatten();
    let is_misspelt = |word: &&str| *word != "global" && word.eq_ignore_ascii_case("global");
    // In the main chart it may be a value like any other.
    let is_misspelt = !of_chart.is_empty() && words.next().is_some_and(is_misspelt);
    if is_misspelt && says.contains("nil pointer evaluating ") {
        return Some(TemplateError::Broken {
            place,
            says: format!(
                "{} is used, and Helm passes global values as .Values.global",
                expression.trim()
            ),
        });
    }
    if let Some((_, rest)) = says.split_once("nil pointer evaluating ") {
        // `interface {}.secretName`: the last part is what was asked of the value that is not there.
        let field = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        let field = field.rsplit_once('.').map_or("", |(_, f)| f).to_owned();
        let parent = path.and_then(|mut p| {
            p.truncate(p.iter().position(|part| *part == field)?);
            Some(p)
        });
        return Some(TemplateError::Missing {
            place,
            value: value(parent),
            says: says.to_owned(),
        });
    }
    if says.contains("map has no entry for key ") {
        return Some(TemplateError::Missing {
            place,
            value: value(path),
            says: says.to_owned(),
        });
    }
    // What tpl renders may come from the values.
    let is_of_values = text.contains("error calling tpl: ");
    if let Some((_, rest)) = says.split_once("can't evaluate field ") {
        let field: &str = rest.split_whitespace().next()?;
        let asked = format!(".{field}");
        let of_dot = |word: &str| {
            let rest = word.strip_prefix(asked.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut words = expression.split([' ', '(', ')', '|']);
        if OF_THE_ROOT.contains(&field) && words.any(of_dot) && !is_of_values {
            return Some(TemplateError::Broken {
                place,
                says: says.to_owned(),
            });
        }
        let parent = path.and_then(|mut p| {
            p.truncate(p.iter().position(|part| *part == field)?);
            Some(p)
        });
        return Some(TemplateError::Type {
            place,
            value: value(parent),
            says: says.to_owned(),
        });
    }
    // A call with a text that should have been rendered first: `lookup "v1" "Secret" "{{ .Release.Namespace }}" "x"`.
    let is_literal = says.contains("error calling lookup: ") && says.contains("{{");
    let is_nested = says.contains("rendering template has a nested reference name: ");
    // `(empty $a) (empty $b)` calls the first value as a function.
    let is_of_chart = [
        "wrong number of args for ",
        "can't give argument to non-function",
    ];
    let is_of_chart = !is_of_values && is_of_chart.iter().any(|text| says.contains(text));
    if is_literal || is_nested || is_of_chart {
        return Some(TemplateError::Broken {
            place,
            says: says.to_owned(),
        });
    }
    let typed = [
        "error calling ",
        "wrong type for value",
        "range can't iterate over ",
        "incompatible types for comparison",
        "can't index item of type",
        "wrong number of args for ",
        "can't give argument to non-function",
    ];
    typed
        .iter()
        .any(|t| says.contains(t))
        .then(|| TemplateError::Type {
            place,
            value: value(path),
            says: says.to_owned(),
        })
}

/// The parts of the path below `.Values` in an expression; `None` when it does not speak of the values, or of several.
fn values_path(expression: &str) -> Option<Vec<&str>> {
    if expression.matches(".Values.").count() != 1 {
        return None;
    }
    let (_, path) = expression.split_once(".Values.")?;
    let end = path
        .find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c))
        .unwrap_or(path.len());
    let parts: Vec<&str> = path[..end].split('.').filter(|p| !p.is_empty()).collect();
    (!parts.is_empty()).then_some(parts)
}

/// The subcharts down to the one whose template Helm renders: it is the first that the text names. A template that it includes may be another
/// chart's, and is given the same values.
fn subcharts(text: &str) -> Vec<&str> {
    let mut words = text.split(|c: char| c.is_whitespace() || "()\"<>".contains(c));
    let file = words.find(|word| word.contains("/templates/"));
    let chart = file.and_then(|file| file.split_once("/templates/"));
    let folders = chart.map(|(chart, _)| chart.split("/charts/"));
    folders.into_iter().flatten().skip(1).collect()
}

/// The last `chart/templates/f.yaml:12:3` of a text.
fn innermost(text: &str) -> Place {
    text.split(|c: char| c.is_whitespace() || "()\"<>".contains(c))
        .rfind(|word| {
            word.contains("/templates/")
                && word
                    .trim_end_matches(':')
                    .rsplit(':')
                    .next()
                    .is_some_and(|l| number(l).is_some())
        })
        .map(|word| place(word.trim_end_matches(':')))
        .unwrap_or_default()
}

/// `chart/templates/f.yaml:12:3`, with or without the numbers.
fn place(text: &str) -> Place {
    let mut parts = text.trim().split(':');
    let file = parts.next().unwrap_or_default();
    let template = match file.split_once('/') {
        Some((_, own)) if !file.starts_with("templates/") => own,
        _ => file,
    };
    Place {
        template: template.to_owned(),
        line: parts.next().and_then(number),
    }
}

/// The number that a text begins with.
fn number(text: &str) -> Option<u32> {
    lead(text, |c| c.is_ascii_digit()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(template: &str, line: u32) -> Place {
        Place {
            template: template.to_owned(),
            line: Some(line),
        }
    }

    #[test]
    fn values_that_are_wanted_as_flags_are_named() {
        let says = "'auth.password' must not be empty, please add '--set auth.password=$PASSWORD --set-string a.b=1 --set auth.password=x' to the command";
        assert_eq!(wanted_flags(says), ["auth.password", "a.b"]);
        for none in ["--set", "--set =x", "--set a b", "use --set-file a=b"] {
            assert!(wanted_flags(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn the_author_s_words_are_kept() {
        assert_eq!(
            TemplateError::parse(
                "execution error at (secure-kvs-onboarding/templates/job.yaml:3:4): namespace is required"
            ),
            Some(TemplateError::Refused {
                place: at("templates/job.yaml", 3),
                says: "namespace is required".to_owned()
            })
        );
    }

    #[test]
    fn both_helms_tell_the_missing_value() {
        let helm3 = r#"template: secure-kvs-onboarding/templates/job.yaml:12:20: executing "secure-kvs-onboarding/templates/job.yaml" at <include "name" .>: error calling include: template: secure-kvs-onboarding/templates/_helpers.tpl:4:9: executing "name" at <.Values.couchdb.credentials.secretName>: nil pointer evaluating interface {}.secretName"#;
        let helm4 = "secure-kvs-onboarding/templates/job.yaml:12:20\n  executing \"secure-kvs-onboarding/templates/job.yaml\" at <include \"name\" .>:\n    error calling include:\nsecure-kvs-onboarding/templates/_helpers.tpl:4:9\n  executing \"name\" at <.Values.couchdb.credentials.secretName>:\n    nil pointer evaluating interface {}.secretName";
        for text in [helm3, helm4] {
            let Some(TemplateError::Missing { place, value, .. }) = TemplateError::parse(text)
            else {
                panic!("{text}");
            };
            assert_eq!(place, at("templates/_helpers.tpl", 4));
            assert_eq!(value.as_deref(), Some("couchdb.credentials"));
        }
    }

    #[test]
    fn what_no_value_can_cause_is_the_chart_s() {
        let of = |says: &str| {
            let text = format!(
                r#"template: c/templates/a.yaml:8:15: executing "c/templates/a.yaml" at <include "c.name" .>: error calling include: template: c/templates/_helpers.tpl:14:14: executing "c.name" at <.Values.name>: {says}"#
            );
            TemplateError::parse(&text).unwrap()
        };
        for (says, lacks_root) in [
            ("can't evaluate field Values in type string", true),
            ("can't give argument to non-function empty $a.name", false),
        ] {
            let error = of(says);
            assert!(matches!(error, TemplateError::Broken { .. }), "{error:?}");
            assert_eq!(error.lacks_root(), lacks_root, "{error:?}");
        }
        let path = |text: &str| match TemplateError::parse(text) {
            Some(TemplateError::Missing { value, .. } | TemplateError::Type { value, .. }) => value,
            other => panic!("{other:?}"),
        };
        let sub = |expression: &str| {
            path(&format!(
                r#"template: c/charts/access/charts/db/templates/a.yaml:7:19: executing "c/charts/access/charts/db/templates/a.yaml" at <{expression}>: nil pointer evaluating interface {{}}.x"#
            ))
        };
        assert_eq!(sub(".Values.a.x").as_deref(), Some("access.db.a"));
        assert_eq!(sub(".Values.global.a.x").as_deref(), Some("global.a"));
        // What a library chart is given are the values of the chart that includes it.
        let library = r#"template: c/templates/a.yaml:1:3: executing "c/templates/a.yaml" at <include "x" .>: error calling include: template: c/charts/lib/templates/_x.tpl:2:4: executing "x" at <.Values.a.x>: nil pointer evaluating interface {}.x"#;
        assert_eq!(path(library).as_deref(), Some("a"));
        let global = TemplateError::parse(
            r#"template: c/charts/a/templates/a.yaml:7:19: executing "c/charts/a/templates/a.yaml" at <.Values.Global.x>: nil pointer evaluating interface {}.x"#,
        );
        assert!(
            matches!(&global, Some(TemplateError::Broken { says, .. }) if says.starts_with(".Values.Global.x is used")),
            "{global:?}"
        );
        for text in [
            r#"template: c/templates/a.yaml:8:15: executing "c/templates/a.yaml" at <.Values.proxy.Files>: can't evaluate field Files in type string"#,
            r#"template: c/templates/a.yaml:8:15: executing "c/templates/a.yaml" at <tpl .Values.a .>: error calling tpl: error during tpl function execution for "x": template: gotpl:1:3: executing "gotpl" at <.Release.Name>: can't evaluate field Release in type string"#,
            r#"template: c/templates/a.yaml:8:15: executing "c/templates/a.yaml" at <tpl .Values.a .>: error calling tpl: error during tpl function execution for "x": template: gotpl:1:3: executing "gotpl" at <(.a) (.b)>: can't give argument to non-function .a"#,
            r#"template: c/templates/a.yaml:8:15: executing "c/templates/a.yaml" at <tpl .Values.a .>: error calling tpl: error during tpl function execution for "x": template: gotpl:1:3: executing "gotpl" at <empty>: wrong number of args for empty: want 1 got 0"#,
        ] {
            let error = TemplateError::parse(text).unwrap();
            assert!(matches!(error, TemplateError::Type { .. }), "{error:?}");
        }
        let field = of("can't evaluate field name in type string");
        assert!(matches!(field, TemplateError::Type { .. }), "{field:?}");
    }

    #[test]
    fn both_helms_tell_the_wrong_type() {
        let helm3 = r#"template: c/templates/policy.yaml:7:12: executing "c/templates/policy.yaml" at <.Values.serviceAccounts>: range can't iterate over pds"#;
        let helm4 = "c/templates/policy.yaml:7:12\n  executing \"c/templates/policy.yaml\" at <.Values.serviceAccounts>:\n    range can't iterate over pds";
        for text in [helm3, helm4] {
            assert_eq!(
                TemplateError::parse(text),
                Some(TemplateError::Type {
                    place: at("templates/policy.yaml", 7),
                    value: Some("serviceAccounts".to_owned()),
                    says: "range can't iterate over pds".to_owned()
                })
            );
        }
        let field = r#"template: c/templates/a.yaml:7:12: executing "c/templates/a.yaml" at <.Values.couchdb.port>: can't evaluate field port in type interface {}"#;
        let Some(TemplateError::Type { value, .. }) = TemplateError::parse(field) else {
            panic!("{field}");
        };
        assert_eq!(value.as_deref(), Some("couchdb"));
    }

    #[test]
    fn a_value_is_named_only_where_the_text_leads_to_it() {
        for expression in [
            "$x.secretName",
            "include \"name\" .",
            "add .Values.a .Values.b",
            ".Values.",
        ] {
            let text = format!(
                "template: c/templates/a.yaml:1:2: executing \"c\" at <{expression}>: nil pointer evaluating interface {{}}.secretName"
            );
            let Some(TemplateError::Missing { value, .. }) = TemplateError::parse(&text) else {
                panic!("{text}");
            };
            assert_eq!(value, None, "{expression}");
        }
    }

    #[test]
    fn broken_templates_and_broken_yaml() {
        assert_eq!(
            TemplateError::parse(
                "parse error at (c/templates/job.yaml:3): function \"toYml\" not defined"
            ),
            Some(TemplateError::Broken {
                place: at("templates/job.yaml", 3),
                says: "function \"toYml\" not defined".to_owned()
            })
        );
        let missing = r#"template: c/templates/a.yaml:1:3: executing "c/templates/a.yaml" at <include "lib.name" .>: error calling include: template: no template "lib.name" associated with template "gotpl""#;
        assert_eq!(
            TemplateError::parse(missing),
            Some(TemplateError::Broken {
                place: at("templates/a.yaml", 1),
                says: "no template \"lib.name\" associated with template \"gotpl\"".to_owned()
            })
        );
        assert_eq!(
            TemplateError::parse(
                "YAML parse error on c/templates/job.yaml: error converting YAML to JSON: yaml: line 12: did not find expected key"
            ),
            Some(TemplateError::Yaml {
                place: Place {
                    template: "templates/job.yaml".to_owned(),
                    line: None
                },
                line: Some(12),
                says: "yaml: line 12: did not find expected key".to_owned()
            })
        );
    }

    #[test]
    fn broken_yaml_that_flux_reads_first() {
        let text = "error merging manifests: parsing c/templates/job.yaml: MalformedYAMLError: yaml: line 5: mapping values are not allowed in this context";
        let Some(TemplateError::Yaml { place, line, says }) = TemplateError::parse(text) else {
            panic!("{text}");
        };
        assert_eq!(
            (place.template.as_str(), line),
            ("templates/job.yaml", Some(5))
        );
        assert_eq!(
            says,
            "yaml: line 5: mapping values are not allowed in this context"
        );
    }

    #[test]
    fn other_texts_are_none_of_it() {
        for text in [
            "failed pre-install: timed out waiting for the condition",
            "Job.batch \"x\" is invalid: spec.template: Invalid value: field is immutable",
            "error calling webhook: x",
            "exec failed: executing command",
            "execution error at (",
        ] {
            assert_eq!(TemplateError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(execution error at \\(|YAML parse error on |parse error at \\(|executing \"| at <|>:|\\): |: |c/templates/a.yaml:1:2|\\.Values\\.|a\\.b|é|line 99999999999|nil pointer evaluating |can't evaluate field |no template \"|\" associated with template \"|\n  ){0,14}") {
            let _ = TemplateError::parse(&text);
        }
    }
}
