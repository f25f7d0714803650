//! What to try next, and what it should do.

use ionet_abi::accounts::VaultKind;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::OpenCaseArgs;
use ionet_rules::RuleError;
use ionet_rules::booking::HardwareKind;
use ionet_rules::epochs::Paid;
use ionet_rules::money::{Currency, IO_UNIT, Io, Usdc};
use ionet_rules::multipliers::{Model as Hardware, UNLISTED};
use ionet_rules::slash::{Case, Offence, Verdict};
use ionet_rules::stake::{self, Charge, Stake};
use ionet_rules::supply::{At, SupplyParams};
use solana_address::Address;
use solana_signer::Signer;

use super::{Accused, Books, Claimant, Model, Staked, fault, rule};
use crate::world::build::supply::{Device, bonded};
use crate::world::{BONDED, CUSTOMERS, customer, stranger, wallet};

/// Every step there is.
pub(super) const STEPS: [&str; 22] = [
    "mint",
    "register",
    "stake",
    "overflow",
    "unstake",
    "unstaked",
    "offer",
    "accept_co",
    "end_co",
    "withdraw_co",
    "open",
    "appeal",
    "decide",
    "lapse",
    "bond",
    "unbond",
    "withdraw_bond",
    "post",
    "accept_root",
    "strike",
    "claim",
    "payout",
];

/// Devices, at most.
const DEVICES: u64 = 5;

/// Where somebody keeps IO.
pub(super) fn io(holder: Address) -> Address {
    wallet(&holder, Currency::Io)
}

impl Books {
    fn device(&mut self, key: [u8; 32]) -> Result<&mut Staked, u32> {
        self.devices.get_mut(&key).ok_or(Fault::WrongOwner as u32)
    }

    fn owned(&mut self, device: &Device) -> Result<&mut Staked, u32> {
        let one = self.device(device.key)?;
        if one.device.owner == device.owner { Ok(one) } else { fault(Fault::WrongSigner) }
    }

    fn minimum(&self, key: [u8; 32], params: &SupplyParams) -> Io {
        let device = self.devices[&key].device;
        let hardware = Hardware { number: device.model, kind: HardwareKind::from_u8(device.kind).unwrap() };
        stake::minimum(hardware.centi(&self.table, params).unwrap(), device.processors).unwrap()
    }

    pub(super) fn place(&self, key: Address) -> Result<usize, u32> {
        self.verifiers.iter().position(|one| one.key == key.to_bytes()).ok_or(Fault::WrongSigner as u32)
    }
}

impl Model {
    pub(super) fn step(&mut self) {
        match self.random.below(100) {
            0..=11 => self.wait(),
            12..=16 => self.mint(),
            17..=18 => self.register(),
            // Ways out are seldom taken, or nothing would stay long enough for anything else.
            32..=33 if self.random.chance(30) => self.unstake(),
            70 if self.random.chance(30) => self.unbond(),
            19..=26 | 32..=33 => self.stake(),
            27..=31 => self.withdraw_stake(),
            34..=39 => self.offer(),
            40..=45 => self.accept_co(),
            46..=49 => self.end_co(),
            50..=53 => self.withdraw_co(),
            54..=57 => self.open(),
            58..=60 => self.appeal(),
            61..=63 => self.close(true),
            64..=66 => self.close(false),
            67..=70 => self.bond(),
            71..=72 => self.withdraw_bond(),
            73..=80 => self.post(),
            81..=84 => self.accept_root(),
            85 => self.strike(),
            86..=96 => self.claim(),
            97 => self.payout(),
            98 => self.set_multiplier(),
            _ => self.fund(),
        }
    }

    pub(super) fn someone(&mut self) -> Address {
        let all: Vec<Address> = (0..CUSTOMERS).map(customer).chain([stranger()]).map(|key| key.pubkey()).collect();
        self.random.pick(&all)
    }

    pub(super) fn verifier(&mut self) -> Address {
        let number = self.random.below(u64::from(BONDED) + 1) as u8;
        if number < BONDED { bonded(number).pubkey() } else { stranger().pubkey() }
    }

    /// A device, seldom one that is not there, seldom with somebody else in its owner's place.
    fn device(&mut self) -> Device {
        let number = 1 + self.random.below(DEVICES) as u8;
        let known = self.books.devices.get(&[number; 32]).map(|one| one.device);
        let owner = customer(number % CUSTOMERS).pubkey();
        let mut device = known.unwrap_or(Device { key: [number; 32], owner, processors: 4, model: 2, kind: HardwareKind::Gpu as u8 });
        if self.random.chance(4) {
            device.owner = self.someone();
        }
        device
    }

