//! The command line: what can be typed. What it does is in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    agent, audit, clusters, devices, epochs, hardware, joins, keys, network, operator, payments, preflight, prices, quote, rewards, run,
    slashes, stakes, tne, transactions, up, wallet,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed; the message says what, why and what to do
  2    the command line was not understood
  3    the job failed (the cluster was settled all the same)
  4    the cluster's money does not balance or did not settle in time
  5    the network refused; the message has its code
  6    no network answers
  130  stopped with Ctrl-C; the cluster was ended and settled

Examples:
  ionet run examples/pi.py --nodes 2      book, pay, run and settle in one go
  ionet up                                keep a network running on this machine
  ionet clusters list                     see your clusters
  ionet clusters list --json | jq .       the same for a program";

/// A compute network in one binary: book, pay, run and settle clusters.
///
/// `ionet run` does everything in one go, with a network of its own when none runs. `ionet up` keeps a network running for the other
/// commands. Amounts are exact, and every one is read from the network's on-chain program.
#[derive(Debug, Parser)]
#[command(name = "ionet", version, after_help = EXIT_CODES, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Data directory: wallet, local network, agents [default: ~/.local/share/ionet]
    #[arg(long, global = true, env = "IONET_HOME", value_name = "DIR", hide_env_values = true)]
    pub dir: Option<PathBuf>,
    /// URL of the network; by default the one that runs in the data directory
    #[arg(long, global = true, env = "IONET_URL", value_name = "URL", hide_env_values = true)]
    pub url: Option<String>,
    /// Wallet file in Solana's keypair format [default: wallet.json in the data directory]
    #[arg(long, global = true, env = "IONET_WALLET", value_name = "FILE", hide_env_values = true)]
    pub wallet: Option<PathBuf>,
    /// API key to act with instead of the wallet's sign-in; the wallet still signs what spends
    #[arg(long, global = true, env = "IONET_API_KEY", value_name = "KEY", hide_env_values = true, hide = true)]
    pub api_key: Option<String>,
    /// Print one JSON document to standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but the answer
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log what happens inside, to standard error; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a script on a Ray cluster: book it, pay, run, end, settle, print the receipt
    Run(run::RunArgs),
    /// Run a whole network on this machine until Ctrl-C
    Up(up::UpArgs),
    /// Lend this machine to a network
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Who may lend devices in your name: join tokens and codes
    #[command(subcommand)]
    Joins(joins::JoinsCommand),
    /// The network's log of who did what, for anyone to check
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Your wallet
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// What can be hired now, and what it costs
    #[command(after_help = "Examples:\n  ionet hardware\n  ionet hardware --json")]
    Hardware,
    /// Prices: what everything costs now and why, and how prices went
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    /// What a request would get, or what is in its way and what would help
    Preflight(preflight::PreflightArgs),
    /// What a cluster would cost
    Quote(quote::QuoteArgs),
    /// Your clusters
    #[command(subcommand)]
    Clusters(clusters::ClustersCommand),
    /// What you paid and what came back
    #[command(subcommand)]
    Payments(payments::PaymentsCommand),
    /// The network's devices
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Stakes: devices on chain, what is staked on them, who shares in it
    #[command(subcommand)]
    Stakes(stakes::StakesCommand),
    /// Slashing cases, and appeals against them
    #[command(subcommand)]
    Slashes(slashes::SlashesCommand),
    /// What suppliers earned, and paying it out
    #[command(subcommand)]
    Rewards(rewards::RewardsCommand),
    /// Emission hour by hour, for anyone to check
    #[command(subcommand)]
    Epochs(epochs::EpochsCommand),
    /// The program's records on chain, of everybody
    #[command(subcommand)]
    Transactions(transactions::TransactionsCommand),
    /// Total network earnings: the value of all work delivered
    #[command(after_help = "Examples:\n  ionet tne\n  ionet tne --json")]
    Tne,
    /// What the network's operator does with devices
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Your API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// The network: its program, coins and parameters
    #[command(after_help = "Examples:\n  ionet network\n  ionet network --url https://hub.example.com --json")]
    Network,
}

impl Command {
    /// Does it.
    pub async fn run(self, context: &crate::context::Context) -> anyhow::Result<crate::exit::Exit> {
        match self {
            Self::Run(args) => return run::run(args, context).await,
            Self::Up(args) => return up::run(args, context).await,
            Self::Agent(command) => return Box::pin(agent::run(command, context)).await,
            Self::Joins(command) => joins::run(command, context).await,
            Self::Audit(command) => return audit::run(command, context).await,
            Self::Wallet(command) => wallet::run(command, context).await,
            Self::Hardware => hardware::run(context).await,
            Self::Prices(command) => prices::run(command, context).await,
            Self::Preflight(args) => preflight::run(args, context).await,
            Self::Quote(args) => quote::run(args, context).await,
            Self::Clusters(command) => return clusters::run(command, context).await,
            Self::Payments(command) => payments::run(command, context).await,
            Self::Devices(command) => devices::run(command, context).await,
            Self::Stakes(command) => stakes::run(command, context).await,
            Self::Slashes(command) => slashes::run(command, context).await,
            Self::Rewards(command) => rewards::run(command, context).await,
            Self::Epochs(command) => epochs::run(command, context).await,
            Self::Transactions(command) => transactions::run(command, context).await,
            Self::Tne => tne::run(context).await,
            Self::Operator(command) => operator::run(command, context).await,
            Self::Keys(command) => keys::run(command, context).await,
            Self::Network => network::run(context).await,
        }
        .map(|()| crate::exit::Exit::Ok)
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Default, Args)]
pub struct PageArgs {
    /// Most items, 1 to 200
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: Option<u32>,
    /// Where the last page ended: its `next_cursor`
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

impl PageArgs {
    /// As the API wants it.
    pub fn query(&self) -> crate::client::ListQuery {
        crate::client::ListQuery { cursor: self.cursor.clone(), limit: self.limit, ..crate::client::ListQuery::default() }
    }
}

/// The whole command line as a Markdown document, for docs/CLI.md.
pub fn reference() -> String {
    let options =
        clap_markdown::MarkdownOptions::new().title("The `ionet` command line".to_owned()).show_footer(false).show_table_of_contents(true);
    clap_markdown::help_markdown_custom::<Cli>(&options)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_command_line_is_sound_and_every_command_has_examples() {
        let mut root = Cli::command();
        root.clone().debug_assert();
        root.build();
        let mut open = vec![root];
        while let Some(command) = open.pop() {
            let leaf = !command.has_subcommands();
            if leaf && command.get_name() != "help" {
                let help = command.clone().render_long_help().to_string();
                assert!(help.contains("Examples:"), "{} has no examples", command.get_name());
            }
            open.extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
        }
    }

    #[test]
    fn the_help_names_every_exit_code() {
        for (exit, meaning) in Exit::ALL {
            let line = format!("  {:<4} {meaning}", exit as u8);
            assert!(EXIT_CODES.contains(&line), "{line}");
        }
    }
}
