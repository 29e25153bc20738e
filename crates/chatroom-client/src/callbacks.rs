//! For servers that are told of events: checks a delivery and reads it. Needs the feature `callbacks`.
//!
//! [`Receiver`] checks what any HTTP server got. With the feature `axum`, the extractor `Delivery` does it all:
//!
#![cfg_attr(
    feature = "axum",
    doc = r#"
```
use axum::{Router, routing::post};
use chatroom_client::callbacks::{Delivery, Event, Left, Receiver, Verifier};

async fn hook(Delivery(callback): Delivery) {
    if let Event::Left { members, why: Left::Kicked } = &callback.event {
        println!("{} were removed from room {}", members.join(", "), callback.room);
    }
}

# fn router() -> Result<Router, Box<dyn std::error::Error>> {
// Two secrets, while one replaces the other.
let receiver = Receiver::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?.or("the one before")?;
let router = Router::new().route("/hook", post(hook)).with_state(Verifier::new(receiver));
# Ok(router)
# }
```
"#
)]

#[cfg(feature = "axum")]
mod delivery;

pub use chatroom_protocol::callbacks::*;
#[cfg(feature = "axum")]
pub use delivery::{Delivery, DeliveryRejection, MAX_BODY, Verifier};
