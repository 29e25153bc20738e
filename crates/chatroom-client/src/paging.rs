//! Lists by cursor, and streams over them.

use std::future::Future;

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::error::Error;

/// A page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What the page lists.
    pub items: Vec<T>,
    /// To be handed to the next call; `None` on the last page.
    pub next: Option<String>,
}

enum Place {
    First,
    At(String),
    End,
}

/// All items, page after page. A page is asked for when the one before is used up.
pub(crate) fn all<T, F, P>(fetch: F) -> BoxStream<'static, Result<T, Error>>
where
    T: Send + 'static,
    F: Fn(Option<String>) -> P + Send + 'static,
    P: Future<Output = Result<Page<T>, Error>> + Send + 'static,
{
    let pages = stream::try_unfold((Place::First, fetch), |(place, fetch)| async move {
        let cursor = match place {
            Place::First => None,
            Place::At(cursor) => Some(cursor),
            Place::End => return Ok(None),
        };
        let page = fetch(cursor).await?;
        let items = stream::iter(page.items.into_iter().map(Ok));
        Ok::<_, Error>(Some((items, (page.next.map_or(Place::End, Place::At), fetch))))
    });
    pages.try_flatten().boxed()
}
