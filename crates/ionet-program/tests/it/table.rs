//! Every instruction, every account of it: replaced, unsigned, read-only, doubled, left out. Every byte of its data that must be zero or
//! must be there. Each of these is refused and changes nothing.

use std::collections::BTreeSet;

use ionet_abi::TOKEN_PROGRAM;
use ionet_abi::accounts::VaultKind;
use ionet_abi::events::EVENT_TAG;
use ionet_abi::events::supply::SUPPLY_EVENT_TAG;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::ClaimArgs;
use ionet_abi::instructions::{Tag, account_uses};
use ionet_rules::RuleError;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use crate::world::build::Net;
use crate::world::scene::{cluster, currencies, ready, supply};
use crate::world::{Reason, World, describe, named, number, replaced, stranger};

/// What another account stands for in the account's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// An account that does not exist.
    Nothing,
    /// A key that signs and has lamports and no part in anything.
    Stranger,
    /// The account with the same role in another network.
    OtherNetwork,
    /// The same bytes at another address, owned by a program of the attacker.
    CopyOfAnotherOwner,
    /// The same bytes at another address, of the same owner: possible for everybody only with token accounts and mints.
    Copy,
    /// Another account of the same list.
    Neighbour,
}

/// Where a replacement is right: anybody may be the one.
const RIGHT: [(Tag, &str, By); 28] = [
    (Tag::Initialize, "payer", By::Stranger),
    (Tag::Initialize, "authority", By::Stranger),
    (Tag::Initialize, "authority", By::Neighbour),
    (Tag::Initialize, "usdc_mint", By::Copy),
    (Tag::Initialize, "io_mint", By::Copy),
    (Tag::BookProduct, "payer", By::Stranger),
    (Tag::BookProduct, "customer", By::Stranger),
    (Tag::BookProduct, "customer", By::Neighbour),
    (Tag::FundPool, "usdc_source", By::Copy),
    (Tag::FundPool, "io_source", By::Copy),
    (Tag::Pay, "source", By::Copy),
    (Tag::Extend, "source", By::Copy),
    (Tag::Refund, "destination", By::Copy),
    (Tag::Expire, "destination", By::Copy),
    (Tag::InitializeSupply, "payer", By::Stranger),
    (Tag::Bond, "source", By::Copy),
    (Tag::WithdrawBond, "destination", By::Copy),
    (Tag::RegisterDevice, "payer", By::Stranger),
    (Tag::RegisterDevice, "owner", By::Stranger),
    (Tag::RegisterDevice, "owner", By::Neighbour),
    (Tag::Stake, "source", By::Copy),
    (Tag::WithdrawStake, "destination", By::Copy),
    (Tag::AcceptCoStake, "payer", By::Stranger),
    (Tag::AcceptCoStake, "source", By::Copy),
    (Tag::WithdrawCoStake, "destination", By::Copy),
    (Tag::OpenCase, "payer", By::Stranger),
    (Tag::Claim, "io_destination", By::Copy),
    (Tag::Claim, "usdc_destination", By::Copy),
];

fn roles(net: Net, ids: [[u8; 16]; 2]) -> Vec<Address> {
    let mut roles = vec![net.program, net.network(), net.oracle()];
    roles.extend(VaultKind::ALL.map(|kind| net.vault(kind)));
    roles.extend(ids.map(|id| net.booking(id)));
    let device = supply::device();
    roles.extend([net.supply(), net.epochs(), net.verifiers(), net.multipliers(), net.io_rewards(), net.io_stake()]);
    roles.extend([net.device(device.key), net.device_claim(device.key), net.case(supply::CASE)]);
    roles.push(net.co_claim(device.key, supply::co_staker()));
    roles
}

/// What stands in for the account at `address`.
fn replacements(world: &mut World, instruction: &Instruction, address: Address) -> Vec<(By, Address)> {
    let mut found = vec![(By::Nothing, named("nothing here")), (By::Stranger, stranger().pubkey())];
    let ids = [[1; 16], [2; 16]];
    let counterpart = roles(world.net, ids).into_iter().zip(roles(world.other, ids)).find(|(one, _)| *one == address);
    if let Some((_, other)) = counterpart {
        found.push((By::OtherNetwork, other));
    }
    if let Some(account) = world.svm.get_account(&address).filter(|account| !account.executable) {
        let foreign = named("copy of another owner");
        world.put(foreign, named("a program of the attacker"), account.data.clone());
        found.push((By::CopyOfAnotherOwner, foreign));
        if account.owner == TOKEN_PROGRAM.into() {
            let copy = named("copy");
            world.put(copy, account.owner, account.data);
            found.push((By::Copy, copy));
        }
    }
    let neighbours: BTreeSet<Address> = instruction.accounts.iter().map(|meta| meta.pubkey).filter(|other| *other != address).collect();
    found.extend(neighbours.into_iter().map(|neighbour| (By::Neighbour, neighbour)));
    found
}

