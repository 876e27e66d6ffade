//! A namespace in which nothing can be created.

/// What is wrong with a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamespaceError {
    /// It does not exist: its name.
    Missing(String),
    /// It is being deleted.
    Terminating,
}

impl NamespaceError {
    /// Reads a text; `None` when it is about something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains("because it is being terminated")
            || text.contains("ensuring all content is removed from this namespace")
        {
            return Some(Self::Terminating);
        }
        let (before, _) = text.split_once("\" not found")?;
        let (_, name) = before
            .rsplit_once("namespace \"")
            .or_else(|| before.rsplit_once("namespaces \""))?;
        (!name.contains('"')).then(|| Self::Missing(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_missing_or_going() {
        let missing = NamespaceError::Missing("core".to_owned());
        for text in [
            "failed to create resource: namespaces \"core\" not found",
            "namespace \"core\" not found",
        ] {
            assert_eq!(NamespaceError::parse(text), Some(missing.clone()), "{text}");
        }
        assert_eq!(
            NamespaceError::parse(
                "unable to create new content in namespace core because it is being terminated"
            ),
            Some(NamespaceError::Terminating)
        );
    }

    #[test]
    fn near_texts_are_left_alone() {
        for text in [
            "secrets \"core\" not found",
            "cannot get x in the namespace \"core\": role \"x\" not found",
            "namespaces \"core\" is there",
        ] {
            assert_eq!(NamespaceError::parse(text), None, "{text}");
        }
    }
}
