//! One test for each known way of robbing a Solana program; the table next door tries every account, these say which reason refuses it.

use ionet_abi::TOKEN_PROGRAM;
use ionet_abi::accounts::{AccountTag, BookingAccount, NetworkAccount, OracleAccount, ProgramAccount, VaultKind};
use ionet_abi::events::{EVENT_TAG, RecordHeader};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::Tag;
use ionet_abi::seeds;
use ionet_rules::RuleError;
use ionet_rules::booking::Status;
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;
use spl_token_interface::state::{Account as TokenAccount, AccountState};

use crate::world::build::{Cluster, mint, verifier};
use crate::world::scene::{cluster, offer, ready};
use crate::world::{PRICE, START, WALLET, World, customer, key, named, replaced, stranger, wallet};

const USDC: Currency = Currency::Usdc;
const IO: Currency = Currency::Io;

/// Place of an account in an instruction's list, by its name.
fn place(tag: Tag, name: &str) -> usize {
    ionet_abi::instructions::account_uses(tag).iter().position(|one| one.name == name).unwrap()
}

fn with(world: &World, tag: Tag, instruction: &Instruction, name: &str, by: Address) -> Instruction {
    replaced(world, instruction, place(tag, name), by)
}

#[test]
fn missing_signer() {
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let mut unsigned = pay.clone();
    unsigned.accounts[0].is_signer = false;
    world.refuse_for(unsigned, Fault::MissingSigner);
    // A customer alone books nothing: the network must have offered it.
    let (mut world, mut book) = ready(Tag::BookProduct, USDC);
    book.accounts[place(Tag::BookProduct, "quote_authority")].is_signer = false;
    world.refuse_for(book, Fault::MissingSigner);
}

#[test]
fn wrong_signer() {
    for (tag, name) in [
        (Tag::SetOracles, "authority"),
        (Tag::FundPool, "authority"),
        (Tag::BookProduct, "quote_authority"),
        (Tag::Pay, "customer"),
        (Tag::Start, "verifier"),
        (Tag::Extend, "customer"),
        (Tag::Extend, "quote_authority"),
        (Tag::Worked, "verifier"),
    ] {
        let (mut world, instruction) = ready(tag, USDC);
        let changed = with(&world, tag, &instruction, name, stranger().pubkey());
        world.refuse_for(changed, Fault::WrongSigner);
    }
    let (mut world, submit) = ready(Tag::SubmitPrice, USDC);
    let changed = with(&world, Tag::SubmitPrice, &submit, "submitter", stranger().pubkey());
    world.refuse_for(changed, RuleError::UnknownOracle);
    // The verifier writes work, and has no other right; nor has an oracle that was taken off the set.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let changed = with(&world, Tag::Pay, &pay, "customer", verifier().pubkey());
    world.refuse_for(changed, Fault::WrongSigner);
    world.accept(world.net.set_oracles(2));
    world.wait(1);
    world.refuse_for(world.net.submit_price(2, PRICE), RuleError::UnknownOracle);
}

#[test]
fn account_data_matching() {
    // Another customer's token account, as the source of a payment and as the destination of a refund.
    let other = wallet(&customer(1).pubkey(), USDC);
    for (tag, name) in [(Tag::Pay, "source"), (Tag::Extend, "source"), (Tag::Refund, "destination"), (Tag::Expire, "destination")] {
        let (mut world, instruction) = ready(tag, USDC);
        let changed = with(&world, tag, &instruction, name, other);
        world.refuse_for(changed, Fault::WrongTokenOwner);
    }
    // Another customer's booking, paid with one's own money.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let theirs = Cluster { id: [9; 16], customer: customer(1).pubkey(), currency: USDC };
    world.accept(world.net.book(&theirs, offer(USDC)));
    let changed = with(&world, Tag::Pay, &pay, "booking", world.net.booking(theirs.id));
    world.refuse_for(changed, Fault::WrongSigner);
}

