//! Honest transactions are signed; each way to ask for more is refused.

use bytemuck::bytes_of;
use ionet_abi::instructions::Tag;
use ionet_types::hardware::HardwareModel;
use ionet_types::quotes::{QuoteRequest, SignedQuote};
use ionet_types::{Currency, Money};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_message::{Message, VersionedMessage};
use solana_signature::Signature;

use super::*;

struct Scene {
    _dir: tempfile::TempDir,
    wallet: Wallet,
    program: Address,
    fee_payer: Address,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let wallet = Wallet::create(&dir.path().join("wallet.json")).unwrap();
    Scene { _dir: dir, wallet, program: Address::new_from_array([7; 32]), fee_payer: Address::new_from_array([9; 32]) }
}

impl Scene {
    fn pay(&self, amount: u64) -> Instruction {
        let mut data = vec![Tag::Pay as u8];
        data.extend_from_slice(bytes_of(&PayArgs { amount, sequence: 0, reserved: 0 }));
        self.call(self.program, data)
    }

    fn call(&self, program: Address, data: Vec<u8>) -> Instruction {
        Instruction { program_id: program, accounts: vec![AccountMeta::new_readonly(self.wallet.address(), true)], data }
    }

    fn prepare(payer: Address, instructions: &[Instruction]) -> PreparedTransaction {
        let message = Message::new_with_blockhash(instructions, Some(&payer), &Hash::new_from_array([1; 32]));
        let signatures = vec![Signature::default(); usize::from(message.header.num_required_signatures)];
        let transaction = VersionedTransaction { signatures, message: VersionedMessage::Legacy(message) };
        PreparedTransaction { base64: encode_transaction(&transaction).unwrap(), what: String::new(), valid_until_unix_secs: 0 }
    }

    fn sign(&self, prepared: &PreparedTransaction, wish: &Wish<'_>) -> Result<VersionedTransaction> {
        sign(&self.wallet, self.program, prepared, wish).map(|base64| decode_transaction(&base64).unwrap())
    }
}

#[test]
fn a_payment_as_asked_is_signed() {
    let scene = scene();
    let signed = scene.sign(&Scene::prepare(scene.fee_payer, &[scene.pay(5)]), &Wish::Pay { amount: BaseUnits(5) }).unwrap();
    assert!(signed.signatures[1].verify(scene.wallet.address().as_ref(), &signed.message.serialize()));
    assert_eq!(signed.signatures[0], Signature::default());
}

#[test]
fn whatever_asks_for_more_is_refused() {
    let scene = scene();
    let wish = Wish::Pay { amount: BaseUnits(5) };
    let token_program = Address::new_from_array(ionet_abi::TOKEN_PROGRAM);
    let steal = scene.call(token_program, vec![3, 1, 0, 0, 0, 0, 0, 0, 0]);
    let foreign = Instruction { program_id: scene.program, accounts: vec![], data: scene.pay(5).data };
    for (case, payer, instructions) in [
        ("another amount", scene.fee_payer, vec![scene.pay(6)]),
        ("paid twice", scene.fee_payer, vec![scene.pay(5), scene.pay(5)]),
        ("a transfer beside it", scene.fee_payer, vec![scene.pay(5), steal.clone()]),
        ("only a transfer", scene.fee_payer, vec![steal]),
        ("fees from the wallet", scene.wallet.address(), vec![scene.pay(5)]),
        ("not this wallet", scene.fee_payer, vec![foreign]),
        ("another program", scene.fee_payer, vec![scene.call(Address::new_from_array([8; 32]), scene.pay(5).data)]),
        ("nothing to call", scene.fee_payer, vec![scene.call(scene.program, vec![])]),
    ] {
        let refused = scene.sign(&Scene::prepare(payer, &instructions), &wish).expect_err(case);
        assert!(crate::exit::render(&refused).contains("nothing was signed"), "{case}: {refused}");
    }
    let garbage = PreparedTransaction { base64: "AAAA".into(), what: String::new(), valid_until_unix_secs: 0 };
    assert!(scene.sign(&garbage, &wish).is_err());
}

