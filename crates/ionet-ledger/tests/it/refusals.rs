//! Refusals reach the caller as a stable code, and nothing has moved.

use ionet_ledger::instructions;
use ionet_ledger::{Failure, LedgerError, address};
use ionet_rules::money::{Currency, Units};
use solana_address::Address;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

use crate::world::World;

#[tokio::test]
async fn what_the_program_refuses_has_a_code() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 4, 60).await;
    let before = world.booking(&cluster).await;
    let at = *world.ledger.addresses().await.unwrap();
    let total = before.book.total().unwrap();
    let pay = |who: &Keypair, amount: Units, sequence| instructions::pay(&at, who.pubkey(), &cluster, Currency::Usdc, amount, sequence);
    let code = async |who: &Keypair, list: &[_]| world.sign_and_send(who, list).await.unwrap_err().code();

    assert_eq!(code(&customer, &[pay(&customer, Units(total.0 + 1), 0)]).await, "overpayment");
    assert_eq!(code(&customer, &[pay(&customer, Units(0), 0)]).await, "zero_amount");
    assert_eq!(code(&customer, &[pay(&customer, Units(1), 1)]).await, "wrong_sequence");
    let stranger = world.customer().await;
    assert_eq!(code(&stranger, &[pay(&stranger, Units(1), 0)]).await, "wrong_signer");
    assert_eq!(world.extend(&customer, &cluster, 10).await.unwrap_err().code(), "not_extendable");
    let offer = ionet_rules::booking::Offer { valid_until_unix_secs: 1, ..world.offer(Currency::Usdc, 1, 60).await };
    let quote = world.keys.quote.pubkey();
    let late = instructions::book_product(&at, world.keys.payer.pubkey(), customer.pubkey(), quote, [0xAB; 16], &offer);
    assert_eq!(code(&customer, &[late]).await, "quote_expired");
    assert_eq!(world.booking(&cluster).await, before);
}

#[tokio::test]
async fn a_wallet_without_money_is_told_so() {
    let world = World::open().await;
    let poor = Keypair::new();
    let at = *world.ledger.addresses().await.unwrap();
    world.ledger.faucet(&world.keys, &poor.pubkey(), &ionet_ledger::Grant::default()).await.unwrap();
    let cluster = world.book(&poor, Currency::Usdc, 4, 60).await;
    let pay = instructions::pay(&at, poor.pubkey(), &cluster, Currency::Usdc, Units(1), 0);
    assert_eq!(world.sign_and_send(&poor, &[pay]).await.unwrap_err().code(), "insufficient_funds");
    assert!(world.booking(&cluster).await.book.paid.is_zero());
}

fn failed(number: u32, program: Address) -> LedgerError {
    let error = TransactionError::InstructionError(0, InstructionError::Custom(number));
    let logs = vec![
        format!("Program {} invoke [1]", Address::new_from_array([3; 32])),
        format!("Program {program} failed: custom program error: {number:#x}"),
        format!("Program {} failed: custom program error: {number:#x}", Address::new_from_array([3; 32])),
    ];
    Failure { error, logs }.reason()
}

#[test]
fn the_same_number_means_what_the_failing_program_means() {
    let ours = Address::new_from_array([3; 32]);
    assert_eq!(failed(1, ours).code(), "unknown_instruction");
    assert_eq!(failed(1, address::TOKEN_PROGRAM).code(), "insufficient_funds");
    assert_eq!(failed(1, address::SYSTEM_PROGRAM).code(), "insufficient_funds");
    assert_eq!(failed(17, address::TOKEN_PROGRAM).code(), "token_refused");
    assert_eq!(failed(0, address::SYSTEM_PROGRAM).code(), "transaction_failed");
    assert_eq!(failed(9_999, ours).code(), "transaction_failed");
    for rule in ionet_rules::RuleError::ALL {
        let error = failed(*rule as u32, ours);
        assert_eq!((error.code(), error.to_string()), (rule.code(), rule.sentence().to_owned()));
    }
    for fault in ionet_abi::faults::Fault::ALL {
        let error = failed(*fault as u32, ours);
        assert_eq!((error.code(), error.to_string()), (fault.code(), fault.sentence().to_owned()));
    }
}
