/// Writes a test for each promise of a store that hands out deliveries: its rules, leases, dead letters and retention.
/// `$harness` makes a [`DeliveryHarness`](crate::DeliveryHarness); it is evaluated once a test.
///
/// A store of several processes runs it too: leases end by time, and whoever waits may be woken too early.
#[macro_export]
macro_rules! delivery_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            rules {
                a_rule_is_kept_as_it_was_given,
                a_taken_or_unknown_name_of_a_rule_is_rejected,
                an_app_has_no_more_rules_than_it_may,
                of_a_hundred_who_add_rules_as_many_win_as_there_are_places,
                a_rotation_has_two_secrets_until_it_ends,
                a_declared_rule_belongs_to_the_configuration,
                a_rule_removed_and_made_again_starts_anew,
                rules_of_apps_are_apart,
                a_deleted_app_takes_its_rules,
            }
            leases {
                a_new_rule_is_told_of_what_happens_from_then_on,
                a_rule_is_told_what_it_wants,
                events_are_leased_in_order_without_a_gap,
                a_room_is_leased_once_at_a_time,
                at_most_eight_rooms_of_a_rule_are_leased_at_once,
                a_lease_ends_after_thirty_seconds,
                a_settlement_is_noted_once,
                what_is_given_back_is_leased_again,
                a_disabled_rule_goes_on_where_it_stood,
            }
            wakes {
                whoever_waits_is_woken_when_there_is_more,
                several_who_deliver_at_once_never_have_the_same_in_hand,
                a_dropped_call_to_lease_loses_nothing,
            }
            fairness {
                a_rule_with_a_thousand_rooms_does_not_starve_another,
                a_rule_that_is_stuck_does_not_hold_up_another,
                a_busy_room_does_not_starve_the_others,
            }
            failures {
                a_failed_event_is_not_leased_before_its_time,
                what_was_delivered_before_a_failure_is_done,
                what_is_given_up_is_a_dead_letter_and_the_room_goes_on,
                dead_letters_are_listed_by_room_and_in_order,
            }
            pauses {
                twenty_failures_pause_a_rule_and_a_probe_ends_the_pause,
                probes_that_fail_wait_longer,
                a_lost_probe_is_made_again,
                no_events_clock_runs_while_its_rule_is_paused,
                a_success_between_failures_keeps_a_rule_going,
            }
            statuses {
                the_status_says_how_far_a_rule_is_behind,
                the_rules_of_an_app_are_shown_oldest_first,
            }
            replays {
                an_event_is_told_again_before_its_room_goes_on,
                whole_rooms_are_told_again,
                a_dead_letter_that_is_told_again_is_listed_no_more,
                nothing_is_told_twice_for_one_reason,
                a_room_in_hand_is_told_again_when_its_lease_ends,
                a_rule_that_is_off_is_told_again_when_it_is_on,
            }
            retention {
                events_are_kept_for_their_time_and_no_longer,
                what_waits_is_not_taken_inside_its_time,
                what_is_lost_is_told_as_one_dead_letter,
                a_loss_that_grows_stays_one_dead_letter,
                what_was_delivered_in_time_is_not_lost,
                what_is_kept_can_be_told_again_and_nothing_else,
            }
            deliveries { random_deliveries_are_in_order_and_complete }
        }
    };
}

/// Writes a test for each promise about deliveries that only a store in one process can keep: it knows at any time
/// who has what in hand.
#[macro_export]
macro_rules! one_process_delivery_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            retention { what_is_delivered_while_retention_takes_it_is_not_lost }
        }
    };
}

/// Writes a test for each promise about deliveries that only a store can keep whose data outlives it. `$harness` makes
/// a [`DurableHarness`](crate::DurableHarness) that is a [`DeliveryHarness`](crate::DeliveryHarness) too.
#[macro_export]
macro_rules! delivery_durability_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            undelivered {
                rules_are_there_after_a_restart,
                what_was_not_settled_is_delivered_after_a_restart,
                a_rule_is_told_of_nothing_older_after_a_restart,
                a_disabled_rule_keeps_its_place_over_a_restart,
                what_was_given_up_is_not_forgotten,
                a_replay_is_not_forgotten,
                what_was_lost_is_told_after_a_restart,
                nothing_is_forgotten_over_many_restarts,
            }
            deliveries { random_deliveries_with_restarts_are_in_order_and_complete }
        }
    };
}

/// Writes a test for each promise about deliveries and restarts that only a store in one process can keep: who had
/// something in hand is gone with the store.
#[macro_export]
macro_rules! one_process_delivery_durability_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            undelivered { leases_are_free_after_a_restart }
        }
    };
}
