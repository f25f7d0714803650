//! `ionet keys`: API keys, for programs that act in the wallet's name without its key.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use ionet_types::KeyId;
use ionet_types::keys::{CreateKeyRequest, Scope};
use serde_json::json;

use crate::context::Context;
use crate::output::{moment, name_of, table};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; its secret is shown this once
    #[command(
        after_help = "Examples:\n  ionet keys create ci\n  ionet keys create notebook --scope write --days 7\n  export RAY_AUTH_TOKEN=$(ionet keys create ray --scope write --json | jq -r .secret)"
    )]
    Create {
        /// A name for your own use
        name: String,
        /// What it allows: look only, or also book, end clusters and submit jobs. It never signs: only the wallet spends
        #[arg(long, value_enum, default_value_t = KeyScope::Read)]
        scope: KeyScope,
        /// For how many days
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
    },
    /// List your keys
    #[command(after_help = "Examples:\n  ionet keys list")]
    List,
    /// End a key
    #[command(after_help = "Examples:\n  ionet keys revoke 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    Revoke {
        /// The key's id
        id: KeyId,
    },
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyScope {
    /// Look only.
    Read,
    /// Look, book, end clusters and submit jobs.
    Write,
}

impl From<KeyScope> for Scope {
    fn from(scope: KeyScope) -> Self {
        match scope {
            KeyScope::Read => Self::Read,
            KeyScope::Write => Self::Write,
        }
    }
}

/// Does it.
pub async fn run(command: KeysCommand, context: &Context) -> Result<()> {
    let client = context.signed_in().await?;
    match command {
        KeysCommand::Create { name, scope, days } => {
            let request = CreateKeyRequest { name, scope: scope.into(), expires_in_secs: Some(days * 86_400) };
            let created = client.create_key(&request).await?;
            context.out.answer(&created, |created| {
                format!(
                    "{}\nkey {} ({}) holds until {}. The secret above is not shown again.",
                    created.secret,
                    created.key.id,
                    name_of(&created.key.scope),
                    moment(created.key.expires_at_unix_secs)
                )
            })
        }
        KeysCommand::List => context.out.answer(&client.keys().await?, |keys| {
            let rows = keys.items.iter().map(|key| {
                vec![
                    key.id.to_string(),
                    key.name.clone(),
                    format!("{}…", key.prefix),
                    name_of(&key.scope),
                    moment(key.expires_at_unix_secs),
                ]
            });
            table(&["id", "name", "secret", "scope", "until"], rows)
        }),
        KeysCommand::Revoke { id } => {
            client.revoke_key(id).await?;
            context.out.answer(&json!({ "revoked": id }), |_| format!("key {id} is revoked"))
        }
    }
}
