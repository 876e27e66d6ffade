//! The message for a team, in the user's own words: text with places such as `{database}`.

use std::fmt;
use std::str::FromStr;

/// The values that a message can have.
const PLACES: [Place; 5] = [
    Place::Database,
    Place::Endpoint,
    Place::Encryption,
    Place::Access,
    Place::Command,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Database,
    Endpoint,
    Encryption,
    Access,
    Command,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Endpoint => "endpoint",
            Self::Encryption => "encryption",
            Self::Access => "access",
            Self::Command => "command",
        }
    }
}

/// What is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub database: String,
    pub endpoint: String,
    /// Whether what is stored is encrypted, in words.
    pub encryption: String,
    /// Who may use it, a line for each namespace.
    pub access: Vec<String>,
    /// A command that tries it.
    pub command: String,
}

/// Text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

impl FromStr for Template {
    type Err = String;

    /// Reads it. `{{` and `}}` are braces.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            parts.push(Part::Text(before.to_owned()));
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                parts.push(Part::Text(from[..1].to_owned()));
                rest = after;
                continue;
            }
            let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let Some((name, after)) = inside else {
                return Err("a brace that is not part of a {place} is written {{ or }}".to_owned());
            };
            let place = PLACES.into_iter().find(|place| place.name() == name.trim());
            let Some(place) = place else {
                let names = PLACES.map(|place| format!("{{{}}}", place.name()));
                let names = names.join(", ");
                return Err(format!("{{{name}}} is not one of {names}"));
            };
            parts.push(Part::Place(place));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        if !parts.contains(&Part::Place(Place::Endpoint)) {
            return Err("without {endpoint} the team cannot use the database".to_owned());
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Place(place) => write!(f, "{{{}}}", place.name()),
        })
    }
}

impl Template {
    /// The message.
    pub fn fill(&self, values: &Filled) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => match place {
                Place::Database => values.database.clone(),
                Place::Endpoint => values.endpoint.clone(),
                Place::Encryption => values.encryption.clone(),
                Place::Access => values.access.join("\n"),
                Place::Command => values.command.clone(),
            },
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> Filled {
        Filled {
            database: "pds_database".to_owned(),
            endpoint: "http://x.y.svc:5984".to_owned(),
            encryption: "on".to_owned(),
            access: vec!["pds/a".to_owned(), "pds/{endpoint}".to_owned()],
            command: "curl x".to_owned(),
        }
    }

    #[test]
    fn every_place_is_filled_once() {
        let template: Template =
            "{database} {{at}} { endpoint }\n{encryption}, {access}: {command}"
                .parse()
                .unwrap();
        assert_eq!(
            template.fill(&values()),
            "pds_database {at} http://x.y.svc:5984\non, pds/a\npds/{endpoint}: curl x"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |text: &str| text.parse::<Template>().unwrap_err();
        insta::assert_snapshot!(said("{endpoint} {db}"), @"{db} is not one of {database}, {endpoint}, {encryption}, {access}, {command}");
        insta::assert_snapshot!(said("{endpoint} {"), @"a brace that is not part of a {place} is written {{ or }}");
        insta::assert_snapshot!(said("{endpoint} }"), @"a brace that is not part of a {place} is written {{ or }}");
        insta::assert_snapshot!(said("ready"), @"without {endpoint} the team cannot use the database");
    }

    proptest! {
        /// A template is what it shows, and text stays as it is.
        #[test]
        fn a_template_reads_what_it_shows(text in "([a-z\n }{]|\\{(endpoint|database|access)\\})*") {
            if let Ok(template) = text.parse::<Template>() {
                let again: Template = template.to_string().parse().unwrap();
                prop_assert_eq!(again.fill(&values()), template.fill(&values()));
            }
        }

        #[test]
        fn doubled_braces_are_braces(text in "[a-z{}\n]*") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            let template: Template = format!("{doubled}{{endpoint}}").parse().unwrap();
            prop_assert_eq!(template.fill(&values()), format!("{text}{}", values().endpoint));
        }
    }
}
