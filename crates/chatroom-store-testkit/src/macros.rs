mod deliveries;
mod permits;

/// Writes a test for each promise of a repository. `$harness` makes a
/// [`RepositoryHarness`](crate::RepositoryHarness); it is evaluated once a test.
#[macro_export]
macro_rules! repository_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            rejections {
                the_room_is_looked_at_before_the_users_and_the_users_before_their_membership,
                an_unknown_user_rejects_the_whole_batch,
                removing_who_is_no_member_is_rejected,
                a_batch_that_does_not_fit_is_rejected_as_a_whole,
                a_room_is_made_whole_or_not_at_all,
                a_taken_name_is_rejected_alone_and_reported_in_a_batch,
                deleting_an_unknown_user_is_rejected,
                a_room_that_is_gone_rejects_every_change,
                an_app_that_is_not_there_rejects_every_change,
            }
            changes {
                a_removed_member_is_gone_for_every_read,
                a_batch_removes_the_members_and_reports_the_others,
                the_owner_leaves_like_any_member_and_stays_the_owner,
                members_stand_in_join_order,
                a_new_room_shows_what_it_was_made_of,
                a_dissolved_room_is_gone_at_once,
                a_deleted_user_is_gone_at_once_with_the_rooms_it_owned,
                a_name_registered_again_is_a_new_user,
                a_sweep_takes_only_what_the_deleted_user_left,
                users_are_found_and_listed_in_order,
                rooms_are_listed_oldest_first,
                a_room_begins_with_thousands,
            }
            paging {
                pages_by_number_put_together_are_the_room,
                pages_by_cursor_put_together_are_the_room,
                a_cursor_stays_good_when_its_member_is_gone,
                no_member_that_stays_is_missed_or_listed_twice_while_others_go,
            }
            races {
                of_a_hundred_removals_of_one_member_one_wins,
                of_a_hundred_registrations_of_one_name_one_wins,
                of_a_hundred_dissolutions_of_one_room_one_wins,
                concurrent_additions_never_overfill_a_room,
                a_batch_is_seen_whole_or_not_at_all,
            }
            drops { a_dropped_batch_is_done_or_not_done }
            large { a_large_room_is_dissolved_while_a_neighbour_removes }
        }
    };
}

/// Writes a test for each promise of a store: those of its repository, its events and its apps. `$harness` makes a
/// [`Harness`](crate::Harness); it is evaluated once a test.
#[macro_export]
macro_rules! contract_tests {
    ($harness:expr) => {
        $crate::small_contract_tests! { $harness }
        $crate::promise_tests! { $harness;
            large {
                a_room_of_ten_thousand_is_dissolved_with_its_events,
                a_user_in_a_thousand_rooms_is_deleted_with_its_events,
                the_owner_of_twenty_rooms_is_deleted_with_its_events,
            }
        }
    };
}

/// The part of [`contract_tests!`] that is not large, for a store whose large part is tested otherwise.
#[macro_export]
macro_rules! small_contract_tests {
    ($harness:expr) => {
        $crate::repository_tests! { $harness }
        $crate::promise_tests! { $harness;
            events {
                every_change_writes_its_event,
                a_deleted_user_leaves_an_event_in_each_of_its_rooms,
                what_changes_nothing_writes_no_event,
                events_are_read_from_behind_a_sequence_number,
                events_are_the_same_whenever_they_are_read,
                streams_tell_how_far_the_log_of_every_room_goes,
                a_room_that_was_never_there_has_no_log,
                time_never_goes_back_within_a_room,
                thousands_of_first_members_are_told_a_thousand_an_event,
                additions_beyond_the_bound_of_the_store_are_refused,
            }
            apps {
                an_app_is_made_and_listed_as_it_was_given,
                a_taken_or_unknown_app_key_is_rejected,
                a_rotation_changes_the_secret_and_the_generation,
                a_declared_app_belongs_to_the_configuration,
                apps_see_nothing_of_each_other,
                an_app_deleted_and_made_again_sees_nothing_of_the_old,
                a_deleted_app_leaves_nothing_behind,
            }
            races {
                a_hundred_removals_of_one_member_leave_one_event,
                concurrent_changes_leave_logs_that_tell_the_members,
            }
            drops {
                a_dropped_removal_is_done_if_and_only_if_its_event_is_there,
                every_dropped_change_is_done_or_not_done,
            }
            histories { random_histories_agree_with_plain_maps }
        }
    };
}

/// Writes a test for each promise that only a store can keep whose data outlives it. `$harness` makes a
/// [`DurableHarness`](crate::DurableHarness); it is evaluated once a test.
#[macro_export]
macro_rules! durability_tests {
    ($harness:expr) => {
        $crate::small_durability_tests! { $harness }
        $crate::promise_tests! { $harness;
            durability {
                a_large_dissolution_is_finished_after_a_restart,
                a_deletion_from_a_thousand_rooms_is_finished_after_a_restart,
                the_deletion_of_an_owner_is_finished_after_a_restart,
            }
        }
    };
}

/// The part of [`durability_tests!`] that is not large, for a second way to restart a store.
#[macro_export]
macro_rules! small_durability_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            durability {
                what_was_answered_is_there_after_a_restart,
                logs_and_join_order_go_on_behind_a_restart,
                time_does_not_go_back_over_a_restart,
                ids_are_not_used_again_behind_a_restart,
                a_dropped_removal_is_whole_after_a_restart,
                removals_under_way_at_a_restart_are_done_or_not_done,
                apps_and_credentials_are_there_after_a_restart,
                the_deletion_of_an_app_is_finished_after_a_restart,
            }
            histories { random_histories_with_restarts_agree_with_plain_maps }
        }
    };
}

/// Writes a test for each of these promises.
#[macro_export]
#[doc(hidden)]
macro_rules! promise_tests {
    ($harness:expr; $($module:ident { $($promise:ident),+ $(,)? })+) => {
        $($(
            #[test]
            fn $promise() {
                $crate::keep(|| $crate::promises::$module::$promise($harness));
            }
        )+)+
    };
}
