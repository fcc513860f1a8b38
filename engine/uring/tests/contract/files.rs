//! Claims about files.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use millrace_io::{Completion, FileRef, IoErrorKind, Op, OpenMode, Work};
use millrace_uring::{Backend, handle, sys};

use super::rig::{Rig, pattern};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(crate) fn a_missing_file_is_not_found(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    for mode in [OpenMode::Read, OpenMode::ReadWrite] {
        let token = rig.token();
        let path = dir.path().join("none");
        rig.ops.push(Op::Open { token, path, mode });
        let result = rig.until("Opened", |completion| match completion {
            Completion::Opened { token: t, result } if *t == token => Some(result.clone()),
            _ => None,
        });
        assert_eq!(result.map_err(|e| e.kind), Err(IoErrorKind::NotFound));
    }
    let token = rig.token();
    let path = dir.path().join("none");
    rig.ops.push(Op::ReadWhole { token, path, length_max: 10 });
    let result = rig.read_result(token);
    assert_eq!(result.map_err(|e| e.kind), Err(IoErrorKind::NotFound));
}

pub(crate) fn what_was_written_is_read(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let path = dir.path().join("log");
    let (file, length) = rig.open(path.clone(), OpenMode::Create);
    assert_eq!(length, 0);
    let content = Bytes::from(pattern(3_000_000, 1));
    // Sizes on both sides of the inline bound, empty chunks among them.
    let mut position = 0;
    for length in [0, 1, 4096, 100_000, 1_200_000, 1_695_903] {
        let slice = content.slice(position..position + length);
        let half = slice.len() / 2;
        let chunks = vec![slice.slice(..half), Bytes::new(), slice.slice(half..)];
        assert_eq!(rig.write(&file, position as u64, chunks), Ok(()));
        position += length;
    }
    assert_eq!(position, content.len());
    assert_eq!(rig.read(&file, 0, 3_000_000), Ok(content.clone()));
    assert_eq!(rig.read(&file, 2_999_990, 100), Ok(content.slice(2_999_990..)), "short at the end");
    assert_eq!(rig.read(&file, 5_000_000, 100), Ok(Bytes::new()), "nothing past the end");
    assert_eq!(rig.read(&file, 17, 0), Ok(Bytes::new()));
    let token = rig.token();
    rig.ops.push(Op::Sync { token, file: file.clone() });
    assert_eq!(rig.done(token), Ok(()));
    let (again, length) = rig.open(path, OpenMode::ReadWrite);
    assert_eq!(length, 3_000_000);
    assert_ne!(again, file, "each open is a file of its own");
    assert_eq!(rig.read(&again, 100, 50), Ok(content.slice(100..150)));
}

pub(crate) fn a_write_of_thousands_of_chunks_is_whole(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    // Past IOV_MAX, small in sum (inline) and large in sum (ring).
    for (chunk_bytes, position) in [(7, 0), (1000, 50_000)] {
        let content = Bytes::from(pattern(chunk_bytes * 3000, 2));
        let chunks: Vec<Bytes> =
            (0..3000).map(|i| content.slice(i * chunk_bytes..(i + 1) * chunk_bytes)).collect();
        assert_eq!(rig.write(&file, position, chunks), Ok(()));
        let length = u32::try_from(content.len()).expect("small");
        assert_eq!(rig.read(&file, position, length), Ok(content));
    }
}

pub(crate) fn a_thousand_opens_all_answer(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let mut tokens = std::collections::BTreeSet::new();
    for index in 0..1000 {
        let token = rig.token();
        tokens.insert(token);
        let path = dir.path().join(format!("{index}"));
        rig.ops.push(Op::Open { token, path, mode: OpenMode::Create });
    }
    while !tokens.is_empty() {
        let (token, ok) = rig.until("Opened", |completion| match completion {
            Completion::Opened { token, result } => Some((*token, result.is_ok())),
            _ => None,
        });
        assert!(ok);
        assert!(tokens.remove(&token), "one completion per op");
    }
}

pub(crate) fn lengths_and_blocks_do_as_told(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let path = dir.path().join("log");
    let (file, _) = rig.open(path.clone(), OpenMode::Create);
    let token = rig.token();
    rig.ops.push(Op::Allocate { token, file: file.clone(), position: 0, length: 1 << 20 });
    assert_eq!(rig.done(token), Ok(()));
    assert_eq!(std::fs::metadata(&path).expect("there").len(), 0, "blocks, not length");
    assert_eq!(rig.write(&file, 0, vec![Bytes::from_static(b"0123456789")]), Ok(()));
    let token = rig.token();
    rig.ops.push(Op::Truncate { token, file: file.clone(), length: 4 });
    assert_eq!(rig.done(token), Ok(()));
    assert_eq!(rig.read(&file, 0, 100), Ok(Bytes::from_static(b"0123")));
    // Hints never answer and never harm.
    rig.ops.push(Op::Writeback { file: file.clone(), position: 0, length: 4 });
    rig.ops.push(Op::DropCache { file: file.clone(), position: 0, length: 4 });
    assert_eq!(rig.read(&file, 0, 100), Ok(Bytes::from_static(b"0123")));
}

