use chatroom_core::{EventClass, Seq};

use super::super::replay::STEP;
use super::*;

async fn refusal(world: &World, what: Again) -> String {
    world.replay("hook", what).await.unwrap_err().to_string()
}

#[tokio::test]
async fn one_event_is_told_again() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(5).await;
    world.settle(true).await;
    assert_eq!(world.waiting().await, []);
    let (replayed, steps) = world.replay("hook", Again::Event { room, seq: 3 }).await.unwrap();
    assert_eq!((replayed.events, steps, replayed.delivers, replayed.picks), (1, 1, true, false));
    assert_eq!(world.waiting().await, [(room, vec![3])]);
}

#[tokio::test]
async fn the_whole_log_of_a_room_is_told_again_also_what_was_there_before_the_rule() {
    let world = World::new().await;
    let room = world.room(4).await;
    world.add("hook").await;
    world.grow(room, 2).await;
    world.settle(true).await;
    let (replayed, _) = world.replay("hook", Again::Room { room }).await.unwrap();
    assert_eq!(replayed.events, 6);
    assert_eq!(world.waiting().await, [(room, vec![1, 2, 3, 4, 5, 6])]);
}

#[tokio::test]
async fn what_waits_anyhow_is_not_told_twice() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(5).await;
    let (replayed, _) = world.replay("hook", Again::Room { room }).await.unwrap();
    assert_eq!(replayed.events, 0);
    assert_eq!(world.waiting().await, [(room, vec![1, 2, 3, 4, 5])]);
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_in_words() {
    let world = World::new().await;
    let room = world.room(3).await;
    let asked = NewCallback {
        rooms: Some([room].into()),
        events: Some([EventClass::Kicked].into()),
        ..new("hook", "http://127.0.0.1:9/")
    };
    world.ask(CallbackRequest::Add(asked)).await.unwrap();
    let known = |text: String| text.replace(&room.to_string(), "{room}");
    insta::assert_snapshot!(known(refusal(&world, Again::Event { room, seq: 9 }).await), @"of room {room}, the events 1 to 3 are kept, 9 is not among them");
    insta::assert_snapshot!(known(refusal(&world, Again::Event { room, seq: 1 }).await), @"the rule `hook` does not want events of the kind that event 1 of room {room} is");
    insta::assert_snapshot!(known(refusal(&world, Again::Room { room: ChatroomId::TEST }).await), @"the rule `hook` does not want room 123456789012345");
    world.clock.advance(8 * 24 * 3_600_000);
    world.room(2).await;
    insta::assert_snapshot!(known(refusal(&world, Again::Room { room }).await), @"no event of room {room} is kept");
    let unknown = world.replay("hok", Again::Room { room }).await.unwrap_err().to_string();
    assert_eq!(unknown, "the app `demo#chat` has no rule `hok`; did you mean `hook`?");
}

#[tokio::test]
async fn all_dead_letters_are_told_again_in_steps_and_those_no_longer_kept_are_counted() {
    let world = World::new().await;
    world.add("hook").await;
    let lost = world.room(3).await;
    world.clock.advance(8 * 24 * 3_600_000);
    let many = u64::try_from(STEP).unwrap() + 7;
    let room = world.room(many).await;
    world.settle(false).await;
    let (replayed, steps) = world.replay("hook", Again::DeadLetters { after: None }).await.unwrap();
    assert_eq!((replayed.events, replayed.gone, steps), (many, 3, 2));
    let waiting = world.waiting().await;
    assert_eq!(waiting, [(room, (1..=many).collect::<Vec<_>>())], "not {lost}");
    let nothing = world.replay("hook", Again::DeadLetters { after: None }).await.unwrap().0;
    assert_eq!((nothing.events, nothing.gone), (0, 3));
}

#[tokio::test]
async fn a_range_of_time_is_told_again_over_all_rooms() {
    let world = World::new().await;
    world.add("hook").await;
    // From second 0 to 11, from 12 to 15, the first one again from 16 to 20, and from 21 to 22.
    let early = world.room(12).await;
    let between = world.room(4).await;
    world.grow(early, 5).await;
    let late = world.room(2).await;
    world.settle(true).await;
    for (since, until) in [(0, 5), (5, 14), (11, 17), (13, 14), (14, 99), (0, 99), (30, 99), (5, 6)] {
        let (since, until) = (NOW + since * 1_000, NOW + until * 1_000);
        let mut expected = Vec::new();
        for room in [early, between, late] {
            let log = world.store.events(&world.key(room), Seq(0), 1_000).await.unwrap();
            let inside = log.iter().filter(|event| (since..until).contains(&event.at.as_millis()));
            let seqs: Vec<_> = inside.map(|event| event.seq.0).collect();
            expected.extend((!seqs.is_empty()).then_some((room, seqs)));
        }
        let what = Again::Between { since, until: Some(until), after: None };
        let (replayed, _) = world.replay("hook", what).await.unwrap();
        let events: usize = expected.iter().map(|(_, seqs)| seqs.len()).sum();
        assert_eq!(replayed.events, u64::try_from(events).unwrap(), "{since}..{until}");
        let mut waiting = world.waiting().await;
        waiting.sort();
        expected.sort();
        assert_eq!(waiting, expected, "{since}..{until}");
        // The leases end, and what they hold is told.
        world.clock.advance(31_000);
        world.settle(true).await;
    }
}

#[tokio::test]
async fn a_range_of_time_ends_now_if_nothing_is_said() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(3).await;
    world.settle(true).await;
    let what = Again::Between { since: NOW + 1_000, until: None, after: None };
    let (replayed, _) = world.replay("hook", what).await.unwrap();
    assert_eq!((replayed.events, replayed.looked_at), (2, 1));
    assert_eq!(world.waiting().await, [(room, vec![2, 3])]);
}

#[tokio::test]
async fn of_a_range_of_time_a_rule_is_told_its_own_rooms_only() {
    let world = World::new().await;
    let (one, other) = (world.room(2).await, world.room(2).await);
    let gone = ChatroomId::TEST;
    let asked = NewCallback { rooms: Some([one, gone].into()), ..new("hook", "http://127.0.0.1:9/") };
    world.ask(CallbackRequest::Add(asked)).await.unwrap();
    let what = Again::Between { since: 0, until: None, after: None };
    let (replayed, _) = world.replay("hook", what).await.unwrap();
    assert_eq!(replayed.events, 2);
    assert_eq!(world.waiting().await, [(one, vec![1, 2])], "not {other}");
}

#[tokio::test]
async fn a_disabled_rule_is_told_when_it_is_enabled() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(2).await;
    world.settle(true).await;
    world.ask(CallbackRequest::Disable { name: "hook".parse().unwrap() }).await.unwrap();
    let (replayed, _) = world.replay("hook", Again::Room { room }).await.unwrap();
    assert_eq!((replayed.events, replayed.delivers), (2, false));
    assert_eq!(world.waiting().await, []);
    world.ask(CallbackRequest::Enable { name: "hook".parse().unwrap() }).await.unwrap();
    assert_eq!(world.waiting().await, [(room, vec![1, 2])]);
}
