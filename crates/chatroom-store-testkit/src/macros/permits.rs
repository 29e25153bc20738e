/// Writes a test for each promise of a ledger of limits over nodes. `$harness` makes a
/// [`LedgerHarness`](crate::LedgerHarness); it is evaluated once a test.
#[macro_export]
macro_rules! permit_tests {
    ($harness:expr) => {
        $crate::promise_tests! { $harness;
            permits {
                a_record_is_what_was_written_last,
                a_write_is_made_only_onto_the_one_that_it_names,
                of_many_writes_onto_one_record_one_is_made,
                the_roster_holds_who_joined_with_its_last_beat,
                a_node_is_removed_at_its_last_beat_and_stays_so,
            }
        }
    };
}
