//! AlterClientQuotas and DescribeClientQuotas; each case takes away what it set.

use serde_json::{Value, json};

use crate::script::Script;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    for version in 0..=1 {
        scripts.push(life(version));
        scripts.push(refusals(version));
        scripts.push(filters(version));
    }
    scripts.push(values());
    scripts.push(addresses());
    scripts.push(validated());
    scripts.push(repeats());
}

/// Parts of an entity: type and name; no name is the default.
pub(super) type Entity<'a> = &'a [(&'a str, Option<&'a str>)];

fn entity(parts: Entity<'_>) -> Value {
    parts.iter().map(|(kind, name)| json!({ "EntityType": kind, "EntityName": name })).collect()
}

fn entry(parts: Entity<'_>, ops: &Value) -> Value {
    json!({ "Entity": entity(parts), "Ops": ops })
}

pub(super) fn set(key: &str, value: f64) -> Value {
    json!({ "Key": key, "Value": value, "Remove": false })
}

pub(super) fn remove(key: &str) -> Value {
    json!({ "Key": key, "Value": 0.0, "Remove": true })
}

pub(super) fn alter(script: Script, version: i16, parts: Entity<'_>, ops: &Value) -> Script {
    let body = json!({ "Entries": [entry(parts, ops)], "ValidateOnly": false });
    script.call("AlterClientQuotas", version, body)
}

/// A component of a filter: type, kind of match, name.
pub(super) fn component(kind: &str, matches: i8, name: Option<&str>) -> Value {
    json!({ "EntityType": kind, "MatchType": matches, "Match": name })
}

pub(super) fn describe(script: Script, version: i16, components: &[Value], strict: bool) -> Script {
    let body = json!({ "Components": components, "Strict": strict });
    script.call("DescribeClientQuotas", version, body)
}

const USER: (&str, Option<&str>) = ("user", Some("%T-u"));
const CLIENT: (&str, Option<&str>) = ("client-id", Some("%T-c"));

fn life(version: i16) -> Script {
    let user = component("user", 0, Some("%T-u"));
    let client = component("client-id", 0, Some("%T-c"));
    let both = [user.clone(), client.clone()];
    let script = Script::new(format!("quotas/life-v{version}"));
    let script = describe(script, version, std::slice::from_ref(&user), false);
    let ops = json!([set("producer_byte_rate", 1024.0), set("request_percentage", 12.5)]);
    let script = alter(script, version, &[USER], &ops);
    let script = alter(script, version, &[USER, CLIENT], &json!([set("consumer_byte_rate", 5.0)]));
    let script = alter(script, version, &[CLIENT, USER], &json!([set("producer_byte_rate", 7.0)]));
    let script = alter(
        script,
        version,
        &[("client-id", Some("%T-c"))],
        &json!([set("controller_mutation_rate", 0.5)]),
    );
    let script = describe(script, version, std::slice::from_ref(&user), false);
    let script = describe(script, version, std::slice::from_ref(&user), true);
    let script = describe(script, version, &both, true);
    let script = describe(script, version, &[client], true);
    // Another value, one taken away, one taken away that is not there.
    let ops = json!([
        set("producer_byte_rate", 2048.0),
        remove("request_percentage"),
        remove("consumer_byte_rate")
    ]);
    let script = alter(script, version, &[USER], &ops);
    let script = describe(script, version, std::slice::from_ref(&user), true);
    let script = alter(script, version, &[USER], &json!([remove("producer_byte_rate")]));
    let script = alter(
        script,
        version,
        &[USER, CLIENT],
        &json!([remove("producer_byte_rate"), remove("consumer_byte_rate")]),
    );
    let script = alter(script, version, &[CLIENT], &json!([remove("controller_mutation_rate")]));
    describe(script, version, &[user], false)
}

fn refusals(version: i16) -> Script {
    let rate = json!([set("producer_byte_rate", 1024.0)]);
    let script = Script::new(format!("quotas/refusals-v{version}"));
    let wrong: [Entity<'_>; 7] = [
        &[],
        &[("user", Some(""))],
        &[("group", Some("%T-g"))],
        &[("", Some("%T-g"))],
        &[USER, ("ip", Some("127.0.0.1"))],
        &[("ip", Some("not an address"))],
        &[("ip", Some(""))],
    ];
    let script = wrong.iter().fold(script, |script, parts| alter(script, version, parts, &rate));
    let script = alter(script, version, &[USER], &json!([set("no_such_rate", 1.0)]));
    let script = alter(script, version, &[USER], &json!([remove("no_such_rate")]));
    let script = alter(script, version, &[USER], &json!([set("connection_creation_rate", 1.0)]));
    let script = alter(script, version, &[USER], &json!([]));
    let body = json!({ "Entries": [], "ValidateOnly": false });
    script.call("AlterClientQuotas", version, body)
}

