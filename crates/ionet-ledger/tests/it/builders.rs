//! Every builder against the interface's own lists: same order, signers, writability, data.

use ionet_abi::instructions::{AccountUse, Tag, account_uses};
use ionet_ledger::instructions::{self, Authorities, Extension};
use ionet_ledger::{Addresses, address};
use ionet_rules::booking::{End, HardwareKind, Offer, WorkLog};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::params::Params;
use ionet_rules::worklog::EndReason;
use solana_address::Address;
use solana_instruction::Instruction;

const CLUSTER: [u8; 16] = [7; 16];

fn all() -> (Addresses, Vec<(Tag, Instruction)>) {
    let at = Addresses::derive(Address::new_unique(), Address::new_unique(), Address::new_unique());
    let key = Address::new_unique;
    let offer = Offer {
        currency: Currency::Usdc,
        hardware: HardwareKind::Gpu,
        quantity: 2,
        minutes: 60,
        rate: Units(115_000),
        rate_micro_usd: MicroUsd(115_000),
        valid_until_unix_secs: 5,
    };
    let extension = Extension { minutes: 60, amount: Units(9), sequence: 1 };
    let log = WorkLog { sequence: 3, device_minutes: 60, end: Some(End { reason: EndReason::CustomerEnded, at_unix_secs: 8 }) };
    let who = Authorities { authority: key(), quote_authority: key(), verifier: key() };
    let list = vec![
        (Tag::Initialize, instructions::initialize(&at, key(), &who, Params::DEFAULT)),
        (Tag::SetOracles, instructions::set_oracles(&at, key(), &[key(), key()])),
        (Tag::SubmitPrice, instructions::submit_price(&at, key(), MicroUsd(1))),
        (Tag::FundPool, instructions::fund_pool(&at, key(), Usdc(1), Io(2))),
        (Tag::BookProduct, instructions::book_product(&at, key(), key(), key(), CLUSTER, &offer)),
        (Tag::Pay, instructions::pay(&at, key(), &CLUSTER, Currency::Io, Units(1), 0)),
        (Tag::Start, instructions::start(&at, key(), &CLUSTER, Currency::Usdc)),
        (Tag::Extend, instructions::extend(&at, key(), key(), &CLUSTER, Currency::Io, &extension)),
        (Tag::Worked, instructions::worked(&at, key(), &CLUSTER, Currency::Usdc, &log)),
        (Tag::Refund, instructions::refund(&at, &key(), &CLUSTER, Currency::Usdc)),
        (Tag::Repurchase, instructions::repurchase(&at, &CLUSTER, 0)),
        (Tag::Earn, instructions::earn(&at, &CLUSTER, 0)),
        (Tag::Expire, instructions::expire(&at, &key(), &CLUSTER, Currency::Io)),
    ];
    (at, list)
}

#[test]
fn every_builder_follows_the_account_list_and_the_data_layout() {
    let (at, list) = all();
    assert_eq!(list.len(), Tag::ALL.len());
    for (tag, instruction) in list {
        assert_eq!(instruction.program_id, at.program_id);
        assert_eq!(instruction.data[0], tag as u8);
        let uses: &[AccountUse] = account_uses(tag);
        assert_eq!(instruction.accounts.len(), uses.len(), "{tag:?}");
        for (account, used) in instruction.accounts.iter().zip(uses) {
            assert_eq!((account.is_signer, account.is_writable), (used.signer, used.writable), "{tag:?} {}", used.name);
            let expected = match used.name {
                "network" => Some(at.network),
                "oracle" => Some(at.oracle),
                "booking" => Some(at.booking(&CLUSTER)),
                "program" => Some(at.program_id),
                "token_program" => Some(address::TOKEN_PROGRAM),
                "system_program" => Some(address::SYSTEM_PROGRAM),
                _ => None,
            };
            assert!(expected.is_none_or(|address| address == account.pubkey), "{tag:?} {}", used.name);
        }
    }
}

#[test]
fn the_initialize_transaction_fits_a_packet() {
    let (_, list) = all();
    for (tag, instruction) in list {
        let message = solana_message::Message::new(&[instruction], Some(&Address::new_unique()));
        let transaction = solana_transaction::Transaction::new_unsigned(message);
        let encoded = ionet_ledger::encode_transaction(&transaction.into());
        assert!(encoded.is_ok(), "{tag:?}");
    }
}
