//! The network's own steps on the supply side. As for bookings, each looks at the chain first and the program refuses a second one, so a
//! step can be called again after any crash, by any number of processes.

use ionet_abi::merkle::Hash;
use ionet_rules::RuleError;
use ionet_rules::epochs::{Paid, Statement, Verifier};
use ionet_rules::money::Currency;
use ionet_rules::slash::Verdict;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::CaseView;
use crate::address::{Addresses, CaseId};
use crate::error::LedgerError;
use crate::instructions;
use crate::instructions::supply::{self as build, Accusation};
use crate::ledger::Ledger;
use crate::operator::Operator;
use crate::steps::{StepOutcome, unless_done};

impl Ledger {
    /// Mints for `epoch`, which must be the next one and over. (Several processes at once may mint a later epoch that is over, too.)
    pub async fn mint_epoch(&self, keys: &Operator, epoch: u64) -> Result<StepOutcome, LedgerError> {
        let minted = async || Ok::<_, LedgerError>(self.epochs().await?.book.minted);
        let before = minted().await?;
        if before >= epoch {
            return Ok(StepOutcome::AlreadyDone);
        }
        if before.checked_add(1) != Some(epoch) {
            return Err(RuleError::WrongEpoch.into());
        }
        let instruction = build::mint_epoch(self.addresses().await?);
        match self.send(&[instruction], &keys.payer, &[]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &minted().await.map(|minted| minted >= epoch)),
        }
    }

    /// The operator's verifier votes for a statement.
    pub async fn post_root(&self, keys: &Operator, statement: &Statement) -> Result<StepOutcome, LedgerError> {
        self.post_root_by(&keys.payer, &keys.verifier, statement).await
    }

    /// A verifier votes for a statement; `payer` pays the transaction's fee.
    pub async fn post_root_by(&self, payer: &Keypair, verifier: &Keypair, statement: &Statement) -> Result<StepOutcome, LedgerError> {
        let who = verifier.pubkey();
        let voted = async || -> Result<bool, LedgerError> {
            let (verifiers, epochs) = futures::try_join!(self.verifiers(), self.epochs())?;
            let votes = |verifier: &Verifier| verifier.voted_at_unix_secs != 0 && verifier.vote == *statement;
            Ok(epochs.book.accepted == *statement || verifiers.find(&who).is_some_and(|(_, verifier)| votes(verifier)))
        };
        if voted().await? {
            return Ok(StepOutcome::AlreadyDone);
        }
        let instruction = build::post_root(self.addresses().await?, who, statement);
        match self.send(&[instruction], payer, &[verifier]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &voted().await),
        }
    }

    /// Accepts what the verifier at `place` votes for, once two thirds stand behind it and the challenge window is over.
    pub async fn accept_root(&self, keys: &Operator, place: u8) -> Result<StepOutcome, LedgerError> {
        let (verifiers, epochs) = futures::try_join!(self.verifiers(), self.epochs())?;
        let voter = verifiers.places.get(usize::from(place)).filter(|verifier| verifier.voted_at_unix_secs != 0);
        let wanted = voter.ok_or(RuleError::NotAgreed)?.vote;
        if epochs.book.accepted.epoch >= wanted.epoch {
            return Ok(StepOutcome::AlreadyDone);
        }
        let instruction = build::accept_root(self.addresses().await?, place);
        match self.send(&[instruction], &keys.payer, &[]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &self.epochs().await.map(|epochs| epochs.book.accepted == wanted)),
        }
    }

    /// The council strikes all votes for a statement. Nothing is to be done when nobody votes for it.
    pub async fn strike_root(&self, keys: &Operator, statement: &Statement) -> Result<StepOutcome, LedgerError> {
        let voter = async || Ok::<_, LedgerError>(self.verifiers().await?.voters(statement).next());
        let Some(place) = voter().await? else { return Ok(StepOutcome::AlreadyDone) };
        let instruction = build::strike_root(self.addresses().await?, keys.council.pubkey(), place);
        match self.send(&[instruction], &keys.payer, &[&keys.council]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &voter().await.map(|voter| voter.is_none())),
        }
    }

    /// Pays the beneficiary at `claim` what its lifetime totals say beyond what it has claimed, as far as the circuit breaker lets it: call
    /// again in the next hour for the rest. Token accounts of the payout wallet are made where something goes there and they are missing.
    pub async fn claim(&self, keys: &Operator, claim: &Address, lifetime: Paid, proof: &[Hash]) -> Result<StepOutcome, LedgerError> {
        let account = async || self.claim_account(claim).await?.ok_or(LedgerError::ClaimMissing);
        let before = account().await?;
        if before.claimed.io >= lifetime.io && before.claimed.usdc >= lifetime.usdc {
            return Ok(StepOutcome::AlreadyDone);
        }
        let at = self.addresses().await?;
        let mut list = Vec::with_capacity(3);
        for (currency, due) in [(Currency::Io, lifetime.io > before.claimed.io), (Currency::Usdc, lifetime.usdc > before.claimed.usdc)] {
            if due {
                list.push(instructions::create_token_account(&keys.payer.pubkey(), &before.payout, &at.mint(currency)));
            }
        }
        list.push(build::claim(at, *claim, &before.payout, lifetime, proof));
        match self.send(&list, &keys.payer, &[]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &account().await.map(|now| now.claimed == lifetime)),
        }
    }

    /// The operator's verifier opens a case against a device.
    pub async fn open_case(&self, keys: &Operator, accusation: &Accusation) -> Result<StepOutcome, LedgerError> {
        let opened = async || Ok::<_, LedgerError>(self.case(&accusation.case_id).await?.is_some());
        if opened().await? {
            return Ok(StepOutcome::AlreadyDone);
        }
        let at = self.addresses().await?;
        let instruction = build::open_case(at, keys.payer.pubkey(), keys.verifier.pubkey(), accusation);
        match self.send(&[instruction], &keys.payer, &[&keys.verifier]).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &opened().await),
        }
    }

    /// The council decides a case. One that has come to its end stays as it is.
    pub async fn decide_case(&self, keys: &Operator, case_id: &CaseId, verdict: Verdict) -> Result<StepOutcome, LedgerError> {
        let council = keys.council.pubkey();
        self.close_case(keys, &[&keys.council], case_id, |at, case| build::decide_case(at, council, &case.device, case_id, verdict)).await
    }

    /// Carries out what time has decided about a case.
    pub async fn lapse_case(&self, keys: &Operator, case_id: &CaseId) -> Result<StepOutcome, LedgerError> {
        self.close_case(keys, &[], case_id, |at, case| build::lapse_case(at, &case.device, case_id)).await
    }

    async fn close_case(
        &self,
        keys: &Operator,
        co_signers: &[&Keypair],
        case_id: &CaseId,
        instruction: impl Fn(&Addresses, &CaseView) -> Instruction,
    ) -> Result<StepOutcome, LedgerError> {
        let case = self.expect_case(case_id).await?;
        if case.is_closed() {
            return Ok(StepOutcome::AlreadyDone);
        }
        let instruction = instruction(self.addresses().await?, &case);
        match self.send(&[instruction], &keys.payer, co_signers).await {
            Ok(signature) => Ok(StepOutcome::Done(signature)),
            Err(error) => unless_done(error, &self.expect_case(case_id).await.map(|case| case.is_closed())),
        }
    }
}
