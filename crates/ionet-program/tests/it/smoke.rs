//! The whole life of a cluster in both currencies, by hand-made instructions: the shortest proof that the artefact works.

use ionet_abi::accounts::{BookingAccount, NetworkAccount, ProgramAccount, VaultKind};
use ionet_abi::events::EVENT_TAG;
use ionet_abi::instructions::{
    AccountUse, Arguments, BookProductAccounts, BookProductArgs, EarnAccounts, EarnArgs, ExtendAccounts, ExtendArgs, FundPoolAccounts,
    FundPoolArgs, InitializeAccounts, InitializeArgs, PayAccounts, PayArgs, RefundAccounts, RefundArgs, RepurchaseAccounts, RepurchaseArgs,
    SetOraclesAccounts, SetOraclesArgs, StartAccounts, StartArgs, SubmitPriceAccounts, SubmitPriceArgs, WorkedAccounts, WorkedArgs,
};
use ionet_abi::{SYSTEM_PROGRAM, TOKEN_PROGRAM, seeds};
use ionet_rules::booking::Status;
use ionet_rules::money::{Currency, IO_UNIT, USDC_UNIT, Units};
use ionet_rules::params::Params;
use litesvm::LiteSVM;
use litesvm::types::TransactionMetadata;
use solana_account::Account;
use solana_address::Address;
use solana_clock::Clock;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_pack::Pack;
use solana_signer::Signer;
use solana_transaction::Transaction;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};

const START: i64 = 1_700_000_000;
/// Micro-USD per IO.
const PRICE: u64 = 250_000;

struct World {
    svm: LiteSVM,
    program: Keypair,
    operator: Keypair,
    customer: Keypair,
    mints: [Address; 2],
}

/// The artefact, or another build of the program (for the machine's next version, say) named by `IONET_PROGRAM_ELF`.
fn elf() -> Vec<u8> {
    std::env::var_os("IONET_PROGRAM_ELF").map_or_else(|| ionet_program::ELF.to_vec(), |path| std::fs::read(path).unwrap())
}

fn pda(program: &Address, parts: &[&[u8]]) -> Address {
    Address::find_program_address(parts, program).0
}

impl World {
    fn new() -> Self {
        let program = Keypair::new();
        let mut svm = LiteSVM::new();
        svm.add_program(program.pubkey(), &elf()).unwrap();
        let mut world = Self {
            svm,
            program,
            operator: Keypair::new(),
            customer: Keypair::new(),
            mints: [Address::new_unique(), Address::new_unique()],
        };
        world.set_clock(START);
        world.svm.airdrop(&world.operator.pubkey(), 100_000_000_000).unwrap();
        for currency in [Currency::Usdc, Currency::Io] {
            let mint = Mint { supply: u64::MAX / 2, decimals: currency.decimals(), is_initialized: true, ..Mint::default() };
            let mut data = vec![0; Mint::LEN];
            mint.pack_into_slice(&mut data);
            world.put(world.mint(currency), data);
        }
        world
    }

    fn mint(&self, currency: Currency) -> Address {
        self.mints[currency as usize]
    }

    fn put(&mut self, address: Address, data: Vec<u8>) {
        let account = Account { lamports: 10_000_000, data, owner: TOKEN_PROGRAM.into(), executable: false, rent_epoch: u64::MAX };
        self.svm.set_account(address, account).unwrap();
    }

    fn tokens(&mut self, owner: Address, currency: Currency, amount: u64) -> Address {
        let account =
            TokenAccount { mint: self.mint(currency), owner, amount, state: AccountState::Initialized, ..TokenAccount::default() };
        let mut data = vec![0; TokenAccount::LEN];
        account.pack_into_slice(&mut data);
        let address = Address::new_unique();
        self.put(address, data);
        address
    }

    fn balance(&self, address: Address) -> u64 {
        TokenAccount::unpack(&self.svm.get_account(&address).unwrap().data).unwrap().amount
    }

    fn set_clock(&mut self, now: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = now;
        clock.slot += 1;
        self.svm.set_sysvar(&clock);
    }

    fn network(&self) -> Address {
        pda(&self.program.pubkey(), &[seeds::NETWORK])
    }

    fn oracle(&self) -> Address {
        pda(&self.program.pubkey(), &[seeds::ORACLE])
    }

    fn vault(&self, kind: VaultKind) -> Address {
        pda(&self.program.pubkey(), &[seeds::VAULT, &[kind as u8]])
    }

    fn booking(&self, cluster: [u8; 16]) -> Address {
        pda(&self.program.pubkey(), &[seeds::BOOKING, &cluster])
    }