#[test]
fn wrong_owner() {
    for (tag, name) in [(Tag::Pay, "network"), (Tag::Pay, "booking"), (Tag::Repurchase, "oracle"), (Tag::Worked, "oracle")] {
        let (mut world, instruction) = ready(tag, USDC);
        let data = world.svm.get_account(&instruction.accounts[place(tag, name)].pubkey).unwrap().data;
        let forged = named("forged");
        world.put(forged, named("a program of the attacker"), data);
        let changed = with(&world, tag, &instruction, name, forged);
        world.refuse_for(changed, Fault::WrongOwner);
    }
    // A token account of another token program.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let data = world.svm.get_account(&pay.accounts[place(Tag::Pay, "source")].pubkey).unwrap().data;
    let forged = named("forged");
    world.put(forged, named("a program of the attacker"), data);
    let changed = with(&world, Tag::Pay, &pay, "source", forged);
    world.refuse_for(changed, Fault::WrongOwner);
}

#[test]
fn type_cosplay() {
    let (mut world, repurchase) = ready(Tag::Repurchase, USDC);
    let (network, oracle, booking) = (world.net.network(), world.net.oracle(), world.net.booking(cluster(USDC).id));
    for (name, others) in [("network", [oracle, booking]), ("oracle", [network, booking]), ("booking", [network, oracle])] {
        for other in others {
            let changed = with(&world, Tag::Repurchase, &repurchase, name, other);
            world.refuse_for(changed, Fault::WrongAccountType);
        }
    }
    // Of the right length and owner, but of another type or version, or not quite as long; no instruction makes such accounts.
    let right = world.svm.get_account(&booking).unwrap().data;
    let mut forgeries = Vec::new();
    for (at, value) in [(0, AccountTag::Network as u8), (0, AccountTag::Oracle as u8), (0, 0), (1, 0), (1, 2)] {
        let mut data = right.clone();
        data[at] = value;
        forgeries.push(data);
    }
    forgeries.push(right[..right.len() - 1].to_vec());
    forgeries.push([&right[..], &[0]].concat());
    forgeries.push(Vec::new());
    for data in forgeries {
        world.put(named("forged"), world.net.program, data);
        let changed = with(&world, Tag::Repurchase, &repurchase, "booking", named("forged"));
        world.refuse_for(changed, Fault::WrongAccountType);
    }
    // A mint is not a token account, and the other way round.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let changed = with(&world, Tag::Pay, &pay, "source", mint(USDC));
    world.refuse_for(changed, Fault::WrongAccountType);
    let (mut world, initialize) = ready(Tag::Initialize, USDC);
    let changed = with(&world, Tag::Initialize, &initialize, "usdc_mint", wallet(&customer(0).pubkey(), USDC));
    world.refuse_for(changed, Fault::WrongAccountType);
}

#[test]
fn reinitialisation() {
    let mut world = World::new();
    world.refuse_for(world.net.initialize(), Fault::AlreadyInitialised);
    // Somebody else with somebody else's key for the network.
    let again = world.net.initialize();
    let changed = with(&world, Tag::Initialize, &again, "authority", stranger().pubkey());
    world.refuse_for(changed, Fault::AlreadyInitialised);
    // The same cluster twice, by the same customer, by another, in another currency.
    let one = cluster(USDC);
    world.accept(world.net.book(&one, offer(USDC)));
    for again in [one, Cluster { customer: customer(1).pubkey(), ..one }, Cluster { currency: IO, ..one }] {
        world.refuse_for(world.net.book(&again, offer(again.currency)), Fault::AlreadyInitialised);
    }
    // Half a network: lamports sent to the place of an account do not hinder its creation.
    let (mut world, initialize) = ready(Tag::Initialize, USDC);
    for address in [world.net.network(), world.net.oracle(), world.net.vault(VaultKind::UsdcEscrow)] {
        world.svm.airdrop(&address, 1_234_567_890).unwrap();
    }
    world.accept(initialize);
}

#[test]
fn only_the_deployer_creates_the_network() {
    let (mut world, mut initialize) = ready(Tag::Initialize, USDC);
    let changed = with(&world, Tag::Initialize, &initialize, "program", stranger().pubkey());
    world.refuse_for(changed, Fault::WrongProgram);
    initialize.accounts[place(Tag::Initialize, "program")].is_signer = false;
    world.refuse_for(initialize, Fault::MissingSigner);
}

