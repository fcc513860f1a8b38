//! From our reasons to Kafka's error codes, in one place.
//!
//! Each function is exhaustive: a new reason does not compile until it has a code.

use millrace_engine::{
    AppendError, CompressionError, ProduceError, ProducerError, RejectionReason,
};
use millrace_net::ErrorCode;

use crate::mail::AppendFailure;

/// Why a log did not append a batch.
pub(crate) fn append_error(error: &AppendError) -> (ErrorCode, Option<String>) {
    match error {
        AppendError::NotReady => (ErrorCode::LeaderNotAvailable, None),
        AppendError::NoSpace => {
            let why = "the disk is full, or the broker has as many files open as it may";
            (ErrorCode::KafkaStorageError, Some(why.to_owned()))
        }
        AppendError::Failed => {
            (ErrorCode::KafkaStorageError, Some("the partition's log has failed".to_owned()))
        }
        AppendError::Closed => (ErrorCode::NotLeaderOrFollower, None),
        AppendError::TooLarge => (ErrorCode::RecordListTooLarge, None),
        AppendError::QueueFull => (ErrorCode::RequestTimedOut, None),
        AppendError::Producer(error) => producer_error(error),
    }
}

fn producer_error(error: &ProducerError) -> (ErrorCode, Option<String>) {
    let code = match error {
        ProducerError::InvalidEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        ProducerError::OutOfOrder { .. } | ProducerError::NewEpochNotAtZero { .. } => {
            ErrorCode::OutOfOrderSequenceNumber
        }
        ProducerError::NotTransactional { .. } => ErrorCode::InvalidTxnState,
        ProducerError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        ProducerError::TooManyTransactions { .. } => ErrorCode::RequestTimedOut,
    };
    (code, Some(error.to_string()))
}

/// What is told of a record that is refused; clients show Kafka's words for the common mistake.
fn rejection_words(reason: RejectionReason, (topic, index): (&str, i32)) -> String {
    match reason {
        RejectionReason::NoKey => format!(
            "Compacted topic cannot accept message without key in topic partition {topic}-{index}."
        ),
        RejectionReason::Timestamp { .. } | RejectionReason::LogAppendTime => reason.to_string(),
    }
}

/// Why a batch was refused before it reached a log.
///
/// - `partition`: topic and index, for words that name them.
pub(crate) fn produce_error(error: &ProduceError, partition: (&str, i32)) -> AppendFailure {
    let code = match error {
        ProduceError::Empty
        | ProduceError::ManyBatches
        | ProduceError::OldMagic { .. }
        | ProduceError::BaseOffset { .. }
        | ProduceError::OffsetRange { .. }
        | ProduceError::RecordCount { .. }
        | ProduceError::CountMismatch { .. }
        | ProduceError::Control
        | ProduceError::Sequence { .. }
        | ProduceError::Body(_) => ErrorCode::InvalidRecord,
        ProduceError::Corrupt(_) | ProduceError::Crc { .. } => ErrorCode::CorruptMessage,
        ProduceError::ZstdTooEarly { .. } | ProduceError::UnknownCodec { .. } => {
            ErrorCode::UnsupportedCompressionType
        }
        ProduceError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        ProduceError::Compression(CompressionError::TooLarge { .. }) => ErrorCode::MessageTooLarge,
        ProduceError::Compression(CompressionError::Unsupported { .. }) => {
            ErrorCode::UnsupportedCompressionType
        }
        ProduceError::Compression(CompressionError::Corrupt { .. }) => ErrorCode::InvalidRecord,
        ProduceError::Rejected { is_about_time: true, .. } => ErrorCode::InvalidTimestamp,
        ProduceError::Rejected { .. } => ErrorCode::InvalidRecord,
    };
    let records = if let ProduceError::Rejected { rejections, .. } = error {
        let words = |reason: RejectionReason| Some(rejection_words(reason, partition));
        rejections.iter().map(|rejected| (rejected.index, words(rejected.reason))).collect()
    } else {
        Vec::new()
    };
    AppendFailure { error: code, message: Some(error.to_string()), records, log_start_offset: -1 }
}
