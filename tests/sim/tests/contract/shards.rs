//! Scenarios with mail, time and two shards.

use millrace_io::{Completion, Op, ShardId};

use crate::rig::{Completions, Rig, SHARD, received, turns_until};

pub(crate) fn mail_to_oneself_arrives_in_order(rig: &mut dyn Rig) {
    let ops = (0..300).map(|mail| Op::Mail { to: SHARD, mail }).collect();
    let completions = turns_until(rig, ops, |completions| completions.len() == 300);
    assert_eq!(mails(&completions, SHARD), (0..300).collect::<Vec<_>>());
}

pub(crate) fn a_turn_ends_at_its_deadline_and_time_goes_on(rig: &mut dyn Rig) {
    let mut last = rig.turn(SHARD, &mut Vec::new(), 0, &mut Vec::new()).mono;
    for wait_ms in [0, 1, 5, 20] {
        let now = rig.turn(SHARD, &mut Vec::new(), wait_ms, &mut Vec::new()).mono;
        assert!(now >= last.plus_ms(wait_ms), "{wait_ms} ms: {last:?} then {now:?}");
        last = now;
    }
}

/// For a rig of two shards.
pub(crate) fn mail_between_shards_keeps_its_order(rig: &mut dyn Rig) {
    let mut ops: Vec<_> = (0..1000).map(|mail| Op::Mail { to: ShardId(1), mail }).collect();
    let (mut here, mut there) = (Completions::new(), Completions::new());
    for _ in 0..2000 {
        // A part in each turn: what is posted later arrives later.
        let mut some = ops.drain(..ops.len().min(70)).collect();
        rig.turn(SHARD, &mut some, 0, &mut here);
        rig.turn(ShardId(1), &mut Vec::new(), 1, &mut there);
        if there.len() == 1000 {
            break;
        }
    }
    assert!(here.is_empty(), "{here:?}");
    assert_eq!(mails(&there, SHARD), (0..1000).collect::<Vec<_>>());
}

/// For a rig of two shards.
pub(crate) fn a_connection_is_handed_over_with_all_its_bytes(rig: &mut dyn Rig) {
    for _ in 0..8 {
        let client = rig.connect();
        rig.client_send(client, b"sent before anybody listened");
        let mut completions = Vec::new();
        let (from, socket) = 'accepted: loop {
            for shard in [SHARD, ShardId(1)] {
                rig.turn(shard, &mut Vec::new(), 1, &mut completions);
                if let Some(Completion::Accepted { socket, .. }) = completions.pop() {
                    break 'accepted (shard, socket);
                }
            }
        };
        let to = ShardId(1 - from.0);
        rig.turn(from, &mut vec![Op::HandOver { socket, to }], 0, &mut completions);
        let socket = loop {
            rig.turn(from, &mut Vec::new(), 0, &mut completions);
            assert!(completions.is_empty(), "nothing more here: {completions:?}");
            rig.turn(to, &mut Vec::new(), 1, &mut completions);
            match completions.pop() {
                Some(Completion::Accepted { socket, .. }) => break socket,
                None => {}
                Some(other) => panic!("{other:?}"),
            }
        };
        let mut ops = vec![Op::Receive { socket }];
        for _ in 0..2000 {
            rig.turn(to, &mut ops, 1, &mut completions);
            if received(&completions, socket).len() == 28 {
                break;
            }
        }
        assert_eq!(received(&completions, socket), b"sent before anybody listened");
        rig.turn(to, &mut vec![Op::Close { socket }], 0, &mut Vec::new());
    }
}

fn mails(completions: &[Completion<u32>], sender: ShardId) -> Vec<u32> {
    let mail = |completion: &Completion<u32>| match completion {
        Completion::Mail { from, mail } => {
            assert_eq!(*from, sender);
            *mail
        }
        other => panic!("{other:?}"),
    };
    completions.iter().map(mail).collect()
}
