//! The texts by which the API server refuses an object for one of its fields: a field that its kind does not have, or a value
//! that it does not take. What may not change (immutable fields) and what is too long are other matters.

/// A field that the API server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The object as the text names it: `Job.batch "x"`; empty where it names none.
    pub object: String,
    /// `spec.template.spec.containers[0].image`; empty where it is not told.
    pub field: String,
    /// What is said of the field.
    pub says: String,
    /// The type that the field got where it takes a text.
    pub got: Option<Got>,
}

/// A type that YAML gives a value without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Number,
    Bool,
}

impl Got {
    /// In words: `a number`.
    pub fn words(self) -> &'static str {
        match self {
            Got::Number => "a number",
            Got::Bool => "true or false",
        }
    }
}

impl FieldError {
    /// An entry of a list is there twice.
    pub fn is_duplicate(&self) -> bool {
        self.says.starts_with("Duplicate value: ")
    }

    /// Kind, with its group behind a dot where it has one, and name of the object that Helm was about to patch:
    /// `cannot patch "a" with kind Deployment: Deployment.apps "a" is invalid: …`.
    pub fn patched(&self, text: &str) -> Option<(&str, &str)> {
        let (_, rest) = text.split_once("cannot patch \"")?;
        let (patched, rest) = rest.split_once("\" with kind ")?;
        let (patched_kind, _) = rest.split_once(':')?;
        let (kind, name) = self.object.split_once(' ')?;
        let name = name.strip_prefix('"')?.strip_suffix('"')?;
        let plain = kind.split_once('.').map_or(kind, |(plain, _)| plain);
        (plain == patched_kind && name == patched).then_some((kind, name))
    }

    /// Reads a text; `None` when it is about something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        mistyped(text)
            .or_else(|| duplicate(text))
            .or_else(|| undecodable(text))
            .or_else(|| elsewhere(text))
            .or_else(|| unreadable(text))
            .or_else(|| nameless(text))
            .or_else(|| unknown(text))
            .or_else(|| invalid(text))
    }
}

/// `json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string`.
fn mistyped(text: &str) -> Option<FieldError> {
    // Helm's own reading of a rendered template: a fault of that file.
    if text.contains("YAML parse error on ") {
        return None;
    }
    let (_, rest) = text.split_once("cannot unmarshal ")?;
    let (got, rest) = rest.split_once(" into Go struct field ")?;
    let (path, rest) = rest.split_once(" of type ")?;
    let wanted = rest
        .split([' ', ';', ',', '\n', '"'])
        .next()
        .unwrap_or_default();
    let (_, field) = path.split_once('.')?;
    let got = match got {
        "number" => Some(Got::Number),
        "bool" => Some(Got::Bool),
        _ => None,
    };
    let says = match (got, wanted) {
        (Some(got), "string") => format!("it takes a text and got {}", got.words()),
        _ => format!("it takes the type {wanted}"),
    };
    Some(FieldError {
        object: String::new(),
        field: field.to_owned(),
        says,
        got: got.filter(|_| wanted == "string"),
    })
}

/// `Job in version "v1" cannot be handled as a Job: v1.Job.Spec: v1.JobSpec.Template: …: ReadString: expects " or n, but found t`:
/// the API server's own reader, up to Kubernetes 1.22.
fn unreadable(text: &str) -> Option<FieldError> {
    let (_, rest) = text.split_once(" cannot be handled as a ")?;
    let (kind, rest) = rest.split_once(": ")?;
    let (path, found) = rest.split_once(": ReadString: expects \" or n, but found ")?;
    let fields = path.split(": ").filter_map(|step| {
        let field = step.rsplit('.').next()?;
        let mut letters = field.chars();
        let first = letters.next()?.to_ascii_lowercase();
        Some(format!("{first}{}", letters.as_str()))
    });
    let got = match found.chars().next()? {
        't' | 'f' => Got::Bool,
        c if c.is_ascii_digit() || c == '-' => Got::Number,
        _ => return None,
    };
    Some(FieldError {
        object: kind.to_owned(),
        field: fields.collect::<Vec<_>>().join("."),
        says: format!("it takes a text and got {}", got.words()),
        got: Some(got),
    })
}

