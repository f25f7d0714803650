//! `ionet network`: the network as a whole.

use anyhow::Result;

use crate::context::Context;
use crate::output::{fields, moment, usd};

/// Prints what the network is.
pub async fn run(context: &Context) -> Result<()> {
    let client = context.network().await?;
    let network = client.network().await?;
    context.out.answer(&network, |network| {
        fields(&[
            ("url", client.url().to_owned()),
            ("version", network.version.clone()),
            ("local", if network.local { "yes: coins without value, with a faucet" } else { "no" }.to_owned()),
            ("chain", network.rpc_url.clone().unwrap_or_else(|| "not told".to_owned())),
            ("clock", moment(network.now_unix_secs)),
            ("program", network.program_id.to_string()),
            ("network account", network.network_address.to_string()),
            ("USDC mint", network.usdc_mint.to_string()),
            ("IO mint", network.io_mint.to_string()),
            ("IO price", network.io_price_micro_usd.map_or_else(|| "unknown now".to_owned(), usd)),
            ("payment window", format!("{} s", network.params.payment_window_secs)),
        ])
    })
}