    fn wait(&mut self) {
        const DAY: u64 = 86_400;
        let secs = match self.random.below(12) {
            0..=5 => self.random.below(3_600),
            6..=7 => 900 + self.random.below(3) - 1,
            8 => self.random.below(5 * 3_600),
            9 => self.random.below(3 * DAY),
            10 => self.random.pick(&[7 * DAY, 14 * DAY, 30 * DAY]) + self.random.below(3) - 1,
            _ => self.random.below(2) * 60 * DAY,
        };
        self.world.wait(secs as i64);
    }

    fn fund(&mut self) {
        let from = stranger().pubkey();
        let (currency, to) = self.random.pick(&[(Currency::Io, VaultKind::IoPayable), (Currency::Usdc, VaultKind::UsdcPayable)]);
        let (to, amount) = (self.world.net.vault(to), self.random.below(1_000_000_000));
        let program = ionet_abi::TOKEN_PROGRAM.into();
        let instruction = spl_token_interface::instruction::transfer(&program, &wallet(&from, currency), &to, &from, &[], amount);
        let moved = vec![(Some(wallet(&from, currency)), Some(to), amount)];
        self.attempt("fund", None, instruction.unwrap(), |_, _| Ok(moved));
    }

    fn mint(&mut self) {
        let (net, params) = (self.world.net, self.params);
        for _ in 0..=self.random.below(8) {
            let supply = Io(self.world.supply(Currency::Io));
            self.attempt("mint", Some(net.epochs()), net.mint_epoch(), |books, now| {
                let (_, amount) = rule(books.epochs.mint(supply, &At { params: &params, now }))?;
                Ok(vec![(None, Some(net.io_rewards()), amount.0)])
            });
        }
    }

    fn register(&mut self) {
        let (number, net) = (1 + self.random.below(DEVICES) as u8, self.world.net);
        let (model, kind) = self.random.pick(&[(2, 1), (21, 1), (41, 0), (UNLISTED, 0), (UNLISTED, 1), (2, 0), (90, 1)]);
        let processors = if self.random.chance(15) { self.random.pick(&[0, 4_096, 4_097]) } else { self.random.pick(&[1, 4, 8]) };
        let device = Device { key: [number; 32], owner: customer(number % CUSTOMERS).pubkey(), processors, model, kind };
        let payout = self.someone();
        self.attempt("register", Some(net.device(device.key)), net.register(&device, payout), |books, _| {
            if books.devices.contains_key(&device.key) {
                return fault(Fault::AlreadyInitialised);
            }
            let hardware = Hardware { number: model, kind: HardwareKind::from_u8(kind).unwrap() };
            rule(hardware.entry(&books.table))?;
            rule(stake::minimum(0, processors))?;
            let stake: Stake = bytemuck::Zeroable::zeroed();
            books.devices.insert(device.key, Staked { device, stake, co_staker: [0; 32] });
            let claimed = Paid { io: Io::ZERO, usdc: Usdc::ZERO };
            books.claims.insert(net.device_claim(device.key), Claimant { owner: device.owner, payout, claimed });
            Ok(vec![])
        });
    }

    /// Around the minimum of a device.
    fn around(&mut self, key: [u8; 32]) -> u64 {
        let minimum = self.books.devices.get(&key).map_or(IO_UNIT, |_| self.books.minimum(key, &self.params).0);
        match self.random.below(20) {
            0 => self.random.amount(),
            1 => 0,
            2..=9 => minimum,
            10..=13 => minimum / 2 + self.random.below(3) - 1,
            _ => self.random.below(minimum * 2),
        }
    }

    fn stake(&mut self) {
        let (device, net) = (self.device(), self.world.net);
        let amount = self.around(device.key);
        self.attempt("stake", Some(net.device(device.key)), net.stake(&device, amount), |books, _| {
            rule(books.owned(&device)?.stake.deposit(Io(amount)))?;
            Ok(vec![(Some(io(device.owner)), Some(net.io_stake()), amount)])
        });
    }

    fn withdraw_stake(&mut self) {
        let (device, net, params) = (self.device(), self.world.net, self.params);
        let amount = if self.random.chance(40) { 0 } else { self.around(device.key) / 2 };
        let name = if amount == 0 { "unstaked" } else { "overflow" };
        self.attempt(name, Some(net.device(device.key)), net.withdraw_stake(&device, amount), |books, now| {
            books.owned(&device)?;
            let minimum = books.minimum(device.key, &params);
            let stake = &mut books.device(device.key)?.stake;
            let amount = if amount == 0 {
                rule(stake.withdraw_unstaked(&params, now))?.0
            } else {
                rule(stake.withdraw_overflow(Io(amount), minimum, now)).map(|()| amount)?
            };
            Ok(vec![(Some(net.io_stake()), Some(io(device.owner)), amount)])
        });
    }

