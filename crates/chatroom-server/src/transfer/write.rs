//! Writes an export, line by line.

use std::io::{self, Write};

use chatroom_core::{ExportId, Portable, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::line::{END, End, HEADER, Header, Id, Line};
use super::sums::Sums;
use super::{FORMAT, read::hex};

/// An export that is being written. Without its last line it is of no use.
pub(super) struct Writer<W> {
    out: W,
    digest: Sha256,
    line: Vec<u8>,
    pub(super) sums: Sums,
    /// How many bytes were written.
    pub(super) bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    pub(super) fn begin(out: W, export: ExportId, at: Timestamp) -> io::Result<Self> {
        let mut writer =
            Self { out, digest: Sha256::new(), line: Vec::new(), sums: Sums::default(), bytes: 0 };
        writer.line(&Header {
            kind: HEADER.to_owned(),
            format: FORMAT,
            export: Id(export.0),
            at: at.as_millis(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        Ok(writer)
    }

    /// Writes a record.
    pub(super) fn record(&mut self, portable: &Portable) -> io::Result<()> {
        let line = Line::of(portable).map_err(io::Error::other)?;
        self.line(&line)?;
        Ok(self.sums.add_line(portable.kind(), line.compared().as_ref(), &self.line)?)
    }

    /// Writes the last line. The rest is up to whoever gave the writer.
    pub(super) fn finish(mut self) -> io::Result<(W, Sums)> {
        let sha256 = hex(&std::mem::take(&mut self.digest).finalize());
        let (records, sums) = (self.sums.records(), self.sums);
        self.line(&End { kind: END.to_owned(), records, sha256, sums })?;
        self.out.flush()?;
        Ok((self.out, sums))
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.digest.update(&self.line);
        self.out.write_all(&self.line)?;
        self.bytes += self.line.len() as u64;
        self.line.pop();
        Ok(())
    }
}