#[test]
fn parameters_outside_their_bounds_and_mints_of_other_decimals_make_no_network() {
    let mut world = World::bare();
    for params in [
        Params { network_fee_bps: 1_001, ..Params::DEFAULT },
        Params { dollar_share_bps: 9_001, ..Params::DEFAULT },
        Params { payment_window_secs: 0, ..Params::DEFAULT },
        Params { reserved: [1; 7], ..Params::DEFAULT },
    ] {
        world.refuse_for(world.net.initialize_with(params), RuleError::ParamOutOfBounds);
    }
    let initialize = world.net.initialize();
    for (name, other) in [("usdc_mint", mint(IO)), ("io_mint", mint(USDC))] {
        let changed = with(&world, Tag::Initialize, &initialize, name, other);
        world.refuse_for(changed, Fault::WrongMint);
        for decimals in [0, 5, 7, 9] {
            world.put_mint(named("another mint"), decimals, 0);
            let changed = with(&world, Tag::Initialize, &initialize, name, named("another mint"));
            world.refuse_for(changed, Fault::WrongMint);
        }
    }
    // The two exchanged: each is a mint of the network, neither in its place.
    let exchanged = with(&world, Tag::Initialize, &initialize, "usdc_mint", mint(IO));
    let exchanged = with(&world, Tag::Initialize, &exchanged, "io_mint", mint(USDC));
    world.refuse_for(exchanged, Fault::WrongMint);
    let mut nobody = initialize.clone();
    let verifier_at = nobody.data.len() - 32;
    nobody.data[verifier_at..].fill(0);
    world.refuse_for(nobody, Fault::MalformedData);
}

#[test]
fn arbitrary_cpi() {
    // A program in the place of the token program, the system program, this program: another instance, which would obey.
    for (tag, names) in [
        (Tag::BookProduct, &["system_program", "program"][..]),
        (Tag::FundPool, &["token_program"][..]),
        (Tag::Pay, &["token_program", "program"][..]),
        (Tag::Start, &["token_program", "program"][..]),
        (Tag::Extend, &["token_program", "program"][..]),
        (Tag::Worked, &["token_program", "program"][..]),
        (Tag::Refund, &["token_program", "program"][..]),
        (Tag::Repurchase, &["token_program", "program"][..]),
        (Tag::Earn, &["token_program", "program"][..]),
        (Tag::Expire, &["token_program", "program"][..]),
        (Tag::Initialize, &["token_program", "system_program"][..]),
    ] {
        for name in names {
            let (mut world, instruction) = ready(tag, USDC);
            for fake in [world.other.program, spl_token_2022()] {
                let changed = with(&world, tag, &instruction, name, fake);
                world.refuse_for(changed, Fault::WrongProgram);
            }
        }
    }
}

fn spl_token_2022() -> Address {
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb".parse().unwrap()
}

#[test]
fn duplicate_mutable_accounts() {
    // The classic: a payment from escrow into escrow.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let changed = with(&world, Tag::Pay, &pay, "source", world.net.vault(VaultKind::UsdcEscrow));
    world.refuse_for(changed, Fault::DuplicateAccount);
    let (mut world, earn) = ready(Tag::Earn, IO);
    let changed = with(&world, Tag::Earn, &earn, "io_incentives", world.net.vault(VaultKind::IoTreasury));
    world.refuse_for(changed, Fault::DuplicateAccount);
    let (mut world, repurchase) = ready(Tag::Repurchase, USDC);
    let changed = with(&world, Tag::Repurchase, &repurchase, "io_pool", world.net.vault(VaultKind::IoEscrow));
    world.refuse_for(changed, Fault::DuplicateAccount);
}

