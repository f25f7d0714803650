//! `ionet run`: everything in one go.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use ionet_types::clusters::{BookRequest, Cluster};
use ionet_types::transactions::{Receipt, Record};
use ionet_types::{BaseUnits, ClusterId};
use serde::Serialize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tokio_util::sync::CancellationToken;

use super::hire::HireArgs;
use crate::client::Client;
use crate::context::Context;
use crate::exit::{Exit, Failure, exit_of, failure, render};
use crate::interrupt;
use crate::job::{Customer, JobResult};
use crate::network::{LocalNetwork, NetworkOptions};
use crate::output::print_raw;
use crate::package::Package;
use crate::progress::Progress;
use crate::quotes;
use crate::ray::{self, JobStatus};
use crate::receipt::{self, CheckedBalance};
use crate::wallet::{Wallet, wire_address};

use super::wallet::holdings;

const EXAMPLES: &str = "\
Examples:
  ionet run examples/pi.py --nodes 2
  ionet run examples/pi.py --nodes 2 --currency io
  ionet run train.py --working-dir . --nodes 4 --minutes 180 -- --epochs 10
  ionet run examples/pi.py --json | jq .balance
  ionet run examples/pi.py --url https://hub.example.com --wallet ~/.config/solana/id.json

With --json, standard output is one object: `cluster`, `job`, `records` (kind, amounts, signature), `balance` (with `ok`).
The job's own output then goes to standard error. The job finds IONET_NODES and IONET_CLUSTER in its environment.";

/// Memory that Ray needs for each node, bytes: what a worker that does nothing was seen to take.
const NODE_BYTES: u64 = 250 << 20;
/// What the head takes besides.
const HEAD_BYTES: u64 = 400 << 20;

/// What is to be run, and on what.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// Python script to run as a Ray job
    pub script: PathBuf,
    /// What is to be hired.
    #[command(flatten)]
    pub hire: HireArgs,
    /// Send this whole directory, which holds the script, instead of the script alone
    #[arg(long, value_name = "DIR")]
    pub working_dir: Option<PathBuf>,
    /// CPUs that each local agent offers, when a network is started here [default: the machine's, shared out]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub cpus_per_node: Option<u32>,
    /// Do not end the cluster after the job; with a network of its own, keep both until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Arguments for the script
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// What `run --json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    cluster: &'a Cluster,
    job: Option<&'a JobResult>,
    records: &'a [Record],
    balance: &'a CheckedBalance,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ReportedError>,
    timings_millis: Timings,
}

#[derive(Debug, Serialize)]
struct ReportedError {
    code: Option<String>,
    message: String,
}

/// When things had happened, milliseconds after the command started.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Timings {
    network_ready: Option<u64>,
    booked: Option<u64>,
    paid: Option<u64>,
    running: Option<u64>,
    first_output: Option<u64>,
    job_ended: Option<u64>,
    settled: Option<u64>,
}

/// Does it.
pub async fn run(args: RunArgs, context: &Context) -> Result<Exit> {
    let (package, script) = Package::of_script(&args.script, args.working_dir.as_deref())?;
    let entrypoint = ray::entrypoint(&script, &args.args)?;
    let progress = Progress::new(context.quiet);
    let interrupted = interrupt::first_ends_second_quits(&progress);
    let mut run = Run { args: &args, context, progress: &progress, interrupted, timings: Timings::default() };

    progress.doing("looking for a network");
    let (client, own_network) = if let Some(client) = context.find_network().await? {
        (client, None)
    } else {
        let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        check_memory(args.hire.nodes, System::new_with_specifics(memory).total_memory())?;
        check_python()?;
        let options = NetworkOptions {
            agents: args.hire.nodes as usize,
            cpus_per_agent: args.cpus_per_node,
            owner: Some(wire_address(run.wallet()?.address())),
            ..NetworkOptions::default()
        };
        let network = run.unless_interrupted(LocalNetwork::start(&context.home, &options, &progress)).await?;
        progress.done(&format!("network up: chain, control plane and {} agents in this process", options.agents));
        (Client::new(network.url())?, Some(network))
    };
    let ended = run.with_network(client, own_network.is_some(), &package, entrypoint).await;
    if let Some(network) = own_network {
        progress.doing("stopping the network");
        network.stop().await;
    }
    progress.clear();
    ended
}

