//! Why nothing came back, in words without a URL and without secrets.

use std::error::Error;

use chatroom_core::DeliveryFailure;

use crate::guard::Refusal;

/// The URL stands in the outermost error only, so what lies below can be told.
pub(super) fn of(error: &reqwest::Error) -> DeliveryFailure {
    let causes = || std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source());
    if let Some(refusal) = causes().find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return DeliveryFailure::new(refusal.to_string());
    }
    let deepest = causes().last().map_or_else(|| "no reason is known".to_owned(), ToString::to_string);
    let words = if error.is_connect() {
        format!("cannot connect: {deepest}")
    } else {
        format!("the connection broke: {deepest}")
    };
    DeliveryFailure::new(words)
}
