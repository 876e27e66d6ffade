//! What the proxy does to one exec: which exec, at which point of it, and what.
//!
//! Pure: [`Watch`] says where in a frame a strike falls; who holds the connections acts on it.

use std::time::Duration;

use super::frame::Frame;

/// Which of a run's execs is struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The exec of this number, from 0.
    Number(usize),
    /// The first whose command has this word.
    Word(&'static str),
    /// The first one after that.
    After(&'static str),
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToServer,
    ToClient,
}

/// Where an exec is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The request for the upgrade has come and nothing of it goes on: the API server never hears of it.
    BeforeUpgrade,
    /// Half of the request goes on.
    HalfUpgrade,
    /// The API server has answered the request, and nothing of that goes back: the command may run.
    AfterUpgrade,
    /// Half of the answer goes back.
    HalfAnswer,
    /// The whole answer has gone back, and no frame yet.
    Upgraded,
    /// So many bytes of frames have gone this way.
    Byte(Direction, usize),
    /// So many frames have gone this way.
    Frame(Direction, usize),
    /// The same, and half of the next one.
    HalfFrame(Direction, usize),
    /// Before the frame in which the command's stdout first holds this text, in the middle of it, after it.
    Before(&'static str),
    Within(&'static str),
    After(&'static str),
    /// The same of the frame that tells how the command ended.
    BeforeStatus,
    WithinStatus,
    AfterStatus,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Both connections are closed in order: TLS is told, then FIN.
    Close,
    /// Both are closed with a FIN and no word of TLS: cut.
    Fin,
    /// The client gets an RST.
    Rst,
    /// Nothing goes on any more, either way, and both stay open until the proxy goes.
    Stall,
    /// Nothing goes this way for so long; then all goes on.
    Delay(Duration),
    /// The rest of the frame goes on with every bit turned over; later frames are whole. An upgrade's answer likewise.
    Garble,
    /// The frame is left out; later ones go on. Of an upgrade that is a stall.
    Swallow,
    /// A gateway answers the upgrade with this status in the API server's place. Only before the answer has gone back.
    Gateway(u16),
    /// The same, with a `Status` for a body whose own code may be another one.
    Status { http: u16, code: u16 },
    /// Nothing goes on until the test says so; then all goes on.
    Hold,
}

/// Lists that are not what they should be: from the request of this number on (from 0) each that has this text in its path is answered
/// with 200 and this body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenList {
    pub path: &'static str,
    pub from: usize,
    pub body: &'static str,
}

/// One strike. It falls once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    pub exec: Which,
    pub at: Point,
    pub act: Act,
}

impl Which {
    /// Whether it is this exec, given those before it.
    pub(super) fn is(&self, before: &[Vec<String>], command: &[String]) -> bool {
        let has = |command: &[String], word: &str| command.iter().any(|w| w == word);
        match self {
            Self::Number(number) => before.len() == *number,
            Self::Word(word) => has(command, word) && !before.iter().any(|c| has(c, word)),
            Self::After(word) => before.last().is_some_and(|c| has(c, word)),
        }
    }
}

/// Follows the frames of one way until the point is reached.
pub(super) struct Watch {
    way: Direction,
    point: Option<Point>,
    bytes: usize,
    frames: usize,
    stdout: Vec<u8>,
}

impl Watch {
    pub(super) fn new(way: Direction, point: Option<Point>) -> Self {
        Self {
            way,
            point,
            bytes: 0,
            frames: 0,
            stdout: Vec::new(),
        }
    }

    /// How many bytes of this frame still go on before the strike, if it falls in it or right after it.
    pub(super) fn falls(&mut self, frame: &Frame) -> Option<usize> {
        let point = self.point?;
        let (whole, half) = (frame.raw.len(), frame.raw.len() / 2);
        let (bytes, frames) = (self.bytes, self.frames);
        self.bytes += whole;
        self.frames += 1;
        let mut says = |text: &str| {
            let Some(out) = frame.stdout() else {
                return false;
            };
            self.stdout.extend(out);
            let text = text.as_bytes();
            self.stdout.windows(text.len()).any(|part| part == text)
        };
        let back = self.way == Direction::ToClient;
        let at = match point {
            Point::Byte(way, n) => (way == self.way && n < bytes + whole).then(|| n - bytes),
            Point::Frame(way, n) => (way == self.way && n == frames).then_some(0),
            Point::HalfFrame(way, n) => (way == self.way && n == frames).then_some(half),
            Point::Before(text) => (back && says(text)).then_some(0),
            Point::Within(text) => (back && says(text)).then_some(half),
            Point::After(text) => (back && says(text)).then_some(whole),
            Point::BeforeStatus => (back && frame.is_status()).then_some(0),
            Point::WithinStatus => (back && frame.is_status()).then_some(half),
            Point::AfterStatus => (back && frame.is_status()).then_some(whole),
            Point::BeforeUpgrade
            | Point::HalfUpgrade
            | Point::AfterUpgrade
            | Point::HalfAnswer
            | Point::Upgraded => None,
        };
        if at.is_some() {
            self.point = None;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::frame;
    use super::*;

    /// Number of the frame and offset in it at which a strike falls.
    fn falls(point: Point) -> Option<(usize, usize)> {
        let mut bytes: Vec<u8> = [
            &b"\x01"[..],
            b"\x01first half ",
            b"\x02half ",
            b"\x01second half",
            b"\x03{\"status\":\"Success\"}",
        ]
        .iter()
        .flat_map(|payload| frame(payload, None))
        .collect();
        let mut watch = Watch::new(Direction::ToClient, Some(point));
        let frames = std::iter::from_fn(|| Frame::take(&mut bytes));
        let all: Vec<(usize, usize)> = frames
            .enumerate()
            .filter_map(|(number, frame)| Some((number, watch.falls(&frame)?)))
            .collect();
        assert!(all.len() < 2, "it falls once");
        all.first().copied()
    }

    #[test]
    fn a_strike_falls_at_its_point() {
        let (first, back) = (2 + 1, Direction::ToClient);
        assert_eq!(falls(Point::Byte(back, 0)), Some((0, 0)));
        assert_eq!(falls(Point::Byte(back, first + 2)), Some((1, 2)));
        assert_eq!(falls(Point::Byte(back, 5000)), None);
        assert_eq!(falls(Point::Byte(Direction::ToServer, 0)), None);
        assert_eq!(falls(Point::Frame(back, 2)), Some((2, 0)));
        assert_eq!(falls(Point::HalfFrame(back, 1)), Some((1, 7)));
        assert_eq!(falls(Point::Before("half second")), Some((3, 0)));
        assert_eq!(falls(Point::Within("first")), Some((1, 7)));
        assert_eq!(falls(Point::After("first")), Some((1, 14)));
        assert_eq!(falls(Point::BeforeStatus), Some((4, 0)));
        assert_eq!(falls(Point::AfterStatus), Some((4, 23)));
        assert_eq!(falls(Point::Upgraded), None);
    }

    #[test]
    fn an_exec_is_told_by_its_number_or_a_word_of_its_command() {
        let command = |word: &str| vec!["sh".to_owned(), word.to_owned()];
        let run = ["read", "read", "delete", "read", "read"].map(command);
        let struck = |which: Which| -> Vec<usize> {
            (0..run.len())
                .filter(|n| which.is(&run[..*n], &run[*n]))
                .collect()
        };
        assert_eq!(struck(Which::Number(1)), [1]);
        assert_eq!(struck(Which::Word("delete")), [2]);
        assert_eq!(struck(Which::Word("read")), [0]);
        assert_eq!(struck(Which::After("delete")), [3]);
    }
}
