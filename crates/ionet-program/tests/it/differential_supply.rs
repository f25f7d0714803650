//! The supply side's rules on Solana's machine against the same rules here.

use bytemuck::Zeroable;
use ionet_probe_wire::supply::{
    Accept, Ballot, Bonded, Centi, Check, Claimed, Clock, Co, Divide, Emitted, Freeze, Judge, Locked, Minimum, Mint, Mintable, Owner,
    Replace, Settle, Vote,
};
use ionet_rules::booking::HardwareKind;
use ionet_rules::emission::{EPOCHS, Schedule};
use ionet_rules::epochs::{Breaker, Epochs, MAX_VERIFIERS, Statement, Verifier};
use ionet_rules::money::{IO_UNIT, Io, Usdc};
use ionet_rules::multipliers::{Multiplier, TABLE, UNLISTED};
use ionet_rules::slash::{Case, Offence, SlashParts};
use ionet_rules::stake::{Charge, Stake};
use ionet_rules::supply::{At, SupplyParams};

use crate::differential::Probe;
use crate::random::Random;
use crate::world::START;

const DAY: i64 = 86_400;

fn params(random: &mut Random) -> SupplyParams {
    if random.chance(60) {
        return SupplyParams::DEFAULT;
    }
    let wild = random.chance(20);
    let mut bps = |most: u16| if wild { random.word() as u16 } else { random.below(u64::from(most) + 1) as u16 };
    SupplyParams {
        min_bond: Io(u64::from(bps(10_000)) * IO_UNIT),
        breaker_floor_io: Io(u64::from(bps(10_000))),
        breaker_floor_usdc: Usdc(u64::from(bps(10_000))),
        breaker_bps: 100 + bps(9_900) % 9_901,
        availability_bps: bps(10_000),
        bonus_bps: bps(20_000),
        cpu_multiplier_centi: bps(1_000),
        epoch_secs: 5 + u32::from(bps(3_600)),
        challenge_window_secs: u32::from(bps(2)),
        offence_bps: [bps(10_000), bps(10_000), bps(10_000)],
        slash_month_bps: bps(10_000),
        schedule: (bps(10_000) % if wild { 3 } else { 2 }) as u8,
        ..SupplyParams::DEFAULT
    }
}

/// An amount of IO of a size that devices stake, or any.
fn amount(random: &mut Random) -> Io {
    Io(match random.below(10) {
        0 => random.amount(),
        1 => 0,
        _ => random.below(20_000 * IO_UNIT),
    })
}

fn time(random: &mut Random) -> i64 {
    match random.below(20) {
        0 => random.time(),
        1..=8 => START + random.below(4_000) as i64,
        _ => START + random.below(40 * 86_400) as i64 - DAY,
    }
}

/// A stake some way into its life; now and then one that cannot be.
fn stake(random: &mut Random, params: &SupplyParams) -> Stake {
    let mut stake: Stake = Zeroable::zeroed();
    if random.chance(10) {
        let mut words = [0; size_of::<Stake>() / 8];
        words.fill_with(|| random.amount());
        return bytemuck::cast(words);
    }
    for _ in 0..random.below(8) {
        let (now, io) = (time(random), amount(random));
        let _ = match random.below(8) {
            0..=2 => stake.deposit(io),
            3 => stake.offer(io, 2_500),
            4 | 5 => stake.accept(Io(stake.offer_max.0.min(stake.owner.0)), 2_500),
            6 => {
                let charge = Charge { offence: random.pick(&Offence::ALL), amount: Io(io.0 / 8), unvested: Io::ZERO };
                stake.freeze(&charge, &At { params, now }).map(drop)
            }
            _ if random.chance(50) => stake.give_notice(Io(16_000 * IO_UNIT), params, now),
            _ => stake.unstake(now),
        };
    }
    stake
}

fn case(random: &mut Random, parts: SlashParts) -> Case {
    let mut case = Case::open(random.pick(&Offence::ALL), parts, time(random));
    case.status = random.below(5) as u8;
    if random.chance(50) {
        case.appealed_at_unix_secs = time(random);
    }
    case
}

