//! The command line: what `millrace` can be asked, and a person's client for a running broker.
//!
//! Everything but `serve` is a client of its own, on blocking sockets and this project's codec;
//! it asks a broker which versions it serves, so it works with Apache Kafka too. It shares nothing
//! with the broker in this process but the codec and the engine's readers.
//!
//! Exit status: 0 done; 1 the broker refused it, or some of it; 2 the command line is wrong;
//! 3 the broker cannot be reached or does not answer; 4 files are damaged.

mod client;
mod cluster;
mod config;
mod consume;
mod error;
mod group;
mod lines;
mod log;
mod offsets;
mod output;
mod partitioner;
mod produce;
mod start;
mod topic;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use error::CliError;
use output::Output;

/// Millrace, a log broker that speaks the Apache Kafka protocol.
#[derive(Debug, Parser)]
#[command(name = "millrace", version, about)]
pub struct Arguments {
    /// What to do; without one, the broker runs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the broker runs.
    #[command(flatten)]
    pub serve: Serve,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the broker; what happens without a command, too.
    Serve(Serve),
    /// The tools.
    #[command(flatten)]
    Tool(Tool),
}

/// How the broker is to run.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// A Kafka `server.properties`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the data lies (log.dirs).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Where clients connect (listeners).
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// What clients are told to connect to (advertised.listeners).
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, value_name = "HOST:PORT")]
    pub admin: Option<String>,
    /// Threads that serve; one per CPU unless given.
    #[arg(long, value_name = "N")]
    pub shards: Option<String>,
    /// How the kernel is asked for input and output.
    #[arg(long, value_name = "auto|uring|epoll")]
    pub io_backend: Option<String>,
    /// Any configuration, by its Kafka name; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

/// A client's commands.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Makes, lists, describes, changes and deletes topics.
    #[command(subcommand)]
    Topic(topic::Topic),
    /// Sends lines as records.
    Produce(Box<produce::Produce>),
    /// Reads records.
    Consume(Box<consume::Consume>),
    /// Shows and changes configurations of topics and brokers.
    #[command(subcommand)]
    Config(config::Config),
    /// Lists, describes, resets and deletes consumer groups.
    #[command(subcommand)]
    Group(group::Group),
    /// Reads the files of a log without a broker.
    #[command(subcommand)]
    Log(log::Log),
    /// Prints a shell's completion script.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every command that talks to a broker takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// A broker to begin with; several may stand between commas.
    #[arg(short, long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    bootstrap: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn output(&self) -> Output {
        Output::new(self.json)
    }

    fn connect(&self) -> Result<cluster::Cluster, CliError> {
        cluster::Cluster::connect(&self.bootstrap)
    }
}

/// Reads `KEY=VALUE`.
fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// Does what a tool is asked; says on standard error what could not be done.
pub fn run(tool: Tool) -> ExitCode {
    let done = match tool {
        Tool::Topic(topic) => topic.run(),
        Tool::Produce(produce) => produce.run(),
        Tool::Consume(consume) => consume.run(),
        Tool::Config(config) => config.run(),
        Tool::Group(group) => group.run(),
        Tool::Log(log) => log.run(),
        Tool::Completion { shell } => completion(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn completion(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "millrace", &mut script);
    output::raw(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_broker_is_what_runs_without_a_command() {
        let parse = |words: &[&str]| Arguments::try_parse_from(words).expect("parses");
        let bare = parse(&["millrace", "--listen", "127.0.0.1:1", "--set", "a=b=c"]);
        assert!(bare.command.is_none());
        assert_eq!(bare.serve.set, [("a".to_owned(), "b=c".to_owned())]);
        let serve = parse(&["millrace", "serve", "--listen", "127.0.0.1:1"]);
        let Some(Command::Serve(serve)) = serve.command else { panic!("serve") };
        assert_eq!(serve.listen.as_deref(), Some("127.0.0.1:1"));
    }
}
