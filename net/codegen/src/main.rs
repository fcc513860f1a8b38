//! Rewrites the generated code below the folder given, or the current one.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let top = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    match run(Path::new(&top)) {
        Ok(count) => {
            println!("{count} files written");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes what differs and removes nothing; gives the number of files written.
fn run(top: &Path) -> Result<usize, String> {
    let mut count = 0;
    for (path, text) in millrace_codegen::generate(top)? {
        let path = top.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        count += 1;
    }
    Ok(count)
}
