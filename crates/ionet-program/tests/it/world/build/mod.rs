//! The instructions as a client sends them, straight from the interface's account lists.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::{
    AccountUse, Arguments, BookProductAccounts, BookProductArgs, EarnAccounts, EarnArgs, ExpireAccounts, ExpireArgs, ExtendAccounts,
    ExtendArgs, FundPoolAccounts, FundPoolArgs, InitializeAccounts, InitializeArgs, PayAccounts, PayArgs, RefundAccounts, RefundArgs,
    RepurchaseAccounts, RepurchaseArgs, SetOraclesAccounts, SetOraclesArgs, StartAccounts, StartArgs, SubmitPriceAccounts, SubmitPriceArgs,
    WorkedAccounts, WorkedArgs,
};
use ionet_abi::{SYSTEM_PROGRAM, TOKEN_PROGRAM, seeds};
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{key, named, wallet};

pub(crate) mod supply;

/// Pays rents.
pub(crate) fn payer() -> Keypair {
    key(2)
}

/// The network's authority.
pub(crate) fn authority() -> Keypair {
    key(3)
}

/// Co-signs offers.
pub(crate) fn quote_authority() -> Keypair {
    key(4)
}

/// Writes starts and work logs.
pub(crate) fn verifier() -> Keypair {
    key(5)
}

/// The oracle number `index`.
pub(crate) fn oracle(index: u8) -> Keypair {
    key(20 + index)
}

/// The mint of a currency.
pub(crate) fn mint(currency: Currency) -> Address {
    named(match currency {
        Currency::Usdc => "mint of usdc",
        Currency::Io => "mint of io",
    })
}

/// A cluster as the tests name it: its customer, its id, its currency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    pub(crate) id: [u8; 16],
    pub(crate) customer: Address,
    pub(crate) currency: Currency,
}

impl Cluster {
    /// Where its customer keeps the coin it pays with.
    pub(crate) fn wallet(&self) -> Address {
        wallet(&self.customer, self.currency)
    }
}

/// One instance of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Net {
    pub(crate) program: Address,
    network: Address,
    oracle: Address,
    vaults: [Address; VaultKind::COUNT],
}

impl Net {
    pub(crate) fn new(program: Address) -> Self {
        let pda = |parts: &[&[u8]]| Address::find_program_address(parts, &program).0;
        Self {
            program,
            network: pda(&[seeds::NETWORK]),
            oracle: pda(&[seeds::ORACLE]),
            vaults: VaultKind::ALL.map(|kind| pda(&[seeds::VAULT, &[kind as u8]])),
        }
    }

    pub(crate) const fn network(&self) -> Address {
        self.network
    }

    pub(crate) const fn oracle(&self) -> Address {
        self.oracle
    }

    pub(crate) const fn vault(&self, kind: VaultKind) -> Address {
        self.vaults[kind as usize]
    }

    pub(crate) fn booking(&self, cluster: [u8; 16]) -> Address {
        Address::find_program_address(&[seeds::BOOKING, &cluster], &self.program).0
    }

    fn instruction<A: Arguments, const N: usize>(&self, args: A, list: [(Address, AccountUse); N]) -> Instruction {
        let mut data = vec![A::TAG as u8];
        data.extend_from_slice(bytemuck::bytes_of(&args));
        let accounts =
            list.into_iter().map(|(pubkey, one)| AccountMeta { pubkey, is_signer: one.signer, is_writable: one.writable }).collect();
        Instruction { program_id: self.program, accounts, data }
    }

    pub(crate) fn initialize(&self) -> Instruction {
        self.initialize_with(Params::DEFAULT)
    }