#[test]
fn bump_canonicalisation() {
    let (mut world, book) = ready(Tag::BookProduct, USDC);
    let one = cluster(USDC);
    let (canonical, bump) = Address::find_program_address(&[seeds::BOOKING, &one.id], &world.net.program);
    let mut tried = 0;
    for other in (0..bump).rev() {
        let Ok(address) = Address::create_program_address(&[seeds::BOOKING, &one.id, &[other]], &world.net.program) else { continue };
        assert_ne!(address, canonical);
        let changed = with(&world, Tag::BookProduct, &book, "booking", address);
        world.refuse_for(changed, Fault::WrongAddress);
        tried += 1;
        if tried == 20 {
            break;
        }
    }
    assert_eq!(tried, 20);
    // Another cluster's place.
    let changed = with(&world, Tag::BookProduct, &book, "booking", world.net.booking([77; 16]));
    world.refuse_for(changed, Fault::WrongAddress);
    world.accept(book);
    assert_eq!(world.booking(one.id).bump, bump);
    let network = world.network();
    assert_eq!(network.bump, Address::find_program_address(&[seeds::NETWORK], &world.net.program).1);
}

#[test]
fn pda_sharing() {
    // All clusters of a currency share a vault; what one of them may take out is bounded by its own books.
    let mut world = World::new();
    let (mine, theirs) = (cluster(USDC), Cluster { id: [7; 16], customer: customer(1).pubkey(), currency: USDC });
    for one in [mine, theirs] {
        world.accept(world.net.book(&one, offer(USDC)));
        let total = world.booking(one.id).book.total().unwrap().0;
        world.accept(world.net.pay(&one, 0, total));
        world.accept(world.net.start(&one));
    }
    let held = world.booking(theirs.id).book.escrow().unwrap().0;
    world.wait(60);
    world.accept(world.net.worked(&mine, 0, 7 * 60, (2, START + 60)));
    world.refuse_for(world.net.refund(&theirs), RuleError::NotRefundable);
    // Refunded to the other's customer, or twice.
    let refund = world.net.refund(&mine);
    let changed = with(&world, Tag::Refund, &refund, "destination", theirs.wallet());
    world.refuse_for(changed, Fault::WrongTokenOwner);
    world.accept(refund.clone());
    world.refuse_for(refund, RuleError::NotRefundable);
    let rest = world.booking(mine.id).book.rest_due.0;
    assert_eq!(world.vault(VaultKind::UsdcEscrow), held + rest);
    assert_eq!(world.booking(theirs.id).book.escrow().unwrap().0, held);
}

#[test]
fn closing_and_revival() {
    // No instruction closes an account; what is over stays over, and stays there.
    let (mut world, expire) = ready(Tag::Expire, USDC);
    let one = cluster(USDC);
    let (before, paid) = (world.balance(one.wallet()), world.booking(one.id).book.paid.0);
    world.accept(expire.clone());
    assert_eq!(world.balance(one.wallet()), before + paid);
    world.refuse_for(expire, RuleError::NotPayable);
    world.refuse_for(world.net.pay(&one, 1, 1), RuleError::NotPayable);
    world.refuse_for(world.net.start(&one), RuleError::NotStartable);
    world.refuse_for(world.net.extend(&one, 0, 60, 1), RuleError::NotExtendable);
    world.refuse_for(world.net.worked(&one, 0, 0, (3, START)), RuleError::NotRunning);
    world.refuse_for(world.net.refund(&one), RuleError::NotRefundable);
    let mut again = offer(USDC);
    again.valid_until_unix_secs = i64::MAX;
    world.refuse_for(world.net.book(&one, again), Fault::AlreadyInitialised);
    assert_eq!(world.booking(one.id).book.status(), Ok(Status::Expired));
    assert_eq!(world.balance(one.wallet()), before + paid);
    // Lamports sent to the place of a booking before it is made do not hinder it.
    let next = Cluster { id: [50; 16], ..one };
    world.svm.airdrop(&world.net.booking(next.id), 1).unwrap_err();
    world.svm.airdrop(&world.net.booking(next.id), 5_000_000).unwrap();
    world.accept(world.net.book(&next, again));
}

