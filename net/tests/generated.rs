//! The checked-in messages are what the generator writes.

use std::path::Path;

#[test]
fn the_checked_in_code_is_what_the_generator_writes() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = millrace_codegen::generate(&top).unwrap();
    assert!(!files.is_empty());
    for (path, text) in &files {
        let checked_in = std::fs::read_to_string(top.join(path)).unwrap_or_default();
        assert!(checked_in == *text, "{path} differs: run `cargo run -p millrace-codegen`");
    }
    for folder in files.keys().filter_map(|path| Path::new(path).parent()) {
        for entry in std::fs::read_dir(top.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = folder.join(&name).to_str().unwrap().to_owned();
            let ours = folder.ends_with("messages") || folder.ends_with("records");
            assert!(!ours || files.contains_key(&path), "{path} has no schema");
        }
    }
}
