//! The points of the matrix: where a run is struck and how, and what may be said and be true afterwards.

use Statement::{Done, NotSent, Unknown};
use Truth::{Dropped, Either, Gone, Kept, Untouched};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;
use testbed::Act::{self, Close, Delay, Fin, Garble, Gateway, Hold, Rst, Stall, Status, Swallow};
use testbed::Point::{
    self, After, AfterStatus, AfterUpgrade, Before, BeforeStatus, BeforeUpgrade, Byte, Frame,
    HalfAnswer, HalfFrame, HalfUpgrade, Upgraded, Within, WithinStatus,
};
use testbed::{BrokenList, Direction, Strike, Which};

/// What a run says, by its exit code and stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Deleted: exit 0.
    Done,
    /// Failed or refused before anything was sent: exit 1 or 4.
    NotSent,
    /// Exit 5.
    Unknown,
}

/// What is true in CouchDB once the pod has come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Gone,
    /// No DELETE was asked for.
    Untouched,
    /// The script in the pod may go on without its client, or be ended by it: one or the other.
    Either,
    /// CouchDB does not do what it is asked: it is made to answer 500 at once.
    Kept,
    /// Somebody else deleted it; no DELETE was asked for.
    Dropped,
}

/// What happens on the cluster while a run is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// A HelmRelease claims the database.
    Claimed,
    /// Somebody else deletes it.
    Dropped,
    /// Somebody else deletes it and creates it again.
    Recreated,
    /// A member does not answer when it is asked for the database.
    Hung,
}

/// What breaks.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Exec(Strike),
    /// Something happens at the moment at which this exec is asked for.
    Late(Late, Which),
    List(BrokenList),
}

impl Trouble {
    /// What the proxy does to an exec.
    pub(super) fn strike(&self) -> Option<Strike> {
        match self {
            Self::Exec(strike) => Some(strike.clone()),
            Self::Late(_, exec) => Some(Strike {
                exec: exec.clone(),
                at: BeforeUpgrade,
                act: Hold,
            }),
            Self::List(_) => None,
        }
    }
}

/// One point.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) trouble: Trouble,
    /// The one word or, where it hangs on how output was packed into frames, the two that may be said.
    pub(super) said: &'static [Statement],
    pub(super) truth: Truth,
    /// The credentials come from a Secret, by the exec's stdin.
    pub(super) by_stdin: bool,
}

const LOOK: Which = Which::Number(0);
const MEMBERS: Which = Which::Number(1);
const REST: Which = Which::Number(2);
const LAST_LOOK: Which = Which::Number(3);
const LAST_MEMBERS: Which = Which::Number(4);
const LAST_REST: Which = Which::Number(5);
const DELETION: Which = Which::Word("delete");
const READ_BACK: Which = Which::After("delete");

const FIRST_FRAME: Point = Frame(Direction::ToClient, 0);
const FIRST_BYTE: Point = Byte(Direction::ToClient, 1);
/// The only frame that a client sends.
const STDIN: Point = Frame(Direction::ToServer, 0);
const HALF_STDIN: Point = HalfFrame(Direction::ToServer, 0);
/// A look's first answer.
const LOOKED: &str = " ask GET ";
/// The script is about to send the DELETE; its answer; the script's last word.
const SENDING: &str = " sending\n";
const ANSWER: &str = " ask DELETE";
const DONE: &str = " done\n";

const PAUSE: Act = Delay(Duration::from_millis(300));

/// What is known of a point: the exec, where, the acts, what may be said, what is true.
type Row = (Which, Point, &'static [Act], &'static [Statement], Truth);

