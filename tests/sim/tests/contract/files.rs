//! Scenarios with files.

use bytes::Bytes;
use millrace_io::{Completion, DirEntry, IoErrorKind, Op, OpenMode};

use crate::rig::{Rig, create, done, open, pattern, read, run, token, turns_until, write};

pub(crate) fn every_token_is_echoed_once(rig: &mut dyn Rig) {
    let files = [create(rig, "a"), create(rig, "b"), create(rig, "c")];
    let mut ops = Vec::new();
    for seq in 0..90 {
        let file = files[seq as usize % 3].clone();
        let position = u64::from(seq) * 10;
        ops.push(match seq % 5 {
            0 | 1 => {
                let chunks = vec![Bytes::from(vec![1; 10])];
                Op::Write { token: token(seq), file, position, chunks }
            }
            2 => Op::Read { token: token(seq), file, position, length: 100 },
            // One for each file, as the seam demands.
            3 if seq < 15 => Op::Sync { token: token(seq), file },
            _ => Op::Prefetch { token: token(seq), file, position, length: 4096 },
        });
    }
    ops.push(Op::Writeback { file: files[0].clone(), position: 0, length: 1000 });
    ops.push(Op::DropCache { file: files[0].clone(), position: 0, length: 1000 });
    ops.push(Op::MakeDir { token: token(90), path: rig.root().join("d"), is_new: false });
    let mut completions = turns_until(rig, ops, |completions| completions.len() >= 91);
    completions.extend(crate::rig::idle(rig, 5));
    let mut seen: Vec<_> = completions
        .iter()
        .map(|completion| match completion {
            Completion::Read { token, result } => {
                assert!(result.is_ok());
                *token
            }
            Completion::Wrote { token, result, .. } | Completion::Done { token, result } => {
                assert_eq!(*result, Ok(()));
                *token
            }
            other => panic!("{other:?}"),
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..91).map(token).collect::<Vec<_>>());
}

