//! Scenarios with connections.

use bytes::Bytes;
use millrace_io::{Chunk, CloseReason, Completion, Op, SocketId};

use crate::rig::{
    Completions, Rig, SHARD, connect, create, idle, is_closed, is_sent, pattern, received,
    turns_until, write,
};

pub(crate) fn nothing_is_received_before_it_is_wanted(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    rig.client_send(client, b"early");
    assert!(idle(rig, 5).is_empty());
    let got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        received(completions, socket).len() == 5
    });
    assert_eq!(received(&got, socket), b"early");
    // Wanting it twice changes nothing.
    rig.client_send(client, b"late");
    let got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        received(completions, socket).len() == 4
    });
    assert_eq!(received(&got, socket), b"late");
}

pub(crate) fn bytes_keep_their_order_both_ways(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    let data = pattern(700_000, 2);
    let (mut sent, mut echoed) = (0, Vec::new());
    let mut queue: Vec<Bytes> = Vec::new();
    let (mut sending, mut ops) = (false, vec![Op::Receive { socket }]);
    for _ in 0..200_000 {
        if sent < data.len() {
            let end = data.len().min(sent + 50_000);
            sent += rig.client_send(client, &data[sent..end]);
        }
        let mut completions = Vec::new();
        rig.turn(SHARD, &mut ops, 1, &mut completions);
        let is_received = |it: &&Completion<u32>| matches!(it, Completion::Received { .. });
        assert!(completions.iter().filter(is_received).count() <= 1, "one delivery a turn");
        for completion in completions {
            match completion {
                Completion::Received { data, .. } => queue.push(data),
                Completion::Sent { .. } => sending = false,
                other => panic!("{other:?}"),
            }
        }
        if !sending && !queue.is_empty() {
            sending = true;
            let chunks = queue.drain(..).map(Chunk::Bytes).collect();
            ops.push(Op::Send { socket, chunks });
        }
        echoed.extend(rig.client_receive(client));
        if echoed.len() == data.len() {
            assert!(echoed == data, "the same bytes in the same order");
            return;
        }
    }
    panic!("{} of {} bytes came back, {sent} sent", echoed.len(), data.len());
}

pub(crate) fn a_buffer_is_filled_in_place_and_then_the_socket_stops(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    let data = pattern(200_000, 3);
    let mut sent = rig.client_send(client, &data[..1000]);
    let got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        !received(completions, socket).is_empty()
    });
    let mut all = received(&got, socket);
    let pool = rig.pool();
    for (bytes_min, bytes_max) in [(70_000, 70_004), (1, 9), (40_000, 40_000), (500, 60_000)] {
        let mut buffer = pool.take(bytes_max + 3);
        buffer.as_mut_vec().extend_from_slice(b"abc");
        let mut ops = vec![Op::ReceiveInto { socket, buffer, bytes_min, bytes_max }];
        let mut completions = Vec::new();
        for _ in 0..200_000 {
            if sent < data.len() {
                sent += rig.client_send(client, &data[sent..data.len().min(sent + 9_999)]);
            }
            rig.turn(SHARD, &mut ops, 1, &mut completions);
            if !completions.is_empty() {
                break;
            }
        }
        match &completions[..] {
            [Completion::Filled { socket: filled, buffer }] => {
                assert_eq!((*filled, &buffer[..3]), (socket, &b"abc"[..]), "appended");
                let length = buffer.len() - 3;
                assert!((bytes_min..=bytes_max).contains(&length), "{length}");
                all.extend_from_slice(&buffer[3..]);
            }
            other => panic!("{other:?}"),
        }
        assert!(idle(rig, 3).is_empty(), "stopped afterwards");
    }
    let count = all.len();
    let got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        count + received(completions, socket).len() >= sent
    });
    all.extend(received(&got, socket));
    assert!(all == data[..sent], "no byte lost, doubled or moved");
}