/// Every point, in the order of an exec's life. A command whose client was cut off may go on or be ended by its broken stdout.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Before the plan: whatever happens, nothing is sent.
    (LOOK, BeforeUpgrade, &[Fin, Rst, Gateway(502)], &[NotSent], Untouched),
    (LOOK, AfterUpgrade, &[Fin, Garble, Gateway(504)], &[NotSent], Untouched),
    (LOOK, Within(LOOKED), &[Close, Rst, Garble], &[NotSent], Untouched),
    (LOOK, Before(LOOKED), &[Swallow], &[NotSent], Untouched),
    (LOOK, Before(LOOKED), &[PAUSE], &[Done], Gone),
    (MEMBERS, Upgraded, &[Fin, Rst], &[NotSent], Untouched),
    (MEMBERS, Within(LOOKED), &[Garble], &[NotSent], Untouched),

    // The deletion. Of a request that has not reached the API server it is not always known that it has not.
    (DELETION, BeforeUpgrade, &[Close, Fin, Rst, Stall], &[Unknown], Untouched),
    (DELETION, BeforeUpgrade, &[Gateway(403), Gateway(502), Gateway(504)], &[Unknown], Untouched),
    (DELETION, BeforeUpgrade, &[PAUSE], &[Done], Gone),
    // The API server's own word that nothing ran, and the same body under other statuses.
    (DELETION, BeforeUpgrade, &[status(401, 401), status(403, 403), status(404, 404), status(403, 500)], &[NotSent], Untouched),
    (DELETION, BeforeUpgrade, &[status(200, 404), status(302, 404), status(400, 403), status(500, 404), status(502, 401)], &[Unknown], Untouched),
    (DELETION, HalfUpgrade, &[Fin, Garble], &[Unknown, NotSent], Untouched),
    // From here on the command runs, whoever listens: it may be through when the members are asked.
    (DELETION, AfterUpgrade, &[Close, Fin, Rst, Garble, Gateway(408), Gateway(502)], &[Done, Unknown], Either),
    (DELETION, AfterUpgrade, &[status(200, 404), status(409, 404), status(500, 404), status(502, 403)], &[Done, Unknown], Either),
    (DELETION, AfterUpgrade, &[Stall], &[Unknown], Gone),
    (DELETION, AfterUpgrade, &[PAUSE], &[Done], Gone),
    (DELETION, HalfAnswer, &[Fin, Rst, Garble], &[Done, Unknown], Either),
    (DELETION, Upgraded, &[Close, Fin, Rst], &[Done, Unknown], Either),
    (DELETION, Upgraded, &[Stall], &[Unknown], Gone),
    (DELETION, FIRST_BYTE, &[Fin, Rst], &[Done, Unknown], Either),
    (DELETION, FIRST_FRAME, &[Garble], &[Done, Unknown], Either),
    (DELETION, Before(SENDING), &[Close, Rst], &[Done, Unknown], Either),
    (DELETION, Within(SENDING), &[Fin], &[Done, Unknown], Either),
    (DELETION, Within(SENDING), &[Garble], &[Done], Gone),
    (DELETION, Before(SENDING), &[Swallow], &[Done], Gone),
    (DELETION, Before(SENDING), &[PAUSE], &[Done], Gone),
    (DELETION, After(SENDING), &[Close, Fin, Rst], &[Done, Unknown], Either),
    (DELETION, After(SENDING), &[Stall], &[Unknown], Gone),
    // CouchDB has answered: the database is gone, and every member says so, whatever is heard of the answer.
    (DELETION, Before(ANSWER), &[Close, Fin, Rst, Garble, Swallow, PAUSE], &[Done], Gone),
    (DELETION, Before(ANSWER), &[Stall], &[Unknown], Gone),
    (DELETION, Within(ANSWER), &[Close, Rst, Garble], &[Done], Gone),
    (DELETION, After(ANSWER), &[Close, Rst], &[Done], Gone),
    (DELETION, Before(DONE), &[Swallow], &[Done], Gone),
    (DELETION, After(DONE), &[Close, Fin, Rst], &[Done], Gone),
    (DELETION, After(DONE), &[Stall], &[Unknown], Gone),
    (DELETION, BeforeStatus, &[Close, Rst, Garble, Swallow, PAUSE], &[Done], Gone),
    (DELETION, WithinStatus, &[Fin, Garble], &[Done], Gone),
    (DELETION, AfterStatus, &[Fin, Rst], &[Done], Gone),

    // The same where CouchDB fails to delete: what breaks must not hide that it is still there.
    (DELETION, Upgraded, &[PAUSE], &[Unknown], Kept),
    (DELETION, Before(SENDING), &[Close, Rst, Garble, Swallow], &[Unknown], Kept),
    (DELETION, Before(ANSWER), &[Close, Fin, Rst, Garble, Swallow, PAUSE], &[Unknown], Kept),
    (DELETION, Within(ANSWER), &[Fin, Rst, Garble], &[Unknown], Kept),
    (DELETION, After(ANSWER), &[Rst], &[Unknown], Kept),
    (DELETION, BeforeStatus, &[Close, Rst, Garble, Swallow], &[Unknown], Kept),
    (DELETION, WithinStatus, &[Fin, Garble], &[Unknown], Kept),
    (DELETION, AfterStatus, &[Rst], &[Unknown], Kept),
    (READ_BACK, BeforeUpgrade, &[Rst], &[Unknown], Kept),
    (READ_BACK, Within(LOOKED), &[Garble], &[Unknown], Kept),

    // After an answer of 200 the read-back adds evidence and takes nothing away.
    (READ_BACK, BeforeUpgrade, &[Rst, Gateway(502)], &[Done], Gone),
    (READ_BACK, AfterUpgrade, &[Fin], &[Done], Gone),
    (READ_BACK, Within(LOOKED), &[Close, Garble], &[Done], Gone),
    (READ_BACK, BeforeStatus, &[Rst], &[Done], Gone),
];

