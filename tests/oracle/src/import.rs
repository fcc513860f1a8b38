//! Makes `layouts.txt` from the message descriptions inside Kafka's client jar.
//!
//! The jar carries them as `common/message/*.json` (JSON with `//` comment lines). Only names,
//! types, versions, tags and defaults are taken over; nothing else of the files is kept.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::layout::Kind;

/// The text of `layouts.txt` for all request and response descriptions in `folder` that a broker
/// listener accepts.
pub fn layouts(folder: &Path) -> Result<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(api) = name.strip_suffix("Request.json") {
            names.push(api.to_owned());
        }
    }
    names.sort();
    let mut text = String::from(
        "# Field tables of Kafka's messages, made by `millrace-oracle layouts` from the message\n\
         # descriptions in kafka-clients 4.3.1. The notation is described in src/layout.rs.\n",
    );
    for api in names {
        let request = read(&folder.join(format!("{api}Request.json")))?;
        let on_broker = request["listeners"]
            .as_array()
            .is_some_and(|listeners| listeners.iter().any(|listener| listener == "broker"));
        if !on_broker {
            continue;
        }
        let response = read(&folder.join(format!("{api}Response.json")))?;
        message(&mut text, &api, "request", &request)?;
        message(&mut text, &api, "response", &response)?;
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let plain: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    serde_json::from_str(&plain).with_context(|| path.display().to_string())
}

fn message(text: &mut String, api: &str, direction: &str, description: &Value) -> Result<()> {
    let key = description["apiKey"].as_i64().context("apiKey")?;
    let valid = description["validVersions"].as_str().context("valid")?;
    let flexible = description["flexibleVersions"].as_str().context("flex")?;
    writeln!(text, "{api} {direction} key={key} valid={valid} flexible={flexible}")?;
    let common = &description["commonStructs"];
    fields(text, &description["fields"], common, 1)
}

fn fields(text: &mut String, list: &Value, common: &Value, depth: usize) -> Result<()> {
    for field in list.as_array().into_iter().flatten() {
        let name = field["name"].as_str().context("name")?;
        let kind_name = field["type"].as_str().context("type")?;
        let versions = field["versions"].as_str().context("versions")?;
        write!(text, "{}{name} {} {versions}", "  ".repeat(depth), Kind::parse(kind_name))?;
        if let Some(range) = field["nullableVersions"].as_str() {
            write!(text, " null={range}")?;
        }
        if let Some(range) = field["taggedVersions"].as_str() {
            write!(text, " tag={}:{range}", field["tag"])?;
        }
        match &field["default"] {
            Value::String(value) if !value.is_empty() => write!(text, " default={value}")?,
            Value::Bool(value) => write!(text, " default={value}")?,
            Value::Number(value) => write!(text, " default={value}")?,
            Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
        }
        writeln!(text)?;
        if field["fields"].is_array() {
            fields(text, &field["fields"], common, depth + 1)?;
        } else {
            let shared = kind_name.trim_start_matches("[]");
            let found = common
                .as_array()
                .into_iter()
                .flatten()
                .find(|candidate| candidate["name"] == shared);
            if let Some(found) = found {
                fields(text, &found["fields"], common, depth + 1)?;
            }
        }
    }
    Ok(())
}
