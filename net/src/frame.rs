//! The limits of a frame. Reading frames from a socket is the connection's work.

/// The length before each frame, bytes; it does not count itself.
pub const LENGTH_BYTES: usize = 4;

/// The largest frame that is accepted unless configured otherwise, bytes, without its length.
/// Source: Kafka's `socket.request.max.bytes`.
pub const FRAME_BYTES_MAX: usize = 104_857_600;
