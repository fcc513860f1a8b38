//! `/slowest`: the slowest requests of all shards, as JSON.

use std::fmt::Write;

use super::Watched;
use crate::slowest::SlowRequest;

/// All that shards keep, slowest first.
pub(super) fn json(watched: &Watched) -> String {
    let shards = watched.shards.iter().filter_map(|shard| shard.get());
    let mut all: Vec<SlowRequest> = shards.flat_map(|shard| shard.slowest.all()).collect();
    all.sort_by_key(|request| std::cmp::Reverse(request.total_ns()));
    let mut out = String::from("[");
    for (index, request) in all.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{comma}\n{{\"api\":\"{}\",\"client_id\":\"{}\",\"connection\":\"{}\",\
             \"total_us\":{},\"queue_us\":{},\"work_us\":{},\"park_us\":{},\"ended_mono_ms\":{}}}",
            request.api.name(),
            escaped(&request.client_id),
            request.peer,
            request.total_ns() / 1_000,
            request.queue_ns / 1_000,
            request.work_ns / 1_000,
            request.park_ns / 1_000,
            request.ended.0 / 1_000_000,
        );
    }
    out.push_str("\n]\n");
    out
}

/// A client chooses its name: nothing in it may end the string that it stands in.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '"' | '\\' => {
                out.push('\\');
                out.push(symbol);
            }
            symbol if symbol.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(symbol));
            }
            symbol => out.push(symbol),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Counters;
    use millrace_io::Mono;
    use millrace_net::ApiKey;
    use std::sync::{Arc, OnceLock};

    #[test]
    fn the_slowest_of_all_shards_come_first_and_names_are_escaped() {
        let shard = |work_ns, name: &str| {
            let counters = Counters::default();
            counters.slowest.note(SlowRequest {
                api: ApiKey::Fetch,
                client_id: name.to_owned(),
                peer: ([127, 0, 0, 1], 5).into(),
                ended: Mono(9_000_000),
                queue_ns: 1_000,
                work_ns,
                park_ns: 3_000,
            });
            Arc::new(OnceLock::from(Arc::new(counters)))
        };
        let watched = Watched {
            shards: vec![shard(2_000_000, "a"), shard(7_000_000, "\"\n"), Arc::default()],
            ..Watched::default()
        };
        assert_eq!(
            json(&watched),
            "[\n{\"api\":\"Fetch\",\"client_id\":\"\\\"\\u000a\",\"connection\":\"127.0.0.1:5\",\
             \"total_us\":7001,\"queue_us\":1,\"work_us\":7000,\"park_us\":3,\"ended_mono_ms\":9},\
             \n{\"api\":\"Fetch\",\"client_id\":\"a\",\"connection\":\"127.0.0.1:5\",\
             \"total_us\":2001,\"queue_us\":1,\"work_us\":2000,\"park_us\":3,\"ended_mono_ms\":9}\n]\n"
        );
        assert_eq!(json(&Watched::default()), "[\n]\n");
    }
}
