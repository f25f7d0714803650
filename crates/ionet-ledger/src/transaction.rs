//! Transactions as they travel: built and signed in part by the network, completed by the customer, checked when they come back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use solana_address::Address;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client_api::config::RpcSimulateTransactionConfig;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction::versioned::VersionedTransaction;

use crate::error::LedgerError;
use crate::failure::Failure;
use crate::ledger::{COMMITMENT, ENCODING, Ledger};

/// Most bytes of a transaction that the chain takes: one network packet.
pub const MAX_TRANSACTION_BYTES: usize = 1232;

/// A transaction that waits for the customer's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The transaction; every signature but the customer's is there.
    pub transaction: VersionedTransaction,
    /// Its bytes, base64: what a wallet takes.
    pub base64: String,
    /// Block height after which it cannot land any more.
    pub last_valid_block_height: u64,
    /// Hash of what is signed: tells whether a transaction that comes back is this one.
    pub message_hash: Hash,
}

impl Prepared {
    /// The transaction with the customer's signature.
    pub fn sign(&self, customer: &Keypair) -> Result<VersionedTransaction, LedgerError> {
        let mut transaction = self.transaction.clone();
        add_signature(&mut transaction, customer)?;
        Ok(transaction)
    }
}

/// What a transaction would do now.
#[derive(Debug)]
pub struct Simulation {
    /// Compute units it would take.
    pub units_consumed: u64,
    /// Program logs.
    pub logs: Vec<String>,
    /// Why it would fail; `None` when it would succeed.
    pub failure: Option<Failure>,
}

/// The transaction in base64 from a client; anything but exactly one transaction of a size the chain takes is refused.
pub fn decode_transaction(base64: &str) -> Result<VersionedTransaction, LedgerError> {
    const MALFORMED: LedgerError = LedgerError::malformed("transaction");
    if base64.len() > MAX_TRANSACTION_BYTES.div_ceil(3) * 4 {
        return Err(MALFORMED);
    }
    let bytes = BASE64_STANDARD.decode(base64).map_err(|_| MALFORMED)?;
    let transaction: VersionedTransaction = wincode::deserialize(&bytes).map_err(|_| MALFORMED)?;
    transaction.sanitize().map_err(|_| MALFORMED)?;
    // Nothing may trail the transaction.
    let canonical = wincode::serialize(&transaction).map_err(|_| MALFORMED)?;
    if canonical == bytes && bytes.len() <= MAX_TRANSACTION_BYTES { Ok(transaction) } else { Err(MALFORMED) }
}

/// The transaction's bytes in base64.
pub fn encode_transaction(transaction: &VersionedTransaction) -> Result<String, LedgerError> {
    let bytes = wincode::serialize(transaction).map_err(|_| LedgerError::malformed("transaction"))?;
    if bytes.len() > MAX_TRANSACTION_BYTES {
        return Err(LedgerError::malformed("transaction"));
    }
    Ok(BASE64_STANDARD.encode(bytes))
}

/// Adds the signature of `key` to a transaction that wants it; refused when it does not.
pub fn add_signature(transaction: &mut VersionedTransaction, key: &Keypair) -> Result<(), LedgerError> {
    let signers = usize::from(transaction.message.header().num_required_signatures);
    let keys = transaction.message.static_account_keys().iter().take(signers);
    let slot = keys.zip(0..).find(|(signer, _)| **signer == key.pubkey()).map(|(_, index): (_, usize)| index);
    let slot = slot.and_then(|index| transaction.signatures.get_mut(index));
    *slot.ok_or(LedgerError::malformed("list of signers"))? = key.sign_message(&transaction.message.serialize());
    Ok(())
}

/// Hash of what a transaction's signers sign.
pub fn message_hash(transaction: &VersionedTransaction) -> Hash {
    transaction.message.hash()
}

/// Refuses a transaction that lacks a valid signature, naming whose.
pub(crate) fn check_signatures(transaction: &VersionedTransaction) -> Result<(), LedgerError> {
    transaction.sanitize().map_err(|_| LedgerError::malformed("transaction"))?;
    let valid = transaction.verify_with_results();
    match transaction.message.static_account_keys().iter().zip(valid).find(|(_, valid)| !valid) {
        Some((signer, _)) => Err(LedgerError::SignatureMissing { signer: *signer }),
        None => Ok(()),
    }
}

impl Ledger {
    /// A transaction of `instructions`, paid by `fee_payer`, signed by it and the `co_signers`, that lacks nothing but the signature
    /// of `customer`.
    pub async fn prepare(
        &self,
        instructions: &[Instruction],
        fee_payer: &Keypair,
        co_signers: &[&Keypair],
        customer: &Address,
    ) -> Result<Prepared, LedgerError> {
        let (transaction, last_valid_block_height) = self.build(instructions, fee_payer, co_signers).await?;
        let signers = usize::from(transaction.message.header().num_required_signatures);
        let missing = transaction.message.static_account_keys()[..signers].iter().zip(transaction.verify_with_results());
        for (signer, _) in missing.filter(|(_, signed)| !signed) {
            if signer != customer {
                return Err(LedgerError::SignatureMissing { signer: *signer });
            }
        }
        let base64 = encode_transaction(&transaction)?;
        let message_hash = message_hash(&transaction);
        Ok(Prepared { transaction, base64, last_valid_block_height, message_hash })
    }

    /// A transaction signed by these keys, on a recent blockhash; with the block height until which it is valid.
    pub(crate) async fn build(
        &self,
        instructions: &[Instruction],
        fee_payer: &Keypair,
        co_signers: &[&Keypair],
    ) -> Result<(VersionedTransaction, u64), LedgerError> {
        let (blockhash, last_valid_block_height) = self.rpc.get_latest_blockhash_with_commitment(COMMITMENT).await?;
        let message = Message::new_with_blockhash(instructions, Some(&fee_payer.pubkey()), &blockhash);
        let mut transaction = Transaction::new_unsigned(message);
        let mut keys = vec![fee_payer];
        keys.extend(co_signers.iter().filter(|key| key.pubkey() != fee_payer.pubkey()));
        transaction.try_partial_sign(&keys, blockhash).map_err(|_| LedgerError::malformed("list of signers"))?;
        Ok((transaction.into(), last_valid_block_height))
    }

    /// What the transaction would do now; signatures and blockhash need not be there yet.
    pub async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, LedgerError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(COMMITMENT),
            encoding: Some(ENCODING),
            ..RpcSimulateTransactionConfig::default()
        };
        let result = self.rpc.simulate_transaction_with_config(transaction, config).await?.value;
        let logs = result.logs.unwrap_or_default();
        let failure = result.err.map(|error| Failure { error: error.into(), logs: logs.clone() });
        Ok(Simulation { units_consumed: result.units_consumed.unwrap_or(0), logs, failure })
    }
}

/// The blockhash a message is bound to.
pub(crate) fn blockhash_of(message: &VersionedMessage) -> &Hash {
    message.recent_blockhash()
}
