//! The testkit finds the faults that stores have: a small store, sound or with one of them planted, is held to the
//! promises.

mod fault;
mod meeting;
mod permits;
mod plain;
mod store;
mod telling;

use crate::{
    Promise, delivery_durability_tests, delivery_tests, one_process_delivery_durability_tests,
    one_process_delivery_tests, promises, small_contract_tests, small_durability_tests,
};
use fault::Fault;
use plain::Plain;

/// The store keeps the promises without a fault: whatever they find in one with a fault, the fault is the cause.
/// Only what is large is left to real stores, since plain maps are slow.
mod sound {
    use super::*;

    small_contract_tests!(Plain::sound());
    small_durability_tests!(Plain::sound());
    delivery_tests!(Plain::sound());
    delivery_durability_tests!(Plain::sound());
    one_process_delivery_tests!(Plain::sound());
    one_process_delivery_durability_tests!(Plain::sound());
}

/// Whether the promise is kept, on a runtime of its own.
fn held<F: Future<Output = Promise>>(promise: impl FnOnce() -> F) -> Promise {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(promise())
}

/// Writes a test for each planted fault: each of these promises must find it.
macro_rules! found {
    ($($test:ident: $fault:ident { $($module:ident::$promise:ident),+ $(,)? })+) => {
        $(
            #[test]
            fn $test() {
                $(
                    let promise = held(|| promises::$module::$promise(Plain::with(Fault::$fault)));
                    assert!(promise.is_err(), "{} does not find {:?}", stringify!($promise), Fault::$fault);
                )+
            }
        )+
    };
}

mod deliveries;

