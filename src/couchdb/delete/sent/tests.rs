//! Each way in which the run that was to delete can end, at every byte of its output.

use super::*;
use crate::cluster::exec::{Ended, Execed};
use crate::couchdb::transport;
use proptest::prelude::*;

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// The output of a run: one guard, then what `end` is.
fn printed(end: &str) -> String {
    format!(
        "{NONCE} ask GET /\nHTTP/1.1 200 OK\r\n\r\n{{\"uuid\":\"5d0a\"}}\n{NONCE} end 0\n{end}{NONCE} done\n"
    )
}

fn deletion(status: &str, body: &str) -> String {
    printed(&format!(
        "{NONCE} sending\n{NONCE} ask DELETE /a_b\nHTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}\n{NONCE} end 0\n",
        body.len()
    ))
}

fn read(stdout: &str, ended: Ended) -> Sent {
    let execed = Execed {
        stdout: stdout.as_bytes().to_vec(),
        stderr: Vec::new(),
        ended,
    };
    sent(transport::conclude(execed, NONCE))
}

/// Every way for an exec to end that is not the script's own.
fn endings() -> [Ended; 4] {
    [
        Ended::Lost("the connection ended without a status".into()),
        Ended::Failed("the pod is gone".into()),
        Ended::Exit(137),
        Ended::Exit(0),
    ]
}

#[test]
fn an_output_that_is_lost_at_any_byte_is_not_known() {
    let answers = [
        deletion("200 OK", r#"{"ok":true}"#),
        deletion("202 Accepted", r#"{"ok":true}"#),
        deletion("401 Unauthorized", r#"{"error":"unauthorized"}"#),
        deletion(
            "404 Object Not Found",
            r#"{"error":"not_found","reason":"Database does not exist."}"#,
        ),
    ];
    for whole in &answers {
        // Without its line's end the last mark is whole.
        for cut in 0..whole.len() - 1 {
            for ended in endings() {
                let sent = read(&whole[..cut], ended.clone());
                assert!(
                    matches!(sent, Sent::Unknown { .. }),
                    "{cut} {ended:?}: {sent:?}"
                );
            }
        }
        for ended in endings() {
            let known = ended == Ended::Exit(0);
            let sent = read(whole, ended);
            assert_ne!(matches!(sent, Sent::Unknown { .. }), known, "{sent:?}");
        }
    }
    assert_eq!(read(&answers[0], Ended::Exit(0)), Sent::Done);
    assert_eq!(read(&answers[1], Ended::Exit(0)), Sent::Accepted);
    assert!(matches!(
        read(&answers[2], Ended::Exit(0)),
        Sent::Refused(Refusal::ByCouchDb { .. })
    ));
    assert_eq!(read(&answers[3], Ended::Exit(0)), Sent::Absent);
}

#[test]
fn a_guard_that_did_not_hold_is_known_from_its_mark_on() {
    let whole = printed(&format!("{NONCE} differs / \"uuid\":\"5d0a\"\n"));
    let mark = whole.find("differs").unwrap() + "differs".len();
    for cut in 0..=whole.len() {
        for ended in endings() {
            let sent = read(&whole[..cut], ended);
            assert_eq!(
                matches!(sent, Sent::Refused(_)),
                cut >= mark,
                "{cut}: {sent:?}"
            );
        }
    }
}

#[test]
fn an_answer_of_a_port_for_tls_or_of_nobody() {
    let exchange = |exit: &str| {
        let ask = format!("{NONCE} sending\n{NONCE} ask DELETE /a_b\n\n{NONCE} end {exit}\n");
        read(&printed(&ask), Ended::Exit(0))
    };
    assert!(matches!(exchange("7"), Sent::Refused(_)));
    for exit in ["1", "28", "52", "56", "141"] {
        assert!(
            matches!(
                exchange(exit),
                Sent::Unknown {
                    answered: false,
                    ..
                }
            ),
            "{exit}"
        );
    }
}

proptest! {
    #[test]
    fn only_200_and_its_ok_is_done(status in 100u16..600, body in r#"\{"ok":(true|false)\}|\PC{0,20}"#) {
        let sent = read(&deletion(&format!("{status} X"), &body), Ended::Exit(0));
        prop_assert_eq!(sent == Sent::Done, status == 200 && body == r#"{"ok":true}"#);
    }
}
