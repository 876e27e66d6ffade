//! What the command line asks for.

/// What to do in the sandbox.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Help,
    Shell,
    Tour,
    Command(Vec<String>),
}

/// Reads the arguments after the program's name. A first `--` is optional: cargo's alias ends with one of its own.
pub(crate) fn parse(mut arguments: Vec<String>, terminal: bool) -> Result<Action, String> {
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
        if arguments.is_empty() {
            return Err("no command after --".to_owned());
        }
    }
    match arguments.first().map(String::as_str) {
        None if terminal => Ok(Action::Shell),
        None => Ok(Action::Tour),
        Some(flag @ ("-h" | "--help" | "--tour")) if arguments.len() > 1 => {
            Err(format!("{flag} takes no argument"))
        }
        Some("-h" | "--help") => Ok(Action::Help),
        Some("--tour") => Ok(Action::Tour),
        Some(flag) if flag.starts_with('-') => Err(format!("unknown flag {flag}")),
        Some(_) => Ok(Action::Command(arguments)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str], terminal: bool) -> Result<Action, String> {
        parse(
            words.iter().map(|&word| word.to_owned()).collect(),
            terminal,
        )
    }

    fn command(words: &[&str]) -> Result<Action, String> {
        Ok(Action::Command(
            words.iter().map(|&word| word.to_owned()).collect(),
        ))
    }

    #[test]
    fn a_command_needs_no_dashes_and_takes_them() {
        assert_eq!(
            read(&["kubectl", "skvs", "list"], true),
            command(&["kubectl", "skvs", "list"])
        );
        assert_eq!(
            read(&["--", "kubectl", "--tour"], true),
            command(&["kubectl", "--tour"])
        );
        assert_eq!(read(&["--", "--help"], true), Ok(Action::Help));
        assert_eq!(read(&["--", "--tour"], true), Ok(Action::Tour));
    }

    #[test]
    fn without_a_command_the_terminal_decides() {
        assert_eq!(read(&[], true), Ok(Action::Shell));
        assert_eq!(read(&[], false), Ok(Action::Tour));
        assert_eq!(read(&["--tour"], true), Ok(Action::Tour));
        assert_eq!(read(&["-h"], false), Ok(Action::Help));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        assert_eq!(
            read(&["--turo"], true),
            Err("unknown flag --turo".to_owned())
        );
        assert_eq!(
            read(&["--tour", "list"], true),
            Err("--tour takes no argument".to_owned())
        );
        assert_eq!(read(&["--"], true), Err("no command after --".to_owned()));
    }
}