/// `failed to create typed patch object (core/x; apps/v1, Kind=Deployment): errors:\n  .spec.a[name="x"].env: duplicate entries for key
/// [name="A"]`, or the same of the `typed live object`.
fn duplicate(text: &str) -> Option<FieldError> {
    let (before, key) = text.split_once(": duplicate entries for key ")?;
    let field = before.rsplit([' ', '\n']).next()?.trim_start_matches('.');
    let place = match text.contains("typed live object") {
        true => " in the object on the cluster",
        false => "",
    };
    let key = key.lines().next().unwrap_or_default();
    Some(FieldError {
        object: String::new(),
        field: field.to_owned(),
        says: format!("duplicate entries for key {key}{place}"),
        got: None,
    })
}

/// An invalid object, or a value of the wrong type: `unable to decode "": …`.
fn undecodable(text: &str) -> Option<FieldError> {
    let of = |field: &str, says: &str| {
        Some(FieldError {
            object: String::new(),
            field: field.to_owned(),
            says: says.to_owned(),
            got: None,
        })
    };
    for (texts, field) in [
        (
            [
                "Object 'Kind' is missing in ",
                "error validating data: kind not set",
            ],
            "kind",
        ),
        (
            [
                "Object 'apiVersion' is missing in ",
                "error validating data: apiVersion not set",
            ],
            "apiVersion",
        ),
    ] {
        if texts.iter().any(|t| text.contains(t)) {
            return of(field, "it is missing");
        }
    }
    let (_, says) = text.split_once("unable to decode \"\": ")?;
    of("", says.lines().next().unwrap_or_default().trim())
}

