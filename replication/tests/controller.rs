//! The controller's answers: each rule, with the code that Apache Kafka 4.3.1 gave for the same
//! request.

#[cfg(test)]
mod tests {
    use millrace_replication::config_key::{
        ConfigKey, ConfigKind, ConfigTables, Rule, Status, UpdateMode,
    };
    use millrace_replication::controller::*;
    use millrace_replication::{BrokerId, ConfigResource, Image, ImageDraft, Record, ResourceType};
    use millrace_wire::Uuid;

    const fn key(
        name: &'static str,
        kind: ConfigKind,
        default: &'static str,
        rule: Rule,
        update: UpdateMode,
    ) -> ConfigKey {
        ConfigKey {
            name,
            kind,
            default: Some(default),
            rule,
            update,
            status: Status::Used,
            doc: ".",
        }
    }

    const TOPIC: &[ConfigKey] = &[
        key(
            "cleanup.policy",
            ConfigKind::List,
            "delete",
            Rule::Set(&["compact", "delete"]),
            UpdateMode::ClusterWide,
        ),
        key(
            "max.compaction.lag.ms",
            ConfigKind::Long,
            "100",
            Rule::AtLeast(1),
            UpdateMode::ClusterWide,
        ),
        key(
            "min.compaction.lag.ms",
            ConfigKind::Long,
            "0",
            Rule::AtLeast(0),
            UpdateMode::ClusterWide,
        ),
        key(
            "remote.storage.enable",
            ConfigKind::Boolean,
            "false",
            Rule::Any,
            UpdateMode::ClusterWide,
        ),
        key("retention.ms", ConfigKind::Long, "1", Rule::AtLeast(-1), UpdateMode::ClusterWide),
    ];
    const BROKER: &[ConfigKey] = &[
        key("broker.own", ConfigKind::Int, "1", Rule::Any, UpdateMode::PerBroker),
        key("log.cleaner.threads", ConfigKind::Int, "1", Rule::AtLeast(0), UpdateMode::ClusterWide),
        key("num.partitions", ConfigKind::Int, "1", Rule::AtLeast(1), UpdateMode::ReadOnly),
        key("ssl.keystore.location", ConfigKind::String, "", Rule::Any, UpdateMode::PerBroker),
    ];
    const TABLES: ConfigTables =
        ConfigTables { topic: TOPIC, broker: BROKER, group: &[], client_metrics: &[] };

