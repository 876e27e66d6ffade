//! WebSocket frames of an exec, cut out of the bytes of a connection: enough to count them and to look into them.
//!
//! Never makes a frame and never judges one: what cannot be a whole frame yet waits for more bytes.

/// Channels of the exec protocol: the first byte of a binary frame.
const STDOUT: u8 = 1;
const STATUS: u8 = 3;
/// Opcodes whose payload begins with a channel: binary, and what continues it.
const BINARY: u8 = 2;

/// One whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// As it came: head, mask and payload.
    pub(super) raw: Vec<u8>,
    opcode: u8,
    /// Unmasked.
    payload: Vec<u8>,
}

impl Frame {
    /// Takes the first whole frame off `buffer`.
    pub(super) fn take(buffer: &mut Vec<u8>) -> Option<Self> {
        let (first, second) = (*buffer.first()?, *buffer.get(1)?);
        let (length, mut head) = match second & 0x7f {
            126 => (number(buffer.get(2..4)?), 4),
            127 => (number(buffer.get(2..10)?), 10),
            short => (u64::from(short), 2),
        };
        let mask = if second & 0x80 == 0 {
            [0; 4]
        } else {
            let mask = buffer.get(head..head + 4)?.try_into().ok()?;
            head += 4;
            mask
        };
        let end = head.checked_add(usize::try_from(length).ok()?)?;
        if buffer.len() < end {
            return None;
        }
        let raw: Vec<u8> = buffer.drain(..end).collect();
        let payload = raw[head..]
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ mask[at % 4])
            .collect();
        Some(Self {
            raw,
            opcode: first & 0x0f,
            payload,
        })
    }

    /// What the command wrote to stdout, if it is that.
    pub(super) fn stdout(&self) -> Option<&[u8]> {
        self.channel(STDOUT)
    }

    /// Whether it tells how the command ended.
    pub(super) fn is_status(&self) -> bool {
        self.channel(STATUS).is_some_and(|text| !text.is_empty())
    }

    fn channel(&self, channel: u8) -> Option<&[u8]> {
        match self.payload.split_first() {
            Some((first, rest)) if self.opcode == BINARY && *first == channel => Some(rest),
            _ => None,
        }
    }
}

/// Big-endian.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame as a server (no mask) or a client sends it.
    pub(in crate::exec_proxy) fn frame(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut raw = vec![0x80 | BINARY];
        let masked = if mask.is_some() { 0x80 } else { 0 };
        match payload.len() {
            short @ 0..126 => raw.push(masked | short as u8),
            middle @ 126..65536 => {
                raw.push(masked | 126);
                raw.extend((middle as u16).to_be_bytes());
            }
            long => {
                raw.push(masked | 127);
                raw.extend((long as u64).to_be_bytes());
            }
        }
        let key = mask.unwrap_or_default();
        raw.extend(mask.iter().flatten());
        raw.extend(payload.iter().enumerate().map(|(at, b)| b ^ key[at % 4]));
        raw
    }

    #[test]
    fn channels_are_told_apart() {
        let mut bytes = frame(b"\x01out", None);
        bytes.extend(frame(b"\x03{}", None));
        bytes.extend(frame(b"\x03", None));
        bytes.extend(frame(b"\x00in", Some([1, 2, 3, 4])));
        let [out, status, opening, stdin] =
            std::array::from_fn(|_| Frame::take(&mut bytes).unwrap());
        assert_eq!(out.stdout(), Some(&b"out"[..]));
        assert!(status.is_status() && status.stdout().is_none());
        assert!(
            !opening.is_status(),
            "a channel is opened with nothing in it"
        );
        assert_eq!(stdin.payload, b"\0in");
        assert!(bytes.is_empty());
    }

    proptest! {
        #[test]
        fn frames_are_found_however_the_bytes_come(
            sizes in proptest::collection::vec(prop_oneof![0_usize..200, 65_500..65_600_usize], 1..4),
            mask in any::<Option<[u8; 4]>>(),
            piece in 1_usize..5000,
        ) {
            let payloads: Vec<Vec<u8>> = sizes.iter().map(|size| vec![7; *size]).collect();
            let all: Vec<u8> = payloads.iter().flat_map(|p| frame(p, mask)).collect();
            let (mut buffer, mut found) = (Vec::new(), Vec::new());
            for bytes in all.chunks(piece) {
                buffer.extend(bytes);
                while let Some(frame) = Frame::take(&mut buffer) {
                    found.push(frame);
                }
            }
            prop_assert!(buffer.is_empty());
            let raw: Vec<u8> = found.iter().flat_map(|f| f.raw.clone()).collect();
            prop_assert_eq!(raw, all);
            let read: Vec<Vec<u8>> = found.into_iter().map(|f| f.payload).collect();
            prop_assert_eq!(read, payloads);
        }

        #[test]
        fn any_bytes_are_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            while Frame::take(&mut bytes).is_some() {}
        }
    }
}
