//! What all messages have in common, and the catalogue entry of an API.

use crate::api_key::ApiKey;
use millrace_wire::{Reader, WireError, Writer};

/// A request or a response of one API.
pub trait Message: Sized {
    /// The API.
    const KEY: ApiKey;
    /// The first version that can be read and written.
    const VERSION_MIN: i16;
    /// The last version that can be read and written.
    const VERSION_MAX: i16;

    /// Reads the message in `version`; what follows it is left unread, as Kafka does.
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError>;

    /// Appends the message in `version`. An unknown version is our own fault.
    fn encode(&self, writer: &mut Writer, version: i16);
}

/// A request, and what answers it.
pub trait Request: Message {
    /// What answers it.
    type Response: Message;
}

/// Reads a body in `version` and writes it again.
pub type Rewrite = fn(body: &[u8], version: i16) -> Result<Vec<u8>, WireError>;

/// One API in [`crate::messages::CATALOGUE`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The API.
    pub key: ApiKey,
    /// The first version that can be read and written.
    pub version_min: i16,
    /// The last version that can be read and written.
    pub version_max: i16,
    /// Reads a request's body and writes it again.
    pub request: Rewrite,
    /// Reads a response's body and writes it again.
    pub response: Rewrite,
}

/// The entry of the API whose request is `R`.
pub const fn entry<R: Request>() -> Entry {
    Entry {
        key: R::KEY,
        version_min: R::VERSION_MIN,
        version_max: R::VERSION_MAX,
        request: rewrite::<R>,
        response: rewrite::<R::Response>,
    }
}

fn rewrite<M: Message>(body: &[u8], version: i16) -> Result<Vec<u8>, WireError> {
    let message = M::decode(&mut Reader::new(body), version)?;
    let mut writer = Writer::new();
    message.encode(&mut writer, version);
    Ok(writer.into_vec())
}