found! {
    a_forgotten_event_is_found: ForgottenEvent {
        events::every_change_writes_its_event,
        races::a_hundred_removals_of_one_member_leave_one_event,
        drops::a_dropped_removal_is_done_if_and_only_if_its_event_is_there,
        histories::random_histories_agree_with_plain_maps,
    }
    a_lost_write_is_found: LostWrite {
        changes::a_removed_member_is_gone_for_every_read,
        drops::a_dropped_removal_is_done_if_and_only_if_its_event_is_there,
        histories::random_histories_agree_with_plain_maps,
    }
    a_wrong_order_of_events_is_found: WrongOrder {
        events::every_change_writes_its_event,
        histories::random_histories_agree_with_plain_maps,
    }
    a_stale_read_is_found: StaleRead {
        changes::a_removed_member_is_gone_for_every_read,
        paging::a_cursor_stays_good_when_its_member_is_gone,
        histories::random_histories_agree_with_plain_maps,
    }
    a_dirty_read_is_found: DirtyRead {
        races::a_batch_is_seen_whole_or_not_at_all,
    }
    a_batch_that_is_half_done_when_it_is_dropped_is_found: DirtyRead {
        drops::a_dropped_batch_is_done_or_not_done,
        drops::a_dropped_removal_is_done_if_and_only_if_its_event_is_there,
        durability::a_dropped_removal_is_whole_after_a_restart,
    }
    a_double_removal_is_found: DecidedOutsideTheLock {
        races::of_a_hundred_removals_of_one_member_one_wins,
        races::a_hundred_removals_of_one_member_leave_one_event,
    }
    a_room_that_is_overfilled_is_found: DecidedOutsideTheLock {
        races::concurrent_additions_never_overfill_a_room,
        races::of_a_hundred_registrations_of_one_name_one_wins,
        races::of_a_hundred_dissolutions_of_one_room_one_wins,
    }
    a_gap_in_a_log_is_found: SequenceGap {
        events::events_are_read_from_behind_a_sequence_number,
        races::concurrent_changes_leave_logs_that_tell_the_members,
        histories::random_histories_agree_with_plain_maps,
    }
    a_wrong_count_in_an_event_is_found: WrongCountInEvent {
        events::every_change_writes_its_event,
        races::concurrent_changes_leave_logs_that_tell_the_members,
        histories::random_histories_agree_with_plain_maps,
    }
    a_wrong_count_of_a_room_is_found: WrongCountOfRoom {
        changes::the_owner_leaves_like_any_member_and_stays_the_owner,
        histories::random_histories_agree_with_plain_maps,
    }
    a_batch_done_in_part_is_found: BatchInPart {
        changes::a_batch_removes_the_members_and_reports_the_others,
        drops::a_dropped_batch_is_done_or_not_done,
        histories::random_histories_agree_with_plain_maps,
    }
    a_membership_of_a_deleted_user_is_found: DeletedUserIsListed {
        changes::a_deleted_user_is_gone_at_once_with_the_rooms_it_owned,
        histories::random_histories_agree_with_plain_maps,
    }
    data_of_a_deleted_app_is_found: DeletedAppIsShown {
        apps::an_app_deleted_and_made_again_sees_nothing_of_the_old,
        histories::random_histories_agree_with_plain_maps,
    }
    a_cursor_that_breaks_is_found: CursorBreaks {
        paging::a_cursor_stays_good_when_its_member_is_gone,
    }
    a_cursor_that_is_ignored_is_found: CursorIsIgnored {
        paging::pages_by_number_put_together_are_the_room,
        paging::pages_by_cursor_put_together_are_the_room,
        paging::no_member_that_stays_is_missed_or_listed_twice_while_others_go,
    }
    time_that_goes_back_is_found: TimeGoesBack {
        events::time_never_goes_back_within_a_room,
        durability::time_does_not_go_back_over_a_restart,
    }
    a_bound_that_is_not_kept_is_found: Boundless {
        events::additions_beyond_the_bound_of_the_store_are_refused,
    }
    a_restart_that_loses_the_last_commit_is_found: RestartLosesACommit {
        durability::logs_and_join_order_go_on_behind_a_restart,
        durability::what_was_answered_is_there_after_a_restart,
        durability::removals_under_way_at_a_restart_are_done_or_not_done,
        histories::random_histories_with_restarts_agree_with_plain_maps,
    }
    a_restart_that_loses_the_last_event_is_found: RestartLosesAnEvent {
        durability::logs_and_join_order_go_on_behind_a_restart,
        durability::a_dropped_removal_is_whole_after_a_restart,
        histories::random_histories_with_restarts_agree_with_plain_maps,
    }
    a_restart_that_forgets_what_is_left_to_sweep_is_found: RestartForgetsSweeps {
        durability::what_was_answered_is_there_after_a_restart,
        histories::random_histories_with_restarts_agree_with_plain_maps,
    }
    a_restart_that_forgets_deletions_is_found: RestartForgetsDeletions {
        durability::what_was_answered_is_there_after_a_restart,
        durability::ids_are_not_used_again_behind_a_restart,
        histories::random_histories_with_restarts_agree_with_plain_maps,
    }
    a_lost_dissolution_is_found: LostDissolution {
        rejections::a_room_that_is_gone_rejects_every_change,
        changes::a_dissolved_room_is_gone_at_once,
    }
    a_lost_change_of_an_app_is_found: LostChangeOfApp {
        apps::a_rotation_changes_the_secret_and_the_generation,
        apps::a_declared_app_belongs_to_the_configuration,
        apps::an_app_deleted_and_made_again_sees_nothing_of_the_old,
    }
    apps_that_are_decided_without_a_look_are_found: AppsDecidedUnseen {
        apps::a_taken_or_unknown_app_key_is_rejected,
    }
    an_app_that_is_not_there_and_answers_is_found: AnyAppAnswers {
        rejections::an_app_that_is_not_there_rejects_every_change,
    }
    a_list_that_is_out_of_order_is_found: ListsBackwards {
        changes::users_are_found_and_listed_in_order,
        changes::rooms_are_listed_oldest_first,
        apps::an_app_is_made_and_listed_as_it_was_given,
    }
    a_log_of_another_app_is_found: LogsOfAnyApp {
        events::a_room_that_was_never_there_has_no_log,
    }
    an_id_that_changes_is_found: EventIdsChange {
        events::events_are_the_same_whenever_they_are_read,
    }
    a_dissolved_room_that_is_no_stream_is_found: StreamsHideTheDissolved {
        events::streams_tell_how_far_the_log_of_every_room_goes,
    }
    a_log_that_outlives_its_app_is_found: LogsOutliveTheirApp {
        apps::a_deleted_app_leaves_nothing_behind,
    }
}
