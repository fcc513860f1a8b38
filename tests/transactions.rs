//! Transactions are not served: whoever asks for one is refused for good. An answer that says "not
//! now" has clients try again, some of them without end.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use millrace_net::ErrorCode;
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::init_producer_id::InitProducerIdRequest;
use support::{Broker, Connection};

const KEY_TRANSACTION: i8 = 1;

#[test]
fn who_asks_for_transactions_is_refused_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    let refused = ErrorCode::TransactionalIdAuthorizationFailed;
    assert!(!refused.is_retriable());
    for version in 1..=6 {
        let mut request =
            FindCoordinatorRequest { key_type: KEY_TRANSACTION, ..Default::default() };
        if version < 4 {
            "payments".clone_into(&mut request.key);
        } else {
            request.coordinator_keys = vec!["payments".to_owned()];
        }
        let answer = connection.ask(&request, version).unwrap();
        let (code, text) = match answer.coordinators.into_iter().next() {
            Some(found) => (found.error_code, found.error_message),
            None => (answer.error_code, answer.error_message),
        };
        assert_eq!(code, refused.code(), "FindCoordinator version {version}");
        let text = text.expect("a text");
        assert!(text.contains("does not serve transactions"), "version {version}: {text}");
    }
    for version in 0..=5 {
        let transactional_id = Some("payments".to_owned());
        let request = InitProducerIdRequest {
            transactional_id,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let answer = connection.ask(&request, version).unwrap();
        assert_eq!(answer.error_code, refused.code(), "InitProducerId version {version}");
        assert_eq!(answer.producer_id, -1);
    }
    assert!(broker.stop());
}
