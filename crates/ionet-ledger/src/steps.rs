//! The network's own steps in a booking's life. Each is keyed on chain: it looks whether the booking has it already, and the program
//! refuses a second one whatever races. So a step can be called again after any crash, by any number of processes.

use ionet_rules::booking::{Status, WorkLog};
use ionet_rules::money::MicroUsd;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::accounts::BookingView;
use crate::address::{Addresses, ClusterId};
use crate::error::LedgerError;
use crate::instructions;
use crate::ledger::Ledger;
use crate::operator::Operator;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// This call did it, in this transaction.
    Done(Signature),
    /// It was recorded on chain already, or there was nothing to do.
    AlreadyDone,
}

impl StepOutcome {
    /// The transaction, when this call did it.
    pub const fn signature(self) -> Option<Signature> {
        match self {
            Self::Done(signature) => Some(signature),
            Self::AlreadyDone => None,
        }
    }
}

/// What a step did that was sent and failed with `error`, when the chain says afterwards whether it is `done`: an error counts only if the
/// step is still missing, as somebody else may have taken it meanwhile.
pub(crate) fn unless_done(error: LedgerError, done: &Result<bool, LedgerError>) -> Result<StepOutcome, LedgerError> {
    if matches!(done, Ok(true)) { Ok(StepOutcome::AlreadyDone) } else { Err(error) }
}

impl Ledger {
    /// Marks a paid cluster as running from now.
    pub async fn start(&self, keys: &Operator, cluster_id: &ClusterId) -> Result<StepOutcome, LedgerError> {
        self.step(
            keys,
            &[&keys.verifier],
            cluster_id,
            |booking| booking.book.started_at_unix_secs != 0,
            |at, booking| vec![instructions::start(at, keys.verifier.pubkey(), cluster_id, booking.currency)],
        )
        .await
    }

    /// Writes work log number `log.sequence`.
    pub async fn worked(&self, keys: &Operator, cluster_id: &ClusterId, log: &WorkLog) -> Result<StepOutcome, LedgerError> {
        self.step(
            keys,
            &[&keys.verifier],
            cluster_id,
            |booking| booking.book.logs > log.sequence,
            |at, booking| vec![instructions::worked(at, keys.verifier.pubkey(), cluster_id, booking.currency, log)],
        )
        .await
    }

    /// Refunds an ended cluster. The customer's token account is made if it is missing.
    pub async fn refund(&self, keys: &Operator, cluster_id: &ClusterId) -> Result<StepOutcome, LedgerError> {
        let payer = keys.payer.pubkey();
        self.step(
            keys,
            &[],
            cluster_id,
            |booking| booking.book.closed != 0,
            |at, booking| {
                vec![
                    instructions::create_token_account(&payer, &booking.customer, &at.mint(booking.currency)),
                    instructions::refund(at, &booking.customer, cluster_id, booking.currency),
                ]
            },
        )
        .await
    }

    /// Converts what worked USDC waits in a booking into IO.
    pub async fn repurchase(&self, keys: &Operator, cluster_id: &ClusterId) -> Result<StepOutcome, LedgerError> {
        self.counted(
            keys,
            cluster_id,
            BookingView::repurchase_due,
            |booking| booking.book.repurchases,
            |at, booking| instructions::repurchase(at, cluster_id, booking.book.repurchases),
        )
        .await
    }

    /// Sends the IO that waits in a booking to where it belongs.
    pub async fn earn(&self, keys: &Operator, cluster_id: &ClusterId) -> Result<StepOutcome, LedgerError> {
        self.counted(
            keys,
            cluster_id,
            BookingView::earn_due,
            |booking| booking.book.earns,
            |at, booking| instructions::earn(at, cluster_id, booking.book.earns),
        )
        .await
    }

    /// Expires a booking that was not paid in time. The customer's token account is made if there is anything to give back.
    pub async fn expire(&self, keys: &Operator, cluster_id: &ClusterId) -> Result<StepOutcome, LedgerError> {
        let payer = keys.payer.pubkey();
        self.step(
            keys,
            &[],
            cluster_id,
            |booking| booking.status == Status::Expired,
            |at, booking| {
                let mut list = Vec::with_capacity(2);
                if !booking.book.paid.is_zero() {
                    list.push(instructions::create_token_account(&payer, &booking.customer, &at.mint(booking.currency)));
                }
                list.push(instructions::expire(at, &booking.customer, cluster_id, booking.currency));
                list
            },
        )
        .await
    }

    /// Submits the operator's oracle price, micro-USD per IO; at most one per second of the chain's clock.
    pub async fn submit_price(&self, keys: &Operator, price: MicroUsd) -> Result<StepOutcome, LedgerError> {
        let oracle = keys.oracle.pubkey();
        let began_unix_secs = self.chain_now_unix_secs().await?;
        let submitted = async || -> Result<bool, LedgerError> {
            let last = self.oracle().await?.last(&oracle);
            Ok(last.is_some_and(|last| !last.price.is_zero() && last.at_unix_secs >= began_unix_secs))
        };
        if submitted().await? {
            return Ok(StepOutcome::AlreadyDone);
        }
        let instruction = instructions::submit_price(self.addresses().await?, oracle, price);
        match self.send(&[instruction], &keys.payer, &[&keys.oracle]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => {
                if submitted().await? {
                    Ok(StepOutcome::AlreadyDone)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// A step that happens once for a number that the booking counts.
    async fn counted(
        &self,
        keys: &Operator,
        cluster_id: &ClusterId,
        due: impl Fn(&BookingView) -> bool,
        count: impl Fn(&BookingView) -> u32,
        instruction: impl Fn(&Addresses, &BookingView) -> Instruction,
    ) -> Result<StepOutcome, LedgerError> {
        let before = self.expect_booking(cluster_id).await?;
        if !due(&before) {
            return Ok(StepOutcome::AlreadyDone);
        }
        let done = |booking: &BookingView| count(booking) > count(&before);
        self.step(keys, &[], cluster_id, done, |at, _| vec![instruction(at, &before)]).await
    }

    /// Takes a step unless the booking has it. An error counts only if the booking still lacks the step afterwards: somebody else may
    /// have taken it meanwhile.
    async fn step(
        &self,
        keys: &Operator,
        co_signers: &[&Keypair],
        cluster_id: &ClusterId,
        done: impl Fn(&BookingView) -> bool,
        instructions: impl Fn(&Addresses, &BookingView) -> Vec<Instruction>,
    ) -> Result<StepOutcome, LedgerError> {
        let at = self.addresses().await?;
        let booking = self.expect_booking(cluster_id).await?;
        if done(&booking) {
            return Ok(StepOutcome::AlreadyDone);
        }
        match self.send(&instructions(at, &booking), &keys.payer, co_signers).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => match self.booking(cluster_id).await {
                Ok(Some(booking)) if done(&booking) => Ok(StepOutcome::AlreadyDone),
                _ => Err(error),
            },
        }
    }
}