#[test]
fn forged_sysvar_oracle_and_network() {
    // No instruction takes a clock account: there is none to forge.
    for tag in Tag::ALL {
        assert!(ionet_abi::instructions::account_uses(tag).iter().all(|one| !one.name.contains("clock") && !one.name.contains("sysvar")));
    }
    // A price ten times too good, in an account that looks like the oracle's.
    let (mut world, repurchase) = ready(Tag::Repurchase, USDC);
    let mut forged: OracleAccount = world.oracle();
    for submission in &mut forged.submissions {
        submission.price.0 /= 10;
    }
    world.put(named("forged"), named("a program of the attacker"), bytemuck::bytes_of(&forged).to_vec());
    let changed = with(&world, Tag::Repurchase, &repurchase, "oracle", named("forged"));
    world.refuse_for(changed, Fault::WrongOwner);
    // A network whose verifier is the attacker.
    let (mut world, start) = ready(Tag::Start, USDC);
    let mut forged: NetworkAccount = world.network();
    forged.verifier = stranger().pubkey().to_bytes();
    world.put(named("forged"), named("a program of the attacker"), bytemuck::bytes_of(&forged).to_vec());
    let changed = with(&world, Tag::Start, &start, "network", named("forged"));
    let changed = with(&world, Tag::Start, &changed, "verifier", stranger().pubkey());
    world.refuse_for(changed, Fault::WrongOwner);
}

#[test]
fn forged_event_record() {
    let (mut world, _) = ready(Tag::Pay, USDC);
    let mut data = vec![EVENT_TAG];
    data.extend([0; size_of::<RecordHeader>() + 32]);
    let send = |accounts: Vec<AccountMeta>| Instruction { program_id: world.net.program, accounts, data: data.clone() };
    let network = world.net.network();
    let forgeries = [
        (send(vec![]), Fault::WrongAccountCount),
        (send(vec![AccountMeta::new_readonly(network, false)]), Fault::MissingSigner),
        (send(vec![AccountMeta::new_readonly(stranger().pubkey(), true)]), Fault::NotDirect),
        (send(vec![AccountMeta::new_readonly(key(10).pubkey(), true)]), Fault::NotDirect),
        (
            send(vec![AccountMeta::new_readonly(network, false), AccountMeta::new_readonly(stranger().pubkey(), true)]),
            Fault::WrongAccountCount,
        ),
    ];
    for (forgery, reason) in forgeries {
        world.refuse_for(forgery, reason);
    }
}

#[test]
fn foreign_mint() {
    // A coin with the right decimals and the right name, made by the customer.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    world.put_mint(named("mint of fake usdc"), 6, WALLET);
    world.put_tokens(named("fake usdc"), named("mint of fake usdc"), customer(0).pubkey(), WALLET);
    let changed = with(&world, Tag::Pay, &pay, "source", named("fake usdc"));
    world.refuse_for(changed, Fault::WrongMint);
    // IO for a USDC cluster.
    let changed = with(&world, Tag::Pay, &pay, "source", wallet(&customer(0).pubkey(), IO));
    world.refuse_for(changed, Fault::WrongMint);
    let (mut world, earn) = ready(Tag::Earn, IO);
    let changed = with(&world, Tag::Earn, &earn, "io_mint", mint(USDC));
    world.refuse_for(changed, Fault::WrongAddress);
    let (mut world, refund) = ready(Tag::Refund, USDC);
    let changed = with(&world, Tag::Refund, &refund, "destination", wallet(&customer(0).pubkey(), IO));
    world.refuse_for(changed, Fault::WrongMint);
}

#[test]
fn foreign_token_account() {
    // Held by the customer but frozen; held by somebody else who lets the customer spend; empty.
    let (mut world, pay) = ready(Tag::Pay, USDC);
    let own = customer(0).pubkey();
    let base = TokenAccount { mint: mint(USDC), owner: own, amount: WALLET, state: AccountState::Initialized, ..TokenAccount::default() };
    world.put_token_account(named("frozen"), &TokenAccount { state: AccountState::Frozen, ..base });
    world.put_token_account(named("not yet"), &TokenAccount { state: AccountState::Uninitialized, ..base });
    world.put_token_account(
        named("delegated"),
        &TokenAccount { owner: stranger().pubkey(), delegate: Some(own).into(), delegated_amount: WALLET, ..base },
    );
    world.put_token_account(named("poor"), &TokenAccount { amount: 99_999, ..base });
    for (source, reason) in [
        ("frozen", Fault::TokenAccountFrozen),
        ("not yet", Fault::WrongAccountType),
        ("delegated", Fault::WrongTokenOwner),
        ("poor", Fault::InsufficientFunds),
    ] {
        let changed = with(&world, Tag::Pay, &pay, "source", named(source));
        world.refuse_for(changed, reason);
    }
    // A vault look-alike that the network account owns: the right coin, the right holder, another address.
    let network = world.net.network();
    world.put_tokens(named("look-alike"), mint(USDC), network, 0);
    let changed = with(&world, Tag::Pay, &pay, "escrow", named("look-alike"));
    world.refuse_for(changed, Fault::WrongAddress);
}

