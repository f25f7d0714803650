//! A chain in memory with two networks of the program on it, the same keys and coins in both: what every test starts from.
//!
//! All keys, ids and times are fixed, so that addresses, bumps and compute units are the same in every run.

pub(crate) mod build;
pub(crate) mod scene;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::rc::Rc;

use ionet_abi::TOKEN_PROGRAM;
use ionet_abi::accounts::{BookingAccount, NetworkAccount, OracleAccount, ProgramAccount, VaultKind};
use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use ionet_rules::money::{Currency, IO_UNIT, USDC_UNIT};
use ionet_rules::multipliers;
use ionet_rules::params::Params;
use ionet_rules::supply::SupplyParams;
use litesvm::LiteSVM;
use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use solana_account::Account;
use solana_address::Address;
use solana_clock::Clock;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_pack::Pack;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};

use build::Net;
use build::supply::bonded;

/// When the tests' clock starts, unix seconds.
pub(crate) const START: i64 = 1_800_000_000;
/// Micro-USD per IO.
pub(crate) const PRICE: u64 = 250_000;
/// What each wallet starts with, base units.
pub(crate) const WALLET: u64 = 1 << 60;
/// What the pool of each network starts with.
pub(crate) const POOL: (u64, u64) = (1_000_000 * USDC_UNIT, 4_000_000 * IO_UNIT);
/// What each wallet of IO starts with where IO is minted: far below the cap.
pub(crate) const SUPPLY_WALLET: u64 = 50_000_000 * IO_UNIT;
/// Verifiers that are admitted and bonded.
pub(crate) const BONDED: u8 = 3;
/// What each of them has bonded.
pub(crate) const BOND: u64 = 10_000 * IO_UNIT;
/// Customers.
pub(crate) const CUSTOMERS: u8 = 3;

/// The key number `number`: the same in every run.
pub(crate) fn key(number: u8) -> Keypair {
    Keypair::new_from_array([number; 32])
}

/// Pays the transaction fees and nothing else; no instruction names it.
pub(crate) fn relay() -> Keypair {
    key(1)
}

/// Has a key, lamports and tokens, and no part in anything.
pub(crate) fn stranger() -> Keypair {
    key(8)
}

/// The customer number `index`.
pub(crate) fn customer(index: u8) -> Keypair {
    assert!(index < CUSTOMERS);
    key(100 + index)
}

/// An address that nobody has a key for.
pub(crate) fn named(name: &str) -> Address {
    let mut bytes = [0xEE; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes.into()
}

/// The token account of this holder.
pub(crate) fn wallet(holder: &Address, currency: Currency) -> Address {
    let mut bytes = holder.to_bytes();
    bytes[0] ^= 0x55;
    bytes[31] = currency as u8;
    bytes.into()
}

/// The chain.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) svm: LiteSVM,
    /// The network under test.
    pub(crate) net: Net,
    /// Another instance of the program, of the same keys and coins.
    pub(crate) other: Net,
    keys: Rc<BTreeMap<Address, Keypair>>,
}

impl World {
    /// Programs, coins and wallets; no network yet.
    pub(crate) fn bare() -> Self {
        let net = Net::new(key(10).pubkey());
        let other = Net::new(key(11).pubkey());
        let mut keys = BTreeMap::new();
        for number in (1..=60).chain(100..100 + CUSTOMERS) {
            keys.insert(key(number).pubkey(), key(number));
        }
        let mut world = Self { svm: LiteSVM::new().with_transaction_history(0), net, other, keys: Rc::new(keys) };
        for program in [net.program, other.program] {
            world.svm.add_program(program, ionet_program::ELF).unwrap();
        }
        world.set_clock(START);
        for payer in [relay(), build::payer(), stranger()] {
            world.svm.airdrop(&payer.pubkey(), 1_000_000_000_000).unwrap();
        }
        for currency in [Currency::Usdc, Currency::Io] {
            world.put_mint(build::mint(currency), currency.decimals(), 5 * WALLET);
            for holder in (0..CUSTOMERS).map(customer).chain([stranger(), build::authority()]) {
                let holder = holder.pubkey();
                world.put_tokens(wallet(&holder, currency), build::mint(currency), holder, WALLET);
            }
        }
        world
    }

    /// Both networks, with three oracles, a price and a pool.
    pub(crate) fn new() -> Self {
        Self::with_params(Params::DEFAULT)
    }

