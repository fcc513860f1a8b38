//! A panic that ends one thread and not the process.
//!
//! Millrace aborts on a panic, lest a shard go on with state that is half changed. A computation over
//! values of its own leaves nothing half changed, so its end need not be everybody's. The panic hook
//! runs before anything is unwound or aborted, on the thread that panicked
//! ([`std::panic::set_hook`]): while a contained computation runs there, the hook carries out its
//! will and never returns. The thread stands still from then on, with all that it held; std's lock of
//! the hook is among it, so that nobody may set or take a hook afterwards.

use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;
use std::{process, thread};

/// What is done on the thread that panicked, after the panic was told. False if nobody can take
/// over: the process ends.
pub(crate) type Will = Box<dyn FnOnce() -> bool>;

thread_local! {
    /// Of the computation that runs on this thread.
    static WILL: Cell<Option<Will>> = const { Cell::new(None) };
}

/// Puts the hook before the one there is; once in a process. Whoever sets another one later puts it out
/// of work.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            tell(panic);
            let Some(will) = WILL.take() else { return };
            if !will() {
                // As builds that serve do, so that those of tests do not wait for the dead.
                process::abort();
            }
            loop {
                thread::park();
            }
        }));
    });
}

/// Runs `work`. If it panics and `will` says true, this never returns; [`install`] came before.
///
/// `will` may take locks that `work` does not.
pub(crate) fn run<T>(will: Will, work: impl FnOnce() -> T) -> T {
    WILL.set(Some(will));
    let value = work();
    WILL.set(None);
    value
}
