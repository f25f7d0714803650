//! SPL tokens through RPC: balances, listings, parsed accounts, balances in transactions.

use crate::support::{SOL, open, send, wallet};
use serde_json::{Value, json};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_message::Instruction;
use solana_program_pack::Pack;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::TokenAccountsFilter;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;
use solana_transaction_status::{UiTransactionEncoding, option_serializer::OptionSerializer};
use spl_associated_token_account_interface::{address::get_associated_token_address, instruction::create_associated_token_account};
use spl_token_interface::{instruction as token, state::Mint};

const TOKEN: Address = spl_token_interface::ID;

/// A mint with 6 decimals whose authority is `owner`.
pub(crate) async fn mint(client: &RpcClient, owner: &Keypair) -> Address {
    let mint = Keypair::new();
    let rent = client.get_minimum_balance_for_rent_exemption(Mint::LEN).await.unwrap();
    let instructions = [
        create_account(&owner.pubkey(), &mint.pubkey(), rent, Mint::LEN as u64, &TOKEN),
        token::initialize_mint2(&TOKEN, &mint.pubkey(), &owner.pubkey(), None, 6).unwrap(),
    ];
    send(client, &instructions, &[owner, &mint]).await.unwrap();
    mint.pubkey()
}

/// Opens the associated account of `wallet` and mints `amount` into it.
pub(crate) fn fund(owner: &Keypair, mint: &Address, wallet: &Address, amount: u64) -> [Instruction; 2] {
    let account = get_associated_token_address(wallet, mint);
    [
        create_associated_token_account(&owner.pubkey(), wallet, mint, &TOKEN),
        token::mint_to(&TOKEN, mint, &account, &owner.pubkey(), &[], amount).unwrap(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_minted_moved_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let mint = mint(&client, &alice).await;
    let from = get_associated_token_address(&alice.pubkey(), &mint);
    let to = get_associated_token_address(&bob, &mint);
    send(&client, &fund(&alice, &mint, &alice.pubkey(), 5_000_000), &[&alice]).await.unwrap();
    let transfer = [
        create_associated_token_account(&alice.pubkey(), &bob, &mint, &TOKEN),
        token::transfer_checked(&TOKEN, &from, &mint, &to, &alice.pubkey(), &[], 1_250_000, 6).unwrap(),
    ];
    let signature = send(&client, &transfer, &[&alice]).await.unwrap();

    let balance = client.get_token_account_balance(&to).await.unwrap();
    assert_eq!((balance.amount.as_str(), balance.decimals), ("1250000", 6));
    assert_eq!(balance.ui_amount_string, "1.25");
    assert_eq!(client.get_token_supply(&mint).await.unwrap().amount, "5000000");

    for filter in [TokenAccountsFilter::Mint(mint), TokenAccountsFilter::ProgramId(TOKEN)] {
        let owned = client.get_token_accounts_by_owner(&bob, filter).await.unwrap();
        assert_eq!(owned.len(), 1);
        assert_eq!(owned[0].pubkey, to.to_string());
    }
    let parsed = chain.request("getAccountInfo", json!([to.to_string(), { "encoding": "jsonParsed" }])).await.unwrap();
    let data = &parsed["value"]["data"];
    assert_eq!(data["program"], "spl-token");
    assert_eq!(data["parsed"]["info"]["owner"], bob.to_string());
    assert_eq!(data["parsed"]["info"]["tokenAmount"]["uiAmountString"], "1.25");
    let parsed = chain.request("getAccountInfo", json!([mint.to_string(), { "encoding": "jsonParsed" }])).await.unwrap();
    assert_eq!(parsed["value"]["data"]["parsed"]["type"], "mint");

    let told = client.get_transaction(&signature, UiTransactionEncoding::JsonParsed).await.unwrap();
    let meta = told.transaction.meta.unwrap();
    let amounts = |balances: OptionSerializer<Vec<solana_transaction_status::UiTransactionTokenBalance>>| -> Vec<_> {
        let mut amounts: Vec<_> = Option::from(balances)
            .unwrap_or_else(Vec::new)
            .into_iter()
            .map(|balance: solana_transaction_status::UiTransactionTokenBalance| balance.ui_token_amount.amount)
            .collect();
        amounts.sort();
        amounts
    };
    assert_eq!(amounts(meta.pre_token_balances), ["5000000"]);
    assert_eq!(amounts(meta.post_token_balances), ["1250000", "3750000"]);
    let inner: Option<Vec<_>> = meta.inner_instructions.into();
    assert!(!inner.unwrap().is_empty(), "opening the account calls other programs");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_methods_refuse_what_is_no_token() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let alice = alice.pubkey().to_string();
    let nobody = Keypair::new().pubkey().to_string();
    let code = async |method: &str, params: Value| chain.request(method, params).await.unwrap_err().code;

    assert_eq!(code("getTokenAccountBalance", json!([alice])).await, -32602);
    assert_eq!(code("getTokenAccountBalance", json!([nobody])).await, -32602);
    assert_eq!(code("getTokenSupply", json!([alice])).await, -32602);
    assert_eq!(code("getTokenAccountsByOwner", json!([alice, { "mint": nobody }])).await, -32602);
    assert_eq!(code("getTokenAccountsByOwner", json!([alice, { "programId": nobody }])).await, -32602);
    let none = chain.request("getTokenAccountsByOwner", json!([alice, { "programId": TOKEN.to_string() }])).await.unwrap();
    assert_eq!(none["value"], json!([]));
}
