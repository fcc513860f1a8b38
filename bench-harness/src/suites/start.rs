//! How long a broker takes to its first answer: empty, with partitions, after a kill.

use std::time::Instant;

use anyhow::Result;

use crate::client::Client;
use crate::load::{self, BatchShape, Pace, ProducePlan, ProduceShape, RunOptions};
use crate::meter;
use crate::report::Figures;
use crate::server::{Place, Server, Spec};
use crate::stats::median;

/// How much is there.
#[derive(Clone, Copy, Debug)]
pub struct StartOptions {
    /// Partitions.
    pub partitions: i32,
    /// Starts of each kind; the median is reported.
    pub repeats: usize,
}

/// Measures one broker.
pub fn start(spec: &Spec, options: StartOptions, place: &Place) -> Result<Figures> {
    let mut rows = Vec::new();
    let mut row = |what: String, times: &[Times], server: &Server| -> Result<()> {
        let cpu = meter::read(server.pid())?.cpu_ns as f64 / 1e6;
        let rss = meter::memory(server.pid())?.resident as f64 / 1e6;
        let of = |time: fn(&Times) -> Option<f64>| {
            let times: Vec<f64> = times.iter().filter_map(time).collect();
            if times.is_empty() { "-".to_owned() } else { format!("{:.1}", median(&times)) }
        };
        let (answer, all) = (of(|it| it.answer_ms), of(|it| Some(it.all_ms)));
        rows.push(vec![what, answer, all, format!("{cpu:.1}"), format!("{rss:.1}")]);
        Ok(())
    };
    let mut empty = Vec::new();
    let mut server = None;
    for _ in 0..options.repeats {
        drop(server.take());
        let started = server.insert(Server::start(spec, place)?);
        let answer_ms = started.start_took().as_secs_f64() * 1000.0;
        empty.push(Times { answer_ms: Some(answer_ms), all_ms: answer_ms });
    }
    let Some(mut server) = server else { anyhow::bail!("no repeat") };
    row("first start, empty folder".to_owned(), &empty, &server)?;
    let begun = Instant::now();
    Client::connect(server.addr())?.create_topic(TOPIC, options.partitions, &[])?;
    let all_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let created = Times { answer_ms: None, all_ms };
    row(format!("create {} partitions", options.partitions), &[created], &server)?;
    // Something in every partition, so that there is something to recover.
    let batch = BatchShape { batch_bytes: 0, record_bytes: 1000, records_max: 10 };
    let shape =
        ProduceShape { topic: TOPIC.to_owned(), partitions: options.partitions, batch, acks: 1 };
    let mut plan = ProducePlan::new(&shape)?;
    let requests = u64::try_from(options.partitions)? * 4;
    let run = RunOptions { connections: 1, depth: 5, requests, pace: Pace::Closed };
    load::run(server.addr(), &mut plan, run)?;
    let (mut stops, mut clean, mut killed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.repeats {
        stops.push(server.terminate()?.as_secs_f64() * 1000.0);
        clean.push(restart(&mut server, options.partitions)?);
    }
    row(format!("start after a clean stop, {} partitions", options.partitions), &clean, &server)?;
    for _ in 0..options.repeats {
        load::run(server.addr(), &mut plan, run)?;
        server.kill()?;
        killed.push(restart(&mut server, options.partitions)?);
    }
    row(format!("start after kill -9, {} partitions", options.partitions), &killed, &server)?;
    let stop = median(&stops);
    let title = format!("{}: a clean stop took {stop:.1} ms", spec.name());
    let columns = ["state", "first answer ms", "all partitions ms", "CPU ms since start", "RSS MB"];
    Ok(Figures { title, columns: columns.map(str::to_owned).to_vec(), rows })
}

/// How long a start took.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// To the first answer; none where nothing was started.
    answer_ms: Option<f64>,
    /// To an answer for every partition by its leader.
    all_ms: f64,
}

const TOPIC: &str = "start";

fn restart(server: &mut Server, partitions: i32) -> Result<Times> {
    let begun = Instant::now();
    let answer_ms = server.restart()?.as_secs_f64() * 1000.0;
    Client::connect(server.addr())?.await_leaders(TOPIC, partitions)?;
    Ok(Times { answer_ms: Some(answer_ms), all_ms: begun.elapsed().as_secs_f64() * 1000.0 })
}
