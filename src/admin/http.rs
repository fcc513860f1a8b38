//! As much of HTTP/1.1 as a scraper and a health check need: the head of a GET or HEAD, a whole reply.
//!
//! Pure: bytes in, bytes out. Sources: RFC 9112; RFC 9110, section 9.3.2, for HEAD.

/// The largest head of a request, bytes.
pub(super) const HEAD_BYTES_MAX: usize = 8 << 10;
/// The most header fields of a request.
const FIELDS_MAX: usize = 64;

/// What the bytes of a request say so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// More has to come.
    Partial,
    /// A GET of this path, without its query.
    Get(String),
    /// A HEAD of it: all but the body is wanted.
    Bodyless(String),
    /// Another method.
    Method,
    /// Not HTTP.
    Malformed,
    /// Longer than [`HEAD_BYTES_MAX`], or with more fields than are read.
    TooLarge,
    /// It did not come in time.
    TooSlow,
}

impl Head {
    /// Reads what has come so far.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(bytes) {
            Ok(httparse::Status::Partial) => Self::Partial,
            Ok(httparse::Status::Complete(_)) => {
                let target = request.path.unwrap_or_default();
                let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
                match request.method {
                    Some("GET") => Self::Get(path),
                    Some("HEAD") => Self::Bodyless(path),
                    _ => Self::Method,
                }
            }
            Err(httparse::Error::TooManyHeaders) => Self::TooLarge,
            Err(_) => Self::Malformed,
        }
    }

    /// The path that is wanted, or the reply that says why there is none.
    pub(super) fn path(&self) -> Result<&str, Reply> {
        let refuse = |status, body: &str| Err(Reply::new(status, body.to_owned()));
        match self {
            Self::Get(path) | Self::Bodyless(path) => Ok(path),
            Self::Method => refuse("405 Method Not Allowed", "only GET and HEAD\n"),
            Self::Partial | Self::Malformed => refuse("400 Bad Request", "not an HTTP request\n"),
            Self::TooLarge => refuse("431 Request Header Fields Too Large", "too large\n"),
            Self::TooSlow => refuse("408 Request Timeout", "too slow\n"),
        }
    }
}

/// A reply, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    status: &'static str,
    content_type: &'static str,
    body: String,
    /// The body is told of and not sent.
    is_head: bool,
}

impl Reply {
    fn new(status: &'static str, body: String) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body, is_head: false }
    }

    /// All is well.
    pub(super) fn text(body: String) -> Self {
        Self::new("200 OK", body)
    }

    /// Metrics in Prometheus' text format 0.0.4.
    pub(super) fn metrics(body: String) -> Self {
        Self {
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            ..Self::new("200 OK", body)
        }
    }

    /// JSON.
    pub(super) fn json(body: String) -> Self {
        Self { content_type: "application/json; charset=utf-8", ..Self::new("200 OK", body) }
    }

    /// Not now.
    pub(super) fn unavailable(body: String) -> Self {
        Self::new("503 Service Unavailable", body)
    }

    /// No such path.
    pub(super) fn not_found() -> Self {
        Self::new("404 Not Found", "there are /metrics, /healthz and /readyz\n".to_owned())
    }

    /// The reply as the answer to a HEAD.
    pub(super) fn without_body(self) -> Self {
        Self { is_head: true, ..self }
    }

    /// What goes over the socket.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self { status, content_type, body, is_head } = self;
        let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\n{allow}Connection: close\r\n\r\n{}",
            body.len(),
            if *is_head { "" } else { body }
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_is_whole_only_with_its_empty_line() {
        let request = b"GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n";
        for length in 0..request.len() {
            assert_eq!(Head::read(&request[..length]), Head::Partial, "{length} bytes");
        }
        assert_eq!(Head::read(request), Head::Get("/metrics".to_owned()));
    }

    #[test]
    fn a_head_is_answered_with_the_length_of_a_body_that_does_not_come() {
        let head = Head::read(b"HEAD /healthz HTTP/1.1\r\n\r\n");
        assert_eq!(head.path(), Ok("/healthz"));
        let reply = Reply::text("alive\n".to_owned()).without_body().bytes();
        let reply = String::from_utf8_lossy(&reply).into_owned();
        assert!(reply.contains("\r\nContent-Length: 6\r\n") && reply.ends_with("\r\n\r\n"));
    }

    #[test]
    fn what_is_neither_is_told_so() {
        assert_eq!(Head::read(b"POST / HTTP/1.1\r\n\r\n"), Head::Method);
        assert_eq!(Head::read(b"\x16\x03\x01\x02\x00\x01"), Head::Malformed);
        assert_eq!(Head::read(b"GET / HTTP/9.9\r\n\r\n"), Head::Malformed);
        let fields = "a: b\r\n".repeat(FIELDS_MAX + 1);
        let request = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(Head::read(request.as_bytes()), Head::TooLarge);
        let reply = Head::Method.path().expect_err("no path");
        assert!(String::from_utf8_lossy(&reply.bytes()).contains("\r\nAllow: GET, HEAD\r\n"));
    }
}
