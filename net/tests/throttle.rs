//! The table of where responses tell the throttle time, against the schemas.

use std::path::Path;

use millrace_net::ApiKey;
use millrace_net::throttle::throttle_time_leads_from;

#[test]
fn the_table_says_what_the_schemas_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let Some(code) = text.lines().find_map(|line| line.strip_prefix("api ")) else { continue };
        let code: i16 = code.split(' ').next().unwrap().parse().unwrap();
        let key = ApiKey::from_code(code).unwrap();
        let first = text.split_once("\nresponse\n").unwrap().1.lines().next().unwrap().trim();
        let expected = first.strip_prefix("throttle_time_ms i32").map(|from| {
            let from = from.trim().trim_end_matches('+');
            if from.is_empty() { 0 } else { from.parse::<i16>().unwrap() }
        });
        assert_eq!(throttle_time_leads_from(key), expected, "{key:?}");
        seen += 1;
    }
    assert!(seen > 40, "{seen} schemas");
}
