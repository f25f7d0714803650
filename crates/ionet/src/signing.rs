//! Signs what the network prepared, after reading it: a wallet signs nothing that does more than its owner asked for.

use anyhow::Result;
use ionet_abi::instructions::supply::RegisterDeviceArgs;
use ionet_abi::instructions::{Arguments, BookProductArgs, ExtendArgs, PayArgs};
use ionet_ledger::{address, decode_transaction, encode_transaction};
use ionet_types::clusters::BookRequest;
use ionet_types::quotes::Quote;
use ionet_types::transactions::PreparedTransaction;
use ionet_types::{BaseUnits, ClusterId, DeviceId};
use solana_address::Address;
use solana_transaction::versioned::VersionedTransaction;

use crate::exit::Failure;
use crate::wallet::Wallet;

/// Programs that may be called beside the network's own: they move nothing that the owner has.
const HARMLESS_PROGRAMS: [&str; 2] = ["ComputeBudget111111111111111111111111111111", "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"];

/// What the owner asked for.
#[derive(Debug, Clone)]
pub enum Wish<'a> {
    /// To book this, at no higher rate than quoted.
    Book {
        /// The cluster.
        cluster: ClusterId,
        /// What was asked for.
        request: &'a BookRequest,
        /// What it was offered for; without one any rate is taken.
        quote: Option<&'a Quote>,
    },
    /// To pay exactly this.
    Pay {
        /// Base units of the cluster's currency.
        amount: BaseUnits,
    },
    /// To extend by this for exactly this.
    Extend {
        /// Minutes added.
        minutes: u32,
        /// Base units of the cluster's currency.
        amount: BaseUnits,
    },
    /// To register this device and be paid there.
    Register {
        /// The device.
        device: DeviceId,
        /// Wallet that its rewards are paid to.
        payout: ionet_types::Address,
    },
    /// To take this step on chain.
    Step(Step),
}

/// One instruction of the network's program, to the byte, on one of its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    data: Vec<u8>,
    account: Address,
}

impl Step {
    /// The instruction with these arguments on this account.
    pub fn new<A: Arguments>(arguments: &A, account: Address) -> Self {
        let mut data = vec![A::TAG as u8];
        data.extend_from_slice(bytemuck::bytes_of(arguments));
        Self { data, account }
    }
}

/// Checks that the transaction does what was asked and nothing else with the wallet's signature, and signs it. Returns it in base64.
pub fn sign(wallet: &Wallet, program: Address, prepared: &PreparedTransaction, wish: &Wish<'_>) -> Result<String> {
    let mut transaction = decode_transaction(&prepared.base64).map_err(|error| suspicious(&format!("it cannot be read ({error})")))?;
    let place = check(&transaction, wallet.address(), program, wish).map_err(suspicious)?;
    let signature = wallet.sign(&transaction.message.serialize());
    *transaction.signatures.get_mut(place).ok_or_else(|| suspicious("it has no place for the signature"))? = signature;
    Ok(encode_transaction(&transaction)?)
}

fn suspicious(why: &str) -> anyhow::Error {
    Failure::new(format!("the network prepared a transaction that is not what was asked for: {why}"))
        .hint("nothing was signed; do not trust this network")
        .into()
}

/// Finds the wallet's place among the signatures, and what is wrong with the transaction.
fn check(transaction: &VersionedTransaction, wallet: Address, program: Address, wish: &Wish<'_>) -> Result<usize, &'static str> {
    let message = &transaction.message;
    if message.address_table_lookups().is_some_and(|lookups| !lookups.is_empty()) {
        return Err("it hides accounts in lookup tables");
    }
    let keys = message.static_account_keys();
    let signers = usize::from(message.header().num_required_signatures);
    let place = keys.iter().take(signers).position(|key| *key == wallet).ok_or("it does not ask for this wallet's signature")?;
    if place == 0 {
        return Err("the wallet would pay its fees");
    }
    let mut wished = 0;
    for instruction in message.instructions() {
        let called = keys.get(usize::from(instruction.program_id_index)).ok_or("it calls a program that it does not name")?;
        if *called == program {
            let named = |account: Address| instruction.accounts.iter().any(|index| keys.get(usize::from(*index)) == Some(&account));
            let on_its_account = match wish {
                Wish::Register { device, .. } => named(address::device(&program, &device.0.into())),
                Wish::Step(step) => named(step.account),
                _ => true,
            };
            if !on_its_account || !fulfils(&instruction.data, wish) {
                return Err("its terms differ");
            }
            wished += 1;
        } else if !HARMLESS_PROGRAMS.contains(&called.to_string().as_str()) && instruction.accounts.contains(&(place as u8)) {
            return Err("another program would act in the wallet's name");
        }
    }
    if wished == 1 { Ok(place) } else { Err("it does not do it exactly once") }
}

/// Whether the network's instruction does what was wished.
fn fulfils(data: &[u8], wish: &Wish<'_>) -> bool {
    let Some((&tag, arguments)) = data.split_first() else { return false };
    match wish {
        Wish::Book { cluster, request, quote } => {
            let Some(book) = read::<BookProductArgs>(tag, arguments) else { return false };
            book.cluster_id == cluster.bytes()
                && book.quantity == request.quantity
                && book.minutes == request.minutes
                && book.currency == request.currency.rules() as u8
                && quote.is_none_or(|quote| {
                    book.hardware == quote.kind.rules() as u8
                        && book.rate <= quote.rate.base_units.0
                        && book.rate_micro_usd <= quote.rate_micro_usd.0
                })
        }
        Wish::Pay { amount } => read::<PayArgs>(tag, arguments).is_some_and(|pay| pay.amount == amount.0),
        Wish::Extend { minutes, amount } => {
            read::<ExtendArgs>(tag, arguments).is_some_and(|extend| extend.amount == amount.0 && extend.minutes == *minutes)
        }
        Wish::Register { device, payout } => {
            read::<RegisterDeviceArgs>(tag, arguments).is_some_and(|args| args.device == device.0 && args.payout == payout.0)
        }
        Wish::Step(step) => data == step.data,
    }
}

fn read<A: Arguments>(tag: u8, arguments: &[u8]) -> Option<A> {
    (tag == A::TAG as u8).then(|| A::read(arguments)).flatten()
}

#[cfg(test)]
mod tests;
