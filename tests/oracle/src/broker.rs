//! A Millrace process of one's own: free loopback port, temporary data folder, killed on drop.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a start may take on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// The settings with which Kafka was recorded: groups form at once, few internal partitions.
const AS_RECORDED: [&str; 4] =
    ["--set", "group.initial.rebalance.delay.ms=0", "--set", "offsets.topic.num.partitions=4"];

/// A running broker.
pub struct Broker {
    child: Child,
    folder: PathBuf,
    /// `HOST:PORT` of its listener.
    pub bootstrap: String,
}

impl Broker {
    /// Starts `binary` with an empty data folder and waits until it accepts connections.
    ///
    /// Its standard error goes to `broker.log` in the data folder's parent, shown if it dies.
    pub fn start(binary: &Path, arguments: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let admin = free_port()?;
        let folder =
            std::env::temp_dir().join(format!("millrace-oracle-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let log = folder.join("broker.log");
        let bootstrap = format!("127.0.0.1:{port}");
        let errors = std::fs::File::create(&log)?;
        let child = Command::new(binary)
            .arg("serve")
            .args(["--listen", &bootstrap])
            .args(["--admin", &format!("127.0.0.1:{admin}")])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .args(AS_RECORDED)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(errors.try_clone()?)
            .stderr(errors)
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let mut broker = Self { child, folder, bootstrap };
        let start = Instant::now();
        while TcpStream::connect(&broker.bootstrap).is_err() {
            let ended = broker.child.try_wait()?;
            if ended.is_some() || start.elapsed() > START_MAX {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the broker did not start ({ended:?}):\n{text}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(broker)
    }

    /// What the broker has written to its standard output and error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("broker.log")).unwrap_or_default()
    }

    /// True while the process lives.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A loopback port that nobody listens on now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
