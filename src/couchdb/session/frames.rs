//! The marks in a session's output: what is an answer's byte and what is the script's word.
//!
//! Pure and incremental. An answer holds any byte; its end is a line with the nonce, which nothing in a database can know. It keeps no
//! more than what may still turn out to be a mark.

use bytes::{Bytes, BytesMut};

/// Longest line of the script itself, in bytes: a path and a few words.
const LINE_MAX: usize = 16 * 1024;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The script takes requests.
    Ready,
    /// The answer to a request begins.
    Ask,
    /// Bytes of the answer.
    Piece(Bytes),
    /// The answer has ended; the exit code of curl or of the shell.
    End(i32),
    /// The script has ended by itself.
    Done,
}

/// Something that is no mark where a mark must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Garbled;

pub(crate) struct Frames {
    nonce: String,
    held: BytesMut,
    /// Within an answer.
    open: bool,
}

impl Frames {
    pub(crate) fn new(nonce: String) -> Self {
        Self {
            nonce,
            held: BytesMut::new(),
            open: false,
        }
    }

    /// Takes what has come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// No mark where one must be: nothing after it can be trusted.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Garbled> {
        if self.open {
            return self.within();
        }
        let Some(line) = self.line() else {
            return self.not_yet();
        };
        if line.len() > LINE_MAX {
            return Err(Garbled);
        }
        let word = std::str::from_utf8(&line)
            .ok()
            .and_then(|l| l.strip_prefix(&self.nonce))
            .and_then(|l| l.strip_prefix(' '))
            .map(|l| l.split(' ').next().unwrap_or_default());
        match word {
            Some("ready") => Ok(Some(Frame::Ready)),
            Some("ask") => {
                self.open = true;
                Ok(Some(Frame::Ask))
            }
            Some("done") => Ok(Some(Frame::Done)),
            _ => Err(Garbled),
        }
    }

    fn within(&mut self) -> Result<Option<Frame>, Garbled> {
        let mark = format!("\n{} end ", self.nonce);
        match find(&self.held, mark.as_bytes()) {
            (0, true) => {
                let rest = &self.held[mark.len()..];
                let Some(end) = rest.iter().position(|b| *b == b'\n') else {
                    return self.not_yet();
                };
                let code = std::str::from_utf8(&rest[..end])
                    .ok()
                    .filter(|_| mark.len() + end <= LINE_MAX)
                    .and_then(|c| c.parse().ok());
                let _ = self.held.split_to(mark.len() + end + 1);
                self.open = false;
                code.map(|c| Some(Frame::End(c))).ok_or(Garbled)
            }
            (0, false) => Ok(None),
            (before, _) => Ok(Some(Frame::Piece(self.held.split_to(before).freeze()))),
        }
    }

    fn line(&mut self) -> Option<BytesMut> {
        let end = self.held.iter().position(|b| *b == b'\n')?;
        let mut line = self.held.split_to(end + 1);
        line.truncate(end);
        Some(line)
    }

    fn not_yet(&self) -> Result<Option<Frame>, Garbled> {
        if self.held.len() > LINE_MAX {
            return Err(Garbled);
        }
        Ok(None)
    }
}

/// How many bytes come before the mark or before what may become one, and whether it is whole there.
fn find(held: &[u8], mark: &[u8]) -> (usize, bool) {
    let starts = held.iter().enumerate().filter(|(_, b)| **b == mark[0]);
    for (at, _) in starts {
        let rest = &held[at..];
        if rest.starts_with(mark) {
            return (at, true);
        }
        if mark.starts_with(rest) {
            return (at, false);
        }
    }
    (held.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: &str = "0123456789abcdef";

    fn wire(answer: &[u8], code: i32) -> Vec<u8> {
        let mut wire = format!("{NONCE} ready\n{NONCE} ask GET /\n").into_bytes();
        wire.extend_from_slice(answer);
        wire.extend_from_slice(format!("\n{NONCE} end {code}\n{NONCE} done\n").as_bytes());
        wire
    }

    /// The frames, neighbouring pieces put together.
    fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<Frame>), Garbled> {
        let mut frames = Frames::new(NONCE.to_owned());
        let (mut answer, mut others) = (Vec::new(), Vec::new());
        for piece in pieces {
            frames.push(piece);
            while let Some(frame) = frames.next()? {
                match frame {
                    Frame::Piece(bytes) => answer.extend_from_slice(&bytes),
                    other => others.push(other),
                }
            }
        }
        Ok((answer, others))
    }

    fn whole(code: i32) -> Vec<Frame> {
        vec![Frame::Ready, Frame::Ask, Frame::End(code), Frame::Done]
    }

    #[test]
    fn what_is_no_mark_garbles() {
        assert_eq!(read(&[b"bash: warning\n"]), Err(Garbled));
        let end = format!("{NONCE} ready\n{NONCE} ask GET /\n\n{NONCE} end x\n");
        assert_eq!(read(&[end.as_bytes()]), Err(Garbled));
        assert_eq!(read(&[&[b'x'; LINE_MAX + 1]]), Err(Garbled));
    }

    #[test]
    fn a_line_that_is_too_long_garbles_however_it_is_cut() {
        let ready = |length: usize| format!("{NONCE} ready {}\n", "x".repeat(length - 23));
        let end = |length: usize| {
            let zeros = "0".repeat(length - 22);
            format!("{NONCE} ready\n{NONCE} ask GET /\n\n{NONCE} end {zeros}\n")
        };
        for line in [ready, end] {
            for (length, fits) in [(LINE_MAX, true), (LINE_MAX + 1, false)] {
                let wire = line(length);
                let whole = read(&[wire.as_bytes()]);
                assert_eq!(whole.is_ok(), fits);
                let pieces: Vec<&[u8]> = wire.as_bytes().chunks(1000).collect();
                assert_eq!(whole, read(&pieces));
            }
        }
    }

    proptest! {
        #[test]
        fn an_answer_of_any_bytes_comes_whole_however_it_is_cut(
            answer in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'0'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(1usize..40, 0..40),
        ) {
            let wire = wire(&answer, 28);
            let (mut rest, mut pieces) = (&wire[..], Vec::new());
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            prop_assert_eq!(read(&pieces), Ok((answer, whole(28))));
        }

        #[test]
        fn an_answer_may_quote_the_beginning_of_a_mark(part in 0usize..22) {
            let mark = format!("\n{NONCE} end ");
            let answer = mark.as_bytes()[..part.min(mark.len() - 1)].to_vec();
            let wire = wire(&answer, 0);
            prop_assert_eq!(read(&[&wire]), Ok((answer, whole(0))));
        }

        #[test]
        fn no_output_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[&bytes]);
            let opened = wire(&bytes, 0);
            let _ = read(&[&opened[..opened.len() / 2]]);
        }
    }
}
