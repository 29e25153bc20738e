//! Apps are kept as they were given, and see nothing of each other.

use std::sync::Arc;

use chatroom_core::test_util::name;
use chatroom_core::{
    App, AppChange, AppId, AppRegistry, AppState, CallbackOutbox, Credentials, Ids, NewApp, NewUser, Origin,
    Rejection, SecretDigest, TransactError,
};

use crate::broken::{Broken, ensure_eq};
use crate::harness::{app_key, new_app};
use crate::visible::Visible;
use crate::world::{World, rejected};
use crate::{Harness, Promise};

impl<R: AppRegistry> World<R> {
    pub(crate) async fn change(&self, change: AppChange) -> Result<App, TransactError> {
        self.clock.advance(1);
        self.store.change(self.ids.operation(), self.ids.app(), change).await
    }

    /// Makes an app of this name.
    pub(crate) async fn make_app(&self, app: &str) -> Result<AppId, Broken> {
        Ok(self.change(AppChange::Create(new_app(app))).await?.id)
    }
}

async fn listed<R: AppRegistry>(store: &Arc<R>, app: &str) -> Result<Option<App>, Broken> {
    Ok(store.apps().await?.into_iter().find(|listed| listed.key == app_key(app)))
}

/// An app is listed as it was given, with an id of its own, and apps are listed by key.
pub async fn an_app_is_made_and_listed_as_it_was_given(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let given = new_app("zz");
    let id = world.ids.app();
    let made = world.store.change(world.ids.operation(), id, AppChange::Create(given.clone())).await?;
    let NewApp { key, client_id, secret, signing_key, origin } = given;
    let credentials = Credentials { client_id, secret, generation: 1 };
    let created = chatroom_core::Clock::now(&*world.clock);
    let expected = App { id, key, credentials, signing_key, origin, state: AppState::Enabled, created };
    ensure_eq!(made, expected, "the answer");
    ensure_eq!(listed(&world.store, "zz").await?, Some(made), "the app in the list");
    world.make_app("aa").await?;
    let keys: Vec<_> = world.store.apps().await?.into_iter().map(|app| app.key).collect();
    ensure_eq!(keys, ["aa", "first", "zz"].map(app_key), "the list of apps, by key");
    Ok(())
}

/// A key that is taken is rejected, and so is a change of an app that is not there.
pub async fn a_taken_or_unknown_app_key_is_rejected(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    world.make_app("one").await?;
    let before = world.store.apps().await?;
    let taken = world.change(AppChange::Create(new_app("one"))).await;
    rejected(taken, &Rejection::AppExists(app_key("one")))?;
    let unknown = Rejection::AppNotFound(app_key("none"));
    rejected(world.change(AppChange::Delete(app_key("none"))).await, &unknown)?;
    rejected(world.change(AppChange::Retire(app_key("none"))).await, &unknown)?;
    let rotation = AppChange::RotateSecret(app_key("none"), SecretDigest([9; 32]));
    rejected(world.change(rotation).await, &unknown)?;
    ensure_eq!(world.store.apps().await?, before, "what was rejected changes nothing");
    Ok(())
}

/// A rotation changes the secret and the generation, and nothing else.
pub async fn a_rotation_changes_the_secret_and_the_generation(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let before = world.change(AppChange::Create(new_app("one"))).await?;
    for turn in 2..=3_u8 {
        let secret = SecretDigest([turn; 32]);
        let rotated = world.change(AppChange::RotateSecret(app_key("one"), secret)).await?;
        let credentials = Credentials { secret, generation: turn.into(), ..before.credentials.clone() };
        ensure_eq!(rotated, App { credentials, ..before.clone() }, "the answer");
        ensure_eq!(listed(&world.store, "one").await?, Some(rotated), "the app in the list");
    }
    Ok(())
}