#[test]
fn every_account_of_every_instruction_replaced_is_refused() {
    let mut failures = Vec::new();
    let mut tried = 0;
    let mut used = BTreeSet::new();
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            assert_eq!(instruction.accounts.len(), account_uses(tag).len());
            for (place, one) in account_uses(tag).iter().enumerate() {
                for (by, address) in replacements(&mut world, &instruction, instruction.accounts[place].pubkey) {
                    tried += 1;
                    let before = world.clone();
                    let right = RIGHT.contains(&(tag, one.name, by));
                    let changed = replaced(&world, &instruction, place, address);
                    match world.try_refuse(changed) {
                        Err(_) if right => {
                            used.insert((tag as u8, one.name, by));
                            world = before;
                        }
                        Err(_) => {
                            failures.push(format!("{tag:?} {currency:?}: {} replaced by {by:?} was accepted", one.name));
                            world = before;
                        }
                        // A program's own number is a check of this program; anything else got past all checks.
                        Ok(error) if number(&error).is_none() && !right => {
                            failures.push(format!("{tag:?} {currency:?}: {} replaced by {by:?}: {}", one.name, describe(&error)));
                        }
                        Ok(_) => {}
                    }
                }
            }
            world.accept(instruction);
        }
    }
    assert!(failures.is_empty(), "{} of {tried}:\n{}", failures.len(), failures.join("\n"));
    assert!(tried > 1_000, "only {tried} replacements");
    let unused: Vec<_> = RIGHT.iter().filter(|(tag, name, by)| !used.contains(&(*tag as u8, *name, *by))).collect();
    assert!(unused.is_empty(), "no longer accepted, take them off the list: {unused:?}");
}

#[test]
fn every_signer_that_does_not_sign_is_refused() {
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            for (place, _) in account_uses(tag).iter().enumerate().filter(|(_, one)| one.signer) {
                let mut changed = instruction.clone();
                changed.accounts[place].is_signer = false;
                world.refuse_for(changed, Fault::MissingSigner);
            }
        }
    }
}

#[test]
fn every_account_that_changes_and_is_read_only_is_refused() {
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            for (place, _) in account_uses(tag).iter().enumerate().filter(|(_, one)| one.writable) {
                let mut changed = instruction.clone();
                changed.accounts[place].is_writable = false;
                world.refuse_for(changed, Fault::NotWritable);
            }
        }
    }
}

#[test]
fn every_pair_of_accounts_that_change_must_be_two_accounts() {
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            let uses = account_uses(tag);
            for (first, second) in (0..uses.len()).flat_map(|first| (0..first).map(move |second| (first, second))) {
                // A signer cannot stand twice: its copy would sign too. Those pairs are in the table of replacements.
                if uses[first].writable && uses[second].writable && uses[first].signer == uses[second].signer {
                    for (place, by) in [(first, second), (second, first)] {
                        let changed = replaced(&world, &instruction, place, instruction.accounts[by].pubkey);
                        world.refuse_for(changed, Fault::DuplicateAccount);
                    }
                }
            }
        }
    }
}

#[test]
fn a_list_that_is_too_short_or_too_long_is_refused() {
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            for length in 0..instruction.accounts.len() {
                let mut changed = instruction.clone();
                changed.accounts.truncate(length);
                world.refuse_for(changed, Fault::WrongAccountCount);
            }
            for more in 1..=8 {
                let mut changed = instruction.clone();
                for index in 0..more {
                    changed.accounts.push(AccountMeta::new_readonly(named(&format!("one too many {index}")), false));
                }
                world.refuse_for(changed, Fault::WrongAccountCount);
            }
        }
    }
}

#[test]
fn data_that_is_too_short_or_too_long_is_refused() {
    for tag in Tag::ALL {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            for length in 1..instruction.data.len() {
                let mut changed = instruction.clone();
                changed.data.truncate(length);
                // A claim's proof has no fixed length: shorter by whole hashes it is another proof.
                let shorter = tag == Tag::Claim && length > size_of::<ClaimArgs>() && (instruction.data.len() - length).is_multiple_of(32);
                world.refuse_for(changed, if shorter { Reason::from(RuleError::WrongProof) } else { Fault::MalformedData.into() });
            }
            for more in [1, 8, 100] {
                let mut changed = instruction.clone();
                changed.data.extend(vec![0; more]);
                world.refuse_for(changed, Fault::MalformedData);
            }
        }
    }
}

#[test]
fn unused_bytes_that_are_not_zero_are_refused() {
    // Counted from the end of the arguments' bytes.
    let supply = [(Tag::SetMultipliers, 1), (Tag::RegisterDevice, 1), (Tag::OfferCoStake, 6), (Tag::AcceptCoStake, 6), (Tag::OpenCase, 7)];
    for (tag, unused) in [(Tag::BookProduct, 6), (Tag::Pay, 4), (Tag::Worked, 3)].into_iter().chain(supply) {
        for currency in currencies(tag) {
            let (mut world, instruction) = ready(tag, *currency);
            for back in 1..=unused {
                let mut changed = instruction.clone();
                let place = changed.data.len() - back;
                changed.data[place] = 1;
                world.refuse_for(changed, Fault::MalformedData);
            }
        }
    }
}

#[test]
fn unknown_instructions_are_refused() {
    let (mut world, instruction) = ready(Tag::Pay, cluster(ionet_rules::money::Currency::Usdc).currency);
    let mut empty = instruction.clone();
    empty.data.clear();
    world.refuse_for(empty, Fault::UnknownInstruction);
    for byte in (Tag::ALL.len() as u8..=u8::MAX).filter(|byte| ![EVENT_TAG, SUPPLY_EVENT_TAG].contains(byte)) {
        let mut changed = instruction.clone();
        changed.data[0] = byte;
        world.refuse_for(changed, Fault::UnknownInstruction);
    }
}

#[test]
fn another_instructions_list_and_data_are_refused() {
    for tag in Tag::ALL {
        let currency = currencies(tag)[0];
        let (mut world, instruction) = ready(tag, currency);
        for other in Tag::ALL.into_iter().filter(|other| *other != tag) {
            let mut changed = instruction.clone();
            changed.data[0] = other as u8;
            // `start`, `refund` and `expire` have no arguments and lists of like length: there the accounts' order is what differs.
            let error = world.refuse(changed);
            assert!(number(&error).is_some(), "{tag:?} as {other:?}: {}", describe(&error));
        }
    }
}