    fn book(&self, cluster: [u8; 16]) -> BookingAccount {
        BookingAccount::read(&self.svm.get_account(&self.booking(cluster)).unwrap().data).unwrap()
    }

    fn send<A: Arguments, const N: usize>(&mut self, args: A, list: [(Address, AccountUse); N]) -> TransactionMetadata {
        let mut data = vec![A::TAG as u8];
        data.extend_from_slice(bytemuck::bytes_of(&args));
        let accounts = list
            .iter()
            .map(|(address, account_use)| AccountMeta {
                pubkey: *address,
                is_signer: account_use.signer,
                is_writable: account_use.writable,
            })
            .collect();
        let instruction = Instruction { program_id: self.program.pubkey(), accounts, data };
        let message = Message::new(&[instruction], Some(&self.operator.pubkey()));
        let needed = usize::from(message.header.num_required_signatures);
        let keys: Vec<&Keypair> = [&self.operator, &self.customer, &self.program]
            .into_iter()
            .filter(|key| message.account_keys[..needed].contains(&key.pubkey()))
            .collect();
        self.svm.expire_blockhash();
        let transaction = Transaction::new(&keys, message, self.svm.latest_blockhash());
        let meta = self.svm.send_transaction(transaction).unwrap_or_else(|failed| panic!("{:?}: {failed:?}", A::TAG));
        println!("{:?}: {} CU", A::TAG, meta.compute_units_consumed);
        meta
    }

    fn create_network(&mut self) {
        let operator = self.operator.pubkey();
        let accounts = InitializeAccounts {
            payer: operator,
            program: self.program.pubkey(),
            authority: operator,
            network: self.network(),
            oracle: self.oracle(),
            usdc_mint: self.mint(Currency::Usdc),
            io_mint: self.mint(Currency::Io),
            usdc_escrow: self.vault(VaultKind::UsdcEscrow),
            io_escrow: self.vault(VaultKind::IoEscrow),
            usdc_payable: self.vault(VaultKind::UsdcPayable),
            io_payable: self.vault(VaultKind::IoPayable),
            usdc_pool: self.vault(VaultKind::UsdcPool),
            io_pool: self.vault(VaultKind::IoPool),
            usdc_treasury: self.vault(VaultKind::UsdcTreasury),
            io_treasury: self.vault(VaultKind::IoTreasury),
            io_incentives: self.vault(VaultKind::IoIncentives),
            token_program: TOKEN_PROGRAM.into(),
            system_program: SYSTEM_PROGRAM.into(),
        };
        let args = InitializeArgs { params: Params::DEFAULT, quote_authority: operator.to_bytes(), verifier: operator.to_bytes() };
        self.send(args, accounts.into_list());

        let mut keys = [[0; 32]; 8];
        keys[0] = operator.to_bytes();
        let accounts = SetOraclesAccounts { authority: operator, network: self.network(), oracle: self.oracle() };
        self.send(SetOraclesArgs { keys, count: 1 }, accounts.into_list());
        let accounts = SubmitPriceAccounts { submitter: operator, oracle: self.oracle() };
        self.send(SubmitPriceArgs { price_micro_usd: PRICE }, accounts.into_list());

        let usdc = 1_000_000 * USDC_UNIT;
        let io = 4_000_000 * IO_UNIT;
        let accounts = FundPoolAccounts {
            authority: operator,
            network: self.network(),
            usdc_source: self.tokens(operator, Currency::Usdc, usdc),
            io_source: self.tokens(operator, Currency::Io, io),
            usdc_pool: self.vault(VaultKind::UsdcPool),
            io_pool: self.vault(VaultKind::IoPool),
            token_program: TOKEN_PROGRAM.into(),
        };
        self.send(FundPoolArgs { usdc, io }, accounts.into_list());
    }

