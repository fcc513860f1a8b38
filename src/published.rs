//! A place where a shard leaves what it knows for the admin port to read.
//!
//! Whoever reads holds the lock for as long as it takes to count a reference up; the shard does not
//! wait for it, but keeps what it has until the next time.

use std::sync::{Arc, Mutex, PoisonError};

/// See the file's head.
#[derive(Debug, Default)]
pub struct Published<T>(Mutex<Arc<T>>);

impl<T> Published<T> {
    /// Leaves it there. False if somebody reads at this very moment: nothing has changed then.
    pub fn publish(&self, news: Arc<T>) -> bool {
        let Ok(mut place) = self.0.try_lock() else { return false };
        *place = news;
        true
    }

    /// What was left there last.
    pub fn read(&self) -> Arc<T> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
