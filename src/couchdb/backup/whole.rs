//! A backup's file, read to its end and found whole.

use super::format::{Header, Trailer, hex};
use super::items::Broken;
use super::pull::{Watch, watched};
use super::tally::{self, Tally};
use crate::private_file::{self, Reader};
use std::fs::File;
use std::io;

/// A file that was read and is whole.
#[derive(Debug)]
pub struct Whole {
    /// The very file that was checked: another one under its name is not read.
    pub(super) file: File,
    pub header: Header,
    pub trailer: Trailer,
    /// Length of the file, in bytes.
    pub size: u64,
    /// SHA-256 of the file itself, in hex.
    pub sha256: String,
    /// Rows that later ones replace, in order.
    pub(super) superseded: Vec<u64>,
}

impl Whole {
    /// Reads the file to its end on a thread of its own, and checks all of it.
    ///
    /// # Errors
    /// It is cut, damaged or not a backup.
    pub async fn check(path: &std::path::Path, watch: &mut Watch<'_>) -> Result<Self, Broken> {
        let file = private_file::read_only(path).map_err(Broken::Io)?;
        let size = file.metadata().map_err(Broken::Io)?.len();
        let reader = Reader::new(&file, 0).map_err(Broken::Io)?;
        let read = reader.counter();
        let check = tokio::task::spawn_blocking(move || Self::checked(file, &reader));
        // It is read three times.
        watched(check, &read, size.saturating_mul(3), watch)
            .await
            .map_err(|e| Broken::Io(io::Error::other(e)))?
    }

    fn checked(file: File, reader: &Reader) -> Result<Self, Broken> {
        let again = || reader.again();
        let mut digest = Digest::default();
        let size = io::copy(&mut again().map_err(Broken::Io)?, &mut digest).map_err(Broken::Io)?;
        if !digest.begins_as_gzip() {
            return Err(Broken::Foreign("it is not a gzip file".to_owned()));
        }
        // Its end says how many rows there are.
        let trailer = tally::partial(again().map_err(Broken::Io)?).map_err(|p| p.why)?;
        let tally = tally::tally(again, trailer.lines.rows, None)?;
        let Tally {
            header, superseded, ..
        } = tally;
        Ok(Self {
            file,
            header,
            trailer,
            size,
            sha256: digest.hex(),
            superseded,
        })
    }
}

/// The checksum of a file, and how it begins.
struct Digest {
    context: ring::digest::Context,
    head: Vec<u8>,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            context: ring::digest::Context::new(&ring::digest::SHA256),
            head: Vec::new(),
        }
    }
}

impl Digest {
    fn begins_as_gzip(&self) -> bool {
        self.head == [0x1f, 0x8b]
    }

    fn hex(self) -> String {
        hex(self.context.finish().as_ref())
    }
}

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lacks = 2 - self.head.len();
        self.head.extend(bytes.iter().take(lacks));
        self.context.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