    /// As [`Self::new`], with other parameters.
    pub(crate) fn with_params(params: Params) -> Self {
        let mut world = Self::bare();
        for net in [world.net, world.other] {
            world.accept(net.initialize_with(params));
            world.accept(net.set_oracles(3));
            for oracle in 0..3 {
                world.accept(net.submit_price(oracle, PRICE));
            }
            world.accept(net.fund_pool(POOL.0, POOL.1));
        }
        world
    }

    /// As [`Self::new`], with the supply side set up in both networks, all models listed, three verifiers bonded; and as much IO as a network
    /// begins with, in the wallets of all parties.
    pub(crate) fn with_supply(params: SupplyParams) -> Self {
        let mut world = Self::with_params(Params::DEFAULT);
        let holders = (0..CUSTOMERS).map(customer).chain([stranger(), build::authority()]).chain((0..BONDED).map(bonded));
        let pools = 2 * POOL.1;
        let mut supply = pools;
        for holder in holders.map(|key| key.pubkey()) {
            world.put_tokens(wallet(&holder, Currency::Io), build::mint(Currency::Io), holder, SUPPLY_WALLET);
            supply += SUPPLY_WALLET;
        }
        world.put_mint_of(build::mint(Currency::Io), Currency::Io.decimals(), supply, Some(world.net.network()));
        for net in [world.net, world.other] {
            world.accept(net.initialize_supply_with(params, world.now()));
            for (index, models) in multipliers::TABLE.chunks(16).enumerate() {
                world.accept(net.set_multipliers(16 * index as u16, models));
            }
            for index in 0..BONDED {
                let key = bonded(index).pubkey();
                world.accept(net.admit(index, key.to_bytes()));
                world.accept(net.bond(key, BOND));
            }
        }
        world
    }

    /// Makes the network the mint authority of IO.
    pub(crate) fn hand_mint_to(&mut self, net: Net) {
        if self.svm.get_account(&net.io_stake()).is_some() {
            let supply = self.supply(Currency::Io);
            self.put_mint_of(build::mint(Currency::Io), Currency::Io.decimals(), supply, Some(net.network()));
        }
    }

    pub(crate) fn put(&mut self, address: Address, owner: Address, data: Vec<u8>) {
        let account = Account { lamports: 1_000_000_000, data, owner, executable: false, rent_epoch: u64::MAX };
        self.svm.set_account(address, account).unwrap();
    }

    pub(crate) fn put_mint(&mut self, address: Address, decimals: u8, supply: u64) {
        self.put_mint_of(address, decimals, supply, None);
    }

    pub(crate) fn put_mint_of(&mut self, address: Address, decimals: u8, supply: u64, authority: Option<Address>) {
        let mint = Mint { mint_authority: authority.into(), supply, decimals, is_initialized: true, ..Mint::default() };
        let mut data = vec![0; Mint::LEN];
        mint.pack_into_slice(&mut data);
        self.put(address, TOKEN_PROGRAM.into(), data);
    }

    pub(crate) fn put_tokens(&mut self, address: Address, mint: Address, owner: Address, amount: u64) {
        self.put_token_account(address, &TokenAccount { mint, owner, amount, state: AccountState::Initialized, ..TokenAccount::default() });
    }

    pub(crate) fn put_token_account(&mut self, address: Address, account: &TokenAccount) {
        let mut data = vec![0; TokenAccount::LEN];
        account.pack_into_slice(&mut data);
        self.put(address, TOKEN_PROGRAM.into(), data);
    }

    pub(crate) fn tokens(&self, address: Address) -> TokenAccount {
        TokenAccount::unpack(&self.svm.get_account(&address).unwrap().data).unwrap()
    }

    pub(crate) fn balance(&self, address: Address) -> u64 {
        self.tokens(address).amount
    }

    pub(crate) fn vault(&self, kind: VaultKind) -> u64 {
        self.balance(self.net.vault(kind))
    }

    pub(crate) fn supply(&self, currency: Currency) -> u64 {
        Mint::unpack(&self.svm.get_account(&build::mint(currency)).unwrap().data).unwrap().supply
    }

    pub(crate) fn account<T: ProgramAccount>(&self, address: Address) -> T {
        T::read(&self.svm.get_account(&address).unwrap().data).unwrap()
    }

    pub(crate) fn network(&self) -> NetworkAccount {
        self.account(self.net.network())
    }

    pub(crate) fn oracle(&self) -> OracleAccount {
        self.account(self.net.oracle())
    }