fn values() -> Script {
    let mut script = Script::new("quotas/values");
    for (key, value) in [
        ("producer_byte_rate", 0.0),
        ("producer_byte_rate", -1.0),
        ("producer_byte_rate", 1.5),
        ("producer_byte_rate", 1.000_000_1),
        ("producer_byte_rate", 1e30),
        ("producer_byte_rate", 9e18),
        ("request_percentage", 0.0),
        ("request_percentage", 0.001),
        ("request_percentage", 1e9),
        ("controller_mutation_rate", -0.1),
    ] {
        script = alter(script, 1, &[USER], &json!([set(key, value)]));
    }
    // One wrong value among right ones: nothing is stored.
    let mixed = json!([set("consumer_byte_rate", 5.0), set("producer_byte_rate", -5.0)]);
    script = alter(script, 1, &[USER, CLIENT], &mixed);
    script = describe(script, 1, &[component("user", 0, Some("%T-u"))], false);
    let ops: Value = ["producer_byte_rate", "request_percentage", "consumer_byte_rate"]
        .iter()
        .map(|key| remove(key))
        .collect();
    alter(script, 1, &[USER], &ops).quiet(
        "AlterClientQuotas",
        1,
        json!({ "Entries": [entry(&[USER, CLIENT], &ops)], "ValidateOnly": false }),
    )
}

fn addresses() -> Script {
    let ip = ("ip", Some("203.0.113.9"));
    let mut script = Script::new("quotas/addresses");
    for (key, value) in [
        ("connection_creation_rate", 10.0),
        ("connection_creation_rate", 1.5),
        ("connection_creation_rate", 3e9),
        ("connection_creation_rate", 0.0),
        ("producer_byte_rate", 10.0),
    ] {
        script = alter(script, 1, &[ip], &json!([set(key, value)]));
    }
    let rate = json!([set("connection_creation_rate", 100_000.0)]);
    script = alter(script, 1, &[("ip", None)], &rate);
    script = describe(script, 1, &[component("ip", 0, ip.1)], true);
    script = describe(script, 1, &[component("ip", 1, None)], true);
    script = describe(script, 1, &[component("ip", 2, None)], false);
    let gone = json!([remove("connection_creation_rate")]);
    script = alter(script, 1, &[ip], &gone);
    script = alter(script, 1, &[("ip", None)], &gone);
    describe(script, 1, &[component("ip", 2, None)], false)
}

fn filters(version: i16) -> Script {
    let rate = json!([set("producer_byte_rate", 1e9)]);
    let gone = json!([remove("producer_byte_rate")]);
    let sets: [Entity<'_>; 4] =
        [&[USER], &[USER, ("client-id", None)], &[("user", None), CLIENT], &[CLIENT]];
    let mut script = Script::new(format!("quotas/filters-v{version}"));
    for parts in sets {
        script = alter(script, version, parts, &rate);
    }
    let user = |matches, name| component("user", matches, name);
    let client = |matches, name| component("client-id", matches, name);
    let named = Some("%T-u");
    for components in [
        vec![user(0, named), client(1, None)],
        vec![user(1, None), client(0, Some("%T-c"))],
        vec![user(0, named), client(2, None)],
        vec![user(1, None), client(2, None)],
        vec![user(0, Some("%T-none"))],
    ] {
        script = describe(script, version, &components, false);
        script = describe(script, version, &components, true);
    }
    for components in [
        vec![user(0, None)],
        vec![user(1, named)],
        vec![user(2, named)],
        vec![user(3, None)],
        vec![user(-1, None)],
        vec![user(0, named), user(0, named)],
        vec![component("", 0, named)],
        vec![component("group", 0, named)],
        vec![user(0, named), component("ip", 2, None)],
    ] {
        script = describe(script, version, &components, false);
    }
    for parts in sets {
        script = alter(script, version, parts, &gone);
    }
    script
}

fn validated() -> Script {
    let rate = json!([set("producer_byte_rate", 1024.0)]);
    let wrong = json!([set("producer_byte_rate", -1.0)]);
    let script = Script::new("quotas/validated");
    let body = json!({
        "Entries": [entry(&[USER], &rate), entry(&[CLIENT], &wrong)],
        "ValidateOnly": true,
    });
    let script = script.call("AlterClientQuotas", 1, body);
    describe(script, 1, &[component("user", 0, Some("%T-u"))], false)
}

fn repeats() -> Script {
    let rate = json!([set("producer_byte_rate", 1024.0)]);
    let other = json!([set("consumer_byte_rate", 1024.0)]);
    let twice = json!([set("producer_byte_rate", 1.0), set("producer_byte_rate", 2.0)]);
    let script = Script::new("quotas/repeats");
    let script = alter(script, 1, &[USER], &twice);
    let script = describe(script, 1, &[component("user", 0, Some("%T-u"))], false);
    let body = json!({
        "Entries": [entry(&[CLIENT], &rate), entry(&[CLIENT], &other)],
        "ValidateOnly": false,
    });
    let script = script.call("AlterClientQuotas", 1, body);
    let script = describe(script, 1, &[component("client-id", 0, Some("%T-c"))], false);
    let gone = json!([remove("producer_byte_rate"), remove("consumer_byte_rate")]);
    let script = script.quiet(
        "AlterClientQuotas",
        1,
        json!({ "Entries": [entry(&[USER], &gone), entry(&[CLIENT], &gone)], "ValidateOnly": false }),
    );
    let script = alter(script, 1, &[USER, ("user", Some("%T-v"))], &rate);
    // Of a kind that is named twice the last name counts.
    let script = describe(script, 1, &[component("user", 0, Some("%T-v"))], false);
    alter(script, 1, &[("user", Some("%T-v"))], &gone)
}