    fn unstake(&mut self) {
        let (device, net) = (self.device(), self.world.net);
        self.attempt("unstake", Some(net.device(device.key)), net.unstake(&device), |books, now| {
            rule(books.owned(&device)?.stake.unstake(now))?;
            Ok(vec![])
        });
    }

    fn offer(&mut self) {
        let (device, net) = (self.device(), self.world.net);
        let max = if self.random.chance(10) { 0 } else { self.around(device.key) };
        let share_bps = self.random.pick(&[1_000, 2_500, 10_000, 10_000, 0, 10_001]);
        self.attempt("offer", Some(net.device(device.key)), net.offer(&device, max, share_bps), |books, _| {
            rule(books.owned(&device)?.stake.offer(Io(max), share_bps))?;
            Ok(vec![])
        });
    }

    fn accept_co(&mut self) {
        let (device, net, co_staker) = (self.device(), self.world.net, self.someone());
        let stake = self.books.devices.get(&device.key).map(|one| one.stake);
        let share_bps = if self.random.chance(90) { stake.map_or(1, |stake| stake.co_share_bps) } else { 777 };
        let most = stake.map_or(1, |stake| stake.offer_max.0.min(stake.owner.0));
        let amount = if self.random.chance(80) { most } else { self.around(device.key) };
        let instruction = net.accept_co(&device, co_staker, amount, share_bps);
        self.attempt("accept_co", Some(net.device(device.key)), instruction, |books, _| {
            if books.device(device.key)?.device.owner == co_staker {
                return fault(Fault::WrongSigner);
            }
            let one = books.device(device.key)?;
            rule(one.stake.accept(Io(amount), share_bps))?;
            one.co_staker = co_staker.to_bytes();
            let claimed = Paid { io: Io::ZERO, usdc: Usdc::ZERO };
            let new = Claimant { owner: co_staker, payout: co_staker, claimed };
            books.claims.entry(net.co_claim(device.key, co_staker)).or_insert(new);
            Ok(vec![(Some(io(co_staker)), Some(net.io_stake()), amount)])
        });
    }

    /// The device's co-staker, where it has one; seldom somebody else.
    fn co_staker(&mut self, device: &Device) -> Address {
        let known = self.books.devices.get(&device.key).map(|one| one.co_staker).filter(|key| *key != [0; 32]);
        match known {
            Some(key) if self.random.chance(95) => key.into(),
            _ => self.someone(),
        }
    }

    fn end_co(&mut self) {
        let (device, net, params) = (self.device(), self.world.net, self.params);
        let party = if self.random.chance(50) { device.owner } else { self.co_staker(&device) };
        self.attempt("end_co", Some(net.device(device.key)), net.end_co(&device, party), |books, now| {
            let one = books.device(device.key)?;
            if one.device.owner != party && one.co_staker != party.to_bytes() {
                return fault(Fault::WrongSigner);
            }
            let minimum = books.minimum(device.key, &params);
            rule(books.device(device.key)?.stake.give_notice(minimum, &params, now))?;
            Ok(vec![])
        });
    }

    fn withdraw_co(&mut self) {
        let (device, net, params) = (self.device(), self.world.net, self.params);
        let co_staker = self.co_staker(&device);
        self.attempt("withdraw_co", Some(net.device(device.key)), net.withdraw_co(&device, co_staker), |books, now| {
            let one = books.device(device.key)?;
            if one.co_staker != co_staker.to_bytes() {
                return fault(Fault::WrongSigner);
            }
            let amount = rule(one.stake.withdraw_co(&params, now))?;
            forget(one);
            Ok(vec![(Some(net.io_stake()), Some(io(co_staker)), amount.0)])
        });
    }