pub(crate) fn folders_do_as_told(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let deep = dir.path().join("a/b/c");
    let token = rig.token();
    rig.ops.push(Op::MakeDir { token, path: deep.clone(), is_new: true });
    assert_eq!(rig.done(token), Ok(()));
    for name in ["z", "m", "a"] {
        let (file, _) = rig.open(deep.join(name), OpenMode::Create);
        assert_eq!(rig.write(&file, 0, vec![Bytes::from_static(b"abc")]), Ok(()));
    }
    let token = rig.token();
    rig.ops.push(Op::MakeDir { token, path: deep.join("n"), is_new: false });
    assert_eq!(rig.done(token), Ok(()));
    let token = rig.token();
    rig.ops.push(Op::Rename { token, from: deep.join("z"), to: deep.join("b") });
    assert_eq!(rig.done(token), Ok(()));
    let token = rig.token();
    rig.ops.push(Op::SyncDir { token, path: deep.clone() });
    assert_eq!(rig.done(token), Ok(()));
    let entries = list(&mut rig, &deep).expect("a folder");
    let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.length, e.is_dir)).collect();
    assert_eq!(names, [("a", 3, false), ("b", 3, false), ("m", 3, false), ("n", 0, true)]);
    assert!(entries.iter().all(|entry| entry.modified_ms > 1_600_000_000_000));
    for _ in 0..2 {
        let token = rig.token();
        rig.ops.push(Op::Remove { token, path: dir.path().join("a") });
        assert_eq!(rig.done(token), Ok(()), "what is gone counts as removed");
    }
    assert_eq!(list(&mut rig, &deep).map_err(|e| e.kind), Err(IoErrorKind::NotFound));
    let token = rig.token();
    rig.ops.push(Op::Rename { token, from: deep, to: dir.path().join("x") });
    assert_eq!(rig.done(token).map_err(|e| e.kind), Err(IoErrorKind::NotFound));
}

fn list(rig: &mut Rig, path: &Path) -> Result<Vec<millrace_io::DirEntry>, millrace_io::IoError> {
    let token = rig.token();
    rig.ops.push(Op::List { token, path: path.to_owned() });
    rig.until("Listed", |completion| match completion {
        Completion::Listed { token: t, result } if *t == token => Some(result.clone()),
        _ => None,
    })
}

pub(crate) fn small_files_are_read_and_replaced_whole(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let path = dir.path().join("checkpoint");
    for content in [&b"first"[..], b"the second, longer", b""] {
        let token = rig.token();
        let content = Bytes::from_static(content);
        rig.ops.push(Op::WriteWhole { token, path: path.clone(), content: content.clone() });
        assert_eq!(rig.done(token), Ok(()));
        let token = rig.token();
        rig.ops.push(Op::ReadWhole { token, path: path.clone(), length_max: 18 });
        assert_eq!(rig.read_result(token), Ok(content));
        assert_eq!(list(&mut rig, dir.path()).expect("a folder").len(), 1, "nothing left aside");
    }
    std::fs::write(&path, b"longer than allowed").expect("writes");
    let token = rig.token();
    rig.ops.push(Op::ReadWhole { token, path, length_max: 18 });
    assert_eq!(rig.read_result(token).map_err(|e| e.kind), Err(IoErrorKind::Other));
}

/// A filesystem of 1 MiB, unmounted when dropped.
struct TinyDisk(tempfile::TempDir);

impl TinyDisk {
    fn mount() -> Option<Self> {
        let dir = folder();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "millrace-test"])
            .arg(dir.path())
            .output();
        mount.ok()?.status.success().then_some(Self(dir))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

pub(crate) fn a_full_disk_is_no_space(backend: Backend) {
    let Some(disk) = TinyDisk::mount() else {
        eprintln!("not run: mounting a tmpfs needs root");
        return;
    };
    let mut rig = Rig::new(backend);
    let (file, _) = rig.open(disk.0.path().join("log"), OpenMode::Create);
    let chunk = Bytes::from(vec![1; 600_000]);
    assert_eq!(rig.write(&file, 0, vec![chunk.clone()]), Ok(()));
    let full = rig.write(&file, 600_000, vec![chunk.clone(), chunk.clone()]);
    assert_eq!(full.map_err(|e| e.kind), Err(IoErrorKind::NoSpace));
    let token = rig.token();
    let path = disk.0.path().join("checkpoint");
    rig.ops.push(Op::WriteWhole { token, path: path.clone(), content: chunk.clone() });
    assert_eq!(rig.done(token).map_err(|e| e.kind), Err(IoErrorKind::NoSpace));
    assert!(!path.with_extension("tmp").exists(), "the piece that fitted is removed");
    assert_eq!(rig.read(&file, 0, 600_000), Ok(chunk.clone()), "what was there is there");
    let token = rig.token();
    rig.ops.push(Op::Truncate { token, file: file.clone(), length: 0 });
    assert_eq!(rig.done(token), Ok(()));
    assert_eq!(rig.write(&file, 0, vec![chunk]), Ok(()), "and space given back is used");
}

