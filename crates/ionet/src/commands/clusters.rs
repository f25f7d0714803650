//! `ionet clusters`: book, pay, extend, end, and see.

use anyhow::Result;
use clap::{Args, Subcommand};
use ionet_types::clusters::{BookRequest, Cluster, ClusterStatus};
use ionet_types::money::parse_decimal;
use ionet_types::payments::{ExtensionRequest, PaymentRequest};
use ionet_types::{BaseUnits, ClusterId};

use super::hire::HireArgs;
use crate::cli::PageArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::job::Customer;
use crate::output::table_with_amounts;
use crate::progress::Progress;
use crate::quotes;
use crate::receipt;
use crate::signing::Wish;
use crate::views::{self, more};

/// What to do with clusters.
#[derive(Debug, Subcommand)]
pub enum ClustersCommand {
    /// List your clusters, newest first
    #[command(after_help = "Examples:\n  ionet clusters list\n  ionet clusters list --limit 10 --json")]
    List(PageArgs),
    /// Show one cluster
    #[command(after_help = "Examples:\n  ionet clusters show 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    Show(IdArgs),
    /// Quote and book a cluster: reserves the devices, moves no money yet
    #[command(
        after_help = "Examples:\n  ionet clusters book --nodes 2 --minutes 180\n  ionet clusters book --nodes 2 --currency io --name training --json"
    )]
    Book {
        /// What is to be hired.
        #[command(flatten)]
        hire: Box<HireArgs>,
        /// A name for your own use
        #[arg(long)]
        name: Option<String>,
    },
    /// Pay for a cluster, all that is due or a part of it
    #[command(
        after_help = "Examples:\n  ionet clusters pay 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21\n  ionet clusters pay 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --amount 0.25"
    )]
    Pay {
        /// The cluster.
        #[command(flatten)]
        id: IdArgs,
        /// How much, in the cluster's coin; all that is due when absent
        #[arg(long, value_name = "AMOUNT")]
        amount: Option<String>,
    },
    /// Hire a cluster for longer, at its original rate
    #[command(after_help = "Examples:\n  ionet clusters extend 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --minutes 60")]
    Extend {
        /// The cluster.
        #[command(flatten)]
        id: IdArgs,
        /// Minutes to add
        #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=5_256_000))]
        minutes: u32,
    },
    /// Add nodes to a running cluster, or let added ones go
    #[command(after_help = super::scale::RESIZE_EXAMPLES)]
    Resize(super::scale::ResizeArgs),
    /// Follow a running cluster's load: add nodes for work that waits, let idle ones go
    #[command(after_help = super::scale::AUTOSCALE_EXAMPLES)]
    Autoscale(super::scale::AutoscaleArgs),
    /// End a cluster early: all unused minutes but the first hour's come back
    #[command(after_help = "Examples:\n  ionet clusters end 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    End(IdArgs),
    /// Show every on-chain record of a cluster, and that its money balances
    #[command(after_help = "Examples:\n  ionet clusters receipt 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    Receipt(IdArgs),
    /// Follow a cluster until it runs, ends or settles
    #[command(
        after_help = "Examples:\n  ionet clusters watch 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21\n  ionet clusters watch 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --until settled --json"
    )]
    Watch {
        /// The cluster.
        #[command(flatten)]
        id: IdArgs,
        /// Until when to follow it
        #[arg(long, value_enum, default_value_t = Until::Settled)]
        until: Until,
    },
}

/// Which cluster.
#[derive(Debug, Clone, Args)]
pub struct IdArgs {
    /// The cluster's id
    #[arg(value_name = "CLUSTER")]
    pub id: ClusterId,
}

/// Until when to follow a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Until {
    /// It runs (or can no longer).
    Running,
    /// It is over.
    Ended,
    /// All its money has come to rest.
    Settled,
}

impl Until {
    fn reached(self, cluster: &Cluster) -> bool {
        let over = matches!(cluster.status, ClusterStatus::Ended | ClusterStatus::Expired);
        match self {
            Self::Running => cluster.status == ClusterStatus::Running || over,
            Self::Ended => over,
            Self::Settled => cluster.settled,
        }
    }
}

