use chatroom_core::{ChangeRule, EventClass, NewRule, RuleChange, RuleSecret};

use super::*;
use crate::admin::{RuleSecretsView, Shown, StateView};

async fn secrets(world: &World, name: &str) -> RuleSecretsView {
    let request = CallbackRequest::Show { name: name.parse().unwrap(), with_secrets: true };
    match world.ask(request).await.unwrap() {
        CallbackReply::Rule { secrets: Some(secrets), .. } => secrets,
        other => panic!("{other:?}"),
    }
}

async fn rotate(world: &World, name: &str) -> Shown {
    match world.ask(CallbackRequest::RotateSecret { name: name.parse().unwrap() }).await.unwrap() {
        CallbackReply::SecretRotated { secret, .. } => secret,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rule_gets_a_secret_of_its_own_which_is_told_once_and_shown_only_on_request() {
    let world = World::new().await;
    let added = world.ask(CallbackRequest::Add(new("hook", "http://127.0.0.1:9/hook?a=b"))).await.unwrap();
    let CallbackReply::Added { rule, secret: Some(secret), unresolved: None } = added else {
        panic!("{added:?}");
    };
    assert!(secret.expose().starts_with("whsec_"), "{}", secret.expose());
    assert_eq!((rule.state, rule.declared, rule.created), (StateView::Enabled, false, NOW));
    assert_eq!(rule.url, "http://127.0.0.1:9/hook?a=b");
    assert_eq!((&rule.events, &rule.rooms), (&None, &None));

    let without = CallbackRequest::Show { name: "hook".parse().unwrap(), with_secrets: false };
    assert_eq!(world.ask(without).await.unwrap(), CallbackReply::Rule { rule: rule.clone(), secrets: None });
    assert_eq!(secrets(&world, "hook").await.newest, secret);
    assert_eq!(world.ask(CallbackRequest::List).await.unwrap(), CallbackReply::Rules(vec![rule]));
}

#[tokio::test]
async fn a_rule_is_made_as_it_is_asked_for_and_a_secret_that_was_given_is_not_told() {
    let world = World::new().await;
    let asked = NewCallback {
        secret: Some(Shown::new("mine".into())),
        enabled: false,
        events: Some([EventClass::Kicked, EventClass::Created].into()),
        rooms: Some([ChatroomId::TEST].into()),
        ..new("hook", "https://public.test")
    };
    let added = world.ask(CallbackRequest::Add(asked)).await.unwrap();
    let CallbackReply::Added { rule, secret: None, unresolved: None } = added else { panic!("{added:?}") };
    assert_eq!((rule.url.as_str(), rule.state), ("https://public.test/", StateView::Disabled));
    assert_eq!(rule.events.unwrap(), ["CREATE", "LEAVE/KICK"]);
    assert_eq!(rule.rooms.unwrap(), ["123456789012345"]);
    assert_eq!(secrets(&world, "hook").await.newest.expose(), "mine");
}

#[tokio::test]
async fn a_url_that_may_not_be_asked_is_refused_with_the_setting_that_would_allow_it() {
    let world = World::new().await;
    let refused = async |url| world.refusal(CallbackRequest::Add(new("hook", url))).await;
    insta::assert_snapshot!(refused("http://0xa9fea9fe/").await, @"169.254.169.254 is a metadata service, which `callback.allow_networks` does not allow");
    insta::assert_snapshot!(refused("https://inside.test/x").await, @"169.254.169.254 (inside.test) is a metadata service, which `callback.allow_networks` does not allow");
    insta::assert_snapshot!(refused("ftp://public.test/").await, @"the URL must begin with http:// or https://");
    assert_eq!(world.ask(CallbackRequest::List).await.unwrap(), CallbackReply::Rules(Vec::new()));
}

#[tokio::test]
async fn a_host_that_cannot_be_found_is_told_and_no_reason_to_refuse() {
    let world = World::new().await;
    let added = world.ask(CallbackRequest::Add(new("hook", "https://nowhere.test/"))).await.unwrap();
    let CallbackReply::Added { unresolved: Some(why), .. } = added else { panic!("{added:?}") };
    assert_eq!(why, "no such host");
}

#[tokio::test]
async fn a_secret_that_no_receiver_could_use_is_refused() {
    let world = World::new().await;
    let secret = Some(Shown::new("whsec_!".into()));
    let asked = NewCallback { secret, ..new("hook", "http://127.0.0.1:9/") };
    insta::assert_snapshot!(world.refusal(CallbackRequest::Add(asked)).await, @"a secret that begins with `whsec_` must go on with base64");
}

#[tokio::test]
async fn what_rules_refuse_is_told_in_words() {
    let world = World::new().await;
    insta::assert_snapshot!(world.refusal(CallbackRequest::Test { name: "hook".parse().unwrap() }).await, @"the app `demo#chat` has no rule `hook` and no other; `chatroom-server callback add` makes one");
    world.add("hook").await;
    world.add("audit").await;
    insta::assert_snapshot!(world.refusal(CallbackRequest::Add(new("hook", "http://127.0.0.1:9/"))).await, @"the app `demo#chat` has a rule `hook` already");
    insta::assert_snapshot!(world.refusal(CallbackRequest::Remove { name: "hoock".parse().unwrap() }).await, @"the app `demo#chat` has no rule `hoock`; did you mean `hook`?");
    let finish = || CallbackRequest::FinishRotation { name: "hook".parse().unwrap() };
    insta::assert_snapshot!(world.refusal(finish()).await, @"no rotation of rule hook is under way");
    rotate(&world, "hook").await;
    let again = CallbackRequest::RotateSecret { name: "hook".parse().unwrap() };
    insta::assert_snapshot!(world.refusal(again).await, @"a rotation of rule hook is under way: finish it first, with `chatroom-server callback rotate-secret hook --finish --app demo/chat`");
    world.add("third").await;
    insta::assert_snapshot!(world.refusal(CallbackRequest::Add(new("fourth", "http://127.0.0.1:9/"))).await, @"the app has 3 rules, as many as `callback.max_rules` allows");
}

#[tokio::test]
async fn a_declared_rule_is_refused_in_the_words_of_a_declared_app() {
    let world = World::new().await;
    let declared = NewRule {
        name: "hook".parse().unwrap(),
        url: "https://public.test/".into(),
        secret: RuleSecret::new("s"),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Configuration,
    };
    let change = ChangeRule { change: RuleChange::Declare(declared), max_rules: 3 };
    let operation = world.callbacks.ids.operation();
    world.callbacks.rules.change_rule(operation, world.app.id, change).await.unwrap();
    let name = || "hook".parse().unwrap();
    for request in [
        CallbackRequest::Enable { name: name() },
        CallbackRequest::Disable { name: name() },
        CallbackRequest::Remove { name: name() },
        CallbackRequest::RotateSecret { name: name() },
        CallbackRequest::FinishRotation { name: name() },
    ] {
        let refusal = world.ask(request).await.unwrap_err();
        assert_eq!(refusal, AdminError::RuleDeclared { name: name() });
    }
    let app = AdminError::Declared { app: world.app.key.clone() }.to_string();
    let rule = AdminError::RuleDeclared { name: name() }.to_string();
    assert_eq!(app.replace("app `demo#chat`", "rule `hook`"), rule);
}

#[tokio::test]
async fn a_rule_is_disabled_enabled_and_removed() {
    let world = World::new().await;
    world.add("hook").await;
    let name = || "hook".parse().unwrap();
    let state = async |request| match world.ask(request).await.unwrap() {
        CallbackReply::Changed(rule) => rule.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(CallbackRequest::Disable { name: name() }).await, StateView::Disabled);
    assert_eq!(state(CallbackRequest::Enable { name: name() }).await, StateView::Enabled);
    let removed = world.ask(CallbackRequest::Remove { name: name() }).await.unwrap();
    assert_eq!(removed, CallbackReply::Removed { name: name() });
    assert_eq!(world.ask(CallbackRequest::List).await.unwrap(), CallbackReply::Rules(Vec::new()));
}

#[tokio::test]
async fn two_secrets_are_live_for_a_day_or_until_the_rotation_is_finished() {
    let world = World::new().await;
    world.add("hook").await;
    let first = secrets(&world, "hook").await.newest;
    let second = rotate(&world, "hook").await;
    let both = RuleSecretsView { newest: second.clone(), outgoing: Some(first.clone()) };
    assert_ne!(first, second);
    assert_eq!(secrets(&world, "hook").await, both);
    world.clock.advance(24 * 3_600_000);
    assert_eq!(secrets(&world, "hook").await, RuleSecretsView { outgoing: None, ..both });

    let third = rotate(&world, "hook").await;
    let finish = CallbackRequest::FinishRotation { name: "hook".parse().unwrap() };
    let CallbackReply::Changed(rule) = world.ask(finish).await.unwrap() else { panic!("another reply") };
    assert_eq!(rule.rotating_until, None);
    assert_eq!(secrets(&world, "hook").await, RuleSecretsView { newest: third, outgoing: None });
}