pub(crate) fn cold_ranges_are_fetched(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    let content = Bytes::from(pattern(2_000_000, 3));
    assert_eq!(rig.write(&file, 0, vec![content.clone()]), Ok(()));
    let token = rig.token();
    rig.ops.push(Op::Sync { token, file: file.clone() });
    assert_eq!(rig.done(token), Ok(()));
    for length in [2_000_000, 5_000_000] {
        rig.ops.push(Op::DropCache { file: file.clone(), position: 0, length: 0 });
        let token = rig.token();
        rig.ops.push(Op::Prefetch { token, file: file.clone(), position: 0, length });
        assert_eq!(rig.done(token), Ok(()), "beyond the end counts as fetched");
        rig.ops.push(Op::DropCache { file: file.clone(), position: 0, length: 0 });
        assert_eq!(rig.read(&file, 0, 2_000_000), Ok(content.clone()));
    }
}

pub(crate) fn a_file_outlives_its_name(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let path = dir.path().join("log");
    let (file, _) = rig.open(path.clone(), OpenMode::Create);
    let clone = file.clone();
    drop(file);
    let token = rig.token();
    rig.ops.push(Op::Remove { token, path: path.clone() });
    assert_eq!(rig.done(token), Ok(()));
    assert_eq!(rig.write(&clone, 0, vec![Bytes::from_static(b"still")]), Ok(()));
    assert_eq!(rig.read(&clone, 0, 10), Ok(Bytes::from_static(b"still")));
    assert!(!path.exists());
}

/// Waits until everything that was asked for in the background before is done.
fn pass_background(rig: &mut Rig) {
    let token = rig.token();
    rig.ops.push(Op::Compute { token, work: Work::new((), |()| ()) });
    rig.until("Computed", |completion| match completion {
        Completion::Computed { token: t, .. } => (*t == token).then_some(()),
        _ => None,
    });
}

pub(crate) fn what_is_read_behind_leaves_the_page_cache_as_it_was(backend: Backend) {
    const LENGTH: u32 = 2_000_000;
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let path = dir.path().join("log");
    let content = Bytes::from(pattern(LENGTH as usize, 5));
    let (written, _) = rig.open(path.clone(), OpenMode::Create);
    assert_eq!(rig.write(&written, 0, vec![content.clone()]), Ok(()));
    let token = rig.token();
    rig.ops.push(Op::Sync { token, file: written.clone() });
    assert_eq!(rig.done(token), Ok(()));
    let pages = |file: &FileRef| sys::cached_pages(handle(file).as_fd(), 0, LENGTH.into());
    let Ok(all) = pages(&written) else {
        eprintln!("not run: this kernel does not tell what is cached");
        return;
    };
    for is_cached in [true, false] {
        if !is_cached {
            let advice = sys::Advice::Drop;
            sys::advise(handle(&written).as_fd(), 0, 0, advice).expect("advised");
            if pages(&written).expect("told") > all / 10 {
                eprintln!("not run: this filesystem does not forget");
                return;
            }
        }
        // A file of its own, as a compaction has.
        let (file, _) = rig.open(path.clone(), OpenMode::Read);
        let token = rig.token();
        let read = Op::ReadBehind { token, file: file.clone(), position: 0, length: LENGTH };
        rig.ops.push(read);
        assert_eq!(rig.read_result(token), Ok(content.clone()));
        rig.ops.push(Op::DropCache { file, position: 0, length: LENGTH.into() });
        pass_background(&mut rig);
        let left = pages(&written).expect("told");
        assert_eq!(left > all / 2, is_cached, "{left} of {all} pages");
    }
}

pub(crate) fn what_is_written_behind_is_read(backend: Backend) {
    let (dir, mut rig) = (folder(), Rig::new(backend));
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    let content = Bytes::from(pattern(700_000, 6));
    let chunks = vec![content.slice(..300_000), Bytes::new(), content.slice(300_000..)];
    let token = rig.token();
    rig.ops.push(Op::WriteBehind { token, file: file.clone(), position: 0, chunks });
    let result = rig.until("Wrote", |completion| match completion {
        Completion::Wrote { token: t, result, .. } if *t == token => Some(*result),
        _ => None,
    });
    assert_eq!(result, Ok(()));
    assert_eq!(rig.read(&file, 0, 1_000_000), Ok(content));
}
