//! Sending a transaction and finding out what became of it.
//!
//! A lost answer is not a failure: the transaction may have landed. So whatever happens on the wire, the outcome is looked up by
//! signature, until it is known or the blockhash is too old for the transaction ever to land. Submitting the same transaction again is
//! harmless and gives the same answer.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcTransactionConfig};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status::TransactionStatus;
use tokio::time::{Instant, sleep};

use crate::error::{LedgerError, failure_of};
use crate::failure::Failure;
use crate::ledger::{COMMITMENT, ENCODING, Ledger, MAX_TRANSACTION_VERSION};
use crate::transaction::{blockhash_of, check_signatures};

/// First wait between two looks at a signature; grows to [`POLL_MAX`].
const POLL_MIN: Duration = Duration::from_millis(4);
/// Longest wait while an answer is due any moment.
const POLL_MAX: Duration = Duration::from_millis(50);
/// Longest wait once it takes unusually long.
const POLL_SLOW: Duration = Duration::from_millis(500);
/// From when on it takes unusually long.
const SLOW_AFTER: Duration = Duration::from_secs(5);
/// How often a transaction that nobody has seen is sent again.
const RESEND_EVERY: Duration = Duration::from_secs(2);
/// After this long without an answer the outcome is reported as unknown. Longer than a blockhash lives on any cluster.
const GIVE_UP_AFTER: Duration = Duration::from_secs(150);

/// What one attempt to send told.
enum Sent {
    /// The endpoint took it, or nothing is known: look it up.
    Look,
    /// The endpoint tried it out and it failed.
    Refused(Failure),
    /// The endpoint does not know its blockhash.
    UnknownBlockhash,
}

impl Ledger {
    /// Submits a fully signed transaction and waits until it is confirmed. Returns its first signature.
    ///
    /// Errors mean that nothing moved, except [`LedgerError::OutcomeUnknown`], which means just that.
    pub async fn submit(&self, transaction: &VersionedTransaction) -> Result<Signature, LedgerError> {
        check_signatures(transaction)?;
        let signature = transaction.signatures[0];
        let began = Instant::now();
        let mut wait = POLL_MIN;
        let mut last_problem = String::from("no answer yet");
        let mut send_at = Some(began);
        loop {
            let mut doubt = None;
            if send_at.is_some_and(|at| Instant::now() >= at) {
                send_at = Some(Instant::now() + RESEND_EVERY);
                doubt = match self.send_once(transaction).await {
                    Ok(Sent::Look) => None,
                    Ok(doubt) => Some(doubt),
                    Err(error) if error.is_retryable() => {
                        last_problem = error.to_string();
                        None
                    }
                    Err(error) => return Err(error),
                };
            }
            // A failed try-out may mean that this very transaction has landed before.
            match self.outcome(&signature).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => match doubt {
                    Some(Sent::Refused(failure)) => return Err(failure.into()),
                    Some(Sent::UnknownBlockhash) | None => {
                        let late = doubt.is_some() || began.elapsed() > RESEND_EVERY;
                        if late && let Ok(Some(outcome)) = self.last_outcome(transaction, &signature).await {
                            return outcome;
                        }
                    }
                    Some(Sent::Look) => {}
                },
                Err(error) => last_problem = error.to_string(),
            }
            if began.elapsed() > GIVE_UP_AFTER {
                return Err(LedgerError::OutcomeUnknown { signature, reason: last_problem });
            }
            sleep(wait).await;
            let longest = if began.elapsed() > SLOW_AFTER { POLL_SLOW } else { POLL_MAX };
            wait = (wait * 2).min(longest);
        }
    }

    /// Builds, signs, submits.
    pub(crate) async fn send(
        &self,
        instructions: &[Instruction],
        fee_payer: &Keypair,
        co_signers: &[&Keypair],
    ) -> Result<Signature, LedgerError> {
        let (transaction, _) = self.build(instructions, fee_payer, co_signers).await?;
        self.submit(&transaction).await
    }

    /// What became of a transaction: `None` while the chain does not know it as confirmed.
    pub async fn outcome(&self, signature: &Signature) -> Result<Option<Result<Signature, LedgerError>>, LedgerError> {
        let statuses = self.rpc.get_signature_statuses(&[*signature]).await?.value;
        let Some(status) = statuses.into_iter().next().flatten() else { return Ok(None) };
        Ok(self.outcome_of(signature, status).await)
    }

    /// What a status says about a transaction: `None` while it is not confirmed.
    async fn outcome_of(&self, signature: &Signature, status: TransactionStatus) -> Option<Result<Signature, LedgerError>> {
        if !status.satisfies_commitment(COMMITMENT) {
            return None;
        }
        let Some(error) = status.err else { return Some(Ok(*signature)) };
        let mut failure = Failure { error, logs: Vec::new() };
        if failure.needs_logs() {
            failure.logs = self.logs(signature).await.unwrap_or_default();
        }
        Some(Err(failure.into()))
    }

    async fn send_once(&self, transaction: &VersionedTransaction) -> Result<Sent, LedgerError> {
        let config = RpcSendTransactionConfig {
            skip_preflight: false,
            preflight_commitment: Some(COMMITMENT.commitment),
            encoding: Some(ENCODING),
            ..RpcSendTransactionConfig::default()
        };
        let Err(error) = self.rpc.send_transaction_with_config(transaction, config).await else { return Ok(Sent::Look) };
        Ok(match failure_of(&error) {
            Some(Failure { error: TransactionError::AlreadyProcessed, .. }) => Sent::Look,
            Some(Failure { error: TransactionError::BlockhashNotFound, .. }) => Sent::UnknownBlockhash,
            Some(failure) => Sent::Refused(failure),
            None => return Err(error.into()),
        })
    }

    /// What became of a transaction that can never land any more because its blockhash is too old for the chain's newest state:
    /// what the endpoint's history says, which reaches further back than its recent statuses; expired when that knows nothing of the
    /// signature at any commitment. `None` while the transaction may still land or be confirmed.
    async fn last_outcome(
        &self,
        transaction: &VersionedTransaction,
        signature: &Signature,
    ) -> Result<Option<Result<Signature, LedgerError>>, LedgerError> {
        let blockhash = blockhash_of(&transaction.message);
        // Asked of both, as the confirmed state may be older than the blockhash itself.
        for commitment in [CommitmentConfig::processed(), COMMITMENT] {
            if self.rpc.is_blockhash_valid(blockhash, commitment).await? {
                return Ok(None);
            }
        }
        let statuses = self.rpc.get_signature_statuses_with_history(&[*signature]).await?.value;
        Ok(match statuses.into_iter().next().flatten() {
            Some(status) => self.outcome_of(signature, status).await,
            None => Some(Err(LedgerError::Expired { signature: *signature })),
        })
    }

    async fn logs(&self, signature: &Signature) -> Result<Vec<String>, LedgerError> {
        let config = RpcTransactionConfig {
            encoding: Some(ENCODING),
            commitment: Some(COMMITMENT),
            max_supported_transaction_version: Some(MAX_TRANSACTION_VERSION),
        };
        let found = self.rpc.get_transaction_with_config(signature, config).await?;
        Ok(found.transaction.meta.and_then(|meta| meta.log_messages.into()).unwrap_or_default())
    }
}
