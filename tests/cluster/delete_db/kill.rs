//! `kill -9` of a deletion at random times: the database is whole or gone, and a second run says which.

use super::faults::at_rest;
use super::stage::Stage;
use crate::harness::{RunOutput, skvs};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const RUNS: usize = 200;
/// Runs at once.
const WIDTH: usize = 4;
const DOCUMENTS: u64 = 20;
/// Decides when each run is killed, in parts of the time that an undisturbed one takes.
const SEED: u64 = 0x5eed_0001;

/// Parts of a run's time; some fall behind its end, so that also on a busy machine a few come to it.
fn fractions() -> Vec<f64> {
    let mut state = SEED;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 1_000_000) as f64 / 1_000_000.0
    };
    (0..RUNS).map(|_| 1.2 * next()).collect()
}

/// Does `work` for each number below `count`, several at once; the results in the order of the numbers.
fn each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WIDTH {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let result = work(number);
                    done.lock().expect("no panic").push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no panic");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn a_killed_run_leaves_the_database_whole_or_gone_and_a_second_one_says_which() {
    let stage = Stage::new("stage-kill");
    let create = |name: &str| {
        let created = stage.front.create_database(name, DOCUMENTS as usize);
        created.expect("a database");
    };
    // What a run takes beside others; the first ones are slow.
    let mut times = each(3 * WIDTH, |number| {
        let name = format!("kill_undisturbed{number}");
        create(&name);
        let started = Instant::now();
        stage.delete(&name).ok();
        started.elapsed()
    });
    times.sort();
    let whole_run = times[times.len() / 2];

    let name = |number: usize| format!("kill_{number:03}");
    let fractions = fractions();
    let ended: Vec<Option<RunOutput>> = each(RUNS, |number| {
        let name = name(number);
        create(&name);
        let args = stage.args(&name, &["--confirm", &name]);
        let mut child = skvs(args)
            .into_command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the plugin starts");
        std::thread::sleep(whole_run.mul_f64(fractions[number]));
        child.kill().expect("a child that was not waited for");
        let output = child.wait_with_output().expect("it ends");
        // One that had come to its end by itself has said something.
        output.status.code().map(|_| RunOutput::from(output))
    });
    // What was running in the pod goes on without its client.
    at_rest("kill_");

    let left: Vec<Option<u64>> = (0..RUNS)
        .map(|n| stage.front.documents(&name(n)).expect("the front answers"))
        .collect();
    let second: Vec<RunOutput> = each(RUNS, |number| {
        let name = name(number);
        let args = if number % 2 == 0 {
            stage.args(&name, &["--dry-run"])
        } else {
            stage.args(&name, &["--confirm", &name])
        };
        skvs(args).run()
    });
    let (mut whole, mut gone) = (0, 0);
    for (number, documents) in left.iter().enumerate() {
        let (name, said) = (name(number), &second[number]);
        let asked = stage.front.count("DELETE", &format!("/{name}"));
        let at = format!(
            "seed {SEED:#x}, run {number}: killed after {:.3} of {whole_run:?}; {documents:?} documents then, \
                 {asked} DELETEs by now\nfirst: {:?}\nsecond: {said:?}",
            fractions[number], ended[number]
        );
        if let Some(first) = &ended[number] {
            assert_eq!((first.code, *documents), (0, None), "{at}");
        }
        let rehearsed = number % 2 == 0;
        match documents {
            Some(DOCUMENTS) => {
                whole += 1;
                assert_eq!(said.code, 0, "{at}");
                assert!(said.stderr.contains("20 documents"), "{at}");
                assert_eq!(asked, usize::from(!rehearsed), "{at}");
                assert_eq!(stage.front.exists(&name), rehearsed, "{at}");
            }
            None => {
                gone += 1;
                assert_eq!((said.code, asked), (1, 1), "{at}");
                assert_eq!(said.stdout, "", "{at}");
                let told = "is gone already: 3 of 3 members";
                assert!(said.stderr.contains(told), "{at}");
            }
            Some(_) => panic!("neither whole nor gone; {at}"),
        }
    }
    let cut = ended.iter().filter(|said| said.is_none()).count();
    println!("{whole} whole, {gone} gone; {cut} killed before their end");
    assert!(
        whole > 0 && gone > 0 && cut > 0,
        "seed {SEED:#x}: {whole} whole, {gone} gone, {cut} killed: the times do not fall where they should"
    );
}
