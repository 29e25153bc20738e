//! `export` and `import`.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chatroom_core::PortableKind;
use clap::Args;

use super::table::Table;
use super::{Backend, DataArgs, Terminal};
use crate::config::Config;
use crate::transfer::{self, Imported, PrivateFile, Reader, Sum, Sums};

#[derive(Debug, Args)]
#[command(after_long_help = EXPORT_EXAMPLES)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// Write to this file, which is there when it is complete; `-` is standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) const EXPORT_ABOUT: &str = "\
Write everything that the store holds to a file, while a server runs or not

The export is of one moment. It is the online backup, and what `import` takes, into a store of the same kind or of \
another. It holds secrets: digests of client secrets, keys of tokens, secrets of callbacks. The file is readable by \
its owner only.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  chatroom-server export --to backup.ndjson
  chatroom-server export --config chatroom.toml | zstd > backup.ndjson.zst";

#[derive(Debug, Args)]
#[command(after_long_help = IMPORT_EXAMPLES)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// Read this file; `-` is standard input
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

pub(super) const IMPORT_ABOUT: &str = "\
Read an export into an empty store, on which no server runs

An import that was interrupted goes on where it stopped when it is run again. Until it is finished, nothing is served \
from the store. At the end, everything is read back and held against the export.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  chatroom-server import backup.ndjson --data-dir restored
  zstd -d < backup.ndjson.zst | chatroom-server import - --config chatroom.toml";

/// Writes an export to where the arguments say.
pub(super) async fn export(
    args: &ExportArgs,
    config: &Config,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let file = args.to.as_deref().filter(|to| !is_standard(to));
    if args.to.is_none() && terminal.is_interactive() {
        bail!(
            "an export holds secrets and is long: give a file with `--to FILE`, or send it on through a pipe"
        );
    }
    // The file first, since it is what most often cannot be.
    let unwritable = |place: &Path| format!("{} cannot be written", place.display());
    let begun = file.map(|place| PrivateFile::begin(place).with_context(|| unwritable(place))).transpose()?;
    let export = backend.open_export(config).await?;
    let bar = terminal.progress(None);
    let mut progress = |records: u64, bytes: u64| bar.show(records, bytes);
    let sums = match begun.zip(file) {
        Some((begun, place)) => {
            let out = BufWriter::with_capacity(1 << 16, begun);
            let (out, sums) = transfer::export(export, out, &mut progress).await?;
            let finished =
                out.into_inner().map_err(io::IntoInnerError::into_error).and_then(PrivateFile::finish);
            finished.with_context(|| unwritable(place))?;
            sums
        }
        None => {
            let out = BufWriter::with_capacity(1 << 16, terminal.out());
            transfer::export(export, out, &mut progress).await?.1
        }
    };
    bar.end();
    terminal.note(&format!("exported {} records\n{}", sums.records(), shown(&sums).trim_end()));
    Ok(())
}

/// Takes an export from where the arguments say.
pub(super) async fn import(
    args: &ImportArgs,
    config: &Config,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let place = args.from.display();
    let (input, size): (Box<dyn Read + Send>, _) = if is_standard(&args.from) {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&args.from).with_context(|| format!("{place} cannot be opened"))?;
        let size = file.metadata().ok().map(|metadata| metadata.len());
        (Box::new(file), size)
    };
    let reader =
        Reader::begin(BufReader::with_capacity(1 << 16, input)).with_context(|| place.to_string())?;
    let mut target = backend.open_import(config).await?;
    let bar = terminal.progress(size);
    let mut progress = |records: u64, bytes: u64| bar.show(records, bytes);
    let imported = transfer::import(&mut *target, reader, &mut progress).await;
    bar.end();
    let Imported { before, sums } = imported.with_context(|| place.to_string())?;
    if before > 0 {
        terminal.note(&format!("went on behind {before} records that were there already"));
    }
    let records = sums.records();
    let said = format!("imported {records} records; the store tells the same ones\n{}", shown(&sums));
    terminal.print(&said).context("the output could not be written")
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What two sides compare.
fn shown(sums: &Sums) -> String {
    let head = ["KIND", "RECORDS", "HASH"].map(str::to_owned);
    let row = |(kind, sum): (PortableKind, Sum)| {
        [kind.as_str().to_owned(), sum.records.to_string(), sum.hash.to_string()]
    };
    let rows: Vec<_> = std::iter::once(head).chain(sums.each().map(row)).collect();
    Table::of([0; 3]).lines(&rows)
}
