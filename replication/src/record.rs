//! Metadata records: Kafka's types of them, and their bytes in the `__cluster_metadata` log.
//!
//! A record's value is framed as `uvarint 1 (frame version), uvarint type, uvarint version`, then
//! the fields in the flexible encoding. Reading accepts every version that Kafka 4.3 accepts;
//! writing uses the highest, which is what Kafka writes at `metadata.version` 4.3-IV0. This is not
//! a batch codec: batches are the log engine's. Source: KIP-631, KIP-866, KIP-868, KIP-966.

mod define;
mod field;
mod kinds;

use field::Body;
pub use kinds::*;
use millrace_wire::{Reader, WireError, Writer};

/// The only version of the frame around a record.
pub const FRAME_VERSION: u32 = 1;

/// Why a record's bytes could not be read. For our own log this means that it is damaged or was
/// written by a newer Kafka; the broker must not start from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The bytes do not hold what their type says.
    Wire(WireError),
    /// The frame has another version than [`FRAME_VERSION`].
    FrameVersion(u32),
    /// No record has this type number.
    UnknownType(u32),
    /// The record exists, this version of it does not.
    UnknownVersion {
        /// The record's type number.
        record_type: u32,
        /// The version as read.
        version: u32,
        /// The highest version that is known.
        version_max: u32,
    },
    /// This many bytes follow the record's last field.
    Trailing(usize),
}

impl From<WireError> for RecordError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wire(error) => write!(f, "metadata record: {error}"),
            Self::FrameVersion(version) => {
                write!(f, "metadata record: frame version {version}, known is 1")
            }
            Self::UnknownType(id) => write!(f, "metadata record: unknown type {id}"),
            Self::UnknownVersion { record_type, version, version_max } => write!(
                f,
                "metadata record of type {record_type}: version {version}, known are 0 to \
                 {version_max}"
            ),
            Self::Trailing(bytes) => write!(f, "metadata record: {bytes} bytes behind its end"),
        }
    }
}

impl std::error::Error for RecordError {}

macro_rules! all_records {
    ($($variant:ident($body:ident) = $id:literal, $version_max:literal;)*) => {
        /// Any metadata record.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Record {
            $(
                #[doc = concat!("Type ", $id, ".")]
                $variant($body),
            )*
        }

        impl Record {
            /// The record's type number.
            pub const fn record_type(&self) -> u32 {
                match self { $(Self::$variant(_) => $id,)* }
            }

            /// The version that [`Record::encode`] writes.
            pub const fn version(&self) -> u32 {
                match self { $(Self::$variant(_) => $version_max,)* }
            }

            fn put_body(&self, writer: &mut Writer) {
                match self { $(Self::$variant(body) => body.put_body(writer),)* }
            }

            fn take(
                record_type: u32,
                version: u32,
                reader: &mut Reader<'_>,
            ) -> Result<Self, RecordError> {
                match record_type {
                    $(
                        $id if version <= $version_max => {
                            Ok(Self::$variant($body::take_body(reader, version)?))
                        }
                        $id => Err(RecordError::UnknownVersion {
                            record_type,
                            version,
                            version_max: $version_max,
                        }),
                    )*
                    unknown => Err(RecordError::UnknownType(unknown)),
                }
            }
        }

        $(
            impl From<$body> for Record {
                fn from(body: $body) -> Self {
                    Self::$variant(body)
                }
            }
        )*
    };
}

all_records! {
    RegisterBroker(RegisterBrokerRecord) = 0, 4;
    UnregisterBroker(UnregisterBrokerRecord) = 1, 0;
    Topic(TopicRecord) = 2, 0;
    Partition(PartitionRecord) = 3, 2;
    Config(ConfigRecord) = 4, 0;
    PartitionChange(PartitionChangeRecord) = 5, 2;
    FenceBroker(FenceBrokerRecord) = 7, 0;
    UnfenceBroker(UnfenceBrokerRecord) = 8, 0;
    RemoveTopic(RemoveTopicRecord) = 9, 0;
    DelegationToken(DelegationTokenRecord) = 10, 0;
    UserScramCredential(UserScramCredentialRecord) = 11, 0;
    FeatureLevel(FeatureLevelRecord) = 12, 0;
    ClientQuota(ClientQuotaRecord) = 14, 0;
    ProducerIds(ProducerIdsRecord) = 15, 0;
    BrokerRegistrationChange(BrokerRegistrationChangeRecord) = 17, 3;
    AccessControlEntry(AccessControlEntryRecord) = 18, 0;
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord) = 19, 0;
    NoOp(NoOpRecord) = 20, 0;
    ZkMigrationState(ZkMigrationStateRecord) = 21, 0;
    RemoveUserScramCredential(RemoveUserScramCredentialRecord) = 22, 0;
    BeginTransaction(BeginTransactionRecord) = 23, 0;
    EndTransaction(EndTransactionRecord) = 24, 0;
    AbortTransaction(AbortTransactionRecord) = 25, 0;
    RemoveDelegationToken(RemoveDelegationTokenRecord) = 26, 0;
    RegisterController(RegisterControllerRecord) = 27, 0;
    ClearElr(ClearElrRecord) = 28, 0;
}

impl Record {
    /// The bytes of the record's value in the log: frame and fields.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uvarint(FRAME_VERSION);
        writer.uvarint(self.record_type());
        writer.uvarint(self.version());
        self.put_body(&mut writer);
        writer.into_vec()
    }

    /// Reads a record's value. All of `bytes` must belong to the record.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let frame = reader.uvarint()?;
        if frame != FRAME_VERSION {
            return Err(RecordError::FrameVersion(frame));
        }
        let record_type = reader.uvarint()?;
        let version = reader.uvarint()?;
        let record = Self::take(record_type, version, &mut reader)?;
        match reader.remaining() {
            0 => Ok(record),
            trailing => Err(RecordError::Trailing(trailing)),
        }
    }
}