/// The epochs some way into the network's life.
fn epochs(random: &mut Random) -> Epochs {
    let minted = random.below(400);
    let emitted = Schedule::Constant.cumulative(minted);
    let total_io = Io(random.below(emitted.0 + 1));
    let locked_io = Io(random.below(emitted.0 - total_io.0 + 1));
    let total_usdc = Usdc(random.below(1_000_000_000));
    let accepted =
        Statement { epoch: random.below(minted + 1), root: [1; 32], file: [2; 32], total_io, total_usdc, work_io: Io::ZERO, locked_io };
    Epochs {
        first_unix_secs: START - 300 * 3_600,
        minted,
        emitted: if random.chance(95) { emitted } else { amount(random) },
        accepted_at_unix_secs: time(random),
        accepted,
        claimed_io: Io(random.below(total_io.0 + 1)),
        claimed_usdc: Usdc(random.below(total_usdc.0 + 1)),
        burned_io: Io(random.below(3)),
        frozen_io: Io(random.below(locked_io.0 + 1)),
        breaker: Breaker {
            began_at_unix_secs: time(random),
            io_left: Io(random.below(5_000 * IO_UNIT)),
            usdc_left: Usdc(random.below(1_000_000)),
        },
    }
}

fn statement(random: &mut Random, epochs: &Epochs) -> Statement {
    let accepted = epochs.accepted;
    let spare = epochs.emitted.0.saturating_sub(accepted.total_io.0 + accepted.locked_io.0 + epochs.burned_io.0);
    let work = random.below(1_000);
    let shift = random.below(30) == 0;
    Statement {
        epoch: accepted.epoch + random.below(3),
        root: [3; 32],
        total_io: Io((accepted.total_io.0 + work + random.below(spare + 1)).saturating_sub(u64::from(shift) * 5_000)),
        total_usdc: Usdc(accepted.total_usdc.0 + random.below(1_000)),
        work_io: Io(accepted.work_io.0 + work),
        locked_io: Io(accepted.locked_io.0 + random.below(2)),
        ..accepted
    }
}

fn verifier(random: &mut Random) -> Verifier {
    Verifier {
        key: [4; 32],
        bond: amount(random),
        unbond_at_unix_secs: if random.chance(30) { time(random) } else { 0 },
        voted_at_unix_secs: if random.chance(30) { time(random) } else { 0 },
        vote: Zeroable::zeroed(),
    }
}

#[test]
fn emission() {
    let (mut probe, mut random) = (Probe::new(), Random::new(21));
    for schedule in [0, 1] {
        for epoch in (0..=2_500).chain(EPOCHS - 500..EPOCHS + 20) {
            probe.same(Emitted { schedule, epoch });
        }
    }
    for _ in 0..3_000 {
        let schedule = if random.chance(98) { random.below(2) } else { random.amount() };
        let epoch = if random.chance(90) { random.below(EPOCHS + 2_000) } else { random.amount() };
        probe.same(Emitted { schedule, epoch });
        probe.same(Mintable { emission: amount(&mut random), supply: Io(random.below(81_000_000_000_000_000)) });
        let params = params(&mut random);
        probe.same(Check { params });
        let now = time(&mut random);
        let first = if random.chance(80) { now.saturating_sub(random.below(3_600) as i64) } else { time(&mut random) };
        probe.same(Clock { params, first, now });
        let mut epochs = epochs(&mut random);
        epochs.minted = if random.chance(50) { epochs.minted } else { random.below(EPOCHS + 2_000) };
        probe.same(Mint { epochs, params, supply: Io(random.below(80_000_000_000_000_000)), now });
    }
    probe.finish(15_000);
}

#[test]
fn multipliers_and_minima() {
    let (mut probe, mut random) = (Probe::new(), Random::new(22));
    let table = [TABLE[0], TABLE[24], TABLE[41], Multiplier::new("MX", HardwareKind::Cpu, 7)];
    for _ in 0..3_000 {
        let processors = if random.chance(90) { random.below(4_100) as u32 } else { random.word() as u32 };
        let multiplier_centi = if random.chance(90) { random.below(100_001) as u32 } else { random.word() as u32 };
        probe.same(Minimum { multiplier_centi, processors });
        let number = random.pick(&[0, 1, 2, 3, 4, u32::from(UNLISTED)]);
        probe.same(Centi { table, params: params(&mut random), number, kind: random.below(3) as u32 });
        let mut new = random.pick(&table);
        match random.below(6) {
            0 => new.name[random.below(24) as usize] = random.word() as u8,
            1 => new.centi = random.word() as u32,
            2 => new.kind = random.below(3) as u8,
            _ => {}
        }
        probe.same(Replace { entry: random.pick(&table), new, listed: random.below(2) });
    }
    probe.finish(9_000);
}