/// Does it.
pub async fn run(command: ClustersCommand, context: &Context) -> Result<Exit> {
    match command {
        ClustersCommand::List(page) => {
            let clusters = context.signed_in().await?.clusters(&page.query()).await?;
            context.out.answer(&clusters, |page| {
                let rows = page.items.iter().map(|cluster| {
                    vec![
                        cluster.id.to_string(),
                        cluster.name.clone().unwrap_or_default(),
                        views::status(cluster),
                        format!("{} x {}", cluster.quantity, cluster.hardware),
                        format!("{} min", cluster.minutes_hired),
                        cluster.paid.display.clone(),
                        cluster.total.display.clone(),
                    ]
                });
                more(
                    table_with_amounts(&["cluster", "name", "status", "hardware", "hired", "paid", "total"], &[4, 5, 6], rows),
                    page.next_cursor.as_deref(),
                )
            })?;
        }
        ClustersCommand::Show(IdArgs { id }) => {
            let cluster = context.signed_in().await?.cluster(id).await?;
            context.out.answer(&cluster, views::cluster)?;
        }
        ClustersCommand::Book { hire, name } => {
            let customer = Customer::sign_in(context).await?;
            let quote = quotes::checked(&customer.client, &customer.network, &hire.quote_request()).await?;
            let request = BookRequest { name, quote: Some(quote.signed.clone()), ..BookRequest::new(hire.quote_request()) };
            let booked = customer.client.book(&request).await?;
            let id = booked.cluster.id;
            customer.sign_and_submit(&booked.transaction, &Wish::Book { cluster: id, request: &request, quote: Some(&quote) }).await?;
            let cluster = customer.client.cluster(id).await?;
            context.out.answer(&cluster, |cluster| format!("{}\n\npay it with: ionet clusters pay {id}", views::cluster(cluster)))?;
        }
        ClustersCommand::Pay { id: IdArgs { id }, amount } => {
            let customer = Customer::sign_in(context).await?;
            let amount = match amount {
                Some(text) => Some(parse_amount(&text, &customer.client.cluster(id).await?)?),
                None => None,
            };
            let prepared = customer.client.prepare_payment(id, &PaymentRequest { amount }).await?;
            let asked = amount.unwrap_or(prepared.amount.base_units);
            customer.sign_and_submit(&prepared.transaction, &Wish::Pay { amount: asked }).await?;
            let cluster = customer.client.cluster(id).await?;
            context.out.answer(&cluster, |cluster| format!("paid {}\n\n{}", prepared.amount.display, views::cluster(cluster)))?;
        }
        ClustersCommand::Extend { id: IdArgs { id }, minutes } => {
            let customer = Customer::sign_in(context).await?;
            let prepared = customer.client.prepare_extension(id, &ExtensionRequest { minutes }).await?;
            let wish = Wish::Extend { minutes, amount: prepared.price.total.base_units };
            customer.sign_and_submit(&prepared.transaction, &wish).await?;
            let cluster = customer.client.cluster(id).await?;
            context.out.answer(&cluster, |cluster| {
                format!("{minutes} min more for {}\n\n{}", prepared.price.total.display, views::cluster(cluster))
            })?;
        }
        ClustersCommand::Resize(args) => super::scale::resize(args, context).await?,
        ClustersCommand::Autoscale(args) => super::scale::autoscale(args, context).await?,
        ClustersCommand::End(IdArgs { id }) => {
            let cluster = context.signed_in().await?.end_cluster(id).await?;
            context.out.answer(&cluster, views::cluster)?;
        }
        ClustersCommand::Receipt(IdArgs { id }) => {
            let receipt = context.signed_in().await?.receipt(id).await?;
            let balance = receipt::check(&receipt);
            context.out.answer(&serde_json::json!({ "receipt": receipt, "balance": balance }), |_| receipt::render(&receipt, &balance))?;
            if !balance.ok {
                return Ok(Exit::BalanceWrong);
            }
        }
        ClustersCommand::Watch { id: IdArgs { id }, until } => {
            let client = context.signed_in().await?;
            let progress = Progress::new(context.quiet);
            let mut last = String::new();
            let cluster = client
                .follow_cluster(id, |cluster| {
                    let state = format!("{}: {}", views::status(cluster), views::nodes(cluster));
                    if state != last {
                        progress.done(&state);
                        last = state;
                    }
                    until.reached(cluster)
                })
                .await?;
            progress.clear();
            context.out.answer(&cluster, views::cluster)?;
        }
    }
    Ok(Exit::Ok)
}

/// An amount that a person typed, in the cluster's coin.
pub(super) fn parse_amount(text: &str, cluster: &Cluster) -> Result<BaseUnits> {
    parse_decimal(text, cluster.currency.decimals()).filter(|amount| *amount > 0).map(BaseUnits).ok_or_else(|| {
        Failure::new(format!("{text} is not an amount of {}", cluster.currency))
            .hint(format!("write it like 0.25, with at most {} decimals", cluster.currency.decimals()))
            .exit(Exit::Usage)
            .into()
    })
}
