use super::super::look::LETTERS;
use super::*;
use crate::admin::{HealthView, LetterPlace, LetterView, StatusView};

async fn statuses(world: &World, name: Option<&str>) -> Vec<StatusView> {
    let request = CallbackRequest::Status { name: name.map(|name| name.parse().unwrap()) };
    match world.ask(request).await.unwrap() {
        CallbackReply::Statuses { rules, .. } => rules,
        other => panic!("{other:?}"),
    }
}

async fn page(
    world: &World,
    name: Option<&str>,
    after: Option<LetterPlace>,
) -> (Vec<LetterView>, Option<LetterPlace>) {
    let request = CallbackRequest::DeadLetters { name: name.map(|name| name.parse().unwrap()), after };
    match world.ask(request).await.unwrap() {
        CallbackReply::DeadLetters { letters, next } => (letters, next),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_status_says_how_far_behind_a_rule_is_and_since_when() {
    let world = World::new().await;
    world.add("hook").await;
    let begun = world.clock.now().as_millis();
    world.room(5).await;
    world.room(3).await;
    world.add("idle").await;
    let all = statuses(&world, None).await;
    let [hook, idle] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((hook.rooms_behind, hook.events_behind, hook.behind_since), (2, 8, Some(begun)));
    assert_eq!((idle.rooms_behind, idle.behind_since), (0, None));
    assert_eq!(hook.health, HealthView::Delivering);
    assert_eq!(statuses(&world, Some("idle")).await, all[1..]);
    let unknown = CallbackRequest::Status { name: Some("iddle".parse().unwrap()) };
    assert!(world.refusal(unknown).await.ends_with("did you mean `idle`?"));
}

#[tokio::test]
async fn a_status_says_what_failed_last_and_what_is_dead() {
    let world = World::new().await;
    world.add("hook").await;
    world.room(3).await;
    world.settle(false).await;
    let status = statuses(&world, None).await.remove(0);
    assert_eq!(status.last_failure.unwrap().words, "answered 500 Internal Server Error");
    assert_eq!((status.failures_in_a_row, status.dead_letters, status.lost), (3, 3, 0));
    assert_eq!((status.last_success, status.events_behind), (None, 0));

    world.ask(CallbackRequest::Disable { name: "hook".parse().unwrap() }).await.unwrap();
    assert_eq!(statuses(&world, None).await[0].health, HealthView::Off);
}

#[tokio::test]
async fn dead_letters_come_in_pages_over_all_rules_and_none_is_missed() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(5).await;
    world.settle(false).await;
    world.add("more").await;
    let many = u64::try_from(LETTERS).unwrap() + 3;
    world.grow(room, many).await;
    world.settle(false).await;

    let (first, next) = page(&world, None, None).await;
    assert_eq!((first.len(), next.is_some()), (LETTERS, true));
    let mut all = first;
    let mut after = next;
    while let Some(place) = after {
        let (letters, next) = page(&world, None, Some(place)).await;
        assert!(letters.len() <= LETTERS, "{}", letters.len());
        all.extend(letters);
        after = next;
    }
    let of = |name: &str| -> Vec<u64> {
        all.iter().filter(|letter| letter.rule.as_str() == name).map(|letter| letter.first).collect()
    };
    assert_eq!(of("hook"), (1..=5 + many).collect::<Vec<_>>());
    assert_eq!(of("more"), (6..=5 + many).collect::<Vec<_>>());
    assert_eq!(all[0].room, room);
    assert_eq!(all[0].failure.as_deref(), Some("answered 500 Internal Server Error"));

    let (of_more, _) = page(&world, Some("more"), None).await;
    assert!(of_more.iter().all(|letter| letter.rule.as_str() == "more"));
}

#[tokio::test]
async fn what_retention_took_is_shown_as_one_range_without_a_failure() {
    let world = World::new().await;
    world.add("hook").await;
    let room = world.room(5).await;
    world.clock.advance(8 * 24 * 3_600_000);
    // The next event trims what is too old.
    world.grow(room, 1).await;
    let (letters, next) = page(&world, Some("hook"), None).await;
    let [lost] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((lost.room, lost.first, lost.last, &lost.failure), (room, 1, 5, &None));
    assert_eq!(next, None);
    assert_eq!(statuses(&world, None).await[0].lost, 1);
}

#[tokio::test]
async fn a_page_behind_a_rule_that_is_gone_says_so() {
    let world = World::new().await;
    world.add("hook").await;
    let after = LetterPlace { rule: "gone".parse().unwrap(), room: ChatroomId::TEST, first: 1 };
    let refusal = world.refusal(CallbackRequest::DeadLetters { name: None, after: Some(after) }).await;
    assert!(refusal.starts_with("the app `demo#chat` has no rule `gone`"), "{refusal}");
}