pub(crate) fn what_was_written_is_read_back_and_reads_end_with_the_file(rig: &mut dyn Rig) {
    let file = create(rig, "f");
    let data = pattern(300_000, 1);
    // More chunks than one system call takes, of odd lengths, some empty.
    let mut chunks = Vec::new();
    let mut rest = Bytes::from(data.clone());
    while !rest.is_empty() {
        chunks.push(rest.split_to(rest.len().min(chunks.len() % 251)));
    }
    assert!(chunks.len() > 1024, "{}", chunks.len());
    let given = chunks.clone();
    let op = Op::Write { token: token(1), file: file.clone(), position: 3, chunks };
    match run(rig, op) {
        Completion::Wrote { chunks, result: Ok(()), .. } => {
            assert_eq!(chunks.len(), given.len(), "the vector comes back");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(&read(rig, &file, 3, 300_000)[..], &data[..]);
    assert_eq!(&read(rig, &file, 0, 4)[..], &[0, 0, 0, data[0]][..]);
    assert_eq!(&read(rig, &file, 300_000, 1000)[..], &data[299_997..]);
    assert!(read(rig, &file, 300_003, 10).is_empty());
    assert!(read(rig, &file, 1 << 30, 10).is_empty());
    let path = rig.root().join("f");
    let (_, length) = open(rig, path, OpenMode::Read).expect("it is there");
    assert_eq!(length, 300_003);
}

pub(crate) fn blocks_are_reserved_without_length_and_a_length_is_set(rig: &mut dyn Rig) {
    let file = create(rig, "f");
    write(rig, &file, 0, b"0123456789");
    let op = Op::Allocate { token: token(1), file: file.clone(), position: 0, length: 1 << 20 };
    done(rig, op).expect("or not an error");
    assert_eq!(&read(rig, &file, 0, 100)[..], b"0123456789");
    done(rig, Op::Truncate { token: token(2), file: file.clone(), length: 4 }).expect("shorter");
    assert_eq!(&read(rig, &file, 0, 100)[..], b"0123");
    done(rig, Op::Truncate { token: token(3), file: file.clone(), length: 6 }).expect("longer");
    assert_eq!(&read(rig, &file, 0, 100)[..], b"0123\0\0");
    done(rig, Op::Sync { token: token(4), file }).expect("synced");
}

pub(crate) fn what_is_not_there_is_not_found(rig: &mut dyn Rig) {
    let missing = rig.root().join("missing");
    for mode in [OpenMode::Read, OpenMode::ReadWrite] {
        let result = open(rig, missing.clone(), mode);
        assert_eq!(result.map_err(|error| error.kind), Err(IoErrorKind::NotFound));
    }
    let op = Op::ReadWhole { token: token(1), path: missing.clone(), length_max: 10 };
    match run(rig, op) {
        Completion::Read { result: Err(error), .. } => {
            assert_eq!(error.kind, IoErrorKind::NotFound);
        }
        other => panic!("{other:?}"),
    }
    match run(rig, Op::List { token: token(1), path: missing.clone() }) {
        Completion::Listed { result: Err(error), .. } => {
            assert_eq!(error.kind, IoErrorKind::NotFound);
        }
        other => panic!("{other:?}"),
    }
    let to = rig.root().join("elsewhere");
    let renamed = done(rig, Op::Rename { token: token(1), from: missing.clone(), to });
    assert_eq!(renamed.map_err(|error| error.kind), Err(IoErrorKind::NotFound));
    done(rig, Op::Remove { token: token(1), path: missing }).expect("counts as removed");
    let deep = rig.root().join("no/such/folder");
    let result = open(rig, deep, OpenMode::Create);
    assert_eq!(result.map_err(|error| error.kind), Err(IoErrorKind::NotFound));
}

pub(crate) fn whole_files_are_replaced_and_bounded(rig: &mut dyn Rig) {
    let path = rig.root().join("whole");
    for content in [&b"first"[..], b"the second, longer", b"3"] {
        let content = Bytes::copy_from_slice(content);
        let op = Op::WriteWhole { token: token(1), path: path.clone(), content: content.clone() };
        done(rig, op).expect("written");
        let op = Op::ReadWhole { token: token(2), path: path.clone(), length_max: 18 };
        match run(rig, op) {
            Completion::Read { result: Ok(bytes), .. } => assert_eq!(bytes, content),
            other => panic!("{other:?}"),
        }
        assert_eq!(list(rig, "").len(), 1, "nothing is left beside it");
    }
    let content = Bytes::from_static(b"eleven byte");
    done(rig, Op::WriteWhole { token: token(1), path: path.clone(), content }).expect("written");
    match run(rig, Op::ReadWhole { token: token(2), path, length_max: 10 }) {
        Completion::Read { result: Err(error), .. } => assert_eq!(error.kind, IoErrorKind::Other),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn folders_are_made_listed_renamed_and_removed(rig: &mut dyn Rig) {
    let root = rig.root();
    let make = |is_new| Op::MakeDir { token: token(1), path: root.join("a/b/c"), is_new };
    done(rig, make(true)).expect("made");
    done(rig, make(false)).expect("there already");
    let error = done(rig, make(true)).expect_err("there already");
    assert_eq!(error.kind, IoErrorKind::Exists);
    for name in ["a/b/z", "a/b/y"] {
        let file = create(rig, name);
        write(rig, &file, 0, name.as_bytes());
    }
    for name in ["a/b/x", "a/b/y"] {
        let op = Op::Touch { token: token(1), path: root.join(name) };
        done(rig, op).expect("made, or left as it is");
    }
    done(rig, Op::SyncDir { token: token(2), path: root.join("a/b") }).expect("synced");
    let entry = |name: &str, length, is_dir| (name.to_owned(), length, is_dir);
    let entries = |listed: Vec<DirEntry>| {
        let short = |entry: DirEntry| {
            (entry.name, if entry.is_dir { 0 } else { entry.length }, entry.is_dir)
        };
        listed.into_iter().map(short).collect::<Vec<_>>()
    };
    let expected =
        [entry("c", 0, true), entry("x", 0, false), entry("y", 5, false), entry("z", 5, false)];
    assert_eq!(entries(list(rig, "a/b")), expected);

    // A file replaces a file, a folder moves with what is in it.
    let (from, to) = (root.join("a/b/z"), root.join("a/b/y"));
    done(rig, Op::Rename { token: token(3), from, to }).expect("renamed");
    let (from, to) = (root.join("a"), root.join("moved"));
    done(rig, Op::Rename { token: token(3), from, to }).expect("renamed");
    let (file, _) = open(rig, root.join("moved/b/y"), OpenMode::Read).expect("moved");
    assert_eq!(&read(rig, &file, 0, 10)[..], b"a/b/z");

    done(rig, Op::Remove { token: token(4), path: root.join("moved") }).expect("removed");
    assert_eq!(list(rig, ""), []);
    assert_eq!(&read(rig, &file, 0, 10)[..], b"a/b/z", "an open file stays readable");
}

fn list(rig: &mut dyn Rig, below_root: &str) -> Vec<DirEntry> {
    let path = rig.root().join(below_root);
    match run(rig, Op::List { token: token(9), path }) {
        Completion::Listed { result, .. } => result.expect("the folder is there"),
        other => panic!("{other:?}"),
    }
}
