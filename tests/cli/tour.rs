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
    let all: BTreeSet<String> = commands(&help(&[])).into_iter().collect();
    assert_eq!(shown, all);
}
