//! Numbers and texts as bytes.

use super::DecodeError;

/// Appends a number, seven bits a byte.
pub(super) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
}

/// Appends a signed number, small when it is near zero.
pub(super) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put_varint(out, ((n << 1) ^ (n >> 63)).cast_unsigned());
}

/// Appends what `n` is beyond `before`, and puts it in its place.
pub(super) fn put_delta(out: &mut Vec<u8>, before: &mut u64, n: u64) {
    put_signed(out, n.wrapping_sub(*before).cast_signed());
    *before = n;
}

/// Appends a text.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads what the functions above wrote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

const CUT: DecodeError = DecodeError::Malformed("it ends in the middle of an entry");

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.bytes.get(self.at).ok_or(CUT)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let array = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>).ok_or(CUT)?;
        self.at += N;
        Ok(*array)
    }

    pub(super) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            n |= bits << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(DecodeError::Malformed("it holds a number of more than 64 bits"))
    }

    pub(super) fn number<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.varint()?)
            .map_err(|_too_large| DecodeError::Malformed("it holds a number too large"))
    }

    /// How many of something follow, each of which takes a byte or more.
    pub(super) fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.number()?;
        if count > self.left() { Err(CUT) } else { Ok(count) }
    }

    pub(super) fn signed(&mut self) -> Result<i64, DecodeError> {
        let n = self.varint()?;
        Ok((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
    }

    pub(super) fn delta(&mut self, before: &mut u64) -> Result<u64, DecodeError> {
        *before = before.wrapping_add(self.signed()?.cast_unsigned());
        Ok(*before)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let length = self.count()?;
        let bytes = self.bytes.get(self.at..self.at + length).ok_or(CUT)?;
        self.at += length;
        std::str::from_utf8(bytes)
            .map_err(|_not_text| DecodeError::Malformed("it holds a text that is not UTF-8"))
    }

    /// Whether something follows.
    pub(super) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Malformed("it holds a flag that is neither set nor clear")),
        }
    }
}