/// The way to the server, which a run uses only for credentials that a Secret gave: without them nothing is asked.
#[rustfmt::skip]
const BY_STDIN: &[Row] = &[
    (LOOK, STDIN, &[Close, Rst, Garble], &[NotSent], Untouched),
    (LOOK, HALF_STDIN, &[Fin], &[NotSent], Untouched),
    (DELETION, STDIN, &[Close, Fin, Rst, Stall], &[Unknown], Untouched),
    (DELETION, STDIN, &[Garble], &[Unknown, NotSent], Untouched),
    (DELETION, STDIN, &[PAUSE], &[Done], Gone),
    (DELETION, HALF_STDIN, &[Fin, Rst], &[Unknown], Untouched),
    (DELETION, Before(ANSWER), &[Rst], &[Done], Gone),
    (DELETION, Before(ANSWER), &[Rst], &[Unknown], Kept),
];

/// What happens when an exec is asked for. Claims are read once before the first look and once right before the deletion; the deletion's
/// own guards see all that CouchDB itself can tell.
#[rustfmt::skip]
const LATE: &[(Late, Which, Statement, Truth)] = &[
    (Late::Claimed, LOOK, NotSent, Untouched),
    (Late::Claimed, MEMBERS, NotSent, Untouched),
    (Late::Claimed, REST, NotSent, Untouched),
    (Late::Claimed, LAST_LOOK, NotSent, Untouched),
    (Late::Claimed, LAST_MEMBERS, NotSent, Untouched),
    (Late::Claimed, LAST_REST, NotSent, Untouched),
    (Late::Claimed, DELETION, Done, Gone),
    (Late::Claimed, READ_BACK, Done, Gone),
    (Late::Dropped, MEMBERS, NotSent, Dropped),
    (Late::Dropped, LAST_LOOK, NotSent, Dropped),
    (Late::Dropped, LAST_MEMBERS, NotSent, Dropped),
    (Late::Dropped, LAST_REST, NotSent, Dropped),
    (Late::Dropped, DELETION, NotSent, Dropped),
    (Late::Recreated, MEMBERS, NotSent, Untouched),
    (Late::Recreated, LAST_LOOK, NotSent, Untouched),
    (Late::Recreated, LAST_MEMBERS, NotSent, Untouched),
    (Late::Recreated, LAST_REST, NotSent, Untouched),
    (Late::Recreated, DELETION, Unknown, Untouched),
    (Late::Hung, MEMBERS, NotSent, Untouched),
    (Late::Hung, LAST_MEMBERS, NotSent, Untouched),
];

/// Lists of claims, and bodies that are not such a list, each with 200.
const LISTS: &[&str] = &[
    "/helmreleases?",
    "/api/v1/secrets?",
    "/api/v1/configmaps?",
    "/authorizationpolicies?",
];
const BODIES: &[(&str, &str)] = &[
    ("an empty object", "{}"),
    ("a gateway's JSON", r#"{"code":0,"data":[]}"#),
    (
        "a Status",
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}"#,
    ),
    (
        "a list without items",
        r#"{"kind":"List","apiVersion":"v1","metadata":{}}"#,
    ),
    (
        "a list of another API",
        r#"{"kind":"PodList","apiVersion":"other.example/v1","metadata":{},"items":[]}"#,
    ),
];
/// The readings of the claims, by the number of a list's first request.
const READINGS: &[&str] = &["before the plan", "before the deletion"];

/// A `Status` with this code under that HTTP status.
const fn status(http: u16, code: u16) -> Act {
    Status { http, code }
}