    fn open(&mut self) {
        let (device, net, params, verifier) = (self.device(), self.world.net, self.params, self.verifier());
        let mut case_id = [0; 16];
        let number = if self.random.chance(5) { 0 } else { self.books.cases.len() as u64 };
        case_id[..8].copy_from_slice(&number.to_le_bytes());
        let locked = self.books.epochs.locked_free().unwrap().0;
        let unvested = if self.random.chance(60) { 0 } else { self.random.below(locked + 2) };
        let offence = self.random.pick(&Offence::ALL);
        let at = At { params: &params, now: self.world.now() };
        let most = self.books.devices.get(&device.key).and_then(|one| one.stake.slashable(offence, Io(unvested), &at).ok());
        let amount = match self.random.below(5) {
            0 => self.around(device.key),
            1 => most.map_or(1, |most| most.0),
            _ => self.random.below(most.map_or(1, |most| most.0) + 1),
        };
        let args = OpenCaseArgs { case_id, evidence: [7; 32], amount, unvested, offence: offence as u8, reserved: [0; 7] };
        self.attempt("open", Some(net.device(device.key)), net.open_case(verifier, &device, args), |books, now| {
            books.device(device.key)?;
            let place = books.place(verifier)?;
            if books.cases.contains_key(&case_id) {
                return fault(Fault::AlreadyInitialised);
            }
            if books.verifiers[place].weight(&params) == 0 {
                return rule(Err(RuleError::NotBonded));
            }
            let charge = Charge { offence, amount: Io(amount), unvested: Io(unvested) };
            let parts = rule(books.device(device.key)?.stake.freeze(&charge, &At { params: &params, now }))?;
            if unvested > books.epochs.locked_free().unwrap().0 {
                return rule(Err(RuleError::SlashTooLarge));
            }
            rule(books.epochs.freeze_locked(parts.unvested))?;
            books.cases.insert(case_id, Accused { key: device.key, book: Case::open(offence, parts, now), appeal: [0; 32] });
            Ok(vec![])
        });
    }

    /// A case and the device that it is against, seldom another one.
    fn case(&mut self) -> Option<([u8; 16], Device)> {
        let cases: Vec<_> = self.books.cases.iter().map(|(id, one)| (*id, one.key)).collect();
        let recent = self.random.below(4).min(cases.len() as u64);
        let (id, key) = *cases.get((cases.len() as u64).checked_sub(recent + 1)? as usize)?;
        let key = if self.random.chance(4) { self.device().key } else { key };
        Some((id, self.books.devices.get(&key)?.device))
    }

    fn appeal(&mut self) {
        let Some((id, mut device)) = self.case() else { return };
        if self.random.chance(5) {
            device.owner = self.someone();
        }
        let (net, params) = (self.world.net, self.params);
        self.attempt("appeal", Some(net.device(device.key)), net.appeal(&device, id), |books, now| {
            books.owned(&device)?;
            let one = books.cases.get_mut(&id).unwrap();
            if one.key != device.key {
                return fault(Fault::WrongAddress);
            }
            rule(one.book.appeal(&params, now))?;
            one.appeal = [9; 32];
            Ok(vec![])
        });
    }

    fn close(&mut self, decided: bool) {
        let Some((id, device)) = self.case() else { return };
        let (net, params, burn) = (self.world.net, self.params, self.random.below(2) as u8);
        let instruction = if decided { net.decide(&device, id, burn) } else { net.lapse(&device, id) };
        self.attempt(if decided { "decide" } else { "lapse" }, Some(net.device(device.key)), instruction, |books, now| {
            let minimum = books.minimum(device.key, &params);
            let one = books.cases.get_mut(&id).unwrap();
            if one.key != device.key {
                return fault(Fault::WrongAddress);
            }
            let verdict = if decided {
                let verdict = if burn == 1 { Verdict::Burn } else { Verdict::Free };
                rule(one.book.decide(verdict, &params, now)).map(|()| verdict)?
            } else {
                rule(one.book.lapse(&params, now))?
            };
            let (case, burned) = (one.book, verdict == Verdict::Burn);
            let staked = books.device(device.key)?;
            rule(staked.stake.settle(&case, verdict, minimum, now))?;
            forget(staked);
            rule(books.epochs.settle_locked(case.parts.unvested, burned))?;
            let burns =
                vec![(Some(net.io_rewards()), None, case.parts.unvested.0), (Some(net.io_stake()), None, case.parts.stake().unwrap().0)];
            Ok(if burned { burns } else { vec![] })
        });
    }

    fn set_multiplier(&mut self) {
        let number = self.random.pick(&[2_u16, 21]);
        let mut entry = self.books.table[usize::from(number)];
        entry.centi = self.random.pick(&[50, 150, 1_000]);
        if self.random.chance(10) {
            entry.kind ^= 1;
        }
        let instruction = self.world.net.set_multipliers(number, &[entry]);
        self.attempt("multipliers", None, instruction, |books, _| {
            rule(books.table[usize::from(number)].replace(&entry, true))?;
            Ok(vec![])
        });
    }
}

/// With the last of a co-stake there is no co-staker.
fn forget(one: &mut Staked) {
    if one.stake.co.is_zero() {
        one.co_staker = [0; 32];
    }
}
