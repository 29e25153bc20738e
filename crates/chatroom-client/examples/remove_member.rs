//! Removes a member: `cargo run --example remove_member -- demo/chat 181234567890123 user1`, with the credentials in
//! `CHATROOM_CLIENT_ID` and `CHATROOM_CLIENT_SECRET`.

use chatroom_client::{AppKey, Client, RoomId, Username};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next =
        |what: &str| arguments.next().ok_or_else(|| format!("name the {what}: app key, room, user"));
    let app: AppKey = next("app key")?.parse()?;
    let room: RoomId = next("room")?.parse()?;
    let user: Username = next("user")?.parse()?;

    let client = Client::builder("http://127.0.0.1:8080", app)
        .credentials(std::env::var("CHATROOM_CLIENT_ID")?, std::env::var("CHATROOM_CLIENT_SECRET")?)
        .build()?;
    match client.remove_member(room, &user).await {
        Err(error) if error.is_not_a_member() => Ok(()), // gone already
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}
