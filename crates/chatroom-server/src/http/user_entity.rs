use chatroom_core::User;
use chatroom_protocol::users;
use uuid::Uuid;

/// A user as `entities` shows it. A user does not change, so it was modified when it was made.
pub(super) fn entity(user: &User) -> users::User<'_> {
    let made = user.id.registered().as_millis();
    users::User {
        uuid: Uuid::from_u128(user.id.uuid(user.app)).to_string().into(),
        kind: "user".into(),
        created: made,
        modified: made,
        username: user.name.as_str().into(),
        activated: true,
        nickname: user.nickname.as_deref().map(Into::into),
    }
}