/// What the configuration declares, commands do not change; what it no longer declares is disabled and kept.
pub async fn a_declared_app_belongs_to_the_configuration(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let declared = NewApp { origin: Origin::Configuration, ..new_app("one") };
    let app = world.change(AppChange::Declare(declared.clone())).await?;
    let again = world.change(AppChange::Declare(declared.clone())).await?;
    ensure_eq!(again, app, "declared again, nothing changes");
    let no = Rejection::AppDeclared(app_key("one"));
    rejected(world.change(AppChange::Delete(app_key("one"))).await, &no)?;
    let other = NewApp { secret: SecretDigest([7; 32]), ..declared };
    let changed = world.change(AppChange::Declare(other)).await?;
    ensure_eq!((changed.id, changed.credentials.generation), (app.id, 2), "the same app, other credentials");
    let own = world.of_app(app.id);
    own.users(&["kept"]).await?;
    let retired = world.change(AppChange::Retire(app_key("one"))).await?;
    ensure_eq!(retired.state, AppState::Disabled, "what is no longer declared");
    ensure_eq!(listed(&world.store, "one").await?, Some(retired), "the app in the list");
    let user = NewUser { name: name("new"), nickname: None };
    rejected(own.chatrooms.register_users(own.app, vec![user]).await, &Rejection::AppGone)?;
    let declared = NewApp { origin: Origin::Configuration, ..new_app("one") };
    let back = world.change(AppChange::Declare(declared)).await?;
    ensure_eq!((back.id, back.state), (app.id, AppState::Enabled), "declared again, it is back");
    let visible = Visible::of(&*own.store, own.app).await?;
    ensure_eq!(visible.users.len(), 1, "its data was kept");
    Ok(())
}

/// Two apps have users of the same names and see nothing of each other.
pub async fn apps_see_nothing_of_each_other(harness: impl Harness) -> Promise {
    let one = World::new(&harness).await;
    let two = one.of_app(one.make_app("two").await?);
    let room = one.populated("owner", &["a"]).await?;
    two.users(&["a"]).await?;
    let two_before = Visible::of(&*two.store, two.app).await?;
    ensure_eq!((two_before.users.len(), two_before.rooms.len()), (1, 0), "of the second app");
    rejected(two.remove(room, &["a"]).await, &Rejection::RoomNotFound(room.to_string().into()))?;
    let before = Visible::of(&*one.store, one.app).await?;
    two.chatrooms.delete_user(two.app, name("a")).await?;
    two.sweep().await?;
    ensure_eq!(Visible::of(&*one.store, one.app).await?, before, "the first app after the second changed");
    one.change(AppChange::Delete(app_key("two"))).await?;
    one.sweep().await?;
    ensure_eq!(Visible::of(&*one.store, one.app).await?, before, "the first app after the second is gone");
    one.check(room).await?;
    Ok(())
}

/// An app that is deleted and made again sees nothing of the old one, swept or not.
pub async fn an_app_deleted_and_made_again_sees_nothing_of_the_old(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let old = world.of_app(world.make_app("again").await?);
    let room = old.populated("owner", &["a"]).await?;
    world.change(AppChange::Delete(app_key("again"))).await?;
    ensure_eq!(listed(&world.store, "again").await?, None, "a deleted app is not listed");
    let new = world.of_app(world.make_app("again").await?);
    for swept in [false, true] {
        for app in [&old, &new] {
            let visible = Visible::of(&*app.store, app.app).await?;
            ensure_eq!(visible, Visible::default(), "of {:?} (swept: {swept})", app.app);
        }
        rejected(old.remove(room, &["a"]).await, &Rejection::AppGone)?;
        rejected(new.remove(room, &["a"]).await, &Rejection::RoomNotFound(room.to_string().into()))?;
        if !swept {
            world.sweep().await?;
        }
    }
    let again = new.populated("owner", &["a"]).await?;
    new.check(again).await?;
    ensure_eq!(listed(&world.store, "again").await?.map(|app| app.id), Some(new.app), "the new app");
    Ok(())
}

/// A deleted app leaves nothing behind, not even the logs of its rooms.
pub async fn a_deleted_app_leaves_nothing_behind(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let gone = world.of_app(world.make_app("gone").await?);
    let room = gone.populated("owner", &["a"]).await?;
    let dissolved = gone.room("owner", &["a"]).await?;
    gone.chatrooms.dissolve_room(gone.app, dissolved).await?;
    gone.chatrooms.delete_user(gone.app, name("a")).await?;
    world.change(AppChange::Delete(app_key("gone"))).await?;
    world.sweep().await?;
    for room in [room, dissolved] {
        ensure_eq!(gone.log(room).await?, [], "events of a room of the deleted app");
        ensure_eq!(gone.store.counters(&gone.key(room)).await?, None, "and its counters");
    }
    Ok(())
}
