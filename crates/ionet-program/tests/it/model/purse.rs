//! Who holds what, as plain numbers: the model's own double entry. Knows nothing of rules.

use std::collections::BTreeMap;

use ionet_abi::accounts::VaultKind;
use ionet_rules::money::Currency;
use solana_signer::Signer;

use crate::world::build::authority;
use crate::world::{CUSTOMERS, World, customer, stranger, wallet};

/// Where tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Wallet(solana_address::Address, u8),
    Vault(u8),
    Burned,
}

impl Place {
    pub(super) fn wallet(holder: solana_address::Address, currency: Currency) -> Self {
        Self::Wallet(holder, currency as u8)
    }

    pub(super) const fn vault(kind: VaultKind) -> Self {
        Self::Vault(kind as u8)
    }
}

/// All balances.
pub(super) struct Purse {
    balances: BTreeMap<Place, u64>,
    /// Supply of each coin at the start.
    supply: [u64; 2],
}

fn places() -> Vec<(Place, Currency)> {
    let mut places = Vec::new();
    for currency in [Currency::Usdc, Currency::Io] {
        for holder in (0..CUSTOMERS).map(customer).chain([authority(), stranger()]) {
            places.push((Place::wallet(holder.pubkey(), currency), currency));
        }
    }
    places.extend(VaultKind::ALL.map(|kind| (Place::vault(kind), kind.currency())));
    places
}

fn on_chain(world: &World, place: Place) -> u64 {
    match place {
        Place::Wallet(holder, currency) => world.balance(wallet(&holder, Currency::from_u8(currency).unwrap())),
        Place::Vault(kind) => world.vault(VaultKind::ALL[usize::from(kind)]),
        Place::Burned => 0,
    }
}

impl Purse {
    pub(super) fn of(world: &World) -> Self {
        let mut balances: BTreeMap<Place, u64> = places().into_iter().map(|(place, _)| (place, on_chain(world, place))).collect();
        balances.insert(Place::Burned, 0);
        let other: u64 = world.balance(world.other.vault(VaultKind::UsdcPool));
        assert_eq!(other, crate::world::POOL.0, "the other network stands still");
        Self { balances, supply: [Currency::Usdc, Currency::Io].map(|currency| world.supply(currency)) }
    }

    pub(super) fn holds(&self, place: Place) -> u64 {
        self.balances[&place]
    }

    pub(super) fn pass(&mut self, from: Place, to: Place, amount: u64) {
        let left = self.balances[&from].checked_sub(amount).unwrap_or_else(|| panic!("{from:?} does not hold {amount}"));
        self.balances.insert(from, left);
        *self.balances.get_mut(&to).unwrap() += amount;
    }

    /// Balance by balance; and in sum, from the chain's own numbers, nothing lost and nothing made.
    pub(super) fn compare(&self, world: &World) {
        let mut sums = [0u128; 2];
        for (place, currency) in places() {
            let there = on_chain(world, place);
            assert_eq!(there, self.balances[&place], "{place:?}");
            sums[currency as usize] += u128::from(there);
        }
        let pools = [VaultKind::UsdcPool, VaultKind::IoPool].map(|kind| u128::from(world.balance(world.other.vault(kind))));
        let burned = self.balances[&Place::Burned];
        assert_eq!(world.supply(Currency::Usdc), self.supply[0], "USDC is never made or burned");
        assert_eq!(world.supply(Currency::Io), self.supply[1] - burned, "the supply of IO falls by what is burned");
        assert_eq!(sums[0] + pools[0], u128::from(self.supply[0]));
        assert_eq!(sums[1] + pools[1], u128::from(world.supply(Currency::Io)));
    }
}
