//! Every builder against the interface's own lists: same order, signers, writability, data.

use ionet_abi::instructions::{AccountUse, Tag, account_uses};
use ionet_ledger::instructions::supply::{self, Accusation, Registration};
use ionet_ledger::instructions::{self, Authorities, Extension};
use ionet_ledger::{Addresses, address};
use ionet_rules::booking::{End, HardwareKind, Offer, WorkLog};
use ionet_rules::epochs::{Paid, Statement};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::multipliers::{Model, TABLE};
use ionet_rules::params::Params;
use ionet_rules::slash::{Offence, Verdict};
use ionet_rules::supply::SupplyParams;
use ionet_rules::worklog::EndReason;
use solana_address::Address;
use solana_instruction::Instruction;

const CLUSTER: [u8; 16] = [7; 16];
const CASE: [u8; 16] = [8; 16];
const DEVICE: Address = Address::new_from_array([5; 32]);

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
    let mut list = vec![
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
    list.extend(supply_side(&at));
    (at, list)
}

fn supply_side(at: &Addresses) -> Vec<(Tag, Instruction)> {
    let key = Address::new_unique;
    let statement =
        Statement { epoch: 2, root: [3; 32], file: [4; 32], total_io: Io(9), total_usdc: Usdc(8), work_io: Io(7), locked_io: Io(0) };
    let registration = Registration { device: DEVICE, payout: key(), processors: 8, model: Model { number: 2, kind: HardwareKind::Gpu } };
    let accusation =
        Accusation { case_id: CASE, device: DEVICE, offence: Offence::ForeignUse, amount: Io(5), unvested: Io(1), evidence: [6; 32] };
    let lifetime = Paid { io: Io(5), usdc: Usdc(6) };
    vec![
        (Tag::InitializeSupply, supply::initialize_supply(at, key(), key(), key(), SupplyParams::DEFAULT, 7_200)),
        (Tag::SetMultipliers, supply::set_multipliers(at, key(), 0, TABLE)),
        (Tag::AdmitVerifier, supply::admit_verifier(at, key(), 3, Some(key()))),
        (Tag::Bond, supply::bond(at, key(), Io(1))),
        (Tag::Unbond, supply::unbond(at, key())),
        (Tag::WithdrawBond, supply::withdraw_bond(at, key())),
        (Tag::MintEpoch, supply::mint_epoch(at)),
        (Tag::PostRoot, supply::post_root(at, key(), &statement)),
        (Tag::AcceptRoot, supply::accept_root(at, 1)),
        (Tag::StrikeRoot, supply::strike_root(at, key(), 1)),
        (Tag::RegisterDevice, supply::register_device(at, key(), key(), key(), &registration)),
        (Tag::SetPayout, supply::set_payout(at, key(), at.device_claim(&DEVICE), key())),
        (Tag::Stake, supply::stake(at, key(), &DEVICE, Io(1))),
        (Tag::WithdrawStake, supply::withdraw_stake(at, key(), &DEVICE, None)),
        (Tag::Unstake, supply::unstake(at, key(), key(), &DEVICE)),
        (Tag::OfferCoStake, supply::offer_co_stake(at, key(), &DEVICE, Io(4), 1_000)),
        (Tag::AcceptCoStake, supply::accept_co_stake(at, key(), key(), &DEVICE, Io(4), 1_000)),
        (Tag::EndCoStake, supply::end_co_stake(at, key(), &DEVICE)),
        (Tag::WithdrawCoStake, supply::withdraw_co_stake(at, key(), &DEVICE)),
        (Tag::OpenCase, supply::open_case(at, key(), key(), &accusation)),
        (Tag::AppealCase, supply::appeal_case(at, key(), &DEVICE, &CASE, [1; 32])),
        (Tag::DecideCase, supply::decide_case(at, key(), &DEVICE, &CASE, Verdict::Burn)),
        (Tag::LapseCase, supply::lapse_case(at, &DEVICE, &CASE)),
        // As long a proof as fits beside the two token accounts that may have to be made.
        (Tag::Claim, supply::claim(at, at.device_claim(&DEVICE), &key(), lifetime, &[[9; 32]; 20])),
    ]
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
                "supply" => Some(at.supply),
                "epochs" => Some(at.epochs),
                "verifiers" => Some(at.verifiers),
                "multipliers" => Some(at.multipliers),
                "io_rewards" => Some(at.io_rewards),
                "io_stake" => Some(at.io_stake),
                "io_mint" => Some(at.io_mint),
                "device" => Some(at.device(&DEVICE)),
                "case" => Some(at.case(&CASE)),
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
fn every_transaction_fits_a_packet() {
    let (_, list) = all();
    for (tag, instruction) in list {
        let message = solana_message::Message::new(&[instruction], Some(&Address::new_unique()));
        let transaction = solana_transaction::Transaction::new_unsigned(message);
        let encoded = ionet_ledger::encode_transaction(&transaction.into());
        assert!(encoded.is_ok(), "{tag:?}");
    }
}
