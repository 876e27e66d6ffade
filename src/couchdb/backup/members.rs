//! The gzip members of a file and their lines, with a bound on the length of a line.
//!
//! Knows where each member ends in the file: there a backup goes on. Knows nothing of what the lines say.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// Compressed bytes that are read at once, and those of text.
const BUFFER: usize = 128 * 1024;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line, with its end.
    Line,
    /// The end of a member; the file may go on.
    MemberEnd,
    /// The end of the file, between two members.
    End,
}

/// The members of a file.
pub(super) struct Members<R> {
    at: At<R>,
}

enum At<R> {
    Between(Counted<R>),
    Inside(Box<BufReader<GzDecoder<Counted<R>>>>),
    /// An error was told: nothing follows.
    Nowhere,
}

impl<R: Read> Members<R> {
    pub(super) fn new(file: R) -> Self {
        let counted = Counted {
            inner: BufReader::with_capacity(BUFFER, file),
            consumed: 0,
        };
        Self {
            at: At::Between(counted),
        }
    }

    /// Bytes of the file up to here; only between two members.
    pub(super) fn offset(&self) -> u64 {
        match &self.at {
            At::Between(input) => input.consumed,
            At::Inside(_) | At::Nowhere => 0,
        }
    }

    /// Reads the next line into `line`, `max` bytes with its end at most.
    ///
    /// # Errors
    /// `UnexpectedEof` for a file that was cut; `InvalidInput` or `InvalidData` for one that is damaged or no gzip.
    pub(super) fn next(&mut self, line: &mut Vec<u8>, max: usize) -> io::Result<Next> {
        line.clear();
        match std::mem::replace(&mut self.at, At::Nowhere) {
            At::Nowhere => Ok(Next::End),
            At::Between(mut input) => {
                if input.fill_buf()?.is_empty() {
                    self.at = At::Between(input);
                    return Ok(Next::End);
                }
                let text = BufReader::with_capacity(BUFFER, GzDecoder::new(input));
                self.inside(Box::new(text), line, max)
            }
            At::Inside(text) => self.inside(text, line, max),
        }
    }

    fn inside(
        &mut self,
        mut text: Box<BufReader<GzDecoder<Counted<R>>>>,
        line: &mut Vec<u8>,
        max: usize,
    ) -> io::Result<Next> {
        let limit = u64::try_from(max).unwrap_or(u64::MAX);
        let read = text.by_ref().take(limit).read_until(b'\n', line)?;
        if read == 0 {
            self.at = At::Between(text.into_inner().into_inner());
            return Ok(Next::MemberEnd);
        }
        if line.last() != Some(&b'\n') {
            let why = if read == max {
                "a line is too long"
            } else {
                "a line has no end"
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        self.at = At::Inside(text);
        Ok(Next::Line)
    }
}

/// Counts what is taken of a file.
struct Counted<R> {
    inner: BufReader<R>,
    consumed: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.consumed += read as u64;
        Ok(read)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount as u64;
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_member_tells_its_lines_and_where_it_ends() {
        let (one, two) = (gz(b"a\nb\n"), gz(b"c\n"));
        let file = [one.clone(), two].concat();
        let mut members = Members::new(&file[..]);
        let mut line = Vec::new();
        let mut seen = Vec::new();
        loop {
            let next = members.next(&mut line, 10).unwrap();
            seen.push((next, String::from_utf8(line.clone()).unwrap()));
            if seen.len() == 3 {
                assert_eq!(members.offset(), one.len() as u64);
            }
            if next == Next::End {
                break;
            }
        }
        let told: Vec<(Next, &str)> = seen.iter().map(|(n, l)| (*n, l.as_str())).collect();
        use Next::{End, Line, MemberEnd};
        assert_eq!(
            told,
            [
                (Line, "a\n"),
                (Line, "b\n"),
                (MemberEnd, ""),
                (Line, "c\n"),
                (MemberEnd, ""),
                (End, "")
            ]
        );
        assert_eq!(members.offset(), file.len() as u64);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let bomb = gz(&vec![b'x'; 8 << 20]);
        let mut line = Vec::new();
        let error = Members::new(&bomb[..]).next(&mut line, 1000).unwrap_err();
        assert_eq!(error.to_string(), "a line is too long");
        assert!(line.capacity() < 100_000, "{}", line.capacity());
    }

    proptest! {
        #[test]
        fn a_cut_file_is_told_as_cut(text in "([a-z]{0,30}\n){1,20}", at in any::<proptest::sample::Index>()) {
            let whole = gz(text.as_bytes());
            let at = 1 + at.index(whole.len() - 1);
            let mut members = Members::new(&whole[..at]);
            let mut line = Vec::new();
            let error = loop {
                match members.next(&mut line, 100) {
                    Ok(Next::Line) => {}
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break error,
                }
            };
            prop_assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), gzip in any::<bool>()) {
            let file = if gzip { gz(&bytes) } else { bytes };
            let mut members = Members::new(&file[..]);
            let mut line = Vec::new();
            for _ in 0..500 {
                match members.next(&mut line, 50) {
                    Ok(Next::End) | Err(_) => break,
                    Ok(_) => prop_assert!(line.len() <= 50),
                }
            }
        }
    }
}
