//! What looks like a record and is none.

use ionet_abi::events::{EVENT_TAG, EarnRecord, RecordBody, RecordHeader};
use ionet_ledger::address;
use ionet_ledger::records::{Body, Executed, decode_record, records_in};
use solana_address::Address;
use solana_signature::Signature;
use solana_transaction_status::{UiCompiledInstruction, UiInnerInstructions, UiInstruction};

const CLUSTER: [u8; 16] = [9; 16];

fn record() -> Vec<u8> {
    let header = RecordHeader {
        at_unix_secs: 1_800_000_000,
        cluster_id: CLUSTER,
        record: 4,
        kind: EarnRecord::KIND as u8,
        currency: 1,
        status: 4,
        reserved: 0,
    };
    let body = EarnRecord { amount: 10, burned: 1, incentives: 2, treasury: 7, sequence: 0, reserved: 0 };
    let mut data = vec![EVENT_TAG];
    data.extend_from_slice(bytemuck::bytes_of(&header));
    data.extend_from_slice(bytemuck::bytes_of(&body));
    data
}

struct Case {
    program: u8,
    accounts: Vec<u8>,
    data: Vec<u8>,
    succeeded: bool,
}

/// Keys: 0 somebody, 1 our program, 2 the network account, 3 the booking, 4 another program.
fn read(case: Case) -> Result<usize, String> {
    let program_id = Address::new_from_array([3; 32]);
    let keys = [
        Address::new_from_array([8; 32]),
        program_id,
        address::network(&program_id),
        address::booking(&program_id, &CLUSTER),
        Address::new_from_array([4; 32]),
    ];
    let instruction = UiCompiledInstruction {
        program_id_index: case.program,
        accounts: case.accounts,
        data: bs58::encode(case.data).into_string(),
        stack_height: Some(2),
    };
    let inner = [UiInnerInstructions { index: 0, instructions: vec![UiInstruction::Compiled(instruction)] }];
    let executed = Executed {
        signature: Signature::default(),
        slot: 1,
        block_time_unix_secs: None,
        succeeded: case.succeeded,
        keys: &keys,
        inner: &inner,
    };
    records_in(&program_id, &executed).map(|records| records.len()).map_err(|error| error.code().to_owned())
}

fn genuine() -> Case {
    Case { program: 1, accounts: vec![2], data: record(), succeeded: true }
}

#[test]
fn only_the_programs_own_word_counts() {
    assert_eq!(read(genuine()), Ok(1));
    // Another program's instruction with a record's bytes.
    assert_eq!(read(Case { program: 4, ..genuine() }), Ok(0));
    // A transaction that failed.
    assert_eq!(read(Case { succeeded: false, ..genuine() }), Ok(0));
    // Somebody else in the signer's place; nobody there; an account that the transaction does not have.
    assert_eq!(read(Case { accounts: vec![0, 2], ..genuine() }), Ok(0));
    assert_eq!(read(Case { accounts: vec![], ..genuine() }), Ok(0));
    assert_eq!(read(Case { accounts: vec![77], ..genuine() }), Ok(0));
    assert_eq!(read(Case { program: 77, ..genuine() }), Ok(0));
    // An ordinary instruction of the program, called by another.
    assert_eq!(read(Case { data: vec![11, 0, 0, 0, 0], ..genuine() }), Ok(0));
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_not_a_gap() {
    let mut short = record();
    short.pop();
    let mut long = record();
    long.push(0);
    let mut unknown = record();
    unknown[1 + 8 + 16 + 4] = 99;
    let mut elsewhere = record();
    elsewhere[1 + 8] ^= 1;
    for data in [short, long, unknown, elsewhere] {
        assert_eq!(read(Case { data, ..genuine() }), Err("malformed".to_owned()));
    }
}

#[test]
fn header_and_body_come_back() {
    let data = record();
    let (header, body) = decode_record(&data).unwrap();
    assert_eq!((header.cluster_id, header.record), (CLUSTER, 4));
    assert!(matches!(body, Body::Earn(body) if body.treasury == 7));
    let header_len = size_of::<RecordHeader>();
    assert_eq!(body.as_bytes(), &data[1 + header_len..]);
    assert_eq!(decode_record(&data[1..]), None);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(data in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        decode_record(&data);
        let mut tagged = vec![EVENT_TAG];
        tagged.extend(data);
        decode_record(&tagged);
    }
}
