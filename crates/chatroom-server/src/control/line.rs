//! One JSON value, one line.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads a line of at most `longest` bytes, without its end.
///
/// # Errors
/// `UnexpectedEof` if the line does not end, `InvalidData` if it is longer.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin), longest: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_until(b'\n', &mut line).await?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ if line.len() >= longest => Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long")),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes a value as a line.
///
/// # Errors
/// What the writer says.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line).await?;
    to.flush().await
}
