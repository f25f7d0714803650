//! `ionet operator`: what the network's operator does with devices.

use anyhow::Result;
use clap::{Args, Subcommand};
use ionet_types::DeviceId;
use ionet_types::market::{Attestation, Compliance, ShortName};

use super::hire::named;
use crate::context::Context;
use crate::views;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Say what you have seen proof of: customers choose devices by it. Replaces what was said before
    #[command(
        after_help = "Examples:\n  ionet operator attest 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --compliance soc2,gdpr --renewable --supplier nordic-gpu\n  ionet operator attest 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1      nothing any more"
    )]
    Attest(AttestArgs),
    /// Take a device out of the market; a customer who is there may finish
    #[command(after_help = "Examples:\n  ionet operator block 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Block {
        /// The device's id
        id: DeviceId,
    },
    /// Let a device back that you, or its use by others while it was hired, had taken out
    #[command(after_help = "Examples:\n  ionet operator unblock 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Unblock {
        /// The device's id
        id: DeviceId,
    },
}

/// What was seen.
#[derive(Debug, Clone, Args)]
pub struct AttestArgs {
    /// The device's id
    id: DeviceId,
    /// Standards: soc2, iso27001, hipaa, gdpr, pci_dss
    #[arg(long, value_name = "STANDARD", value_delimiter = ',', value_parser = named::<Compliance>)]
    compliance: Vec<Compliance>,
    /// It runs on renewable energy
    #[arg(long)]
    renewable: bool,
    /// The supplier's public name
    #[arg(long, value_name = "NAME")]
    supplier: Option<ShortName>,
}

/// Does it.
pub async fn run(command: OperatorCommand, context: &Context) -> Result<()> {
    let client = context.signed_in().await?;
    let device = match command {
        OperatorCommand::Attest(AttestArgs { id, compliance, renewable, supplier }) => {
            client.attest_device(id, &Attestation { compliance, renewable, supplier }).await?
        }
        OperatorCommand::Block { id } => client.block_device(id).await?,
        OperatorCommand::Unblock { id } => client.unblock_device(id).await?,
    };
    context.out.answer(&device, views::device)
}
