//! The admin port over a real socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::broker::{Broker, PATIENCE, run, text};

#[test]
fn a_broker_becomes_ready_and_counts_what_it_does() {
    let broker = Broker::start_with(&["--shards", "2"]);
    assert_eq!(broker.admin_get("/healthz"), ("HTTP/1.1 200 OK".into(), "alive\n".into()));
    broker.wait_ready();
    assert_eq!(broker.metric("millrace_shards"), Some(2.0));
    assert_eq!(broker.metric("millrace_serving"), Some(2.0));
    assert!(broker.metric("process_resident_memory_bytes") > Some(1_000_000.0));
    let count = "millrace_request_seconds_count{api=\"ApiVersions\"}";
    assert_eq!(broker.metric(count), Some(0.0));
    let mut stream = TcpStream::connect(&broker.listen).unwrap();
    // ApiVersions 0, correlation id 7, no client id.
    stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]).unwrap();
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply[4..], [0, 0, 0, 7, 0, 0]);
    assert_eq!(broker.metric(count), Some(1.0));
    assert_eq!(broker.metric("millrace_connections"), Some(1.0));
}

#[test]
fn hostile_requests_are_refused_and_the_port_goes_on() {
    let broker = Broker::start();
    let status = |request: &[u8]| {
        broker.admin_exchange(request).lines().next().map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(status(b"POST /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(status(b"GET /secret HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
    assert_eq!(status(b"\0\0\0\x0a\0\x12\0\0"), "HTTP/1.1 400 Bad Request");
    let endless = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    assert_eq!(status(endless.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    let idle: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(&broker.admin).unwrap()).collect();
    let mut last = idle.last().unwrap();
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut refusal = String::new();
    last.read_to_string(&mut refusal).unwrap();
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    drop(idle);
    broker.wait_ready();
}

#[test]
fn an_admin_address_that_was_asked_for_must_be_had() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let data_dir = data.path().to_str().unwrap();
    let output = run(
        &["serve", "--listen", "127.0.0.1:0", "--admin", &address, "--data-dir", data_dir],
        b"",
    );
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("cannot bind") && said.contains(&address), "{said}");
}
