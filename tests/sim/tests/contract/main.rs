//! The contract between pure code and whatever drives it, as scenarios that every driver and the
//! simulated world must pass: otherwise what the simulator shows says nothing about a real machine.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a scenario names the completion it expects; every other one fails it"
)]

mod driver_rig;
mod files;
mod rig;
mod shards;
mod sockets;

use driver_rig::DriverRig;
use millrace_uring::Backend;
use rig::{Rig, WorldRig};

type Scenario = fn(&mut dyn Rig);

/// Every scenario that one shard can play.
const ONE_SHARD: &[(&str, Scenario)] = &[
    ("files::every_token_is_echoed_once", files::every_token_is_echoed_once),
    (
        "files::what_was_written_is_read_back",
        files::what_was_written_is_read_back_and_reads_end_with_the_file,
    ),
    ("files::blocks_are_reserved", files::blocks_are_reserved_without_length_and_a_length_is_set),
    ("files::what_is_not_there_is_not_found", files::what_is_not_there_is_not_found),
    ("files::whole_files", files::whole_files_are_replaced_and_bounded),
    ("files::folders", files::folders_are_made_listed_renamed_and_removed),
    ("sockets::nothing_before_wanted", sockets::nothing_is_received_before_it_is_wanted),
    ("sockets::order_both_ways", sockets::bytes_keep_their_order_both_ways),
    ("sockets::receive_into", sockets::a_buffer_is_filled_in_place_and_then_the_socket_stops),
    ("sockets::receive_stop", sockets::stopping_stops_and_loses_nothing),
    ("sockets::end_after_last_byte", sockets::the_end_comes_after_the_last_byte),
    ("sockets::end_while_buffer_waits", sockets::the_end_comes_while_a_buffer_waits),
    ("sockets::reset", sockets::a_reset_is_told_once),
    ("sockets::file_ranges", sockets::file_ranges_go_out_between_bytes),
    ("sockets::short_file", sockets::a_file_that_is_too_short_closes_the_connection),
    ("sockets::back_pressure", sockets::a_client_that_does_not_read_holds_its_sender_up),
    ("sockets::order_of_sends", sockets::sends_keep_their_order),
    ("sockets::close", sockets::nothing_comes_after_close),
    ("shards::mail_to_oneself", shards::mail_to_oneself_arrives_in_order),
    ("shards::deadline", shards::a_turn_ends_at_its_deadline_and_time_goes_on),
];

/// Every scenario that needs two.
const TWO_SHARDS: &[(&str, Scenario)] = &[
    ("shards::mail_between_shards", shards::mail_between_shards_keeps_its_order),
    ("shards::hand_over", shards::a_connection_is_handed_over_with_all_its_bytes),
];

#[test]
fn the_world_keeps_the_contract() {
    for (name, scenario) in ONE_SHARD {
        let seeds = if *name == "sockets::back_pressure" { 0..1 } else { 0..25 };
        for seed in seeds {
            eprintln!("{name}, seed {seed}");
            scenario(&mut WorldRig::new(seed, 1));
        }
    }
    for (name, scenario) in TWO_SHARDS {
        for seed in 0..25 {
            eprintln!("{name}, seed {seed}");
            scenario(&mut WorldRig::new(seed, 2));
        }
    }
}

fn hold_to_contract(backend: Backend) {
    for (scenarios, shards) in [(ONE_SHARD, 1), (TWO_SHARDS, 2)] {
        for (name, scenario) in scenarios {
            eprintln!("{name} on {backend}");
            scenario(&mut DriverRig::new(backend, shards));
        }
    }
}

#[test]
fn the_epoll_driver_keeps_the_contract() {
    hold_to_contract(Backend::Epoll);
}

/// Where the kernel refuses io_uring there is no such driver to hold to anything.
#[test]
fn the_io_uring_driver_keeps_the_contract_where_there_is_one() {
    let report = millrace_uring::probe(Backend::Uring);
    if report.is_available {
        hold_to_contract(Backend::Uring);
    } else {
        eprintln!("no io_uring here: {}", report.why);
    }
}
