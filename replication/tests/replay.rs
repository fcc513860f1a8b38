//! Replay: transactions, errors, net changes, and snapshots of anything replayed.

#[cfg(test)]
mod tests {
    use millrace_replication::record::*;
    use millrace_replication::{BrokerId, Image, ImageDraft, Record, ReplayError};
    use millrace_wire::Uuid;

    fn topic(name: &str, id: u128) -> Record {
        TopicRecord { name: name.to_owned(), topic_id: Uuid(id) }.into()
    }

    fn partition(id: u128, index: i32) -> Record {
        PartitionRecord {
            partition_id: index,
            topic_id: Uuid(id),
            replicas: vec![BrokerId(1)],
            isr: vec![BrokerId(1)],
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            leader: BrokerId(1),
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![Uuid(5)],
            leader_recovery_state: 0,
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
        .into()
    }

    fn replay(image: &Image, records: &[Record]) -> Result<Image, ReplayError> {
        let mut draft = ImageDraft::new(image);
        for (record, offset) in records.iter().zip(image.offset() + 1..) {
            draft.replay(offset, record)?;
        }
        Ok(Image::clone(&draft.finish().0))
    }

    #[test]
    fn a_transaction_takes_effect_at_its_end_across_images_and_not_when_aborted() {
        let begin = Record::BeginTransaction(BeginTransactionRecord { name: None });
        let half = replay(&Image::empty(), &[begin.clone(), topic("a", 1)]).unwrap();
        assert!(half.in_transaction() && half.topic("a").is_none());
        assert!(half.snapshot().is_err(), "its outcome is not known yet");
        let ended = replay(&half, &[EndTransactionRecord {}.into()]).unwrap();
        assert!(!ended.in_transaction() && ended.topic("a").is_some());
        let aborted = replay(&half, &[AbortTransactionRecord { reason: None }.into()]).unwrap();
        assert!(!aborted.in_transaction() && aborted.topic("a").is_none());
        assert!(replay(&half, &[begin]).is_err());
        assert!(replay(&ended, &[EndTransactionRecord {}.into()]).is_err());
    }

    #[test]
    fn what_cannot_follow_is_refused_and_not_guessed() {
        let image = replay(&Image::empty(), &[topic("a", 1), partition(1, 0)]).unwrap();
        let change = PartitionChangeRecord::none(Uuid(1), 7);
        let next: Record =
            ProducerIdsRecord { broker_id: BrokerId(1), broker_epoch: 0, next_producer_id: 5 }
                .into();
        let back: Record =
            ProducerIdsRecord { broker_id: BrokerId(1), broker_epoch: 0, next_producer_id: 4 }
                .into();
        for records in [
            vec![topic("a", 2)],
            vec![topic("b", 1)],
            vec![partition(9, 0)],
            vec![change.into()],
            vec![RemoveTopicRecord { topic_id: Uuid(9) }.into()],
            vec![FenceBrokerRecord { id: BrokerId(3), epoch: 0 }.into()],
            vec![next, back],
        ] {
            assert!(replay(&image, &records).is_err(), "{records:?}");
        }
    }

    #[test]
    fn an_election_raises_the_leader_epoch_and_any_change_the_partition_epoch() {
        let image = replay(&Image::empty(), &[topic("a", 1), partition(1, 0)]).unwrap();
        let mut shrink = PartitionChangeRecord::none(Uuid(1), 0);
        shrink.isr = Some(Vec::new());
        let mut elect = PartitionChangeRecord::none(Uuid(1), 0);
        elect.leader = BrokerId(1);
        let after = replay(&image, &[shrink.into()]).unwrap();
        let partition = after.partition("a", 0).unwrap();
        assert_eq!((partition.leader_epoch, partition.partition_epoch), (0, 1));
        let after = replay(&after, &[elect.into()]).unwrap();
        let partition = after.partition("a", 0).unwrap();
        assert_eq!((partition.leader_epoch, partition.partition_epoch), (1, 2));
    }

    #[test]
    fn a_topic_that_came_and_went_within_a_draft_is_no_change() {
        let base = replay(&Image::empty(), &[topic("kept", 7), partition(7, 0)]).unwrap();
        let mut draft = ImageDraft::new(&base);
        for record in
            [topic("a", 1), partition(1, 0), RemoveTopicRecord { topic_id: Uuid(1) }.into()]
        {
            draft.replay(9, &record).unwrap();
        }
        let (image, delta) = draft.finish();
        assert!(delta.is_empty(), "{delta:?}");
        assert_eq!(image.topic_count(), 1);
        assert_eq!(base.offset(), 1, "the base is as it was");
    }

    #[test]
    fn a_topic_made_anew_under_its_name_is_another_topic() {
        let base = replay(&Image::empty(), &[topic("a", 1), partition(1, 0)]).unwrap();
        let mut draft = ImageDraft::new(&base);
        for record in
            [RemoveTopicRecord { topic_id: Uuid(1) }.into(), topic("a", 2), partition(2, 0)]
        {
            draft.replay(9, &record).unwrap();
        }
        let (_, delta) = draft.finish();
        assert_eq!(delta.deleted_topics[0].id, Uuid(1));
        assert_eq!(delta.created_topics[0].id, Uuid(2));
    }

    #[test]
    fn pages_of_topics_start_where_asked() {
        let image =
            replay(&Image::empty(), &[topic("a", 1), topic("b", 2), topic("d", 3)]).unwrap();
        let names: Vec<_> = image.topics_from("c").map(|topic| topic.name.to_string()).collect();
        assert_eq!(names, ["d"]);
        assert_eq!(image.topics_from("b").count(), 2);
    }

    #[test]
    fn an_unknown_record_is_an_error_of_its_own() {
        assert_eq!(Record::decode(&[1, 99, 0, 0]), Err(RecordError::UnknownType(99)));
        assert_eq!(Record::decode(&[2, 2, 0, 0]), Err(RecordError::FrameVersion(2)));
        assert!(matches!(
            Record::decode(&[1, 2, 1, 0]),
            Err(RecordError::UnknownVersion { record_type: 2, version: 1, version_max: 0 })
        ));
    }
}