    pub(crate) fn booking(&self, cluster: [u8; 16]) -> BookingAccount {
        self.account(self.net.booking(cluster))
    }

    pub(crate) fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    pub(crate) fn set_clock(&mut self, now: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = now;
        clock.slot += 1;
        self.svm.set_sysvar(&clock);
    }

    pub(crate) fn wait(&mut self, secs: i64) {
        self.set_clock(self.now() + secs);
    }

    pub(crate) fn can_sign(&self, address: &Address) -> bool {
        self.keys.contains_key(address)
    }

    /// Sends one instruction, signed by everybody whose signature it asks for.
    pub(crate) fn send(&mut self, instruction: Instruction) -> Result<TransactionMetadata, FailedTransactionMetadata> {
        let message = Message::new(&[instruction], Some(&relay().pubkey()));
        let signers = &message.account_keys[..usize::from(message.header.num_required_signatures)];
        let keys: Vec<&Keypair> = signers.iter().map(|signer| self.keys.get(signer).expect("a key of the tests")).collect();
        self.svm.expire_blockhash();
        let transaction = Transaction::new(&keys, message, self.svm.latest_blockhash());
        self.svm.send_transaction(transaction)
    }

    /// Sends an instruction that must succeed.
    #[track_caller]
    pub(crate) fn accept(&mut self, instruction: Instruction) -> TransactionMetadata {
        match self.send(instruction) {
            Ok(meta) => meta,
            Err(failed) => panic!("refused: {:?}\n{}", failed.err, failed.meta.pretty_logs()),
        }
    }

    /// Sends an instruction that must be refused and change nothing. Returns the error.
    #[track_caller]
    pub(crate) fn refuse(&mut self, instruction: Instruction) -> TransactionError {
        self.try_refuse(instruction).unwrap_or_else(|meta| panic!("accepted\n{}", meta.pretty_logs()))
    }

    /// As [`Self::refuse`]; an accepted instruction is the error.
    #[track_caller]
    pub(crate) fn try_refuse(&mut self, instruction: Instruction) -> Result<TransactionError, Box<TransactionMetadata>> {
        let addresses: Vec<Address> = instruction.accounts.iter().map(|meta| meta.pubkey).collect();
        let before: Vec<_> = addresses.iter().map(|address| self.svm.get_account(address)).collect();
        match self.send(instruction) {
            Ok(meta) => Err(Box::new(meta)),
            Err(failed) => {
                let after: Vec<_> = addresses.iter().map(|address| self.svm.get_account(address)).collect();
                assert_eq!(before, after, "a refused instruction changed an account");
                Ok(failed.err)
            }
        }
    }

    /// Sends an instruction that must be refused for this reason.
    #[track_caller]
    pub(crate) fn refuse_for(&mut self, instruction: Instruction, reason: impl Into<Reason>) {
        let error = self.refuse(instruction);
        let Reason(wanted) = reason.into();
        assert_eq!(number(&error), Some(wanted), "wanted {}, got {}", name(wanted), describe(&error));
    }
}

/// A refusal's number, of a fault or of a rule.
pub(crate) struct Reason(u32);

impl Reason {
    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self(fault as u32)
    }
}

impl From<RuleError> for Reason {
    fn from(error: RuleError) -> Self {
        Self(error as u32)
    }
}

/// The program's own number in an error.
pub(crate) fn number(error: &TransactionError) -> Option<u32> {
    match error {
        TransactionError::InstructionError(_, solana_instruction::error::InstructionError::Custom(number)) => Some(*number),
        _ => None,
    }
}

fn name(number: u32) -> &'static str {
    Fault::from_number(number).map(Fault::code).or(RuleError::from_number(number).map(RuleError::code)).unwrap_or("unknown")
}

/// An error for a person.
pub(crate) fn describe(error: &TransactionError) -> String {
    number(error).map_or_else(|| format!("{error:?}"), |number| format!("{number} {}", name(number)))
}

/// A changed copy of an instruction: the account at `place` is replaced. It signs when it did and can.
pub(crate) fn replaced(world: &World, instruction: &Instruction, place: usize, by: Address) -> Instruction {
    let mut changed = instruction.clone();
    let meta = &mut changed.accounts[place];
    *meta = AccountMeta { pubkey: by, is_signer: meta.is_signer && world.can_sign(&by), is_writable: meta.is_writable };
    changed
}