#[test]
fn account_of_another_network() {
    for (tag, name, reason) in [
        (Tag::Pay, "network", Fault::WrongOwner),
        (Tag::Pay, "booking", Fault::WrongOwner),
        (Tag::Pay, "escrow", Fault::WrongAddress),
        (Tag::Pay, "program", Fault::WrongProgram),
        (Tag::Worked, "oracle", Fault::WrongOwner),
        (Tag::SubmitPrice, "oracle", Fault::WrongOwner),
    ] {
        let (mut world, instruction) = ready(tag, USDC);
        let foreign = match name {
            "network" => world.other.network(),
            "booking" => world.other.booking(cluster(USDC).id),
            "escrow" => world.other.vault(VaultKind::UsdcEscrow),
            "oracle" => world.other.oracle(),
            _ => world.other.program,
        };
        let changed = with(&world, tag, &instruction, name, foreign);
        world.refuse_for(changed, reason);
    }
    // Every account of the other network at once: still not this program's.
    let (mut world, _) = ready(Tag::Pay, USDC);
    let mut theirs = world.other.pay(&cluster(USDC), 0, 100_000);
    theirs.program_id = world.net.program;
    world.refuse_for(theirs.clone(), Fault::WrongProgram);
    theirs.accounts[place(Tag::Pay, "program")].pubkey = world.net.program;
    world.refuse_for(theirs, Fault::WrongOwner);
}

#[test]
fn wrong_vault_kind() {
    for (tag, currency, name, right) in [
        (Tag::Pay, USDC, "escrow", VaultKind::UsdcEscrow),
        (Tag::Pay, IO, "escrow", VaultKind::IoEscrow),
        (Tag::Start, USDC, "treasury", VaultKind::UsdcTreasury),
        (Tag::Worked, IO, "payable", VaultKind::IoPayable),
        (Tag::Refund, USDC, "escrow", VaultKind::UsdcEscrow),
        (Tag::Repurchase, USDC, "usdc_pool", VaultKind::UsdcPool),
        (Tag::Repurchase, USDC, "io_escrow", VaultKind::IoEscrow),
        (Tag::Earn, IO, "io_incentives", VaultKind::IoIncentives),
        (Tag::FundPool, USDC, "io_pool", VaultKind::IoPool),
        (Tag::Expire, IO, "escrow", VaultKind::IoEscrow),
    ] {
        let (mut world, instruction) = ready(tag, currency);
        for wrong in VaultKind::ALL.into_iter().filter(|kind| *kind != right) {
            let address = world.net.vault(wrong);
            let used = instruction.accounts.iter().any(|meta| meta.pubkey == address);
            let changed = with(&world, tag, &instruction, name, address);
            world.refuse_for(changed, if used { Fault::DuplicateAccount } else { Fault::WrongAddress });
        }
        world.accept(instruction);
    }
}

#[test]
fn a_refund_needs_no_signature_but_goes_nowhere_else() {
    // Sent by somebody without any part in it; the money goes to the customer all the same.
    let (mut world, refund) = ready(Tag::Refund, IO);
    assert!(refund.accounts.iter().all(|meta| !meta.is_signer));
    let one = cluster(IO);
    let before = world.balance(one.wallet());
    world.accept(refund);
    let book = world.booking(one.id).book;
    assert_eq!(world.balance(one.wallet()) - before, book.refunded.0);
    assert_eq!(BookingAccount::SIZE, world.svm.get_account(&world.net.booking(one.id)).unwrap().data.len());
    assert_eq!(world.svm.get_account(&world.net.vault(VaultKind::IoEscrow)).unwrap().owner, Address::from(TOKEN_PROGRAM));
}
