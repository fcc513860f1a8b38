//! Work for a processor, not for a device: too long for a turn of a shard.

use std::any::Any;
use std::fmt;

/// What [`crate::Op::Compute`] carries: a pure function together with the value it is given.
///
/// A driver runs it on a background thread, the simulated world when the op takes effect. What it
/// gives comes back as it is in [`crate::Completion::Computed`]; only who made the op knows what is
/// in it.
pub struct Work(Box<dyn FnOnce() -> Computed + Send>);

/// What a [`Work`] gave.
pub struct Computed(Box<dyn Any + Send>);

impl Work {
    /// The function `run`, to be given `input`. A plain function: all that it knows is in `input`.
    pub fn new<I: Send + 'static, O: Send + 'static>(input: I, run: fn(I) -> O) -> Self {
        Self(Box::new(move || Computed(Box::new(run(input)))))
    }

    /// Runs it. For drivers.
    pub fn run(self) -> Computed {
        (self.0)()
    }
}

impl Computed {
    /// The value, if it is of type `O`.
    pub fn take<O: 'static>(self) -> Option<O> {
        self.0.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Computed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_function_gives_comes_back_as_its_own_type_only() {
        let work = || Work::new(vec![1_u8, 2, 3], |bytes| bytes.len());
        assert_eq!(work().run().take::<usize>(), Some(3));
        assert_eq!(work().run().take::<u8>(), None);
    }
}