/// Every point with one act.
pub(super) fn all() -> Vec<Case> {
    let each = |(exec, at, acts, said, truth): &Row, by_stdin| -> Vec<Case> {
        let case = |act: &Act| Case {
            trouble: Trouble::Exec(Strike {
                exec: exec.clone(),
                at: *at,
                act: *act,
            }),
            said,
            truth: *truth,
            by_stdin,
        };
        acts.iter().map(case).collect()
    };
    let own = ROWS.iter().flat_map(|row| each(row, false));
    let given = BY_STDIN.iter().flat_map(|row| each(row, true));
    let late = LATE.iter().map(|(late, exec, said, truth)| Case {
        trouble: Trouble::Late(*late, exec.clone()),
        said: std::slice::from_ref(said),
        truth: *truth,
        by_stdin: false,
    });
    let lists = LISTS.iter().flat_map(|path| {
        (0..READINGS.len()).flat_map(move |from| {
            BODIES.iter().map(move |(_, body)| Case {
                trouble: Trouble::List(BrokenList { path, from, body }),
                said: &[NotSent],
                truth: Untouched,
                by_stdin: false,
            })
        })
    });
    own.chain(given).chain(late).chain(lists).collect()
}

/// The exec, the point and the act in words.
pub(super) fn words(case: &Case) -> [String; 3] {
    let strike = match &case.trouble {
        Trouble::Exec(strike) => strike,
        Trouble::Late(late, which) => {
            let what = match late {
                Late::Claimed => "a HelmRelease claims the database",
                Late::Dropped => "somebody else deletes the database",
                Late::Recreated => "somebody else deletes and creates it again",
                Late::Hung => "a member hangs",
            };
            let [exec, at] = [exec(which), "before the request is sent"];
            return [exec, at, what].map(str::to_owned);
        }
        Trouble::List(list) => {
            let name = list.path.trim_end_matches('?');
            let name = name.rsplit('/').next().unwrap_or_default();
            let (what, _) = BODIES
                .iter()
                .find(|(_, body)| *body == list.body)
                .expect("a body of the matrix");
            return [
                format!("list of {name}"),
                READINGS[list.from].to_owned(),
                format!("200 with {what}"),
            ];
        }
    };
    let exec = exec(&strike.exec);
    let at = match strike.at {
        BeforeUpgrade => "before the request is sent",
        HalfUpgrade => "half of the request is sent",
        AfterUpgrade => "before the answer to the request",
        HalfAnswer => "half of that answer has come",
        Upgraded => "after the answer 101, before any frame",
        p if p == FIRST_BYTE => "after the first byte of a frame",
        p if p == STDIN => "before the credentials are sent",
        p if p == HALF_STDIN => "half of the credentials is sent",
        p if p == FIRST_FRAME => "before the first frame",
        Before(LOOKED) => "before the first answer",
        Within(LOOKED) => "within the first answer",
        Before(SENDING) => "before the word that the DELETE is sent now",
        Within(SENDING) => "within the word that the DELETE is sent now",
        After(SENDING) => "after the word that the DELETE is sent now",
        Before(ANSWER) => "before CouchDB's answer",
        Within(ANSWER) => "within CouchDB's answer",
        After(ANSWER) => "after CouchDB's answer",
        Before(DONE) => "before the end mark",
        After(DONE) => "after the end mark",
        BeforeStatus => "before the exit code",
        WithinStatus => "within the exit code",
        AfterStatus => "after the exit code",
        other => panic!("no words for {other:?}"),
    };
    let act = match strike.act {
        Close => "closed in order".to_owned(),
        Fin => "cut (FIN)".to_owned(),
        Rst => "cut (RST)".to_owned(),
        Stall => "silence, then Ctrl-C".to_owned(),
        Delay(_) => "delayed".to_owned(),
        Garble => "garbled".to_owned(),
        Swallow => "one frame lost".to_owned(),
        Gateway(status) => format!("a gateway answers {status}"),
        Status { http, code } if http == code => format!("the API server answers {http}"),
        Status { http, code } => format!("{http} with a Status of {code}"),
        Hold => panic!("only what comes late holds"),
    };
    let by = if case.by_stdin { ", by stdin" } else { "" };
    [format!("{exec}{by}"), at.to_owned(), act]
}

/// An exec's name.
fn exec(which: &Which) -> &'static str {
    match which {
        w if *w == LOOK => "first look",
        w if *w == MEMBERS => "look at the members",
        w if *w == REST => "look at the database",
        w if *w == LAST_LOOK => "last look",
        w if *w == LAST_MEMBERS => "last look at the members",
        w if *w == LAST_REST => "last look at the database",
        w if *w == DELETION => "deletion",
        w if *w == READ_BACK => "read-back",
        other => panic!("no words for {other:?}"),
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "deleted",
            Self::NotSent => "nothing was sent",
            Self::Unknown => "not known",
        })
    }
}

impl Display for Truth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "deleted",
            Self::Untouched => "there, no DELETE came",
            Self::Dropped => "gone, no DELETE of ours came",
            Self::Kept => "there: CouchDB answered 500",
            Self::Either => "one or the other: the command runs on alone",
        })
    }
}
