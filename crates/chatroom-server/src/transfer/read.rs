//! Reads an export, line by line, and trusts none of it before the last.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

use chatroom_core::{ExportId, Portable};
use sha2::{Digest, Sha256};

use super::FORMAT;
use super::line::{AnyHeader, END, End, HEADER, Header, Kind, Line};
use super::sums::Sums;

/// No line is as long: an event lists 1,000 names at most, and a room says some kilobytes.
const LONGEST: usize = 16 << 20;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("it is no export of chatroom-server: its first line does not say so")]
    NoExport,
    #[error(
        "it has format {format}, and this version reads formats up to {FORMAT}: import it with the version that \
         made it, {version}, or a newer one"
    )]
    Newer { format: u32, version: String },
    #[error("it is cut off behind line {line}: take a whole copy, or export again")]
    CutOff { line: u64 },
    #[error(
        "line {line} is of the kind `{kind}`, which format {FORMAT} does not have: it is damaged, or \
         chatroom-server did not make it"
    )]
    UnknownKind { line: u64, kind: String },
    #[error("line {line} is damaged: {what}")]
    Damaged { line: u64, what: String },
    #[error("it is damaged: it is not what its last line says of it")]
    Altered,
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// An export that is being read.
pub(crate) struct Reader<R> {
    input: R,
    /// Its name.
    pub(super) export: ExportId,
    /// The number of the line that was read last.
    line: u64,
    text: Vec<u8>,
    digest: Sha256,
    pub(super) sums: Sums,
    /// How many bytes were read.
    pub(super) bytes: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// [`ReadError`]: it is no export, or one that this version does not read.
    pub(crate) fn begin(input: R) -> Result<Self, ReadError> {
        let (export, sums) = (ExportId(0), Sums::default());
        let mut reader =
            Self { input, export, line: 0, text: Vec::new(), digest: Sha256::new(), sums, bytes: 0 };
        reader.read_line().map_err(|error| match error {
            ReadError::Io(error) => ReadError::Io(error),
            _ => ReadError::NoExport,
        })?;
        let any: AnyHeader = serde_json::from_slice(&reader.text).map_err(|_other| ReadError::NoExport)?;
        if any.kind != HEADER {
            return Err(ReadError::NoExport);
        }
        if any.format > FORMAT {
            return Err(ReadError::Newer { format: any.format, version: any.version });
        }
        let header: Header = serde_json::from_slice(&reader.text).map_err(|error| reader.damaged(&error))?;
        reader.export = ExportId(header.export.0);
        reader.digest.update(&reader.text);
        Ok(reader)
    }

    /// The next record. `None` behind the last, when everything is as the last line says.
    ///
    /// # Errors
    /// [`ReadError`]: nothing that was read is to be trusted then.
    pub(super) fn next(&mut self) -> Result<Option<Portable>, ReadError> {
        self.read_line()?;
        let line = match serde_json::from_slice::<Line<'_>>(&self.text) {
            Ok(line) => line,
            Err(error) => return self.no_record(&error),
        };
        let compared = line.compared();
        let portable = line.into_portable();
        let portable =
            portable.map_err(|what| ReadError::Damaged { line: self.line, what: what.to_string() })?;
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        self.sums.add_line(portable.kind(), compared.as_ref(), text).map_err(io::Error::from)?;
        self.digest.update(&self.text);
        Ok(Some(portable))
    }

    /// What is no record is the last line, or wrong.
    fn no_record(&mut self, error: &serde_json::Error) -> Result<Option<Portable>, ReadError> {
        let Ok(Kind { kind }) = serde_json::from_slice(&self.text) else { return Err(self.damaged(error)) };
        if kind != END {
            let known = chatroom_core::PortableKind::ALL.iter().any(|known| known.as_str() == kind);
            return Err(match known {
                true => self.damaged(error),
                false => ReadError::UnknownKind { line: self.line, kind },
            });
        }
        let end: End = serde_json::from_slice(&self.text).map_err(|error| self.damaged(&error))?;
        let sha256 = hex(&std::mem::take(&mut self.digest).finalize());
        let more = !self.input.fill_buf()?.is_empty();
        if more || end.sha256 != sha256 || end.records != self.sums.records() || end.sums != self.sums {
            return Err(ReadError::Altered);
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<(), ReadError> {
        self.text.clear();
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.text)?;
        self.bytes += read as u64;
        if self.text.last() == Some(&b'\n') {
            self.line += 1;
            return Ok(());
        }
        let line = self.line;
        Err(if read < LONGEST {
            ReadError::CutOff { line }
        } else {
            ReadError::Damaged { line: line + 1, what: "it does not end".to_owned() }
        })
    }

    fn damaged(&self, error: &serde_json::Error) -> ReadError {
        // A line is a text of its own for who reads it.
        let what = error.to_string().replace(" at line 1 column ", " at column ");
        ReadError::Damaged { line: self.line, what }
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
