//! The two ends: the store that the configuration names.

use std::sync::Arc;

use anyhow::{Context, bail};
use chatroom_core::{Clock, ExportId, Ids, Import};
use chatroom_store_embedded::{EmbeddedImport, EmbeddedPicture};
use chatroom_store_postgres::{PostgresImport, PostgresPicture};

use super::Export;
use crate::config::{Config, StoreKind};
use crate::serve::{embedded_options, postgres_options};

/// Opens everything that the store holds now. A server may run on it.
///
/// # Errors
/// Why it cannot be read, in words for people.
pub(crate) async fn open_export(config: &Config, clock: &dyn Clock, ids: &dyn Ids) -> anyhow::Result<Export> {
    let (id, at) = (ExportId::of(ids.operation()), clock.now());
    match config.store.kind {
        StoreKind::Memory => bail!("the memory store is gone with its server: there is nothing to export"),
        StoreKind::Embedded => {
            let dir = config.store.path.clone();
            let open = move || EmbeddedPicture::open(&dir, at);
            let picture =
                tokio::task::spawn_blocking(open).await.context("reading the store broke off")??;
            Ok(Export { id, at, picture: Box::new(picture) })
        }
        StoreKind::Postgres => {
            let picture = PostgresPicture::open(&postgres_options(config)?, at).await?;
            Ok(Export { id, at, picture: Box::new(picture) })
        }
    }
}

/// Opens the store to import into it. No server may run on it.
///
/// # Errors
/// Why it cannot be opened, in words for people.
pub(crate) async fn open_import(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Box<dyn Import>> {
    match config.store.kind {
        StoreKind::Memory => bail!("the memory store keeps nothing: choose another one with `store.kind`"),
        StoreKind::Embedded => Ok(Box::new(EmbeddedImport::open(&embedded_options(config), clock)?)),
        StoreKind::Postgres => Ok(Box::new(PostgresImport::open(postgres_options(config)?, clock).await?)),
    }
}