#[test]
fn stakes_and_cases() {
    let (mut probe, mut random) = (Probe::new(), Random::new(23));
    for _ in 0..4_000 {
        let params = params(&mut random);
        let stake = stake(&mut random, &params);
        let (amount_of, minimum, now) = (amount(&mut random), amount(&mut random), time(&mut random));
        probe.same(Owner { stake, params, amount: amount_of, minimum, now, step: random.below(5) });
        let share_bps = random.pick(&[2_500, u32::from(stake.co_share_bps), 0, 10_001]);
        let io = if random.chance(50) { Io(stake.offer_max.0.min(stake.owner.0)) } else { amount_of };
        probe.same(Co { stake, params, amount: io, minimum, now, share_bps, step: random.below(4) as u32 });
        let unvested = if random.chance(60) { Io::ZERO } else { amount(&mut random) };
        let most = stake.slashable(Offence::Falsified, unvested, &At { params: &params, now }).map_or(0, |most| most.0);
        let taken = if random.chance(70) { Io(random.below(most.saturating_add(1))) } else { amount_of };
        probe.same(Freeze { stake, params, amount: taken, unvested, now, offence: random.below(4) });
        let parts = SlashParts {
            unvested,
            owner: Io(random.below(stake.owner_frozen.0.saturating_add(1))),
            co: Io(random.below(stake.co_frozen.0.saturating_add(1))),
        };
        let case = case(&mut random, parts);
        probe.same(Settle { stake, case, minimum, now, burn: random.below(2) });
        probe.same(Judge { case, params, now: time(&mut random), step: random.below(4) });
        probe.same(Divide { amount: taken, unvested, owner: stake.owner, co: stake.co });
    }
    probe.finish(24_000);
}

#[test]
fn votes_roots_and_claims() {
    let (mut probe, mut random) = (Probe::new(), Random::new(24));
    for _ in 0..4_000 {
        let params = params(&mut random);
        let (mut epochs, now) = (epochs(&mut random), time(&mut random));
        let statement_of = statement(&mut random, &epochs);
        let mut verifier = verifier(&mut random);
        probe.same(Bonded { verifier, params, amount: amount(&mut random), now, step: random.below(4) });
        if random.chance(30) {
            verifier.vote = statement_of;
        }
        probe.same(Vote { verifier, statement: statement_of, epochs, params, now });
        let mut ballot: Ballot = Zeroable::zeroed();
        ballot.statements = [statement_of, statement(&mut random, &epochs)];
        for place in 0..random.below(MAX_VERIFIERS as u64 + 1) as usize {
            ballot.bonds[place] = Io(random.below(30_000 * IO_UNIT));
            ballot.voted_at_unix_secs[place] = if random.chance(85) { START + random.below(2_000) as i64 } else { 0 };
            ballot.flags[place] = u8::from(random.chance(12)) | u8::from(random.chance(10)) << 1;
        }
        let held = |random: &mut Random, wanted: u64| if random.chance(80) { wanted + random.below(10_000) } else { random.amount() };
        let rewards = Io(held(&mut random, statement_of.total_io.0 + statement_of.locked_io.0));
        let (payable, usdc) = (Io(held(&mut random, 1_000)), Usdc(held(&mut random, statement_of.total_usdc.0)));
        probe.same(Accept { ballot, epochs, params, rewards, payable, usdc, now });
        let claimed = [random.below(epochs.claimed_io.0 + 1), random.below(epochs.claimed_usdc.0 + 1)];
        let lifetime = [claimed[0].saturating_add(amount(&mut random).0), claimed[1] + random.below(1_000)];
        let lifetime = if random.chance(90) { lifetime } else { [0, 0] };
        if random.chance(40) {
            epochs.breaker.began_at_unix_secs = now;
        }
        probe.same(Claimed { epochs, params, lifetime, claimed, rewards, usdc, now });
        let amount = Io(random.below(epochs.accepted.locked_io.0 + 2));
        probe.same(Locked { epochs, amount, step: random.below(3) });
    }
    probe.finish(20_000);
}