pub(crate) fn stopping_stops_and_loses_nothing(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    let data = pattern(30_000, 4);
    rig.client_send(client, &data[..10_000]);
    let mut got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        !received(completions, socket).is_empty()
    });
    // What was taken already may still come; after that nothing does.
    rig.turn(SHARD, &mut vec![Op::ReceiveStop { socket }], 1, &mut got);
    got.extend(idle(rig, 10));
    let before = received(&got, socket);
    rig.client_send(client, &data[10_000..]);
    assert!(idle(rig, 10).is_empty(), "stopped");
    let rest = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        before.len() + received(completions, socket).len() == data.len()
    });
    assert!([before, received(&rest, socket)].concat() == data);
}

pub(crate) fn the_end_comes_after_the_last_byte(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    let data = pattern(20_000, 5);
    rig.client_send(client, &data);
    rig.client_finish(client);
    let got = turns_until(rig, vec![Op::Receive { socket }], |completions| {
        completions.iter().any(is_closed)
    });
    assert!(received(&got, socket) == data);
    match got.last() {
        Some(Completion::Closed { socket: closed, reason: CloseReason::Eof }) => {
            assert_eq!(*closed, socket);
        }
        other => panic!("{other:?}"),
    }
    assert!(idle(rig, 5).is_empty(), "told once");
}

pub(crate) fn the_end_comes_while_a_buffer_waits(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    rig.client_send(client, &[1; 99]);
    rig.client_finish(client);
    let buffer = rig.pool().take(100);
    let op = Op::ReceiveInto { socket, buffer, bytes_min: 100, bytes_max: 100 };
    let got = turns_until(rig, vec![op], |completions| !completions.is_empty());
    assert!(matches!(&got[..], [Completion::Closed { .. }]), "{got:?}");
}

pub(crate) fn a_reset_is_told_once(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    rig.turn(SHARD, &mut vec![Op::Receive { socket }], 1, &mut Vec::new());
    rig.client_reset(client);
    let got = turns_until(rig, Vec::new(), |completions| completions.iter().any(is_closed));
    assert_eq!(got.len(), 1, "{got:?}");
    let mut ops = vec![
        Op::Receive { socket },
        Op::Send { socket, chunks: vec![Chunk::Bytes(Bytes::from_static(b"too late"))] },
    ];
    let mut completions = Vec::new();
    rig.turn(SHARD, &mut ops, 1, &mut completions);
    completions.extend(idle(rig, 5));
    assert!(completions.is_empty(), "{completions:?}");
    rig.turn(SHARD, &mut vec![Op::Close { socket }], 1, &mut completions);
    assert!(idle(rig, 3).is_empty());
}

pub(crate) fn file_ranges_go_out_between_bytes(rig: &mut dyn Rig) {
    let file = create(rig, "f");
    let data = pattern(400_000, 6);
    write(rig, &file, 0, &data);
    let (client, socket) = connect(rig);
    let chunks = vec![
        Chunk::Bytes(Bytes::from_static(b"head")),
        Chunk::Bytes(Bytes::new()),
        Chunk::File { file: file.clone(), position: 1000, length: 300_000 },
        Chunk::Bytes(Bytes::from_static(b"middle")),
        Chunk::File { file: file.clone(), position: 0, length: 0 },
        Chunk::File { file, position: 399_999, length: 1 },
        Chunk::Bytes(Bytes::from_static(b"tail")),
    ];
    let expected = [b"head", &data[1000..301_000], b"middle", &data[399_999..], b"tail"].concat();
    let (got, completions) = send_and_read(rig, client, socket, chunks, expected.len());
    assert!(got == expected, "{} bytes", got.len());
    assert_eq!(completions.iter().filter(|completion| is_sent(completion)).count(), 1);
    assert_eq!(completions.len(), 1, "{completions:?}");
}

