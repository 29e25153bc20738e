//! Rules of callbacks are kept as they were given, as many as there may be, and go with their app.

use chatroom_core::{
    AppChange, ChangeRule, ChatroomId, Deliveries, Error, EventClass, Ids, NewRule, Origin, Outgoing,
    ROTATION, Rejection, Rule, RuleChange, RuleRegistry, RuleRejection, RuleSecret, RuleSecrets, RuleState,
    Settled,
};

use super::races::hundred;
use crate::broken::{ensure, ensure_eq};
use crate::delivering::{MAX_RULES, gave_up, new_rule, rule_name, took};
use crate::harness::app_key;
use crate::world::{World, rejected};
use crate::{DeliveryHarness, DeliveryStore, Promise};

/// A rule is answered and listed as it was given, with an id and the time of its making, the oldest first.
pub async fn a_rule_is_kept_as_it_was_given(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let given = NewRule {
        events: Some([EventClass::Kicked, EventClass::Dissolved].into()),
        rooms: Some([ChatroomId::TEST].into()),
        enabled: false,
        ..new_rule("zz")
    };
    let made = world.change_rule(RuleChange::Add(given.clone())).await?;
    let NewRule { name, url, secret, enabled: _, events, rooms, origin } = given;
    let expected = Rule {
        id: made.id,
        app: world.app,
        app_key: app_key("first"),
        name,
        url,
        secrets: RuleSecrets::one(secret),
        state: RuleState::Disabled,
        events,
        rooms,
        origin,
        created: world.now(),
    };
    ensure_eq!(made, expected, "the answer");
    let second = world.rule("aa").await?;
    ensure!(second.id != made.id, "a rule has an id of its own");
    ensure_eq!(world.store.rules(world.app).await?, [made, second], "the list of rules");
    Ok(())
}

/// A name that is taken is rejected, and so is a change of a rule that is not there. Another app may use the name.
pub async fn a_taken_or_unknown_name_of_a_rule_is_rejected(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let exists = RuleRejection::Exists(rule_name("one")).into();
    rejected(world.change_rule(RuleChange::Add(new_rule("one"))).await, &exists)?;
    let none = || rule_name("none");
    let changes = [
        RuleChange::Retire(none()),
        RuleChange::Enable(none()),
        RuleChange::Disable(none()),
        RuleChange::Remove(none()),
        RuleChange::RotateSecret(none(), RuleSecret::new("new")),
        RuleChange::FinishRotation(none()),
    ];
    for change in changes {
        rejected(world.change_rule(change).await, &RuleRejection::NotFound(none()).into())?;
    }
    ensure_eq!(world.store.rules(world.app).await?, [rule], "what was rejected changes nothing");
    world.of_app(world.make_app("two").await?).rule("one").await?;
    Ok(())
}

/// An app has as many rules as the change allows, and one that is removed makes place.
pub async fn an_app_has_no_more_rules_than_it_may(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let add = |rule| world.change_rule_of(2, RuleChange::Add(new_rule(rule)));
    add("one").await?;
    add("two").await?;
    rejected(add("three").await, &RuleRejection::TooMany { limit: 2 }.into())?;
    world.of_app(world.make_app("other").await?).rule("three").await?;
    world.change_rule(RuleChange::Remove(rule_name("one"))).await?;
    add("three").await?;
    ensure_eq!(world.store.rules(world.app).await?.len(), 2, "rules");
    Ok(())
}

async fn add<R: DeliveryStore>(world: World<R>, rule: String) -> Result<Rule, Error> {
    let change = ChangeRule { change: RuleChange::Add(new_rule(&rule)), max_rules: MAX_RULES };
    Ok(world.store.change_rule(world.ids.operation(), world.app, change).await?)
}

/// A hundred tasks add rules: as many win as there are places. A hundred tasks add one name: one wins.
pub async fn of_a_hundred_who_add_rules_as_many_win_as_there_are_places(
    harness: impl DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    for (answers, places, no) in [
        (
            hundred(&world, |world, _| add(world, "same".to_owned())).await?,
            1,
            Rejection::from(RuleRejection::Exists(rule_name("same"))),
        ),
        (
            hundred(&world, |world, task| add(world, format!("rule_{task}"))).await?,
            MAX_RULES - 1,
            RuleRejection::TooMany { limit: MAX_RULES }.into(),
        ),
    ] {
        ensure_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), places, "so many win");
        for error in answers.into_iter().filter_map(Result::err) {
            rejected::<()>(Err(error), &no)?;
        }
    }
    ensure_eq!(world.store.rules(world.app).await?.len(), MAX_RULES, "rules");
    Ok(())
}

