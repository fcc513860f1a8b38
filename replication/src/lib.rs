//! Cluster metadata.

#![forbid(unsafe_code)]