pub(crate) fn a_file_that_is_too_short_closes_the_connection(rig: &mut dyn Rig) {
    let file = create(rig, "f");
    write(rig, &file, 0, &[5; 100]);
    let (client, socket) = connect(rig);
    let chunks = vec![
        Chunk::Bytes(Bytes::from_static(b"head")),
        Chunk::File { file, position: 50, length: 51 },
    ];
    let completions = turns_until(rig, vec![Op::Send { socket, chunks }], |completions| {
        completions.iter().any(is_closed)
    });
    assert_eq!(completions.len(), 1, "closed, not sent: {completions:?}");
    rig.turn(SHARD, &mut vec![Op::Close { socket }], 1, &mut Vec::new());
    let mut got = Vec::new();
    for _ in 0..2000 {
        idle(rig, 1);
        got.extend(rig.client_receive(client));
        if rig.client_ended(client) {
            assert!(got.len() < 55, "{}", got.len());
            return;
        }
    }
    panic!("the client still waits");
}

pub(crate) fn a_client_that_does_not_read_holds_its_sender_up(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    // More than any socket buffer holds.
    let piece = Bytes::from(pattern(1 << 20, 7));
    let count = 24;
    let chunks = vec![Chunk::Bytes(piece.clone()); count];
    rig.turn(SHARD, &mut vec![Op::Send { socket, chunks }], 1, &mut Vec::new());
    assert!(idle(rig, 20).is_empty(), "not sent while nobody reads");
    let (mut got, mut completions) = (Vec::new(), Completions::new());
    for _ in 0..200_000 {
        got.extend(rig.client_receive(client));
        rig.turn(SHARD, &mut Vec::new(), 1, &mut completions);
        if got.len() == count << 20 && !completions.is_empty() {
            break;
        }
    }
    assert!(matches!(&completions[..], [Completion::Sent { .. }]), "{completions:?}");
    assert!(got.chunks(1 << 20).all(|chunk| chunk == piece), "{} bytes", got.len());
}

pub(crate) fn sends_keep_their_order(rig: &mut dyn Rig) {
    let (client, socket) = connect(rig);
    let mut all = Vec::new();
    for round in 0_u8..20 {
        let chunk = Bytes::from(vec![round; 1 + usize::from(round) * 997]);
        let length = chunk.len();
        let (got, completions) =
            send_and_read(rig, client, socket, vec![Chunk::Bytes(chunk)], length);
        assert_eq!(completions.len(), 1, "{completions:?}");
        all.extend(got);
    }
    assert!(all.is_sorted(), "one after the other");
}

pub(crate) fn nothing_comes_after_close(rig: &mut dyn Rig) {
    for round in 0..10 {
        let (client, socket) = connect(rig);
        rig.client_send(client, &pattern(50_000, round));
        let ops = vec![
            Op::Receive { socket },
            Op::Send { socket, chunks: vec![Chunk::Bytes(Bytes::from(vec![1; 1 << 20]))] },
        ];
        turns_until(rig, ops, |completions| !received(completions, socket).is_empty());
        let mut completions = Vec::new();
        rig.turn(SHARD, &mut vec![Op::Close { socket }], 1, &mut completions);
        completions.extend(idle(rig, 3));
        assert!(completions.is_empty(), "{completions:?}");
        // Late operations on it meet nobody.
        rig.turn(SHARD, &mut vec![Op::Receive { socket }], 1, &mut completions);
        assert!(completions.is_empty(), "{completions:?}");
        for _ in 0..2000 {
            rig.client_receive(client);
            if rig.client_ended(client) {
                break;
            }
            idle(rig, 1);
        }
        assert!(rig.client_ended(client), "the client sees the end");
    }
}

/// Sends, and reads at the client until all of it has arrived and the shard was told.
fn send_and_read(
    rig: &mut dyn Rig,
    client: usize,
    socket: SocketId,
    chunks: Vec<Chunk>,
    length: usize,
) -> (Vec<u8>, Completions) {
    let mut ops = vec![Op::Send { socket, chunks }];
    let (mut got, mut completions) = (Vec::new(), Vec::new());
    for _ in 0..200_000 {
        rig.turn(SHARD, &mut ops, 1, &mut completions);
        got.extend(rig.client_receive(client));
        if got.len() >= length && !completions.is_empty() {
            break;
        }
    }
    (got, completions)
}
