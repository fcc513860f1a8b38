//! One partition's log.

#![forbid(unsafe_code)]
