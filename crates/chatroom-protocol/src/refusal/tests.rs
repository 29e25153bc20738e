use super::*;
use crate::path::InvalidSegment;

/// Every row, one a line: status, error, exception, text.
fn all() -> Vec<Refusal> {
    vec![
        unauthorized(),
        token_is_blank(),
        no_such_app("o", "a", "chatrooms/1"),
        client_id_missing(),
        client_secret_missing(),
        grant_type_unsupported(),
        client_id_does_not_match(),
        client_secret_does_not_match(),
        not_members(400, &["a"]),
        not_members(403, &["a", "b"]),
        no_such_room("9"),
        no_such_room_to_read("9"),
        no_such_username("u"),
        room_without_name(),
        must_be_provided("owner"),
        no_usernames(),
        no_such_user(),
        username_not_legal(".."),
        username_missing(),
        password_missing(),
        username_taken("8be0", "leoli"),
        reach_limit(),
        too_many_to_remove(100),
        too_many_to_add(60),
        too_many_to_register(61, 60),
        room_full(),
        members_over_max_users(),
        name_too_long(128),
        description_too_long(512),
        custom_too_long(8192),
        max_users_too_large(10_000),
        store_full("store.max_members", 5),
        no_such_route(),
        method_not_allowed("DELETE, POST"),
        invalid_path(InvalidSegment::Slash),
        json_parse("EOF at line 1 column 1"),
        request_too_large(1_048_576),
        internal(),
        service_unavailable(),
        outcome_unknown(),
    ]
}

#[test]
fn every_row_has_its_status_its_word_and_its_text() {
    let rows: Vec<String> = all()
        .iter()
        .map(|r| format!("{} {} {} | {}", r.status, r.error, r.exception, r.description))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @"");
}

#[test]
fn each_predicate_knows_its_rows_and_no_other() {
    let known = |name: &str, knows: &dyn Fn(&str, &str) -> bool| {
        let found: Vec<String> = all()
            .iter()
            .filter(|row| knows(row.error, &row.description))
            .map(|row| format!("{} {}", row.status, row.description))
            .collect();
        format!("{name}: {}", found.join(" / "))
    };
    let found = [
        known("not a member", &is_not_a_member),
        known("room not found", &is_room_not_found),
        known("user not found", &is_user_not_found),
        known("unauthorized", &is_unauthorized),
        known("rate limited", &is_rate_limited),
        known("outcome unknown", &|error, _| is_outcome_unknown(error)),
    ];
    insta::assert_snapshot!(found.join("\n"), @"");
}

#[test]
fn what_the_live_service_answers_is_recognized() {
    assert!(is_not_a_member("invalid_parameter", "users [u] are not members of this group!"));
    assert!(!is_not_a_member("invalid_parameter", "owner must be provided"));
    assert!(is_unauthorized("auth_bad_access_token", "Unable to authenticate due to corrupt access token"));
    let role = "you have no permission to do this, group admin permission is required";
    assert!(!is_unauthorized("group_authorization", role));
    assert!(is_user_not_found("entity_not_found", "User null not found"));
    assert!(is_rate_limited("reach_limit", "This request has reached api limit."));
    assert!(!is_rate_limited("resource_limited", "You have exceeded the limit of the community edition"));
}