/// `the namespace from the provided object "a" does not match the namespace "b"`.
fn elsewhere(text: &str) -> Option<FieldError> {
    let (_, rest) = text.split_once("the namespace from the provided object \"")?;
    let (own, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once("does not match the namespace \"")?;
    let (release, _) = rest.split_once('"')?;
    Some(FieldError {
        object: String::new(),
        field: "metadata.namespace".to_owned(),
        says: format!("it is {own}, and the release is in {release}"),
        got: None,
    })
}

/// Helm asks for each object before it creates it, and one has no name.
fn nameless(text: &str) -> Option<FieldError> {
    text.contains("resource name may not be empty")
        .then(|| FieldError {
            object: String::new(),
            field: "metadata.name".to_owned(),
            says: "it is empty".to_owned(),
            got: None,
        })
}

/// `unknown field "spec.x"`, `.spec.x: field not declared in schema`, `ValidationError(Job.spec): …`.
fn unknown(text: &str) -> Option<FieldError> {
    if let Some((before, _)) = text.split_once(": field not declared in schema") {
        let field = before.rsplit([' ', '\n']).next().unwrap_or_default();
        return Some(FieldError {
            object: object(before),
            field: field.trim_start_matches('.').to_owned(),
            says: "the kind has no such field".to_owned(),
            got: None,
        });
    }
    // `failed to create typed patch object (core/x; /v1, Kind=ConfigMap): .data.a: expected string, got …`.
    if let Some((_, rest)) = text.split_once("failed to create typed patch object (")
        && let Some((_, rest)) = rest.split_once("): .")
        && let Some((field, says)) = rest.split_once(": ")
    {
        return Some(FieldError {
            object: String::new(),
            field: field.to_owned(),
            says: without_value(says).to_owned(),
            got: got(says),
        });
    }
    let validating = text.split_once("error validating data: ");
    if validating.is_none() && !text.contains("strict decoding error: ") {
        return None;
    }
    if let Some((_, rest)) = text.split_once("unknown field \"")
        && let Some((field, _)) = rest.split_once('"')
    {
        let parent = validating
            .and_then(|(_, v)| v.strip_prefix("ValidationError("))
            .or_else(|| validating.and_then(|(_, v)| v.strip_prefix("[ValidationError(")))
            .and_then(|v| v.split_once(')'))
            .and_then(|(kind, _)| kind.split_once('.'))
            .map_or(String::new(), |(_, path)| format!("{path}."));
        return Some(FieldError {
            object: String::new(),
            field: format!("{parent}{field}"),
            says: "the kind has no such field".to_owned(),
            got: None,
        });
    }
    let (_, says) = validating?;
    Some(FieldError {
        object: String::new(),
        field: String::new(),
        says: says.lines().next().unwrap_or_default().trim().to_owned(),
        got: None,
    })
}

/// `Job.batch "x" is invalid: spec.a: Required value`, one or several in brackets.
fn invalid(text: &str) -> Option<FieldError> {
    let (before, after) = text.split_once(" is invalid: ")?;
    let verdicts = [
        ": Required value",
        ": Unsupported value",
        ": Invalid value",
        ": Duplicate value",
        ": Not found: ",
        ": Too many: ",
        ": Internal error: ",
        ": Forbidden: ",
    ];
    let foreign = ["immutable", "Too long", "updates to "];
    if foreign.iter().any(|f| after.contains(f)) {
        return None;
    }
    let at = verdicts.iter().filter_map(|v| after.find(v)).min()?;
    let field = after[..at].trim_start_matches('[');
    let object = object(before);
    // A field is one word and an object has its name in quotes: anything else is another sentence.
    let is_key = field.starts_with("data[") || field.starts_with("stringData[");
    if field.is_empty() || field.contains(' ') && !is_key || object.is_empty() {
        return None;
    }
    let says = after[at + 2..].lines().next().unwrap_or_default();
    // Rules for names come with an example and a pattern: the words are enough.
    let says = says.split(" (e.g. ").next().unwrap_or(says);
    Some(FieldError {
        object,
        field: field.to_owned(),
        says: says.trim_end_matches(']').trim().to_owned(),
        got: None,
    })
}

/// The type in `expected string, got &value.valueUnstructured{Value:5}`.
fn got(says: &str) -> Option<Got> {
    let (_, value) = says
        .split_once("expected string, got &value")?
        .1
        .split_once("Value:")?;
    match value.split('}').next()? {
        "true" | "false" => Some(Got::Bool),
        number if number.parse::<f64>().is_ok() => Some(Got::Number),
        _ => None,
    }
}

/// `expected string, got &value.valueUnstructured{Value:5}` without the inside of the API server.
fn without_value(says: &str) -> &str {
    let says = says.lines().next().unwrap_or_default();
    says.split(", got &value").next().unwrap_or(says).trim()
}

/// The `Kind.group "name"` that a text ends with.
fn object(before: &str) -> String {
    let mut words = before.trim_end().rsplit([' ', '\n', '\t']);
    match (words.next(), words.next()) {
        (Some(name), Some(kind)) if name.starts_with('"') && name.ends_with('"') => {
            format!("{kind} {name}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_type_without_quotes_is_told() {
        let of = |text: &str| FieldError::parse(text).map(|f| (f.field, f.got));
        let lead = "unable to build kubernetes objects from release manifest: unable to decode \"\": json: cannot unmarshal";
        assert_eq!(
            of(&format!(
                "{lead} number into Go struct field ObjectMeta.metadata.labels of type string"
            )),
            Some(("metadata.labels".to_owned(), Some(Got::Number)))
        );
        assert_eq!(
            of(&format!(
                "{lead} bool into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"
            )),
            Some((
                "spec.template.spec.containers.env.value".to_owned(),
                Some(Got::Bool)
            ))
        );
        assert_eq!(
            of(&format!(
                "{lead} string into Go struct field JobSpec.spec.backoffLimit of type int32"
            )),
            Some(("spec.backoffLimit".to_owned(), None))
        );
        assert_eq!(
            of(
                "failed to create typed patch object (core/x; /v1, Kind=ConfigMap): .metadata.labels.a: expected string, got &value.valueUnstructured{Value:2026}"
            ),
            Some(("metadata.labels.a".to_owned(), Some(Got::Number)))
        );
        assert_eq!(of("json: cannot unmarshal number"), None);
    }

    #[test]
    fn the_object_that_helm_patched_is_the_one_that_is_refused() {
        let of = |text: &str| {
            let error = FieldError::parse(text).unwrap();
            error
                .patched(text)
                .map(|(kind, name)| format!("{kind} {name}"))
        };
        let text = |kind: &str, object: &str| {
            format!(
                r#"cannot patch "db" with kind {kind}: {object} is invalid: spec.ports[1].name: Duplicate value: "http""#
            )
        };
        for (kind, object, expected) in [
            ("Service", r#"Service "db""#, Some("Service db")),
            (
                "Deployment",
                r#"Deployment.apps "db""#,
                Some("Deployment.apps db"),
            ),
            (
                "Service",
                r#"Service.serving.knative.dev "db""#,
                Some("Service.serving.knative.dev db"),
            ),
            ("Service", r#"Service "db-2""#, None),
            ("Service", r#"Pod "db""#, None),
            ("Service", r#"ServiceAccount "db""#, None),
        ] {
            assert_eq!(of(&text(kind, object)).as_deref(), expected, "{object}");
        }
    }

    #[test]
    fn the_field_is_told() {
        for (text, object, field) in [
            (
                "1 error occurred:\n\t* Job.batch \"pds-database-create\" is invalid: spec.template.spec.containers[0].image: Required value",
                "Job.batch \"pds-database-create\"",
                "spec.template.spec.containers[0].image",
            ),
            (
                "Job.batch \"x\" is invalid: [spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0, spec.parallelism: Invalid value: -1: must be]",
                "Job.batch \"x\"",
                "spec.backoffLimit",
            ),
            (
                "error validating \"\": error validating data: ValidationError(Job.spec): unknown field \"backofLimit\" in io.k8s.api.batch.v1.JobSpec",
                "",
                "spec.backofLimit",
            ),
            (
                "error validating data: [unknown field \"spec.backofLimit\", unknown field \"x\"]",
                "",
                "spec.backofLimit",
            ),
            (
                "server-side apply failed for object core/x batch/v1, Kind=Job: failed to create typed patch object (core/x; batch/v1, Kind=Job): .spec.backofLimit: field not declared in schema",
                "",
                "spec.backofLimit",
            ),
            (
                "server-side apply failed for object core/x /v1, Kind=ConfigMap: failed to create typed patch object (core/x; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:5}",
                "",
                "data.a",
            ),
        ] {
            let found = FieldError::parse(text).unwrap();
            assert_eq!(
                (found.object.as_str(), found.field.as_str()),
                (object, field),
                "{text}"
            );
        }
    }

    #[test]
    fn what_may_not_change_is_another_matter() {
        for text in [
            "Job.batch \"x\" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable",
            "Secret \"x\" is invalid: data: Too long: must have at most 1048576 bytes",
            "StatefulSet.apps \"x\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than",
            "release name is invalid: some-name: Required value",
            "the name is invalid: it has no: such thing",
            "an unknown field \"x\"",
        ] {
            assert_eq!(FieldError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "( is invalid: |Job \"x\"|\\[|: Required value|: Invalid value|error validating data: |ValidationError\\(|Job\\.spec\\)|unknown field \"|\"|: field not declared in schema|é| |\n){0,12}") {
            let _ = FieldError::parse(&text);
        }
    }
}
