//! A gzip stream that does not spend time on what cannot be compressed.
//!
//! Attachments are mostly compressed already, and in base64 the fastest level gains nothing on them at 70 MB/s. So a sample of each
//! piece decides whether it is compressed or stored. RFC 1951 knows both as kinds of blocks, and one stream may hold both.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::io::{self, Write};

/// ID, deflate, no flags, no time, fastest, unknown system (RFC 1952).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// Longest stored block, in bytes.
const STORED_MAX: usize = u16::MAX as usize;
/// A piece is tried in so many places, each of so many bytes.
const PLACES: usize = 4;
const PLACE: usize = 4 * 1024;
/// Compressed bytes that are written at once.
const BUFFER: usize = 32 * 1024;

/// One gzip stream.
pub(super) struct Gzip<W> {
    to: W,
    deflate: Compress,
    crc: Crc,
    /// The last piece was stored: the compressor has begun again since.
    stored: bool,
}

impl<W: Write> Gzip<W> {
    /// Begins it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn new(mut to: W) -> io::Result<Self> {
        to.write_all(&HEADER)?;
        Ok(Self {
            to,
            deflate: compressor(),
            crc: Crc::new(),
            stored: true,
        })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.crc.update(bytes);
        if shrinks(bytes)? {
            self.stored = false;
            return self.deflate(bytes, FlushCompress::None);
        }
        if !self.stored {
            // Ends at a byte, and what follows refers to nothing before it.
            self.deflate(&[], FlushCompress::Sync)?;
            self.deflate = compressor();
            self.stored = true;
        }
        for block in bytes.chunks(STORED_MAX) {
            let length = u16::try_from(block.len()).expect("a block is that long at most");
            let [low, high] = length.to_le_bytes();
            self.to.write_all(&[0, low, high, !low, !high])?;
            self.to.write_all(block)?;
        }
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.deflate(&[], FlushCompress::Finish)?;
        self.to.write_all(&self.crc.sum().to_le_bytes())?;
        self.to.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.to)
    }

    fn deflate(&mut self, mut bytes: &[u8], flush: FlushCompress) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        loop {
            let (taken, made) = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(bytes, &mut buffer, flush)?;
            let count = |now: u64, before: u64| {
                usize::try_from(now - before).expect("no more than the buffers hold")
            };
            bytes = &bytes[count(self.deflate.total_in(), taken)..];
            let made = count(self.deflate.total_out(), made);
            self.to.write_all(&buffer[..made])?;
            // A buffer that was not filled: nothing waits in the compressor.
            if status == Status::StreamEnd || (bytes.is_empty() && made < BUFFER) {
                return Ok(());
            }
        }
    }
}

/// A new one: zlib-rs 0.6.8 panics when one that was left in the middle is reset.
fn compressor() -> Compress {
    Compress::new(Compression::fast(), false)
}

/// Whether compressing a piece is worth while: a sixteenth at least, of a sample.
fn shrinks(bytes: &[u8]) -> io::Result<bool> {
    if bytes.len() < 2 * PLACES * PLACE {
        return Ok(true);
    }
    let mut sample = Vec::with_capacity(PLACES * PLACE);
    for place in bytes.chunks(bytes.len() / PLACES).take(PLACES) {
        sample.extend_from_slice(&place[..PLACE]);
    }
    // What does not fit does not shrink.
    let mut shrunk = vec![0; sample.len() - sample.len() / 16];
    let status = compressor().compress(&sample, &mut shrunk, FlushCompress::Finish);
    Ok(status? == Status::StreamEnd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    /// Of no pattern.
    fn noise(length: usize) -> Vec<u8> {
        let mut word = 1u32;
        let bytes = std::iter::repeat_with(|| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        });
        bytes.take(length).collect()
    }

    /// As attachments come.
    fn base64(length: usize) -> Vec<u8> {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(noise(length));
        text.into_bytes()
    }

    fn gzip(pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut gzip = Gzip::new(Vec::new()).unwrap();
        pieces.iter().for_each(|piece| gzip.piece(piece).unwrap());
        gzip.finish().unwrap()
    }

    fn back(file: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        GzDecoder::new(file).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn what_shrinks_is_compressed_and_the_rest_is_stored() {
        let (text, noise) = (b"{\"a\":1}\n".repeat(20_000), base64(150_000));
        assert!(gzip(std::slice::from_ref(&text)).len() < text.len() / 20);
        let stored = gzip(std::slice::from_ref(&noise));
        assert!(
            (200_000..200_100).contains(&stored.len()),
            "{}",
            stored.len()
        );
        let pieces = [text.clone(), noise.clone(), text.clone(), text, noise];
        let mixed = gzip(&pieces);
        assert!(mixed.len() < 450_000, "{}", mixed.len());
        assert!(back(&mixed) == pieces.concat());
    }

    proptest! {
        #[test]
        fn any_pieces_come_back(kinds in proptest::collection::vec((0..4, 0usize..150_000), 0..6)) {
            let piece = |(kind, length): &(i32, usize)| match kind {
                0 => noise(*length),
                1 => base64(*length),
                2 => [noise(*length / 2), vec![7; *length / 2]].concat(),
                _ => b"some text, ".iter().copied().cycle().take(*length).collect(),
            };
            let pieces: Vec<Vec<u8>> = kinds.iter().map(piece).collect();
            prop_assert!(back(&gzip(&pieces)) == pieces.concat());
        }
    }
}
