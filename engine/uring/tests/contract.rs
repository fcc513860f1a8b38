//! What every driver promises, checked on both.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a claim waits for one kind of completion, whatever others there are"
)]

mod contract {
    pub(crate) mod files;
    pub(crate) mod rig;
    pub(crate) mod shards;
    pub(crate) mod sockets;
    pub(crate) mod storm;
}

use contract::{files, shards, sockets, storm};
use millrace_uring::Backend;

/// Makes one test per claim and driver. Where io_uring is refused its half says so and passes.
macro_rules! on_both_drivers {
    ($($module:ident :: $claim:ident,)*) => {
        mod epoll {
            $(#[test]
            fn $claim() {
                super::$module::$claim(super::Backend::Epoll);
            })*
        }
        mod uring {
            $(#[test]
            fn $claim() {
                let report = millrace_uring::probe(super::Backend::Uring);
                if report.is_available {
                    super::$module::$claim(super::Backend::Uring);
                } else {
                    eprintln!("not run: {}", report.why);
                }
            })*
        }
    };
}

on_both_drivers! {
    files::a_missing_file_is_not_found,
    files::what_was_written_is_read,
    files::a_write_of_thousands_of_chunks_is_whole,
    files::a_thousand_opens_all_answer,
    files::lengths_and_blocks_do_as_told,
    files::folders_do_as_told,
    files::small_files_are_read_and_replaced_whole,
    files::a_full_disk_is_no_space,
    files::cold_ranges_are_fetched,
    files::a_file_outlives_its_name,
    files::what_is_read_behind_leaves_the_page_cache_as_it_was,
    files::what_is_written_behind_is_read,
    sockets::small_messages_echo,
    sockets::many_connections_echo,
    sockets::frames_arrive_exactly_at_every_split,
    sockets::bulk_frames_arrive_exactly,
    sockets::stopped_sockets_deliver_nothing_and_resume,
    sockets::held_buffers_do_not_stop_the_rest,
    sockets::files_are_sent_past_full_buffers,
    sockets::a_file_that_is_too_short_breaks_the_connection,
    sockets::sends_of_many_chunks_are_whole,
    sockets::closed_sockets_are_silent,
    sockets::a_closing_peer_is_seen,
    sockets::a_resetting_peer_is_seen,
    sockets::a_half_closed_peer_gets_its_reply,
    storm::a_storm_leaves_nothing_behind,
    shards::mail_keeps_its_order,
    shards::mail_to_oneself_arrives,
    shards::mail_beyond_the_ring_arrives,
    shards::mail_to_an_ended_shard_is_let_go,
    shards::a_sleeping_shard_is_woken_by_mail,
    shards::connections_are_handed_over,
    shards::a_deadline_ends_the_wait,
    shards::stop_reaches_every_shard,
    shards::a_parked_shard_makes_no_calls,
}
