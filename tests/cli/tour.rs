//! The sandbox's tour against the commands that there are.

use crate::help::{commands, help};
use std::collections::BTreeSet;
use testbed::tour::STOPS;

#[test]
fn the_tour_shows_every_command() {
    let mut shown = BTreeSet::new();
    for stop in STOPS {
        let ["kubectl", "skvs", command, ..] = stop.argv else {
            panic!("not a command of the plugin: {:?}", stop.argv);
        };
        shown.insert((*command).to_owned());
    }
    // These are about the program itself: one is a tour of its own.
    let own = ["demo", "options"];
    let all = commands(&help(&[])).into_iter();
    let all: BTreeSet<String> = all.filter(|name| !own.contains(&name.as_str())).collect();
    assert_eq!(shown, all);
}
