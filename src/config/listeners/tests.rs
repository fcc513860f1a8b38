//! The rules between listener names, one by one.

use super::*;
use crate::config::{Statics, View};

fn resolve<const N: usize>(settings: [(&str, &str); N]) -> Result<Listeners, ConfigError> {
    Listeners::resolve(&View::of(&Statics::of(settings)))
}

fn refused<const N: usize>(settings: [(&str, &str); N], part: &str) {
    let message = resolve(settings).unwrap_err().to_string();
    assert!(message.contains(part), "{message}");
}

#[test]
fn without_settings_every_interface_is_bound_and_the_host_is_derived() {
    let listeners = resolve([]).unwrap();
    assert_eq!(listeners.bound.len(), 1);
    assert!(listeners.bound[0].is_wildcard());
    assert_eq!(listeners.bound[0].port, 9092);
    assert_eq!(listeners.inter_broker, "PLAINTEXT");
    let advertised = listeners.advertised("PLAINTEXT").unwrap();
    assert_eq!(advertised.address("host.example", 9092), ("host.example", 9092));
}

#[test]
fn a_bound_host_is_advertised_and_a_chosen_port_too() {
    let listeners = resolve([("listeners", "plaintext://127.0.0.1:0")]).unwrap();
    let advertised = listeners.advertised("PLAINTEXT").unwrap();
    assert_eq!(advertised.address("elsewhere", 40_001), ("127.0.0.1", 40_001));
}

#[test]
fn names_are_free_bound_and_advertised_addresses_differ() {
    let listeners = resolve([
        ("listeners", "INSIDE://:9092,OUTSIDE://[::1]:9094,CTL://:9093"),
        ("advertised.listeners", "OUTSIDE://kafka.example:19094,INSIDE://10.0.0.1:9092"),
        ("listener.security.protocol.map", "INSIDE:PLAINTEXT,outside:plaintext,CTL:SSL"),
        ("inter.broker.listener.name", "INSIDE"),
        ("controller.listener.names", "CTL"),
    ])
    .unwrap();
    let names: Vec<_> = listeners.bound.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["INSIDE", "OUTSIDE"]);
    assert_eq!(listeners.bound[1].host, "::1");
    // The controller's listener is known and not bound, whatever it speaks.
    assert_eq!(listeners.controller[0].port, 9093);
    let outside = listeners.advertised("OUTSIDE").unwrap();
    assert_eq!(outside.address("", 9094), ("kafka.example", 19094));
    assert_eq!(listeners.inter_broker, "INSIDE");
}

#[test]
fn a_controller_listener_needs_no_map_of_its_own() {
    let listeners = resolve([
        ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        ("controller.listener.names", "CONTROLLER"),
    ]);
    assert_eq!(listeners.unwrap().controller.len(), 1);
    refused(
        [
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("controller.listener.names", "CONTROLLER"),
            ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT"),
        ],
        "'CONTROLLER' is not there",
    );
}

#[test]
fn repeated_names_and_ports_are_refused() {
    refused([("listeners", "PLAINTEXT://:9092,plaintext://:9093")], "twice");
    refused(
        [
            ("listeners", "A://:9092,B://:9092"),
            ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT"),
        ],
        "must not share port 9092",
    );
    let families = resolve([
        ("listeners", "A://127.0.0.1:9092,B://[::1]:9092"),
        ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT"),
    ]);
    assert!(families.is_ok(), "an IPv4 and an IPv6 address may share a port");
}

#[test]
fn what_is_no_address_is_refused_with_what_would_be_right() {
    for bad in ["PLAINTEXT://:99999", "PLAINTEXT:9092", "://:9092", "PLAINTEXT://a b:1"] {
        refused([("listeners", bad)], "NAME://host:port");
    }
    refused([("listeners", "OTHER://:9092")], "listener.security.protocol.map");
    refused([("listener.security.protocol.map", "A:TLS")], "NAME:PROTOCOL");
    refused([("listener.security.protocol.map", "A:SSL,a:PLAINTEXT")], "without repeats");
}

#[test]
fn what_cannot_be_advertised_is_refused() {
    refused([("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")], "clients can reach");
    refused([("advertised.listeners", "SSL://host:9092")], "names that listeners holds");
}

#[test]
fn a_protocol_that_is_not_served_is_refused_by_name() {
    refused([("listeners", "SASL_SSL://:9092")], "SASL_SSL is not served yet");
}

#[test]
fn a_node_with_controller_listeners_alone_is_refused() {
    refused(
        [("listeners", "CTL://:9093"), ("controller.listener.names", "CTL")],
        "not a controller's",
    );
}

#[test]
fn the_listener_between_brokers_must_be_advertised() {
    refused([("inter.broker.listener.name", "OTHER")], "an advertised listener");
    refused(
        [
            ("inter.broker.listener.name", "PLAINTEXT"),
            ("security.inter.broker.protocol", "PLAINTEXT"),
        ],
        "only one of",
    );
}