/// Refuses more nodes than fit into this machine's memory: Ray on all of them would only bring the machine down.
fn check_memory(nodes: u32, memory_bytes: u64) -> Result<()> {
    let fit = memory_bytes.saturating_sub(HEAD_BYTES) / NODE_BYTES;
    if u64::from(nodes) <= fit.max(1) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{nodes} nodes do not fit into this machine: its memory of {} GB is enough for Ray on {fit}",
        memory_bytes >> 30
    ))
    .code("capacity_insufficient")
    .hint("ask for fewer --nodes, or name a network with more machines with --url")
    .exit(Exit::Refused)
    .into())
}

/// Refuses a machine that cannot run Ray, before anything is paid.
fn check_python() -> Result<()> {
    let version = std::process::Command::new("python3").arg("--version").output();
    version.map(drop).with_context(|| {
        Failure::new("Ray needs Python, and there is no `python3` on this machine's PATH").hint("install Python 3 with its venv module")
    })
}

struct Run<'a> {
    args: &'a RunArgs,
    context: &'a Context,
    progress: &'a Progress,
    interrupted: CancellationToken,
    timings: Timings,
}

impl Run<'_> {
    async fn with_network(&mut self, client: Client, own: bool, package: &Package, entrypoint: String) -> Result<Exit> {
        let customer = self.unless_interrupted(self.customer(client)).await?;
        self.timings.network_ready = Some(self.now());
        let request = BookRequest {
            name: self.args.script.file_name().map(|name| name.to_string_lossy().chars().take(16).collect()),
            ..BookRequest::new(self.args.hire.quote_request())
        };
        let id = self.unless_interrupted(self.book(&customer, &request)).await?;
        self.timings.booked = Some(self.now());

        let mut job = None;
        let lived = self.live(&customer, id, package, entrypoint, &mut job).await;
        if let Err(error) = &lived {
            self.progress.say(&render(error));
        }
        if self.args.keep && lived.is_ok() {
            self.keep(&customer, id, own).await;
            if !own {
                let cluster = customer.client.cluster(id).await?;
                self.report(&cluster, job.as_ref(), &customer.client.receipt(id).await?, None)?;
                return Ok(exit_of_job(job.as_ref()));
            }
        }
        self.finish(&customer, id, own, job, lived).await
    }

    /// The wallet, made on first use.
    fn wallet(&self) -> Result<Wallet> {
        let (wallet, new) = Wallet::read_or_create(self.context.wallet_path())?;
        if new {
            self.progress.say(&format!("made a wallet: {} ({})", wallet.address(), wallet.path().display()));
        }
        Ok(wallet)
    }

    /// The wallet, made on first use, funded on a local network.
    async fn customer(&self, client: Client) -> Result<Customer> {
        let wallet = self.wallet()?;
        let customer = Customer::with(self.context, client, wallet).await?;
        Ok(customer)
    }

    async fn book(&self, customer: &Customer, request: &BookRequest) -> Result<ClusterId> {
        customer.await_devices(request, self.progress).await?;
        let hire = &self.args.hire;
        let quote = quotes::checked(&customer.client, &customer.network, &hire.quote_request()).await?;
        self.progress.done(&format!(
            "quote: {} x {} for {} min at {} an hour: {} + fees {} = {}",
            quote.quantity, quote.hardware, quote.minutes, quote.rate.display, quote.cost.display, quote.fees.display, quote.total.display
        ));
        if customer.network.local
            && holdings(&customer.network, customer.wallet.address()).await?.of(hire.currency) < quote.total.base_units.0
        {
            let gift = customer.client.faucet(wire_address(customer.wallet.address())).await?;
            self.progress.done(&format!("the local network's faucet gave {} and {}", gift.usdc.display, gift.io.display));
        }
        let id = customer.book(request, &quote).await?;
        self.progress.done(&format!("cluster {id} booked on chain"));
        Ok(id)
    }

    /// From the booking to the end of the job, or to Ctrl-C.
    async fn live(
        &mut self,
        customer: &Customer,
        id: ClusterId,
        package: &Package,
        entrypoint: String,
        job: &mut Option<JobResult>,
    ) -> Result<()> {
        let progress = self.progress;
        self.unless_interrupted(async {
            // Half first: what a customer does who wants to see the booking before paying in full.
            let due = customer.client.cluster(id).await?.due.base_units.0;
            let half = BaseUnits(due / 2);
            if half.0 > 0 {
                let (paid, left) = customer.pay(id, Some(half)).await?;
                progress.done(&format!("paid {}, {} left", paid.display, left.display));
            }
            let (paid, _) = customer.pay(id, None).await?;
            progress.done(&format!("paid {}: paid in full", paid.display));
            Ok(())
        })
        .await?;
        self.timings.paid = Some(self.now());
        let cluster = self.unless_interrupted(customer.await_running(id, progress)).await?;
        self.timings.running = Some(self.now());
        progress.done(&format!("running: Ray on {} nodes", cluster.nodes.len()));

        let json = self.context.out.json;
        let mut first_output = None;
        let output = |text: &str| {
            first_output.get_or_insert_with(|| progress.elapsed().as_millis() as u64);
            progress.aside(|| if json { eprint!("{text}") } else { drop(print_raw(text)) });
        };
        let ran = self.unless_interrupted(customer.run_job(&cluster, package, entrypoint, progress, output)).await;
        self.timings.first_output = first_output;
        let result = ran?;
        self.timings.job_ended = Some(self.now());
        let code = result.exit_code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
        progress.done(&match result.status {
            JobStatus::Succeeded => "job succeeded".to_owned(),
            _ => format!("job failed{code}: {}", result.message.as_deref().unwrap_or("no reason given").trim()),
        });
        *job = Some(result);
        Ok(())
    }

    async fn keep(&self, customer: &Customer, id: ClusterId, own: bool) {
        let url = customer.client.url();
        self.progress.say(&format!(
            "the cluster is kept\n  Ray: RAY_ADDRESS={url}/v1/clusters/{id}/ray with RAY_AUTH_TOKEN=<the secret of `ionet keys create NAME --scope write`>\n  end it with: ionet clusters end {id}"
        ));
        if own {
            self.progress.say("  or with Ctrl-C, which also stops the network");
            self.progress.doing("kept until Ctrl-C");
            self.interrupted.cancelled().await;
        }
    }

    /// Ends the cluster, waits for its money, prints the receipt.
    async fn finish(&mut self, customer: &Customer, id: ClusterId, own: bool, job: Option<JobResult>, lived: Result<()>) -> Result<Exit> {
        let progress = self.progress;
        progress.doing("ending the cluster");
        if !customer.end(id).await? {
            progress.say(&format!("cluster {id} is not paid in full: it lapses by itself, and what was paid goes back"));
            return lived.map(|()| exit_of_job(job.as_ref()));
        }
        let (cluster, receipt) = customer.await_settled(id, progress).await?;
        self.timings.settled = Some(self.now());
        if own {
            customer.await_all_free(progress).await;
        }
        progress.done("ended and settled");
        progress.clear();
        let balance = self.report(&cluster, job.as_ref(), &receipt, lived.as_ref().err())?;
        if !balance.ok {
            return Err(Failure::new("the cluster's money does not balance")
                .hint("keep the receipt above and report it")
                .exit(Exit::BalanceWrong)
                .into());
        }
        match lived {
            Ok(()) => Ok(exit_of_job(job.as_ref())),
            // It was said when it happened.
            Err(error) => Ok(exit_of(&error)),
        }
    }

    fn report(
        &self,
        cluster: &Cluster,
        job: Option<&JobResult>,
        receipt: &Receipt,
        error: Option<&anyhow::Error>,
    ) -> Result<CheckedBalance> {
        let balance = receipt::check(receipt);
        let error = error
            .map(|error| ReportedError { code: failure(error).and_then(|failure| failure.code.clone()), message: format!("{error:#}") });
        let report = Report { cluster, job, records: &receipt.records, balance: &balance, error, timings_millis: self.timings };
        self.context.out.answer(&report, |_| format!("\n{}", receipt::render(receipt, &balance)))?;
        Ok(balance)
    }

    async fn unless_interrupted<T>(&self, doing: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.interrupted.cancelled() => Err(Failure::new("stopped with Ctrl-C").exit(Exit::Interrupted).into()),
            done = doing => done,
        }
    }

    fn now(&self) -> u64 {
        self.progress.elapsed().as_millis() as u64
    }
}

fn exit_of_job(job: Option<&JobResult>) -> Exit {
    match job {
        Some(job) if job.status != JobStatus::Succeeded => Exit::JobFailed,
        _ => Exit::Ok,
    }
}
