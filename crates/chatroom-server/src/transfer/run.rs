//! What the two commands do, whatever the stores are.

use std::io::{BufRead, Write};

use anyhow::{Context, anyhow, bail};
use chatroom_core::{Import, ImportMark, ImportState, PORTABLE_AT_ONCE, Picture};

use super::line::Line;
use super::read::Reader;
use super::sums::Sums;
use super::write::Writer;
use super::{Export, Progress};

/// A part is taken when it has so many bytes, also if it has few records.
const PART: u64 = 1 << 20;

/// What was imported.
pub(crate) struct Imported {
    /// How many records were there already, of an import that was interrupted.
    pub(crate) before: u64,
    pub(crate) sums: Sums,
}

/// Writes everything that the store holds. Answers the sums, and what it wrote to.
///
/// # Errors
/// The store cannot be read, or the output cannot be written. What was written is of no use then.
pub(crate) async fn export<W: Write>(
    mut export: Export,
    out: W,
    progress: &mut Progress<'_>,
) -> anyhow::Result<(W, Sums)> {
    let unwritten = "the output cannot be written";
    let mut writer = Writer::begin(out, export.id, export.at).context(unwritten)?;
    loop {
        let part = export.picture.next().await.context("the store cannot be read")?;
        if part.is_empty() {
            return writer.finish().context(unwritten);
        }
        for portable in &part {
            writer.record(portable).context(unwritten)?;
        }
        progress(writer.sums.records(), writer.bytes);
    }
}

/// Takes an export into a store that is empty or holds a part of it, and holds what the store tells against it.
///
/// # Errors
/// The store holds something else or fails, or the export is damaged. The store serves nobody then, if it took
/// anything.
pub(crate) async fn import<R: BufRead>(
    target: &mut dyn Import,
    from: Reader<R>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Imported> {
    let state = target.state().await.context("the store cannot be read")?;
    let before = state.go_on(from.export).context("the store takes no import")?;
    if state == ImportState::Empty {
        let mark = ImportMark { export: from.export, taken: 0 };
        target.take(Vec::new(), mark).await.context("the store cannot be written")?;
    }
    let sums = take_all(target, from, before, progress).await.map_err(|error| {
        anyhow!(
            "{error:#}. The import is not finished, and nothing is served from the store: import a whole copy of \
             the same export, which goes on where this one stopped, or begin anew with an empty store"
        )
    })?;
    Ok(Imported { before, sums })
}

async fn take_all<R: BufRead>(
    target: &mut dyn Import,
    mut from: Reader<R>,
    before: u64,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Sums> {
    let (mut part, mut began) = (Vec::new(), 0);
    loop {
        let record = from.next()?;
        let (taken, ended) = (from.sums.records(), record.is_none());
        part.extend(record.filter(|_| taken > before));
        if !part.is_empty() && (ended || part.len() == PORTABLE_AT_ONCE || from.bytes - began > PART) {
            let mark = ImportMark { export: from.export, taken };
            target.take(std::mem::take(&mut part), mark).await.context("the store cannot be written")?;
            progress(taken, from.bytes);
            began = from.bytes;
        }
        if ended {
            break;
        }
    }
    let mut picture = target.picture().await.context("the store cannot be read")?;
    let told = sums_of(&mut *picture).await?;
    let differ = from.sums.each().zip(told.each()).filter(|(one, other)| one != other);
    let differ: Vec<_> = differ.map(|((kind, _), _)| kind.as_str()).collect();
    if !differ.is_empty() {
        bail!(
            "what the store holds is not what the export holds; the hashes of these differ: {}",
            differ.join(", ")
        );
    }
    target.finish().await.context("the store cannot be written")?;
    Ok(told)
}

/// The sums of everything that is told.
async fn sums_of(picture: &mut dyn Picture) -> anyhow::Result<Sums> {
    let mut sums = Sums::default();
    let mut text = Vec::new();
    loop {
        let part = picture.next().await.context("the store cannot be read")?;
        if part.is_empty() {
            return Ok(sums);
        }
        for portable in &part {
            text.clear();
            let line = Line::of(portable)?;
            serde_json::to_writer(&mut text, &line)?;
            sums.add_line(portable.kind(), line.compared().as_ref(), &text)?;
        }
    }
}
