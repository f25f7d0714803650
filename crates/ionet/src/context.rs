//! What every command has at hand: the data directory, the wallet, the network that it talks to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::cli::Global;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::Output;
use crate::wallet::Wallet;

/// How long the network that this directory names may take to say that it lives.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a command works with.
#[derive(Debug)]
pub struct Context {
    /// The data directory.
    pub home: Home,
    /// Where the answer goes.
    pub out: Output,
    /// Say nothing but the answer.
    pub quiet: bool,
    /// Act with this key instead of the wallet's sign-in.
    pub api_key: Option<String>,
    url: Option<String>,
    wallet: PathBuf,
}

impl Context {
    /// From the options that all commands share.
    pub fn new(global: &Global) -> Result<Self> {
        let home = Home::open(global.dir.as_deref())?;
        let wallet = global.wallet.clone().unwrap_or_else(|| home.wallet());
        Ok(Self {
            home,
            out: Output { json: global.json },
            quiet: global.quiet,
            url: global.url.clone(),
            api_key: global.api_key.clone(),
            wallet,
        })
    }

    /// The wallet's file.
    pub fn wallet_path(&self) -> &std::path::Path {
        &self.wallet
    }

    /// The network that was named or that runs here; `None` when neither is so.
    pub async fn find_network(&self) -> Result<Option<Client>> {
        if let Some(url) = &self.url {
            return Client::new(url).map(Some);
        }
        let Some(running) = self.home.running()? else { return Ok(None) };
        let client = Client::new(&running.url)?;
        let alive = tokio::time::timeout(ALIVE_TIMEOUT, client.network()).await;
        Ok(matches!(alive, Ok(Ok(network)) if network.local).then_some(client))
    }

    /// The network, not signed in: for what is public.
    pub async fn network(&self) -> Result<Client> {
        let found = self.find_network().await?;
        found.ok_or_else(|| {
            Failure::new(format!("no network runs in {}", self.home.dir().display()))
                .hint("start one with `ionet up`, or name one with --url or IONET_URL")
                .exit(Exit::Unreachable)
                .into()
        })
    }

    /// The network, signed in with the API key or the wallet.
    pub async fn signed_in(&self) -> Result<Client> {
        let client = self.network().await?;
        if let Some(key) = &self.api_key {
            return Ok(client.with_token(key));
        }
        let wallet = Wallet::read(&self.wallet)?;
        client.sign_in(Arc::new(wallet)).await
    }

    /// The wallet, which must be there.
    pub fn wallet(&self) -> Result<Wallet> {
        Wallet::read(&self.wallet)
    }
}
