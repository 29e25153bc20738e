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
        request_timeout(),
        not_ready("the server is stopping"),
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
    insta::assert_snapshot!(rows.join("\n"), @r"
    401 unauthorized EasemobSecurityException | Unable to authenticate (OAuth)
    401 group_authorization com.easemob.group.exception.GroupAuthorizationException | token is blank!
    404 organization_application_not_found OrganizationApplicationNotFoundException | Could not find application for o/a from URI: o/a/chatrooms/1
    400 illegal_argument java.lang.IllegalArgumentException | client_id must be provided.
    400 illegal_argument java.lang.IllegalArgumentException | client_secret must be provided
    400 illegal_argument java.lang.IllegalArgumentException | grant_type must be client_credentials
    400 invalid_grant InvalidGrantException | client_id does not match
    400 invalid_grant InvalidGrantException | client_secret does not match
    400 forbidden_op com.easemob.group.exception.ForbiddenOpException | users [a] are not members of this group!
    403 forbidden_op com.easemob.group.exception.ForbiddenOpException | users [a, b] are not members of this group!
    404 resource_not_found com.easemob.group.exception.ResourceNotFoundException | grpID 9 does not exist!
    404 service_resource_not_found com.easemob.group.exception.ServiceResourceNotFoundException | do not find this group:9
    404 resource_not_found com.easemob.group.exception.ResourceNotFoundException | username u doesn't exist!
    400 invalid_parameter com.easemob.group.exception.InvalidParameterException | chatroom must contain title/name field!
    400 invalid_parameter com.easemob.group.exception.InvalidParameterException | owner must be provided
    400 invalid_parameter com.easemob.group.exception.InvalidParameterException | usernames must be provided: write at least one name, several separated by commas
    404 service_resource_not_found UserNotFoundException | Service resource not found
    400 illegal_argument java.lang.IllegalArgumentException | username [..] is not legal
    400 illegal_argument java.lang.IllegalArgumentException | Entity user requires a property named username
    400 illegal_argument java.lang.IllegalArgumentException | password or pin must provided
    400 duplicate_unique_property_exists DuplicateUniquePropertyExistsException | Application 8be0 Entity user requires that property named username be unique, value of leoli exists
    429 reach_limit ReachLimitException | This request has reached api limit
    400 invalid_parameter com.easemob.group.exception.InvalidParameterException | kickMember: kickMembers number more than maxSize : 100
    400 invalid_parameter com.easemob.group.exception.InvalidParameterException | addMembers: addMembers number more than maxSize : 60
    400 illegal_argument java.lang.IllegalArgumentException | Request body array size[61] had almost reached or been greater than the upper range value[60]
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | group member list is full!
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | members size is greater than max user size !
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | title cannot exceed to 128
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | desc cannot exceed to 512
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | custom cannot exceed to 8192
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | maxUsers cannot exceed 10000
    403 exceed_limit com.easemob.group.exception.ExceedLimitException | this server holds as many memberships as it may: raise store.max_members (now 5), or dissolve rooms
    404 resource_not_found ResourceNotFoundException | There is no such endpoint: compare the path with the documentation, it begins with /{org}/{app}/
    405 method_not_allowed NotAllowedException | This path does not know this method: use one of DELETE, POST
    400 illegal_argument java.lang.IllegalArgumentException | A path segment holds an encoded slash (%2F): names and ids have no slash.
    400 json_parse JsonParseException | The body cannot be read as JSON for this endpoint, correct it: EOF at line 1 column 1
    413 request_too_large RequestTooLargeException | The body is larger than 1048576 bytes: send less at a time
    408 request_timeout RequestTimeoutException | The request did not arrive in time, and nothing was done: send it again
    503 service_unavailable ServiceUnavailableException | Not ready: the server is stopping
    500 internal InternalServerErrorException | The server failed on this request: report it with the X-Request-Id of this answer
    503 service_unavailable ServiceUnavailableException | Nothing was done: repeat the request after the time that Retry-After names
    504 outcome_unknown OutcomeUnknownException | It may or may not have been done: look at the present state before you repeat the request
    ");
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
    insta::assert_snapshot!(found.join("\n"), @r"
    not a member: 400 users [a] are not members of this group! / 403 users [a, b] are not members of this group!
    room not found: 404 grpID 9 does not exist! / 404 do not find this group:9
    user not found: 404 username u doesn't exist! / 404 Service resource not found
    unauthorized: 401 Unable to authenticate (OAuth) / 401 token is blank! / 400 client_id does not match / 400 client_secret does not match
    rate limited: 429 This request has reached api limit
    outcome unknown: 504 It may or may not have been done: look at the present state before you repeat the request
    ");
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