#[test]
fn a_booking_is_signed_at_the_quoted_rate_or_below() {
    let scene = scene();
    let cluster = ClusterId::new();
    let request = BookRequest::new(QuoteRequest::new(HardwareModel::cpu(), 2, 60, Currency::Usdc));
    let quote = Quote {
        hardware: HardwareModel::cpu(),
        kind: ionet_types::hardware::HardwareKind::Cpu,
        quantity: 2,
        minutes: 60,
        rate: Money::usdc(115_000),
        rate_micro_usd: ionet_types::MicroUsd(115_000),
        cost: Money::usdc(230_000),
        fees: Money::usdc(5_175),
        total: Money::usdc(235_175),
        valid_until_unix_secs: 0,
        free_devices: 2,
        price_micro_usd: ionet_types::MicroUsd(115_000),
        discount_bps: 0,
        floor_micro_usd: ionet_types::MicroUsd(0),
        price: None,
        signed: SignedQuote { text: String::new(), signature: String::new() },
    };
    let book = |change: fn(&mut BookProductArgs)| {
        let mut arguments = BookProductArgs {
            cluster_id: cluster.bytes(),
            rate: 115_000,
            rate_micro_usd: 115_000,
            valid_until_unix_secs: 0,
            quantity: 2,
            minutes: 60,
            currency: 0,
            hardware: 0,
            reserved: [0; 6],
        };
        change(&mut arguments);
        let mut data = vec![Tag::BookProduct as u8];
        data.extend_from_slice(bytes_of(&arguments));
        scene.sign(
            &Scene::prepare(scene.fee_payer, &[scene.call(scene.program, data)]),
            &Wish::Book { cluster, request: &request, quote: Some(&quote) },
        )
    };
    assert!(book(|_| ()).is_ok());
    assert!(book(|arguments| arguments.rate = 100_000).is_ok());
    assert!(book(|arguments| arguments.rate = 115_001).is_err());
    assert!(book(|arguments| arguments.rate_micro_usd = 115_001).is_err());
    assert!(book(|arguments| arguments.minutes = 61).is_err());
    assert!(book(|arguments| arguments.quantity = 1).is_err());
    assert!(book(|arguments| arguments.currency = 1).is_err());
    assert!(book(|arguments| arguments.hardware = 1).is_err());
    assert!(book(|arguments| arguments.cluster_id = [0; 16]).is_err());
}

#[test]
fn a_step_is_signed_to_the_byte_and_on_its_account_only() {
    use ionet_abi::instructions::supply::{StakeArgs, WithdrawStakeArgs};
    use ionet_ledger::instructions::supply::{self as build, Registration};
    use ionet_rules::booking::HardwareKind;
    use ionet_rules::money::Io;
    use ionet_rules::multipliers::Model;

    let scene = scene();
    let at = ionet_ledger::Addresses::derive(scene.program, Address::new_from_array([1; 32]), Address::new_from_array([2; 32]));
    let (device, other) = (Address::new_from_array([3; 32]), Address::new_from_array([4; 32]));
    let wallet = scene.wallet.address();
    let prepared = |instruction: Instruction| Scene::prepare(scene.fee_payer, &[instruction]);
    let wish = |amount: u64| Wish::Step(Step::new(&StakeArgs { amount }, at.device(&device)));
    assert!(scene.sign(&prepared(build::stake(&at, wallet, &device, Io(5))), &wish(5)).is_ok());
    assert!(scene.sign(&prepared(build::stake(&at, wallet, &device, Io(6))), &wish(5)).is_err(), "more");
    assert!(scene.sign(&prepared(build::stake(&at, wallet, &other, Io(5))), &wish(5)).is_err(), "another device");
    assert!(scene.sign(&prepared(build::unstake(&at, wallet, scene.fee_payer, &device)), &wish(5)).is_err(), "another step");
    let withdraw = Wish::Step(Step::new(&WithdrawStakeArgs { amount: 0 }, at.device(&device)));
    assert!(scene.sign(&prepared(build::withdraw_stake(&at, wallet, &device, None)), &withdraw).is_ok());

    let model = Model { number: 0, kind: HardwareKind::Gpu };
    let register = |device, payout| {
        let registration = Registration { device, payout, processors: 1, model };
        prepared(build::register_device(&at, scene.fee_payer, wallet, scene.fee_payer, &registration))
    };
    let wish = Wish::Register { device: DeviceId(device.to_bytes()), payout: ionet_types::Address(wallet.to_bytes()) };
    assert!(scene.sign(&register(device, wallet), &wish).is_ok());
    assert!(scene.sign(&register(device, other), &wish).is_err(), "paid elsewhere");
    assert!(scene.sign(&register(other, wallet), &wish).is_err(), "another device");
}
