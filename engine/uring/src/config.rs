//! What a driver can be told.

/// Which driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// io_uring where the kernel lets us, else epoll.
    #[default]
    Auto,
    /// io_uring, or an error.
    Uring,
    /// epoll.
    Epoll,
}

impl std::str::FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "uring" => Ok(Self::Uring),
            "epoll" => Ok(Self::Epoll),
            other => Err(format!("`{other}` is not one of auto, uring, epoll")),
        }
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Uring => "uring",
            Self::Epoll => "epoll",
        })
    }
}

/// Where appends run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendPolicy {
    /// By filesystem: on the ring where a ring write completes inline (XFS, btrfs), elsewhere by a
    /// plain call while the file is healthy and the write small.
    #[default]
    Auto,
    /// Always by a plain call on the shard.
    Inline,
    /// Always by the ring (with epoll: a helper thread).
    Ring,
}

/// All shards of a process are made with one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverConfig {
    /// Shards, at least 1.
    pub shards: u16,
    /// Which driver.
    pub backend: Backend,
    /// The CPU of each shard's thread; shards beyond the list are not pinned.
    pub pin_cpus: Vec<usize>,
    /// Helper threads of the process for slow file operations, at least 2.
    pub helper_threads: usize,
    /// Whether SIGTERM and SIGINT become [`millrace_io::Completion::Stop`]. Off for tests and tools
    /// that want the default action.
    pub stop_on_signals: bool,
    /// Bytes of one pooled receive buffer: what a connection gets in one piece at most.
    pub receive_buffer_bytes: u32,
    /// Receive buffers per shard (a power of two); shared by all connections, idle ones hold none.
    pub receive_buffer_count: u16,
    /// SO_SNDBUF of connections; `None` leaves it to the kernel's auto-tuning. The kernel takes twice
    /// as much, up to twice `net.core.wmem_max`. Below the length of an answer each resumption is an
    /// event and a turn: 1 MiB fetches by sendfile to a consumer that copies cost 0.072, 0.063,
    /// 0.050, 0.057 CPU-s/GB with 256 KiB, 512 KiB, 1 MiB, 2 MiB, and 0.059 in the naive server with
    /// auto-tuning. What waits there is ranges of files: pages of the cache, no memory of its own.
    pub send_buffer_bytes: Option<u32>,
    /// SO_RCVBUF of connections; `None` leaves it to the kernel's auto-tuning, as it should be:
    /// 1 MiB frames cost 0.13 CPU-s/GB to receive that way, 0.31 with 100 KiB, 0.27 with 256 KiB.
    pub socket_receive_buffer_bytes: Option<u32>,
    /// Connections the kernel may hold before they are accepted.
    pub backlog: u16,
    /// Mail that fits between two shards before the sender has to keep it (a power of two).
    pub mail_capacity: usize,
    /// Where appends run.
    pub append_policy: AppendPolicy,
    /// Writes up to this many bytes may run inline under [`AppendPolicy::Auto`]. By ring and by
    /// call cost the same at 512 KiB on ext4 and tmpfs; at 64 KiB the ring's worker costs a tenth
    /// more, at 1 MiB a twentieth less, and it runs beside the shard.
    pub inline_write_bytes_max: usize,
    /// Free bytes each size class of the file-read pool keeps.
    pub read_pool_class_bytes: usize,
    /// With io_uring: under load, wait up to so many µs for [`Self::batch_completions`] completions
    /// before turning. 0 turns as soon as there is one.
    pub batch_wait_us: u32,
    /// See [`Self::batch_wait_us`].
    pub batch_completions: u16,
    /// With io_uring: how long the completions of sends may wait for something else to come, µs.
    /// Most sends complete within the call that submits them, and turning for those alone is one
    /// call more for each reply. The next send on the same connection waits as long. 0 turns at
    /// once. Off by default: 5 ms halve the calls of a lone connection, and its CPU stays the same;
    /// 100 µs cost it a third more CPU on a virtual machine, where short timers are dear.
    pub sent_wait_us: u32,
}

impl Default for DriverConfig {
    fn default() -> Self {
        Self {
            shards: 1,
            backend: Backend::Auto,
            pin_cpus: Vec::new(),
            helper_threads: 4,
            stop_on_signals: false,
            receive_buffer_bytes: 64 * 1024,
            receive_buffer_count: 256,
            send_buffer_bytes: Some(1024 * 1024),
            socket_receive_buffer_bytes: None,
            backlog: 1024,
            mail_capacity: 1024,
            append_policy: AppendPolicy::Auto,
            inline_write_bytes_max: 384 * 1024,
            read_pool_class_bytes: 16 * 1024 * 1024,
            batch_wait_us: 0,
            batch_completions: 16,
            sent_wait_us: 0,
        }
    }
}
