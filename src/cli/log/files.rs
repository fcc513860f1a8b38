//! Which folders and segments a path means.

use std::path::{Path, PathBuf};

use millrace_engine::segment::{LOG_SUFFIX, parse_file_name};

use crate::cli::error::CliError;

/// A partition's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// The topic, as far as the folder's name tells.
    pub(super) topic: String,
    /// The partition, 0 where the name does not tell.
    pub(super) partition: i32,
    /// Its segments' `.log` files, ascending.
    pub(super) segments: Vec<PathBuf>,
}

impl Folder {
    /// What the name of the folder around a file says.
    pub(super) fn of(file: &Path) -> Self {
        let path = file.parent().unwrap_or(Path::new("."));
        Self::named(path, vec![file.to_path_buf()])
    }

    fn named(path: &Path, segments: Vec<PathBuf>) -> Self {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let split = name.rsplit_once('-');
        let parsed = split.and_then(|(topic, index)| Some((topic.to_owned(), index.parse().ok()?)));
        let (topic, partition) = parsed.unwrap_or((name, 0));
        Self { path: path.to_path_buf(), topic, partition, segments }
    }
}

/// The partitions' folders that a path means: a segment's, its own, or those in it.
pub(super) fn folders(path: &Path) -> Result<Vec<Folder>, CliError> {
    if path.is_file() {
        return Ok(vec![Folder::of(path)]);
    }
    let own = logs_in(path)?;
    if !own.is_empty() {
        return Ok(vec![Folder::named(path, own)]);
    }
    let mut found = Vec::new();
    for child in entries(path)? {
        if child.is_dir() {
            let logs = logs_in(&child)?;
            if !logs.is_empty() {
                found.push(Folder::named(&child, logs));
            }
        }
    }
    if found.is_empty() {
        return Err(CliError::refused(format!("{}: no segments", path.display()))
            .hint("name a .log file, a partition's folder, or a data folder (log.dirs)"));
    }
    Ok(found)
}

/// The segments that a path means.
pub(super) fn segments(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    Ok(folders(path)?.into_iter().flat_map(|folder| folder.segments).collect())
}

fn logs_in(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut logs = entries(folder)?;
    logs.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(parse_file_name);
        name.is_some_and(|(_, suffix)| suffix == LOG_SUFFIX)
    });
    Ok(logs)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed =
        |error: std::io::Error| CliError::refused(format!("{}: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
