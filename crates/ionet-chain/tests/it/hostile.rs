//! Whatever a client sends, the answer is an error and the chain lives on.

use crate::{
    http::{post, serve},
    support::{SOL, open, wallet},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};
use solana_signer::Signer;

const METHODS: &[&str] = &[
    "getAccountInfo",
    "getBalance",
    "getBlockHeight",
    "getBlockTime",
    "getEpochInfo",
    "getFeeForMessage",
    "getFirstAvailableBlock",
    "getGenesisHash",
    "getHealth",
    "getIdentity",
    "getLatestBlockhash",
    "getMinimumBalanceForRentExemption",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getRecentPrioritizationFees",
    "getSignatureStatuses",
    "getSignaturesForAddress",
    "getSlot",
    "getSlotLeader",
    "getTokenAccountBalance",
    "getTokenAccountsByOwner",
    "getTokenSupply",
    "getTransaction",
    "getVersion",
    "isBlockhashValid",
    "minimumLedgerSlot",
    "requestAirdrop",
    "sendTransaction",
    "simulateTransaction",
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, _server) = serve(&chain).await;
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("\u{0}", -32700),
        ("[]", -32600),
        ("1", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"getHealth"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"getHealth"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getHealth","params":{}}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getHealth","params":[1]}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":["finalized"]}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eval"}"#, -32601),
    ] {
        let (status, text) = post(&url, body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer["error"]["code"].as_i64()), (200, Some(code)), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(post(&url, deep).await.1.contains("-32700"));
    assert_eq!(post(&url, vec![b' '; 600 << 10]).await.0, 413);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "getHealth" });
    let (_, text) = post(&url, Value::Array(vec![call; 101]).to_string()).await;
    assert!(text.contains("-32600"), "{text}");
    let get = reqwest::get(&url).await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
    assert_eq!(chain.request("getHealth", json!([])).await.unwrap(), "ok");
}

/// Any JSON, with the strings and numbers that are most likely to hurt.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,100}".prop_map(Value::from),
        "[1-9A-HJ-NP-Za-km-z]{40,90}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Value::from(BASE64_STANDARD.encode(bytes))),
        Just(json!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")),
        Just(json!({ "encoding": "jsonParsed", "dataSlice": { "offset": u64::MAX, "length": u64::MAX } })),
        Just(json!({ "encoding": "base64", "skipPreflight": true, "minContextSlot": u64::MAX })),
        Just(json!({ "encoding": "base64", "replaceRecentBlockhash": true, "sigVerify": true })),
        Just(json!({ "filters": [{ "memcmp": { "offset": u64::MAX, "bytes": [255], "encoding": "bytes" } }] })),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z]{1,12}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn no_parameters_make_it_panic_or_stop() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    proptest!(ProptestConfig::with_cases(2_000), |(
        method in proptest::sample::select(METHODS),
        params in proptest::collection::vec(any_value(), 0..4),
    )| {
        let answer = runtime.block_on(chain.request(method, Value::Array(params)));
        if let Err(err) = answer {
            prop_assert!(err.code != -32603 || err.message.starts_with("airdrop"), "{}: {}", method, err);
        }
    });
    assert_eq!(runtime.block_on(chain.request("getHealth", json!([]))).unwrap(), "ok");
}

#[test]
fn no_transaction_makes_it_panic_or_stop() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = runtime.block_on(wallet(&client, 1_000 * SOL));
    let programs: Vec<solana_address::Address> = [
        "11111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "ComputeBudget111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
        "Stake11111111111111111111111111111111111111",
        "Vote111111111111111111111111111111111111111",
        "ZkE1Gama1Proof11111111111111111111111111111",
        "NativeLoader1111111111111111111111111111111",
        "SysvarC1ock11111111111111111111111111111111",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    proptest!(ProptestConfig::with_cases(1_000), |(
        parts in proptest::collection::vec(
            (0..programs.len(), proptest::collection::vec(any::<u8>(), 0..80), proptest::collection::vec((0..14usize, any::<bool>()), 0..8)),
            0..4,
        ),
        flip in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        skip in any::<bool>(),
    )| {
        let addresses = |at: usize| match at {
            12 => alice.pubkey(),
            13 => solana_address::Address::new_from_array([5; 32]),
            at => programs[at],
        };
        let instructions: Vec<_> = parts
            .iter()
            .map(|(program, data, accounts)| {
                let accounts = accounts
                    .iter()
                    .map(|(at, writable)| match writable {
                        true => solana_message::AccountMeta::new(addresses(*at), *at == 12),
                        false => solana_message::AccountMeta::new_readonly(addresses(*at), *at == 12),
                    })
                    .collect();
                solana_message::Instruction { program_id: programs[*program], accounts, data: data.clone() }
            })
            .collect();
        let blockhash = runtime.block_on(client.get_latest_blockhash()).unwrap();
        let transaction = crate::support::sign(&instructions, &[&alice], blockhash);
        let mut wire = wincode::serialize(&transaction).unwrap();
        if let Some((at, bits)) = flip {
            let at = at.index(wire.len());
            wire[at] ^= bits;
        }
        for method in ["simulateTransaction", "sendTransaction"] {
            let config = json!({ "encoding": "base64", "skipPreflight": skip });
            let params = json!([BASE64_STANDARD.encode(&wire), config]);
            if let Err(err) = runtime.block_on(chain.request(method, params)) {
                prop_assert!(err.code != -32603 || err.message.contains("virtual machine"), "{}", err);
            }
        }
    });
    // Whatever those transactions did, a restart shows the same.
    let before = runtime.block_on(crate::support::all_accounts(&chain));
    runtime.block_on(chain.close());
    let after = runtime.block_on(crate::support::all_accounts(&open(dir.path())));
    assert!(before == after);
}
