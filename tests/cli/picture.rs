//! The picture in the README: what the program prints on a terminal, drawn from a real run. `BLESS=1` draws it again.

use crate::run::skvs;
use std::path::Path;

const PICTURE: &str = "docs/images/incident.svg";

/// Runs on the recorded incident, as their command lines and what they print in colour.
fn session() -> String {
    let mut text = String::new();
    for command in ["list", "troubleshoot orders--basket"] {
        let words = command.split(' ');
        let words = words.chain(["-f", "examples/three-of-four-fail", "--color", "always"]);
        let mut run = skvs(&words.collect::<Vec<_>>());
        run.command()
            .env("COLUMNS", "100")
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let said = run.run();
        text += &format!("$ kubectl skvs {command}\n{}\n", said.stdout);
    }
    // How long the checks took is another figure each time, and how many there are grows.
    let lines = text
        .lines()
        .filter(|line| !line.contains(" checks run in "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_picture_shows_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    let now = anstyle_svg::Term::new().render_svg(session().trim_end());
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).unwrap();
        std::fs::write(&path, &now).unwrap();
    }
    let drawn = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == now,
        "{PICTURE} is not what is printed now: BLESS=1"
    );
}
