//! `ionet audit`: the network's log of who did what, and whether it is whole.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use ionet_store::audit_verify;
use ionet_types::audit::{AuditBreak, AuditEntry, AuditHead, AuditWalk};
use serde_json::json;

use crate::cli::PageArgs;
use crate::client::{Client, ListQuery};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{moment, table};
use crate::views::more;

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show the number and hash of the last entry: keep it, to hold the operator to everything before it
    #[command(after_help = "Examples:\n  ionet audit head --url https://hub.example.com")]
    Head,
    /// List the entries that concern you
    #[command(after_help = "Examples:\n  ionet audit list\n  ionet audit list --limit 200 --json")]
    List {
        /// Which part.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Compute the log again and name the first entry that does not fit
    #[command(
        after_help = "Examples:\n  ionet audit verify --url https://hub.example.com --head 4711:9f2c...\n  ionet audit verify --file /var/lib/ionet/hub.sqlite\n\nOver the network, the digests of all entries and, when signed in with a wallet, the entries that concern it are checked. With the\nhub's database file, every entry is."
    )]
    Verify {
        /// The hub's database file, read only; the network that is named otherwise
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A head that you kept: the log must pass through it
        #[arg(long, value_name = "NUMBER:HASH")]
        head: Option<AuditHead>,
    },
}

/// Does it.
pub async fn run(command: AuditCommand, context: &Context) -> Result<Exit> {
    match command {
        AuditCommand::Head => {
            context.out.answer(&context.network().await?.audit_head().await?, ToString::to_string)?;
        }
        AuditCommand::List { page } => {
            let found = context.signed_in().await?.audit(&page.query()).await?;
            context.out.answer(&found, |page| {
                let rows = page.items.iter().map(|entry| {
                    vec![
                        entry.sequence.to_string(),
                        moment(entry.at_unix_secs),
                        entry.actor.to_string(),
                        entry.action.clone(),
                        entry.subject.clone(),
                        entry.detail.clone(),
                    ]
                });
                more(table(&["entry", "when", "who", "what", "to", "detail"], rows), page.next_cursor.as_deref())
            })?;
        }
        AuditCommand::Verify { file, head } => {
            let verdict = match &file {
                Some(file) => audit_verify(file, head).await.with_context(|| cannot_read(file))?.map(|head| (head, None)),
                None => over_the_network(context, head).await?,
            };
            return told(verdict, context);
        }
    }
    Ok(Exit::Ok)
}

/// The head that was reached, and how many entries were compared in whole where not all could be.
type Verdict = Result<(AuditHead, Option<usize>), AuditBreak>;

fn cannot_read(file: &std::path::Path) -> Failure {
    Failure::new(format!("{} is not a hub's database, or cannot be read", file.display()))
        .hint("it is the file `hub.sqlite` of the hub's data directory")
}

fn told(verdict: Verdict, context: &Context) -> Result<Exit> {
    match verdict {
        Ok((head, compared)) => {
            context.out.answer(&json!({ "whole": true, "head": head, "entries_compared": compared }), |_| {
                let compared =
                    compared.map_or_else(String::new, |count| format!("; {count} entries that concern you are as they were written"));
                format!("the log is whole up to {head}{compared}")
            })?;
            Ok(Exit::Ok)
        }
        Err(broken) => {
            context.out.answer(&json!({ "whole": false, "code": broken.code(), "reason": broken.to_string() }), |_| {
                format!("THE LOG IS NOT WHOLE: {broken}")
            })?;
            Ok(Exit::Error)
        }
    }
}

async fn over_the_network(context: &Context, kept: Option<AuditHead>) -> Result<Verdict> {
    let client = context.network().await?;
    let said = client.audit_head().await?;
    // Without a wallet there are no entries to be had.
    let own = match context.signed_in().await {
        Ok(client) => Some(own_entries(&client, said).await?),
        Err(_) => None,
    };
    let mut walk = AuditWalk::new(kept);
    let mut compared = 0;
    let mut after = 0;
    while after < said.sequence {
        let links = client.audit_links(after).await?.items;
        let Some(last) = links.last() else { break };
        after = last.sequence;
        for link in links.iter().filter(|link| link.sequence <= said.sequence) {
            if let Err(broken) = walk.link(*link) {
                return Ok(Err(broken));
            }
            if let Some(entry) = own.iter().flatten().find(|entry| entry.sequence == link.sequence) {
                compared += 1;
                if entry.digest() != link.digest {
                    return Ok(Err(AuditBreak::Changed { sequence: link.sequence }));
                }
            }
        }
    }
    Ok(walk.end(Some(said)).map(|head| (head, own.map(|_| compared))))
}

/// All entries up to `head` that concern the caller.
async fn own_entries(client: &Client, head: AuditHead) -> Result<Vec<AuditEntry>> {
    let mut query = ListQuery { limit: Some(200), ..ListQuery::default() };
    let mut entries = Vec::new();
    loop {
        let page = client.audit(&query).await?;
        entries.extend(page.items.into_iter().filter(|entry| entry.sequence <= head.sequence));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(entries),
        }
    }
}