    fn context(image: &Image) -> Context<'_> {
        Context { image, tables: &TABLES, partitions_default: 3, replication_factor_default: 1 }
    }

    fn replay(image: &Image, records: &[Record]) -> Image {
        let mut draft = ImageDraft::new(image);
        for (record, offset) in records.iter().zip(image.offset() + 1..) {
            draft.replay(offset, record).unwrap();
        }
        Image::clone(&draft.finish().0)
    }

    fn one_broker() -> Image {
        let empty = Image::empty();
        let image = replay(&empty, &bootstrap(&empty));
        let request = BrokerRegistrationRequest {
            id: BrokerId(1),
            incarnation_id: Uuid(9),
            endpoints: Vec::new(),
            rack: None,
            log_dirs: vec![Uuid(77)],
        };
        replay(&image, &register_broker(&image, &request, image.offset() + 1))
    }

    fn new_topic(name: &str, partitions: i32, replication_factor: i16) -> NewTopic {
        let id = name.bytes().fold(1_u128, |id, byte| id.wrapping_mul(31) ^ u128::from(byte));
        NewTopic {
            name: name.to_owned(),
            id: Uuid(id),
            partitions,
            replication_factor,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }

    fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> NewTopic {
        let ids = |ids: &[i32]| ids.iter().map(|id| BrokerId(*id)).collect();
        NewTopic {
            assignments: assignments.iter().map(|(index, all)| (*index, ids(all))).collect(),
            ..new_topic(name, -1, -1)
        }
    }

    fn configured(name: &str, configs: &[(&str, Option<&str>)]) -> NewTopic {
        let owned =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        NewTopic { configs: configs.iter().map(owned).collect(), ..new_topic(name, 1, 1) }
    }

    fn create(image: &Image, topics: &[NewTopic]) -> Image {
        let decision = create_topics(&context(image), topics, Mode::Apply, &mut |_| true);
        assert!(decision.answers.iter().all(Result::is_ok), "{:?}", decision.answers);
        replay(image, &decision.records)
    }

    fn create_code(image: &Image, topic: NewTopic) -> i16 {
        let decision = create_topics(&context(image), &[topic], Mode::Apply, &mut |_| true);
        match &decision.answers[0] {
            Ok(_) => 0,
            Err(refusal) => {
                assert!(decision.records.is_empty(), "a refused topic gives no records");
                refusal.code()
            }
        }
    }

    #[test]
    fn a_registered_broker_is_live_with_its_records_offset_as_epoch() {
        let image = one_broker();
        let broker = image.broker(BrokerId(1)).unwrap();
        assert!(!broker.fenced);
        assert_eq!(broker.epoch, 2, "two feature levels stand before it");
        assert_eq!(image.feature_level(METADATA_VERSION), METADATA_VERSION_LEVEL);
        assert_eq!(image.live_brokers().count(), 1);
    }

    #[test]
    fn a_created_topic_has_leaders_directories_and_its_configuration() {
        let mut topic = configured("logs", &[("retention.ms", Some("5"))]);
        topic.partitions = -1;
        topic.replication_factor = -1;
        let image = create(&one_broker(), &[topic]);
        let topic = image.topic("logs").unwrap();
        assert_eq!(topic.partition_count(), 3, "num.partitions is 3");
        for partition in topic.partitions() {
            assert_eq!(partition.leader, BrokerId(1));
            assert_eq!((partition.leader_epoch, partition.partition_epoch), (0, 0));
            assert_eq!(partition.directories, [Uuid(77)]);
        }
        assert_eq!(image.topic_config("logs").unwrap()["retention.ms"], "5");
    }

    #[test]
    fn create_topics_refuses_what_kafka_refuses_with_its_codes() {
        let image = create(&one_broker(), &[new_topic("alpha", 2, 1), new_topic("a.b", 1, 1)]);
        for (name, partitions, factor, code) in [
            ("alpha", 2, 1, 36),
            ("a_b", 1, 1, 17),
            ("", 1, 1, 17),
            (".", 1, 1, 17),
            ("..", 1, 1, 17),
            ("bad name", 1, 1, 17),
            (&"x".repeat(250), 1, 1, 17),
            (&"x".repeat(249), 1, 1, 0),
            ("z", 0, 1, 37),
            ("z", -2, 1, 37),
            ("z", 1, 0, 38),
            ("z", 1, 2, 38),
            ("z", 1, -2, 38),
            ("z", 20_000, 1, 44),
            ("__cluster_metadata", 1, 1, 42),
            ("z", -1, -1, 0),
        ] {
            assert_eq!(create_code(&image, new_topic(name, partitions, factor)), code, "{name}");
        }
    }

    #[test]
    fn assignments_are_refused_as_kafka_refuses_them() {
        let image = one_broker();
        for (assignments, code) in [
            (&[(0, &[1][..]), (2, &[1])][..], 39),
            (&[(0, &[5])], 39),
            (&[(0, &[1, 1])], 39),
            (&[(0, &[])], 39),
            (&[(1, &[1])], 39),
            (&[(0, &[1]), (0, &[1])], 39),
            (&[(0, &[1]), (1, &[1])], 0),
        ] {
            assert_eq!(create_code(&image, assigned("m", assignments)), code, "{assignments:?}");
        }
        let both = NewTopic { partitions: 1, ..assigned("m", &[(0, &[1])]) };
        assert_eq!(create_code(&image, both), 42);
    }

    #[test]
    fn configurations_of_new_topics_are_checked_one_by_one_and_together() {
        let image = one_broker();
        for (configs, code) in [
            (&[("retention.ms", Some("x"))][..], 40),
            (&[("nope", Some("x"))], 40),
            (&[("min.compaction.lag.ms", Some("101"))], 40),
            (&[("cleanup.policy", Some(""))], 0),
            (&[("cleanup.policy", Some("delete,delete"))], 0),
            (&[("remote.storage.enable", Some("true"))], 40),
            (&[("retention.ms", None)], 40),
            (&[("retention.ms", Some("1")), ("retention.ms", Some("1"))], 42),
        ] {
            assert_eq!(create_code(&image, configured("c", configs)), code, "{configs:?}");
        }
    }

    #[test]
    fn one_request_may_not_repeat_or_collide_within_itself() {
        let image = one_broker();
        let topics = ["a", "a", "b.c", "b_c", "d"].map(|name| new_topic(name, 1, 1));
        let decision = create_topics(&context(&image), &topics, Mode::Apply, &mut |_| true);
        let codes: Vec<_> = decision
            .answers
            .iter()
            .map(|answer| answer.as_ref().map_or_else(Refusal::code, |_| 0))
            .collect();
        assert_eq!(codes, [42, 42, 0, 17, 0]);
        assert_eq!(replay(&image, &decision.records).topic_count(), 2);
    }

    #[test]
    fn validating_only_answers_the_same_and_changes_nothing() {
        let image = one_broker();
        let topics = [new_topic("a", 4, 1), new_topic("b", 1, 9)];
        let real = create_topics(&context(&image), &topics, Mode::Apply, &mut |_| true);
        let dry = create_topics(&context(&image), &topics, Mode::Validate, &mut |_| true);
        assert_eq!(real.answers, dry.answers);
        assert!(dry.records.is_empty());
        assert_eq!(dry.answers[0].as_ref().unwrap().partitions, 4);
    }

    #[test]
    fn a_deleted_topic_takes_its_configuration_along() {
        let image = create(
            &one_broker(),
            &[configured("a", &[("retention.ms", Some("5"))]), new_topic("b", 1, 1)],
        );
        let id = image.topic("a").unwrap().id;
        let decision = delete_topics(
            &image,
            &[
                TopicRef::Id(id),
                TopicRef::Name("missing".into()),
                TopicRef::Id(Uuid(5)),
                TopicRef::Name("b".into()),
                TopicRef::Name("b".into()),
            ],
            &mut |_| true,
        );
        let codes: Vec<_> = decision
            .answers
            .iter()
            .map(|answer| answer.as_ref().map_or_else(Refusal::code, |_| 0))
            .collect();
        assert_eq!(codes, [0, 3, 100, 42, 42]);
        let mut draft = ImageDraft::new(&image);
        for record in &decision.records {
            draft.replay(image.offset() + 1, record).unwrap();
        }
        let (after, delta) = draft.finish();
        assert!(after.topic("a").is_none() && after.topic_by_id(id).is_none());
        assert!(after.topic_config("a").is_none());
        assert_eq!(delta.deleted_topics.len(), 1);
        assert_eq!(delta.configs, [ConfigResource::topic("a")]);
    }

    #[test]
    fn partitions_only_grow() {
        let image = create(&one_broker(), &[new_topic("a", 2, 1)]);
        let grow = |total, assignments: Option<&[&[i32]]>| {
            let assignments = assignments.map(|all| {
                all.iter().map(|ids| ids.iter().map(|id| BrokerId(*id)).collect()).collect()
            });
            let request = NewPartitions { topic: "a".to_owned(), total, assignments };
            create_partitions(&context(&image), &[request], Mode::Apply, &mut |_| true)
        };
        for (total, assignments, code) in [
            (2, None, 37),
            (1, None, 37),
            (0, None, 37),
            (-1, None, 37),
            (4, Some(&[&[1][..]][..]), 39),
            (3, Some(&[&[7][..]][..]), 39),
            (3, Some(&[&[1, 1][..]][..]), 39),
            (20_000, None, 44),
        ] {
            let decision = grow(total, assignments);
            assert_eq!(decision.answers[0].as_ref().unwrap_err().code(), code, "{total}");
        }
        let decision = grow(4, None);
        let mut draft = ImageDraft::new(&image);
        for record in &decision.records {
            draft.replay(image.offset() + 1, record).unwrap();
        }
        let (after, delta) = draft.finish();
        assert_eq!(after.topic("a").unwrap().partition_count(), 4);
        let created: Vec<_> = delta.created_partitions.iter().map(|(_, index)| *index).collect();
        assert_eq!(created, [2, 3]);
        assert!(delta.created_topics.is_empty());
        let unknown = NewPartitions { topic: "b".into(), total: 9, assignments: None };
        let decision = create_partitions(&context(&image), &[unknown], Mode::Apply, &mut |_| true);
        assert_eq!(decision.answers[0].as_ref().unwrap_err().code(), 3);
    }

    fn alter(
        image: &Image,
        resource: ConfigResource,
        changes: &[(AlterOp, &str, &str)],
    ) -> Decision<()> {
        let changes = changes
            .iter()
            .map(|(op, name, value)| AlterConfig {
                name: (*name).to_owned(),
                op: *op,
                value: (*value != "null").then(|| (*value).to_owned()),
            })
            .collect();
        incremental_alter_configs(
            &context(image),
            &[AlterResource { resource, changes }],
            Mode::Apply,
        )
    }

    fn alter_code(image: &Image, resource: ConfigResource, change: (AlterOp, &str, &str)) -> i16 {
        alter(image, resource, &[change]).answers[0].as_ref().map_or_else(Refusal::code, |()| 0)
    }

    #[test]
    fn incremental_changes_are_refused_with_kafkas_codes() {
        use AlterOp::{Append, Delete, Set};
        let image = create(&one_broker(), &[new_topic("a", 1, 1)]);
        for (change, code) in [
            ((Set, "retention.ms", "5000"), 0),
            ((Set, "nope", "1"), 40),
            ((Set, "retention.ms", "x"), 40),
            ((Append, "retention.ms", "1"), 40),
            ((Delete, "nope", "null"), 0),
            ((Set, "retention.ms", "null"), 42),
            ((Set, "min.compaction.lag.ms", "101"), 40),
        ] {
            assert_eq!(alter_code(&image, ConfigResource::topic("a"), change), code, "{change:?}");
        }
        let set = (Set, "retention.ms", "1");
        assert_eq!(alter_code(&image, ConfigResource::topic("missing"), set), 3);
        assert_eq!(alter_code(&image, ConfigResource::topic(""), set), 42);
        assert_eq!(alter_code(&image, ConfigResource::topic("bad name"), set), 17);
    }

    #[test]
    fn brokers_change_only_what_may_change_at_their_level() {
        use AlterOp::Set;
        let image = one_broker();
        let (one, all) = (ConfigResource::broker(BrokerId(1)), ConfigResource::cluster_default());
        for (resource, change, code) in [
            (&one, (Set, "num.partitions", "7"), 42),
            (&all, (Set, "num.partitions", "7"), 42),
            (&one, (Set, "log.cleaner.threads", "2"), 0),
            (&all, (Set, "log.cleaner.threads", "2"), 0),
            (&one, (Set, "log.cleaner.threads", "x"), 42),
            (&one, (Set, "broker.own", "2"), 0),
            (&all, (Set, "broker.own", "2"), 42),
            (&all, (Set, "ssl.keystore.location", "/x"), 42),
            (&one, (Set, "my.own", "1"), 0),
            (&one, (AlterOp::Delete, "num.partitions", "null"), 0),
        ] {
            assert_eq!(alter_code(&image, resource.clone(), change), code, "{change:?}");
        }
        let set = (Set, "log.cleaner.threads", "2");
        assert_eq!(alter_code(&image, ConfigResource::broker(BrokerId(9)), set), 102);
        let word = ConfigResource { kind: ResourceType::Broker, name: "x".into() };
        assert_eq!(alter_code(&image, word, set), 42);
    }

    #[test]
    fn lists_grow_and_shrink_from_their_default() {
        use AlterOp::{Append, Subtract};
        let image = create(&one_broker(), &[new_topic("a", 1, 1)]);
        let step = |image: &Image, op, value| {
            let decision =
                alter(image, ConfigResource::topic("a"), &[(op, "cleanup.policy", value)]);
            replay(image, &decision.records)
        };
        let policy =
            |image: &Image| image.topic_config("a").map(|all| all["cleanup.policy"].clone());
        let image = step(&image, Append, "compact");
        assert_eq!(policy(&image).as_deref(), Some("delete,compact"));
        let image = step(&image, Append, "compact");
        assert_eq!(policy(&image).as_deref(), Some("delete,compact"));
        let image = step(&image, Subtract, "delete");
        assert_eq!(policy(&image).as_deref(), Some("compact"));
        let image = step(&image, Subtract, "compact");
        assert_eq!(policy(&image).as_deref(), Some(""));
    }

    #[test]
    fn an_unchanged_value_gives_no_record_for_a_topic_and_one_for_a_broker() {
        let image = create(&one_broker(), &[configured("a", &[("retention.ms", Some("5"))])]);
        let same =
            alter(&image, ConfigResource::topic("a"), &[(AlterOp::Set, "retention.ms", "5")]);
        assert!(same.records.is_empty());
        let change = [(AlterOp::Set, "log.cleaner.threads", "2")];
        let first = alter(&image, ConfigResource::cluster_default(), &change);
        let image = replay(&image, &first.records);
        assert_eq!(alter(&image, ConfigResource::cluster_default(), &change).records.len(), 1);
    }

    #[test]
    fn altering_the_whole_set_takes_away_what_is_not_named() {
        let image = create(
            &one_broker(),
            &[configured("a", &[("retention.ms", Some("5")), ("cleanup.policy", Some("compact"))])],
        );
        let change = |name: &str, value: &str| AlterConfig {
            name: name.to_owned(),
            op: AlterOp::Set,
            value: Some(value.to_owned()),
        };
        let request = AlterResource {
            resource: ConfigResource::topic("a"),
            changes: vec![change("retention.ms", "6")],
        };
        let decision = alter_configs(&context(&image), std::slice::from_ref(&request), Mode::Apply);
        let after = replay(&image, &decision.records);
        let all: Vec<_> = after.topic_config("a").unwrap().iter().collect();
        assert_eq!(all, [(&"retention.ms".to_owned(), &"6".to_owned())]);
        let twice = alter_configs(&context(&image), &[request.clone(), request], Mode::Apply);
        assert!(twice.answers.iter().all(|answer| answer.as_ref().unwrap_err().code() == 42));
    }

    #[test]
    fn producer_ids_go_out_in_blocks_that_never_overlap() {
        let image = one_broker();
        let epoch = image.broker(BrokerId(1)).unwrap().epoch;
        let (first, records) = allocate_producer_ids(&image, BrokerId(1), epoch).unwrap();
        let image = replay(&image, &records);
        let (second, _) = allocate_producer_ids(&image, BrokerId(1), epoch).unwrap();
        assert_eq!((first.first, first.len), (0, 1000));
        assert_eq!(second.first, 1000);
        let stale = allocate_producer_ids(&image, BrokerId(1), epoch + 1).unwrap_err();
        assert_eq!(stale.code(), 77);
        let unknown = allocate_producer_ids(&image, BrokerId(2), 0).unwrap_err();
        assert_eq!(unknown.code(), 102);
    }

    #[test]
    fn names_compare_as_metrics_see_them() {
        assert!(topic_name_check("A-z_0.9").is_ok());
        assert!(topic_name_check("ä").is_err());
        assert!(is_internal_topic("__consumer_offsets") && !is_internal_topic("logs"));
    }

    #[test]
    fn feature_levels_change_together_or_not_at_all() {
        let update = |name: &str, level, upgrade_type| FeatureUpdate {
            name: name.to_owned(),
            level,
            upgrade_type,
        };
        let mut draft = ImageDraft::new(&Image::empty());
        for (record, offset) in bootstrap(&Image::empty()).iter().zip(0..) {
            draft.replay(offset, record).unwrap();
        }
        let (image, _) = draft.finish();
        let down = update("group.version", 0, UpgradeType::SafeDowngrade);
        let records = update_features(&image, std::slice::from_ref(&down), Mode::Apply).unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(
            update_features(&image, std::slice::from_ref(&down), Mode::Validate),
            Ok(vec![])
        );
        let refused = update("transaction.version", 1, UpgradeType::Upgrade);
        let refusal = update_features(&image, &[down.clone(), refused], Mode::Apply).unwrap_err();
        assert_eq!(refusal.code(), 95);
        let mut draft = ImageDraft::new(&image);
        draft.replay(99, &records[0]).unwrap();
        let (image, _) = draft.finish();
        assert_eq!(image.feature_level("group.version"), 0);
        assert_eq!(update_features(&image, &[down], Mode::Apply), Ok(vec![]), "nothing to change");
    }

    #[test]
    fn a_meter_is_asked_topic_by_topic_and_refuses_only_what_it_refuses() {
        let image = one_broker();
        let topics = [new_topic("a", 2, 1), new_topic("?", 5, 1), new_topic("b", 3, 1)];
        let mut asked = Vec::new();
        let decision = create_topics(&context(&image), &topics, Mode::Apply, &mut |count| {
            asked.push(count);
            asked.len() < 2
        });
        assert_eq!(asked, [2, 3], "what is refused anyway is not measured");
        let code =
            |index: usize| decision.answers[index].as_ref().map_or_else(Refusal::code, |_| 0);
        assert_eq!([code(0), code(1), code(2)], [0, 17, 89]);
        let image = replay(&image, &decision.records);
        let more = |total| NewPartitions { topic: "a".to_owned(), total, assignments: None };
        let mut asked = Vec::new();
        let mut refuse = |count| {
            asked.push(count);
            false
        };
        let grown = create_partitions(&context(&image), &[more(7)], Mode::Apply, &mut refuse);
        let gone = delete_topics(&image, &[TopicRef::Name("a".to_owned())], &mut refuse);
        assert!(grown.records.is_empty() && gone.records.is_empty());
        assert_eq!(asked, [5, 2]);
    }
}
