//! A gzip member that is being written: compressed on a thread of its own, while the next answer is read.
//!
//! Bounds what waits for the thread. When it has ended, or is dropped, nothing writes to the file any more.

use super::gzip::Gzip;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// What is handed over at once, in bytes.
const PIECE: usize = 256 * 1024;
/// Pieces that may wait.
const WAITING: usize = 16;

/// One member.
pub(super) struct Member {
    held: Vec<u8>,
    to: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Member {
    /// Begins one at the present position of `file`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn begin(file: File) -> io::Result<Self> {
        let (to, from) = sync_channel(WAITING);
        let thread = Builder::new().name("compression".to_owned());
        let thread = thread.spawn(move || compress(file, &from))?;
        Ok(Self {
            held: Vec::with_capacity(PIECE),
            to: Some(to),
            thread: Some(thread),
        })
    }

    /// Adds text. An error of the file may come later, with the end at the latest.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            let (now, later) = text.split_at(text.len().min(PIECE - self.held.len()));
            self.held.extend_from_slice(now);
            text = later;
            if self.held.len() == PIECE {
                self.hand_over()?;
            }
        }
        Ok(())
    }

    /// Ends it: all of it is in the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.hand_over()?;
        self.joined()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE));
        let sent = self.to.as_ref().map(|to| to.send(piece));
        match sent {
            Some(Ok(())) => Ok(()),
            // The thread ends before its time only with an error.
            _ => self.joined().and(Err(lost())),
        }
    }

    fn joined(&mut self) -> io::Result<()> {
        self.to = None;
        let ended = self.thread.take().map(JoinHandle::join);
        ended.and_then(Result::ok).unwrap_or_else(|| Err(lost()))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.joined();
    }
}

fn lost() -> io::Error {
    io::Error::other("the compression has ended")
}

fn compress(file: File, from: &Receiver<Vec<u8>>) -> io::Result<()> {
    let file = BufWriter::with_capacity(PIECE, file);
    let mut member = Gzip::new(file)?;
    while let Ok(piece) = from.recv() {
        member.piece(&piece)?;
    }
    member.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn text_of_any_length_comes_back() {
        let mut file = tempfile::tempfile().unwrap();
        let text: Vec<u8> = (0..3 * PIECE as u32 + 7)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        let mut member = Member::begin(file.try_clone().unwrap()).unwrap();
        for part in [&text[..10], &text[10..PIECE], &text[PIECE..]] {
            member.write(part).unwrap();
        }
        member.end().unwrap();
        file.rewind().unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut back)
            .unwrap();
        assert!(back == text);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_written_is_told_and_nothing_waits_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "").unwrap();
        let mut member = Member::begin(File::open(&path).unwrap()).unwrap();
        // Of no pattern: far more than waits and is buffered.
        let mut word = 1u32;
        let text = std::iter::repeat_with(|| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        });
        let text: Vec<u8> = text.take(PIECE).collect();
        let error = (0..4 * WAITING).find_map(|_| member.write(&text).err());
        assert_eq!(error.unwrap().raw_os_error(), Some(9));
        assert!(member.write(&text).is_err() && member.end().is_err());
        let mut member = Member::begin(File::open(&path).unwrap()).unwrap();
        member.write(b"little").unwrap();
        assert_eq!(member.end().unwrap_err().raw_os_error(), Some(9));
    }
}
