//! One connection to a broker: framed requests out, framed replies in, with time-outs.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::layout::Layouts;

/// How long a reply may take before it counts as missing.
const REPLY_MAX: Duration = Duration::from_secs(15);

/// The largest reply that is read.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// What came back.
pub enum Reply {
    /// A frame's payload: response header and body.
    Frame(Vec<u8>),
    /// The broker closed the connection.
    Closed,
    /// Nothing within the time-out.
    Silence,
}

/// One connection. Dropping it closes it.
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects to `bootstrap` (`HOST:PORT`).
    pub fn open(bootstrap: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(bootstrap).with_context(|| format!("connect {bootstrap}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_MAX))?;
        Ok(Self { stream })
    }

    /// Writes bytes as they are. A connection that is closed by now shows at the next read.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads one frame.
    pub fn receive(&mut self) -> Result<Reply> {
        let mut size = [0; 4];
        if let Some(end) = self.fill(&mut size)? {
            return Ok(end);
        }
        let size = usize::try_from(u32::from_be_bytes(size))?;
        anyhow::ensure!(size <= REPLY_BYTES_MAX, "a reply of {size} bytes");
        let mut frame = vec![0; size];
        Ok(self.fill(&mut frame)?.unwrap_or(Reply::Frame(frame)))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<Option<Reply>> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Ok(None),
            Err(error) => match error.kind() {
                ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe => Ok(Some(Reply::Closed)),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(Some(Reply::Silence)),
                _ => Err(error).context("read"),
            },
        }
    }
}

/// The client id of whatever does not say another one.
pub const CLIENT: &str = "oracle";

/// A whole request frame: length, header with the id of `client`, and `body`.
pub fn frame(
    layouts: &Layouts,
    (api, version): (&str, i16),
    (client, correlation): (&str, i32),
    body: &[u8],
) -> Result<Vec<u8>> {
    let request = layouts.request(api)?;
    let mut header = Vec::new();
    header.extend_from_slice(&request.key.to_be_bytes());
    header.extend_from_slice(&version.to_be_bytes());
    header.extend_from_slice(&correlation.to_be_bytes());
    header.extend_from_slice(&i16::try_from(client.len())?.to_be_bytes());
    header.extend_from_slice(client.as_bytes());
    if request.flexible.holds(version) {
        header.push(0);
    }
    let mut frame = u32::try_from(header.len() + body.len())?.to_be_bytes().to_vec();
    frame.extend_from_slice(&header);
    frame.extend_from_slice(body);
    Ok(frame)
}
