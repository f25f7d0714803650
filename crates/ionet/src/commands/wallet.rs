//! `ionet wallet`: the customer's key and what it holds.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use ionet_ledger::Ledger;
use ionet_types::network::Network;
use ionet_types::{Currency, Money};
use serde_json::json;
use solana_address::Address;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

use crate::context::Context;
use crate::exit::Failure;
use crate::output::fields;
use crate::wallet::{Wallet, wire_address};

/// What to do with the wallet.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Show the wallet's address and file
    #[command(after_help = "Examples:\n  ionet wallet show\n  ionet wallet show --wallet ~/.config/solana/id.json --json")]
    Show,
    /// Make a new wallet; never overwrites one
    #[command(after_help = "Examples:\n  ionet wallet new\n  ionet wallet new --wallet ./second.json")]
    New,
    /// Show what the wallet holds
    #[command(after_help = "Examples:\n  ionet wallet balance\n  ionet wallet balance --json")]
    Balance,
    /// Ask a local network's faucet for coins
    #[command(after_help = "Examples:\n  ionet wallet fund")]
    Fund,
}

/// Does it.
pub async fn run(command: WalletCommand, context: &Context) -> Result<()> {
    match command {
        WalletCommand::Show => show(&context.wallet()?, context),
        WalletCommand::New => show(&Wallet::create(context.wallet_path())?, context),
        WalletCommand::Balance => {
            let wallet = context.wallet()?;
            let network = context.network().await?.network().await?;
            let holdings = holdings(&network, wallet.address()).await?;
            let answer = json!({
                "address": wire_address(wallet.address()),
                "usdc": holdings.usdc,
                "io": holdings.io,
                "lamports": holdings.lamports.to_string(),
            });
            context.out.answer(&answer, |_| {
                fields(&[
                    ("address", wallet.address().to_string()),
                    ("USDC", holdings.usdc.display.clone()),
                    ("IO", holdings.io.display.clone()),
                    (
                        "SOL",
                        format!("{} (not needed: the network pays the chain's fees)", ionet_types::money::decimal(holdings.lamports, 9)),
                    ),
                ])
            })
        }
        WalletCommand::Fund => {
            let wallet = context.wallet()?;
            let gift = context.network().await?.faucet(wire_address(wallet.address())).await?;
            context.out.answer(&gift, |gift| format!("{} and {} for {}", gift.usdc.display, gift.io.display, wallet.address()))
        }
    }
}

fn show(wallet: &Wallet, context: &Context) -> Result<()> {
    let answer = json!({ "address": wire_address(wallet.address()), "file": wallet.path() });
    context.out.answer(&answer, |_| fields(&[("address", wallet.address().to_string()), ("file", wallet.path().display().to_string())]))
}

/// What a wallet holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// USDC.
    pub usdc: Money,
    /// IO.
    pub io: Money,
    /// Lamports: 10^9 are one SOL.
    pub lamports: u64,
}

impl Holdings {
    /// What it holds of one coin, base units.
    pub fn of(&self, currency: Currency) -> u64 {
        match currency {
            Currency::Usdc => self.usdc.base_units.0,
            Currency::Io => self.io.base_units.0,
        }
    }
}

/// Asks the chain what a wallet holds.
pub async fn holdings(network: &Network, wallet: Address) -> Result<Holdings> {
    let url = network.rpc_url.clone().ok_or_else(|| {
        Failure::new("this network does not say where its chain answers").hint("look the wallet's address up in a Solana explorer")
    })?;
    let rpc = Arc::new(RpcClient::new(url));
    let lamports = rpc.get_balance(&wallet).await.context("the chain does not answer")?;
    let ledger = Ledger::new(rpc, Address::new_from_array(network.program_id.0));
    let token =
        async |currency: Currency| -> Result<Money> { Ok(Money::new(currency, ledger.token_balance(&wallet, currency.rules()).await?)) };
    Ok(Holdings { usdc: token(Currency::Usdc).await?, io: token(Currency::Io).await?, lamports })
}