    fn run_cluster(&mut self, cluster: [u8; 16], currency: Currency, rate: u64, rate_micro_usd: u64) {
        let (operator, customer, program) = (self.operator.pubkey(), self.customer.pubkey(), self.program.pubkey());
        let (network, oracle, booking) = (self.network(), self.oracle(), self.booking(cluster));
        let (escrow, treasury) = (self.vault(VaultKind::escrow(currency)), self.vault(VaultKind::treasury(currency)));
        let wallet = self.tokens(customer, currency, u64::MAX / 4);
        let token_program = Address::from(TOKEN_PROGRAM);
        let start = self.svm.get_sysvar::<Clock>().unix_timestamp;

        let args = BookProductArgs {
            cluster_id: cluster,
            rate,
            rate_micro_usd,
            valid_until_unix_secs: start + 60,
            quantity: 4,
            minutes: 60,
            currency: currency as u8,
            hardware: 0,
            reserved: [0; 6],
        };
        let accounts = BookProductAccounts {
            payer: operator,
            customer,
            quote_authority: operator,
            network,
            booking,
            system_program: SYSTEM_PROGRAM.into(),
            program,
        };
        let meta = self.send(args, accounts.into_list());
        let inner = meta.inner_instructions.iter().flatten().last().expect("a record");
        assert_eq!(inner.instruction.data[0], EVENT_TAG);

        let total = self.book(cluster).book.total().unwrap().0;
        if currency == Currency::Usdc {
            assert_eq!(total, 470_350, "4 devices x 1 h x 0.115 USDC");
        }
        for (sequence, amount) in [(0, total / 3), (1, total - total / 3)] {
            let accounts = PayAccounts { customer, network, booking, source: wallet, escrow, token_program, program };
            self.send(PayArgs { amount, sequence, reserved: 0 }, accounts.into_list());
        }
        let accounts = StartAccounts { verifier: operator, network, booking, escrow, treasury, token_program, program };
        self.send(StartArgs {}, accounts.into_list());

        let price = self.book(cluster).book.extension_price(60, &Params::DEFAULT).unwrap();
        let accounts = ExtendAccounts {
            customer,
            quote_authority: operator,
            network,
            booking,
            source: wallet,
            escrow,
            treasury,
            token_program,
            program,
        };
        self.send(ExtendArgs { amount: price.total.0, minutes: 60, sequence: 0 }, accounts.into_list());

        // The customer ends it after 90 of 120 minutes.
        self.set_clock(start + 90 * 60);
        let accounts = SubmitPriceAccounts { submitter: operator, oracle };
        self.send(SubmitPriceArgs { price_micro_usd: PRICE }, accounts.into_list());
        let accounts = WorkedAccounts {
            verifier: operator,
            network,
            oracle,
            booking,
            escrow,
            payable: self.vault(VaultKind::payable(currency)),
            treasury,
            token_program,
            program,
        };
        let args = WorkedArgs { device_minutes: 4 * 90, ended_at_unix_secs: start + 90 * 60, sequence: 0, end_reason: 2, reserved: [0; 3] };
        self.send(args, accounts.into_list());
        let before = self.balance(wallet);
        let accounts = RefundAccounts { network, booking, escrow, treasury, destination: wallet, token_program, program };
        self.send(RefundArgs {}, accounts.into_list());
        assert_eq!(self.balance(wallet) - before, rate * 2, "4 devices x 30 min unused");

        if currency == Currency::Usdc {
            let accounts = RepurchaseAccounts {
                network,
                oracle,
                booking,
                usdc_escrow: self.vault(VaultKind::UsdcEscrow),
                io_escrow: self.vault(VaultKind::IoEscrow),
                usdc_pool: self.vault(VaultKind::UsdcPool),
                io_pool: self.vault(VaultKind::IoPool),
                token_program,
                program,
            };
            self.send(RepurchaseArgs { sequence: 0 }, accounts.into_list());
        }
        let accounts = EarnAccounts {
            network,
            booking,
            io_escrow: self.vault(VaultKind::IoEscrow),
            io_treasury: self.vault(VaultKind::IoTreasury),
            io_incentives: self.vault(VaultKind::IoIncentives),
            io_mint: self.mint(Currency::Io),
            token_program,
            program,
        };
        self.send(EarnArgs { sequence: 0 }, accounts.into_list());

        let account = self.book(cluster);
        let book = account.book;
        assert_eq!(book.status(), Ok(Status::Ended));
        assert!(book.is_settled());
        assert_eq!(Units(u64::MAX / 4 - self.balance(wallet)), book.paid.minus(book.refunded).unwrap());
        assert_eq!(book.paid.0, book.worked.0 + book.refunded.0 + book.fees_taken.0);
        assert_eq!(account.records, if currency == Currency::Usdc { 9 } else { 8 });
        assert_eq!(self.balance(self.vault(VaultKind::UsdcEscrow)), 0);
        assert_eq!(self.balance(self.vault(VaultKind::IoEscrow)), 0);
    }
}

#[test]
fn a_cluster_lives_in_both_currencies() {
    let mut world = World::new();
    world.create_network();
    let network = NetworkAccount::read(&world.svm.get_account(&world.network()).unwrap().data).unwrap();
    assert_eq!(network.vault(VaultKind::IoIncentives), &world.vault(VaultKind::IoIncentives).to_bytes());
    world.run_cluster([1; 16], Currency::Usdc, 115_000, 115_000);
    world.run_cluster([2; 16], Currency::Io, 46_000_000, 115_000);
}
