//! What stands before a body, and whole frames around one.
//!
//! ```text
//! request:  length i32 | api_key i16 | api_version i16 | correlation_id i32 | client_id | (tags) | body
//! response: length i32 | correlation_id i32 | (tags) | body
//! ```
//!
//! The tags are there when the API's version is flexible, except before an ApiVersions response,
//! whose reader cannot know the version yet. The client id keeps its classic form in both request
//! headers. Source: Kafka protocol guide, "Request Header", "Response Header"; KIP-482, KIP-511.

use crate::api_key::ApiKey;
use crate::frame::LENGTH_BYTES;
use crate::message::{Message, Request};
use millrace_wire::{Reader, WireError, Writer};

/// The version of the request header: 2 with tagged fields, otherwise 1.
pub const fn request_header_version(key: ApiKey, version: i16) -> i16 {
    if key.is_flexible(version) { 2 } else { 1 }
}

/// The version of the response header: 1 with tagged fields, otherwise 0.
pub const fn response_header_version(key: ApiKey, version: i16) -> i16 {
    if matches!(key, ApiKey::ApiVersions) || !key.is_flexible(version) { 0 } else { 1 }
}

/// A request's header, borrowed from its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader<'a> {
    /// What is asked for.
    pub key: ApiKey,
    /// In which version. Any number the client chose; not checked against what we serve.
    pub version: i16,
    /// What the response must repeat.
    pub correlation_id: i32,
    /// The name the client gives itself.
    pub client_id: Option<&'a str>,
}

impl<'a> RequestHeader<'a> {
    /// Reads a header from the front of a frame and leaves `reader` at the body.
    ///
    /// A key that was never assigned is [`WireError::Invalid`]; nothing behind it can be read.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let key = reader.i16()?;
        let key = ApiKey::from_code(key).ok_or(WireError::Invalid("no such API key"))?;
        let version = reader.i16()?;
        let correlation_id = reader.i32()?;
        let client_id = reader.nullable_string()?;
        if request_header_version(key, version) == 2 {
            reader.skip_tagged_fields()?;
        }
        Ok(Self { key, version, correlation_id, client_id })
    }

    /// Appends the header. The client id may hold 32,767 bytes at most.
    pub fn encode(&self, writer: &mut Writer) {
        writer.i16(self.key.code());
        writer.i16(self.version);
        writer.i32(self.correlation_id);
        writer.nullable_string(self.client_id);
        if request_header_version(self.key, self.version) == 2 {
            writer.no_tagged_fields();
        }
    }
}

/// Reads a response's header, for an answer to a request of `key` in `version`, and gives its
/// correlation id.
pub fn decode_response_header(
    reader: &mut Reader<'_>,
    key: ApiKey,
    version: i16,
) -> Result<i32, WireError> {
    let correlation_id = reader.i32()?;
    if response_header_version(key, version) == 1 {
        reader.skip_tagged_fields()?;
    }
    Ok(correlation_id)
}

/// A frame with room for its length and a response's header, ready for the body.
/// [`finish_frame`] ends it.
pub fn begin_response(key: ApiKey, version: i16, correlation_id: i32) -> Writer {
    let mut writer = Writer::over(Vec::with_capacity(128));
    writer.i32(0);
    writer.i32(correlation_id);
    if response_header_version(key, version) == 1 {
        writer.no_tagged_fields();
    }
    writer
}

/// Fills in the length of a frame whose first four bytes were left for it.
pub fn finish_frame(writer: Writer) -> Vec<u8> {
    let mut frame = writer.into_vec();
    let length = i32::try_from(frame.len().saturating_sub(LENGTH_BYTES));
    assert!(length.is_ok(), "a frame of {} bytes", frame.len());
    frame[..LENGTH_BYTES].copy_from_slice(&length.unwrap_or_default().to_be_bytes());
    frame
}

/// A whole response frame, length included.
pub fn response_frame<M: Message>(message: &M, version: i16, correlation_id: i32) -> Vec<u8> {
    let mut writer = begin_response(M::KEY, version, correlation_id);
    message.encode(&mut writer, version);
    finish_frame(writer)
}

/// A whole request frame, length included.
pub fn request_frame<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Vec<u8> {
    let mut writer = Writer::over(Vec::with_capacity(128));
    writer.i32(0);
    let header = RequestHeader { key: R::KEY, version, correlation_id, client_id };
    header.encode(&mut writer);
    request.encode(&mut writer, version);
    finish_frame(writer)
}

/// Reads the answer to a request `R` from a frame without its length: correlation id and body.
pub fn read_response<R: Request>(
    frame: &[u8],
    version: i16,
) -> Result<(i32, R::Response), WireError> {
    let mut reader = Reader::new(frame);
    let correlation_id = decode_response_header(&mut reader, R::KEY, version)?;
    let response = R::Response::decode(&mut reader, version)?;
    Ok((correlation_id, response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};

    #[test]
    fn api_versions_answers_with_the_oldest_header_in_every_version() {
        for version in 0..=4 {
            assert_eq!(response_header_version(ApiKey::ApiVersions, version), 0);
        }
        assert_eq!(request_header_version(ApiKey::ApiVersions, 2), 1);
        assert_eq!(request_header_version(ApiKey::ApiVersions, 3), 2);
        assert_eq!(response_header_version(ApiKey::Fetch, 12), 1);
        assert_eq!(response_header_version(ApiKey::Fetch, 11), 0);
        assert_eq!(request_header_version(ApiKey::SaslHandshake, 1), 1);
    }

    #[test]
    fn a_request_frame_reads_back() {
        let request = ApiVersionsRequest {
            client_software_name: "millrace".to_owned(),
            client_software_version: "1".to_owned(),
        };
        let frame = request_frame(&request, 3, 7, Some("me"));
        let mut reader = Reader::new(&frame);
        assert_eq!(reader.i32(), Ok(i32::try_from(frame.len() - 4).unwrap()));
        let header = RequestHeader::decode(&mut reader).unwrap();
        assert_eq!(header.client_id, Some("me"));
        assert_eq!((header.key, header.version), (ApiKey::ApiVersions, 3));
        let body = ApiVersionsRequest::decode(&mut reader, header.version);
        assert_eq!(body, Ok(request));
        assert_eq!(reader.remaining(), 0);
    }

    #[test]
    fn a_response_frame_reads_back() {
        let response =
            ApiVersionsResponse { throttle_time_ms: 9, ..ApiVersionsResponse::default() };
        let frame = response_frame(&response, 4, 7);
        let read = read_response::<ApiVersionsRequest>(&frame[4..], 4);
        assert_eq!(read, Ok((7, response)));
    }

    #[test]
    fn a_key_that_was_never_assigned_is_refused() {
        let mut reader = Reader::new(&[0x7f, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
        assert_eq!(RequestHeader::decode(&mut reader), Err(WireError::Invalid("no such API key")));
    }
}
