//! The faults of those who hand out deliveries.

use super::fault::Fault;
use super::plain::Plain;
use super::{Promise, held};
use crate::promises;

found! {
    an_acknowledgement_that_jumps_over_an_event_is_found: AcknowledgementJumps {
        leases::events_are_leased_in_order_without_a_gap,
        failures::what_was_delivered_before_a_failure_is_done,
        undelivered::what_was_not_settled_is_delivered_after_a_restart,
        undelivered::nothing_is_forgotten_over_many_restarts,
        deliveries::random_deliveries_are_in_order_and_complete,
        deliveries::random_deliveries_with_restarts_are_in_order_and_complete,
    }
    an_acknowledgement_that_is_lost_is_found: AcknowledgementIsLost {
        leases::events_are_leased_in_order_without_a_gap,
        wakes::several_who_deliver_at_once_never_have_the_same_in_hand,
    }
    a_lease_that_is_given_twice_is_found: LeasedTwice {
        leases::a_room_is_leased_once_at_a_time,
        leases::a_lease_ends_after_thirty_seconds,
        wakes::several_who_deliver_at_once_never_have_the_same_in_hand,
        deliveries::random_deliveries_are_in_order_and_complete,
    }
    a_trim_that_eats_an_event_inside_its_time_is_found: TrimEatsTooMuch {
        retention::events_are_kept_for_their_time_and_no_longer,
        retention::what_waits_is_not_taken_inside_its_time,
    }
    events_that_are_kept_for_ever_are_found: TrimEatsNothing {
        retention::events_are_kept_for_their_time_and_no_longer,
    }
    a_loss_that_nobody_tells_is_found: LossIsNotTold {
        retention::what_is_lost_is_told_as_one_dead_letter,
        undelivered::what_was_lost_is_told_after_a_restart,
    }
    a_loss_that_is_told_in_parts_is_found: LossInParts {
        retention::what_is_lost_is_told_as_one_dead_letter,
        retention::a_loss_that_grows_stays_one_dead_letter,
    }
    a_loss_of_what_is_in_hand_is_found: LossInHand {
        retention::what_is_delivered_while_retention_takes_it_is_not_lost,
    }
    a_lease_that_never_ends_is_found: LeaseNeverEnds {
        leases::a_lease_ends_after_thirty_seconds,
        wakes::a_dropped_call_to_lease_loses_nothing,
    }
    a_lease_that_ended_and_is_settled_is_found: LostLeaseIsSettled {
        leases::a_lease_ends_after_thirty_seconds,
    }
    a_lease_with_a_gap_is_found: LeaseHasAGap {
        leases::events_are_leased_in_order_without_a_gap,
        deliveries::random_deliveries_are_in_order_and_complete,
    }
    a_rule_with_more_than_eight_rooms_in_hand_is_found: EveryRoomAtOnce {
        leases::at_most_eight_rooms_of_a_rule_are_leased_at_once,
    }
    a_new_rule_that_is_told_of_the_past_is_found: NewRuleIsToldOfThePast {
        leases::a_new_rule_is_told_of_what_happens_from_then_on,
        rules::a_rule_removed_and_made_again_starts_anew,
    }
    a_rule_that_is_told_more_than_it_wants_is_found: EverythingIsWanted {
        leases::a_rule_is_told_what_it_wants,
    }
    a_rule_that_is_off_and_leased_is_found: OffIsLeased {
        leases::a_disabled_rule_goes_on_where_it_stood,
        replays::a_rule_that_is_off_is_told_again_when_it_is_on,
        undelivered::a_disabled_rule_keeps_its_place_over_a_restart,
    }
    a_rule_that_misses_what_happens_while_it_is_off_is_found: OffMissesEvents {
        leases::a_disabled_rule_goes_on_where_it_stood,
        deliveries::random_deliveries_are_in_order_and_complete,
    }
    rules_that_are_decided_without_a_look_are_found: RulesDecidedUnseen {
        rules::a_taken_or_unknown_name_of_a_rule_is_rejected,
        rules::an_app_has_no_more_rules_than_it_may,
        rules::of_a_hundred_who_add_rules_as_many_win_as_there_are_places,
    }
    rules_that_are_added_at_once_without_a_look_are_found: DecidedOutsideTheLock {
        rules::of_a_hundred_who_add_rules_as_many_win_as_there_are_places,
    }
    a_lost_change_of_a_rule_is_found: LostChangeOfRule {
        rules::a_rotation_has_two_secrets_until_it_ends,
        rules::a_declared_rule_belongs_to_the_configuration,
        rules::a_rule_removed_and_made_again_starts_anew,
    }
    a_rule_that_outlives_its_app_is_found: RuleOutlivesItsApp {
        rules::a_deleted_app_takes_its_rules,
    }
    a_removed_rule_that_is_told_is_found: RemovedRuleIsTold {
        rules::a_rule_removed_and_made_again_starts_anew,
    }
    a_list_of_rules_that_is_out_of_order_is_found: ListsBackwards {
        rules::a_rule_is_kept_as_it_was_given,
        statuses::the_rules_of_an_app_are_shown_oldest_first,
        failures::dead_letters_are_listed_by_room_and_in_order,
    }
    a_rule_that_comes_first_always_is_found: OneRuleFirst {
        fairness::a_rule_with_a_thousand_rooms_does_not_starve_another,
    }
    a_room_that_comes_first_always_is_found: OneRoomFirst {
        fairness::a_busy_room_does_not_starve_the_others,
    }
    an_event_that_is_tried_again_at_once_is_found: RetriedAtOnce {
        failures::a_failed_event_is_not_leased_before_its_time,
    }
    failures_that_are_forgotten_are_found: FailuresAreForgotten {
        failures::a_failed_event_is_not_leased_before_its_time,
        failures::what_was_delivered_before_a_failure_is_done,
        pauses::no_events_clock_runs_while_its_rule_is_paused,
    }
    an_event_that_is_given_up_without_a_trace_is_found: BurialIsForgotten {
        failures::what_is_given_up_is_a_dead_letter_and_the_room_goes_on,
        undelivered::what_was_given_up_is_not_forgotten,
        undelivered::nothing_is_forgotten_over_many_restarts,
    }
    a_rule_that_is_never_paused_is_found: NeverPaused {
        pauses::twenty_failures_pause_a_rule_and_a_probe_ends_the_pause,
        pauses::probes_that_fail_wait_longer,
    }
    a_probe_that_is_not_said_to_be_one_is_found: ProbeIsNotSaid {
        pauses::a_lost_probe_is_made_again,
    }
    a_clock_that_runs_in_a_pause_is_found: ClockRunsInPause {
        pauses::no_events_clock_runs_while_its_rule_is_paused,
    }
    a_status_that_hides_how_it_is_is_found: StatusIsRosy {
        statuses::the_status_says_how_far_a_rule_is_behind,
    }
    a_replay_that_is_done_twice_is_found: ReplayedTwice {
        replays::an_event_is_told_again_before_its_room_goes_on,
        replays::nothing_is_told_twice_for_one_reason,
    }
    a_replay_that_is_forgotten_is_found: ReplayIsForgotten {
        replays::whole_rooms_are_told_again,
        replays::a_room_in_hand_is_told_again_when_its_lease_ends,
        retention::what_is_kept_can_be_told_again_and_nothing_else,
    }
    a_dead_letter_that_stays_though_it_is_told_again_is_found: LetterStaysAfterReplay {
        replays::a_dead_letter_that_is_told_again_is_listed_no_more,
    }
    a_restart_that_forgets_rules_is_found: RestartForgetsRules {
        undelivered::rules_are_there_after_a_restart,
    }
    a_restart_that_forgets_what_waits_is_found: RestartForgetsWhatWaits {
        undelivered::what_was_not_settled_is_delivered_after_a_restart,
        undelivered::a_disabled_rule_keeps_its_place_over_a_restart,
        undelivered::nothing_is_forgotten_over_many_restarts,
        deliveries::random_deliveries_with_restarts_are_in_order_and_complete,
    }
    a_restart_that_forgets_dead_letters_is_found: RestartForgetsLetters {
        undelivered::what_was_given_up_is_not_forgotten,
        undelivered::what_was_lost_is_told_after_a_restart,
        undelivered::nothing_is_forgotten_over_many_restarts,
    }
    a_restart_that_forgets_replays_is_found: RestartForgetsReplays {
        undelivered::a_replay_is_not_forgotten,
    }
    a_restart_that_tells_the_past_is_found: RestartTellsThePast {
        undelivered::a_rule_is_told_of_nothing_older_after_a_restart,
    }
    a_restart_that_keeps_leases_is_found_where_nobody_can_hold_them: RestartKeepsLeases {
        undelivered::leases_are_free_after_a_restart,
    }
}

/// A restart that keeps leases is none of the faults that a store of several processes can have.
#[test]
fn leases_that_outlast_a_restart_are_no_fault_where_another_process_may_hold_them() {
    let kept = || Plain::with(Fault::RestartKeepsLeases);
    held(|| promises::undelivered::what_was_not_settled_is_delivered_after_a_restart(kept())).unwrap();
    held(|| promises::undelivered::nothing_is_forgotten_over_many_restarts(kept())).unwrap();
}

/// Nobody waits for real: the time that it takes to see that nobody is woken passes at once.
#[test]
fn a_store_that_wakes_nobody_is_found() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let waits = promises::wakes::whoever_waits_is_woken_when_there_is_more;
    let promise: Promise = runtime.unwrap().block_on(waits(Plain::with(Fault::NobodyIsWoken)));
    assert!(promise.is_err());
}
