//! `ionet joins`: who may lend devices in the wallet's name.

use anyhow::Result;
use clap::Subcommand;
use ionet_types::JoinTokenId;
use ionet_types::joins::{CreateJoinTokenRequest, JoinToken, PendingDevice, UserCode};
use serde_json::json;

use crate::context::Context;
use crate::output::{fields, moment, name_of, table};

/// What to do about devices that join.
#[derive(Debug, Subcommand)]
pub enum JoinsCommand {
    /// Make a join token for a fleet; its secret is shown this once
    #[command(
        after_help = "Examples:\n  ionet joins create rack-7 --devices 40\n  ionet agent join --hub https://hub.example.com --token \"$TOKEN\"      on each machine"
    )]
    Create {
        /// A name for your own use
        name: String,
        /// How many devices may join with it
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        devices: u32,
        /// For how many days
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
    },
    /// List your join tokens
    #[command(after_help = "Examples:\n  ionet joins list\n  ionet joins list --json")]
    List,
    /// End a join token; devices that joined with it stay
    #[command(after_help = "Examples:\n  ionet joins revoke 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    Revoke {
        /// The token's id
        id: JoinTokenId,
    },
    /// See which device waits under a code
    #[command(after_help = "Examples:\n  ionet joins show WDJB-MJHT")]
    Show {
        /// The code that the device shows
        code: UserCode,
    },
    /// Let the device that shows this code join as yours
    #[command(after_help = "Examples:\n  ionet joins approve WDJB-MJHT\n\nApprove only a code that your own machine shows you.")]
    Approve {
        /// The code that the device shows
        code: UserCode,
    },
    /// Turn the device away that shows this code
    #[command(after_help = "Examples:\n  ionet joins deny WDJB-MJHT")]
    Deny {
        /// The code that the device shows
        code: UserCode,
    },
}

/// Does it.
pub async fn run(command: JoinsCommand, context: &Context) -> Result<()> {
    let client = context.signed_in().await?;
    match command {
        JoinsCommand::Create { name, devices, days } => {
            let request = CreateJoinTokenRequest { name, max_devices: devices, expires_in_secs: Some(days * 86_400) };
            let created = client.create_join_token(&request).await?;
            context.out.answer(&created, |created| {
                format!(
                    "{}\ntoken {} admits {} devices until {}. The secret above is not shown again.",
                    created.secret,
                    created.token.id,
                    created.token.max_devices,
                    moment(created.token.expires_at_unix_secs)
                )
            })
        }
        JoinsCommand::List => context.out.answer(&client.join_tokens().await?, |tokens| {
            table(&["id", "name", "secret", "joined", "left", "until"], tokens.items.iter().map(row))
        }),
        JoinsCommand::Revoke { id } => {
            client.revoke_join_token(id).await?;
            context.out.answer(&json!({ "revoked": id }), |_| format!("token {id} is revoked"))
        }
        JoinsCommand::Show { code } => context.out.answer(&client.device_code(code).await?, pending),
        JoinsCommand::Approve { code } => context.out.answer(&client.decide_device_code(code, true).await?, |device| {
            format!("{}\n\nThe device joins as yours in a moment.", pending(device))
        }),
        JoinsCommand::Deny { code } => context
            .out
            .answer(&client.decide_device_code(code, false).await?, |device| format!("{}\n\nThe device is turned away.", pending(device))),
    }
}

fn row(token: &JoinToken) -> Vec<String> {
    let until = match token.revoked_at_unix_secs {
        Some(at) => format!("revoked {}", moment(at)),
        None => moment(token.expires_at_unix_secs),
    };
    vec![
        token.id.to_string(),
        token.name.clone(),
        format!("{}…", token.prefix),
        token.devices_joined.to_string(),
        token.uses_left.to_string(),
        until,
    ]
}

fn pending(device: &PendingDevice) -> String {
    fields(&[
        ("code", device.user_code.to_string()),
        ("label", device.label.clone().unwrap_or_else(|| "none".to_owned())),
        ("asked from", device.address.clone()),
        ("asked at", moment(device.asked_at_unix_secs)),
        ("until", moment(device.expires_at_unix_secs)),
        ("status", name_of(&device.status)),
    ])
}