/// While a secret rotates both are kept, and the end of a rotation takes the older.
pub async fn a_rotation_has_two_secrets_until_it_ends(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let before = world.rule("one").await?;
    let rotate = |secret| RuleChange::RotateSecret(rule_name("one"), RuleSecret::new(secret));
    let finish = || RuleChange::FinishRotation(rule_name("one"));
    let not_rotating = RuleRejection::NotRotating(rule_name("one")).into();
    rejected(world.change_rule(finish()).await, &not_rotating)?;
    let rotated = world.change_rule(rotate("second")).await?;
    let until = world.now().plus_millis(i64::try_from(ROTATION.as_millis())?);
    let outgoing = Some(Outgoing { secret: before.secrets.newest.clone(), until });
    let secrets = RuleSecrets { newest: RuleSecret::new("second"), outgoing };
    ensure!(rotated == Rule { secrets, ..before }, "the answer to a rotation is not what it makes");
    rejected(world.change_rule(rotate("third")).await, &RuleRejection::Rotating(rule_name("one")).into())?;
    ensure!(world.store.rules(world.app).await? == [rotated.clone()], "the list while it rotates");
    let finished = world.change_rule(finish()).await?;
    let secrets = RuleSecrets::one(RuleSecret::new("second"));
    ensure!(finished == Rule { secrets, ..rotated }, "the answer to the end is not what it makes");
    ensure!(world.store.rules(world.app).await? == [finished], "the list after the rotation");
    rejected(world.change_rule(finish()).await, &not_rotating)?;
    Ok(())
}

/// What the configuration declares, commands do not change; what it no longer declares they take up.
pub async fn a_declared_rule_belongs_to_the_configuration(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let declared = NewRule { origin: Origin::Configuration, ..new_rule("one") };
    let declare = || RuleChange::Declare(declared.clone());
    let rule = world.change_rule(declare()).await?;
    ensure_eq!(world.change_rule(declare()).await?, rule, "declared again, nothing changes");
    let no = RuleRejection::Declared(rule_name("one")).into();
    rejected(world.change_rule(RuleChange::Disable(rule_name("one"))).await, &no)?;
    rejected(world.change_rule(RuleChange::Remove(rule_name("one"))).await, &no)?;
    let retired = world.change_rule(RuleChange::Retire(rule_name("one"))).await?;
    ensure_eq!((retired.id, retired.state), (rule.id, RuleState::Retired), "what is no longer declared");
    ensure_eq!(world.store.rules(world.app).await?, [retired], "the list of rules");
    let taken_up = world.change_rule(RuleChange::Enable(rule_name("one"))).await?;
    ensure_eq!((taken_up.origin, taken_up.state), (Origin::Command, RuleState::Enabled), "of a command");
    ensure_eq!(world.store.rules(world.app).await?, [taken_up], "the list of rules");
    Ok(())
}

/// A rule that is removed takes along what waited for it, and one that is made again under its name starts anew.
pub async fn a_rule_removed_and_made_again_starts_anew(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let old = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(gave_up(&world.one().await?)).await?;
    let held = world.one().await?;
    let removed = world.change_rule(RuleChange::Remove(rule_name("one"))).await?;
    ensure_eq!(removed, old, "the answer is the rule as it was");
    ensure_eq!(world.store.rules(world.app).await?, [], "the list of rules");
    ensure_eq!(world.says(took(&held)).await?, Settled::Lost, "of a rule that is gone");
    let new = world.rule("one").await?;
    ensure!(new.id != old.id, "a rule's id is not used again");
    world.nothing_is_due("a rule made again is told of nothing older").await?;
    ensure_eq!(world.letters(&old).await?, [], "dead letters of the rule that is gone");
    ensure_eq!(world.letters(&new).await?, [], "dead letters of the new rule");
    world.happen(room, 1).await?;
    ensure_eq!(world.delivered(&new, room).await?, [3], "what the new rule is told");
    Ok(())
}

/// Rules of two apps have the same name and are told of their own app only.
pub async fn rules_of_apps_are_apart(harness: impl DeliveryHarness) -> Promise {
    let one = World::new(&harness).await;
    let two = one.of_app(one.make_app("two").await?);
    let (of_one, of_two) = (one.rule("same").await?, two.rule("same").await?);
    let (room, other) = (one.populated("owner", &["a"]).await?, two.populated("owner", &[]).await?);
    let told = one.deliver().await?;
    let expected = [((of_one.id, one.key(room)), 2), ((of_two.id, two.key(other)), 1)].into();
    let counts: std::collections::BTreeMap<_, _> =
        told.into_iter().map(|(of, events)| (of, events.len())).collect();
    ensure_eq!(counts, expected, "events by rule and room");
    ensure_eq!(one.store.rules(one.app).await?, [of_one], "the rules of the first app");
    ensure_eq!(two.store.rules(two.app).await?, [of_two], "the rules of the second app");
    Ok(())
}

/// A deleted app takes its rules along at once: nobody is told anything any more.
pub async fn a_deleted_app_takes_its_rules(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let gone = world.of_app(world.make_app("gone").await?);
    let rule = gone.rule("one").await?;
    gone.populated("owner", &["a"]).await?;
    let held = gone.one().await?;
    gone.room("owner", &[]).await?;
    world.change(AppChange::Delete(app_key("gone"))).await?;
    for swept in [false, true] {
        ensure_eq!(gone.store.rules(gone.app).await?, [], "rules of a deleted app (swept: {swept})");
        ensure_eq!(gone.store.statuses(gone.app).await?, [], "their statuses (swept: {swept})");
        ensure_eq!(gone.letters(&rule).await?, [], "their dead letters (swept: {swept})");
        world.nothing_is_due("nobody is told of a deleted app").await?;
        let add = gone.change_rule(RuleChange::Add(new_rule("two"))).await;
        rejected(add, &Rejection::AppGone)?;
        world.sweep().await?;
    }
    ensure_eq!(world.says(took(&held)).await?, Settled::Lost, "of a rule that is gone");
    Ok(())
}
