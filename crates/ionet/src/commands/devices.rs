//! `ionet devices`: what the network is made of.

use anyhow::Result;
use clap::Subcommand;
use ionet_types::DeviceId;

use crate::cli::PageArgs;
use crate::context::Context;
use crate::output::{name_of, short, table};
use crate::views::{self, more};

/// What to do with devices.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// List the network's devices, or your own
    #[command(after_help = "Examples:\n  ionet devices list\n  ionet devices list --mine --json")]
    List {
        /// Only those that name your wallet as their owner
        #[arg(long)]
        mine: bool,
        /// Which part.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one device
    #[command(after_help = "Examples:\n  ionet devices show 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Show {
        /// The device's id
        id: DeviceId,
    },
}

/// Does it.
pub async fn run(command: DevicesCommand, context: &Context) -> Result<()> {
    match command {
        DevicesCommand::List { mine, page } => {
            let found = if mine {
                context.signed_in().await?.own_devices(&page.query()).await?
            } else {
                context.network().await?.devices(&page.query()).await?
            };
            context.out.answer(&found, |page| {
                let rows = page.items.iter().map(|device| {
                    let id = device.id.to_string();
                    vec![
                        if mine { id } else { short(&id) },
                        device.label.clone().unwrap_or_default(),
                        name_of(&device.connection),
                        name_of(&device.usage),
                        device.hardware.as_ref().map_or_else(|| "no price".to_owned(), ToString::to_string),
                        format!("{} CPUs, {} MiB", device.cpus, device.memory_mb),
                        device.isolation.clone(),
                    ]
                });
                more(table(&["device", "label", "connection", "use", "hardware", "offers", "isolation"], rows), page.next_cursor.as_deref())
            })
        }
        DevicesCommand::Show { id } => context.out.answer(&context.network().await?.device(id).await?, views::device),
    }
}