    pub(crate) fn initialize_with(&self, params: Params) -> Instruction {
        let args =
            InitializeArgs { params, quote_authority: quote_authority().pubkey().to_bytes(), verifier: verifier().pubkey().to_bytes() };
        let accounts = InitializeAccounts {
            payer: payer().pubkey(),
            program: self.program,
            authority: authority().pubkey(),
            network: self.network(),
            oracle: self.oracle(),
            usdc_mint: mint(Currency::Usdc),
            io_mint: mint(Currency::Io),
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
        self.instruction(args, accounts.into_list())
    }

    pub(crate) fn set_oracles(&self, count: u8) -> Instruction {
        let mut keys = [[0; 32]; 8];
        for index in 0..count {
            keys[usize::from(index)] = oracle(index).pubkey().to_bytes();
        }
        let accounts = SetOraclesAccounts { authority: authority().pubkey(), network: self.network(), oracle: self.oracle() };
        self.instruction(SetOraclesArgs { keys, count }, accounts.into_list())
    }

    pub(crate) fn submit_price(&self, index: u8, price_micro_usd: u64) -> Instruction {
        let accounts = SubmitPriceAccounts { submitter: oracle(index).pubkey(), oracle: self.oracle() };
        self.instruction(SubmitPriceArgs { price_micro_usd }, accounts.into_list())
    }

    pub(crate) fn fund_pool(&self, usdc: u64, io: u64) -> Instruction {
        let accounts = FundPoolAccounts {
            authority: authority().pubkey(),
            network: self.network(),
            usdc_source: wallet(&authority().pubkey(), Currency::Usdc),
            io_source: wallet(&authority().pubkey(), Currency::Io),
            usdc_pool: self.vault(VaultKind::UsdcPool),
            io_pool: self.vault(VaultKind::IoPool),
            token_program: TOKEN_PROGRAM.into(),
        };
        self.instruction(FundPoolArgs { usdc, io }, accounts.into_list())
    }

    pub(crate) fn book(&self, cluster: &Cluster, args: BookProductArgs) -> Instruction {
        let accounts = BookProductAccounts {
            payer: payer().pubkey(),
            customer: cluster.customer,
            quote_authority: quote_authority().pubkey(),
            network: self.network(),
            booking: self.booking(cluster.id),
            system_program: SYSTEM_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(BookProductArgs { cluster_id: cluster.id, currency: cluster.currency as u8, ..args }, accounts.into_list())
    }

    pub(crate) fn pay(&self, cluster: &Cluster, sequence: u32, amount: u64) -> Instruction {
        let accounts = PayAccounts {
            customer: cluster.customer,
            network: self.network(),
            booking: self.booking(cluster.id),
            source: cluster.wallet(),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(PayArgs { amount, sequence, reserved: 0 }, accounts.into_list())
    }

    pub(crate) fn start(&self, cluster: &Cluster) -> Instruction {
        let accounts = StartAccounts {
            verifier: verifier().pubkey(),
            network: self.network(),
            booking: self.booking(cluster.id),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            treasury: self.vault(VaultKind::treasury(cluster.currency)),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(StartArgs {}, accounts.into_list())
    }

    pub(crate) fn extend(&self, cluster: &Cluster, sequence: u32, minutes: u32, amount: u64) -> Instruction {
        let accounts = ExtendAccounts {
            customer: cluster.customer,
            quote_authority: quote_authority().pubkey(),
            network: self.network(),
            booking: self.booking(cluster.id),
            source: cluster.wallet(),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            treasury: self.vault(VaultKind::treasury(cluster.currency)),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(ExtendArgs { amount, minutes, sequence }, accounts.into_list())
    }

    pub(crate) fn worked(&self, cluster: &Cluster, sequence: u32, device_minutes: u64, end: (u8, i64)) -> Instruction {
        let accounts = WorkedAccounts {
            verifier: verifier().pubkey(),
            network: self.network(),
            oracle: self.oracle(),
            booking: self.booking(cluster.id),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            payable: self.vault(VaultKind::payable(cluster.currency)),
            treasury: self.vault(VaultKind::treasury(cluster.currency)),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        let args = WorkedArgs { device_minutes, ended_at_unix_secs: end.1, sequence, end_reason: end.0, reserved: [0; 3] };
        self.instruction(args, accounts.into_list())
    }

    pub(crate) fn refund(&self, cluster: &Cluster) -> Instruction {
        let accounts = RefundAccounts {
            network: self.network(),
            booking: self.booking(cluster.id),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            treasury: self.vault(VaultKind::treasury(cluster.currency)),
            destination: cluster.wallet(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(RefundArgs {}, accounts.into_list())
    }

    pub(crate) fn repurchase(&self, cluster: &Cluster, sequence: u32) -> Instruction {
        let accounts = RepurchaseAccounts {
            network: self.network(),
            oracle: self.oracle(),
            booking: self.booking(cluster.id),
            usdc_escrow: self.vault(VaultKind::UsdcEscrow),
            io_escrow: self.vault(VaultKind::IoEscrow),
            usdc_pool: self.vault(VaultKind::UsdcPool),
            io_pool: self.vault(VaultKind::IoPool),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(RepurchaseArgs { sequence }, accounts.into_list())
    }

    pub(crate) fn earn(&self, cluster: &Cluster, sequence: u32) -> Instruction {
        let accounts = EarnAccounts {
            network: self.network(),
            booking: self.booking(cluster.id),
            io_escrow: self.vault(VaultKind::IoEscrow),
            io_treasury: self.vault(VaultKind::IoTreasury),
            io_incentives: self.vault(VaultKind::IoIncentives),
            io_mint: mint(Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(EarnArgs { sequence }, accounts.into_list())
    }

    pub(crate) fn expire(&self, cluster: &Cluster) -> Instruction {
        let accounts = ExpireAccounts {
            network: self.network(),
            booking: self.booking(cluster.id),
            escrow: self.vault(VaultKind::escrow(cluster.currency)),
            destination: cluster.wallet(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(ExpireArgs {}, accounts.into_list())
    }
}
