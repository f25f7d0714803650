//! Programs: those given when opening, and those that clients deploy.

use crate::support::{SOL, all_accounts, open, send, stepped, wallet};
use ionet_chain::{Chain, ChainOptions};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_loader_v3_interface::{get_program_data_address, instruction as loader, state::UpgradeableLoaderState};
use solana_message::Instruction;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcSimulateTransactionConfig;
use solana_signer::Signer;
use std::path::Path;

fn artifact(name: &str) -> Vec<u8> {
    let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
        .join("../../program/artifact")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// Whether a call reaches the program: it refuses nonsense by itself.
async fn runs(client: &RpcClient, payer: &Keypair, program: Address) -> bool {
    let instruction = Instruction { program_id: program, accounts: Vec::new(), data: vec![255; 9] };
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = crate::support::sign(&[instruction], &[payer], blockhash);
    let config = RpcSimulateTransactionConfig::default();
    let seen = client.simulate_transaction_with_config(&transaction, config).await.unwrap().value;
    let logs = seen.logs.unwrap_or_default();
    logs.first() == Some(&format!("Program {program} invoke [1]")) && seen.units_consumed > Some(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_given_when_opening_run_and_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let program = Address::new_from_array([3; 32]);
    let with = |elf: &[u8]| ChainOptions { programs: vec![(program, elf.to_vec())], ..stepped(dir.path()) };
    let code = async |chain: &Chain| {
        let account = chain.client().get_account(&get_program_data_address(&program)).await.unwrap();
        account.data[UpgradeableLoaderState::size_of_programdata_metadata()..].to_vec()
    };
    let (first, second) = (artifact("ionet.so"), artifact("rules_probe.so"));
    let chain = Chain::open(with(&first)).unwrap();
    let alice = wallet(&chain.client(), SOL).await;
    assert!(runs(&chain.client(), &alice, program).await);
    assert!(code(&chain).await == first);
    chain.close().await;

    let chain = Chain::open(with(&second)).unwrap();
    assert!(code(&chain).await == second, "a new build is there at the next opening");
    assert_eq!(chain.client().get_balance(&alice.pubkey()).await.unwrap(), SOL);
    chain.close().await;

    let err = Chain::open(with(b"this is no program")).unwrap_err();
    assert_eq!(err.code(), "chain_program");
    let chain = open(dir.path());
    assert!(!runs(&chain.client(), &alice, program).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_deploy_programs_that_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, 100 * SOL).await;
    let owner = alice.pubkey();
    let elf = artifact("rules_probe.so");
    let (buffer, program) = (Keypair::new(), Keypair::new());
    let rent = async |len| client.get_minimum_balance_for_rent_exemption(len).await.unwrap();
    let buffer_rent = rent(UpgradeableLoaderState::size_of_buffer(elf.len())).await;
    let create = loader::create_buffer(&owner, &buffer.pubkey(), &owner, buffer_rent, elf.len()).unwrap();
    send(&client, &create, &[&alice, &buffer]).await.unwrap();
    for (number, chunk) in elf.chunks(900).enumerate() {
        let offset = u32::try_from(number * 900).unwrap();
        let write = loader::write(&buffer.pubkey(), &owner, offset, chunk.to_vec());
        send(&client, &[write], &[&alice]).await.unwrap();
    }
    let program_rent = rent(UpgradeableLoaderState::size_of_program()).await;
    let deploy =
        loader::deploy_with_max_program_len(&owner, &program.pubkey(), &buffer.pubkey(), &owner, program_rent, elf.len(), false).unwrap();
    send(&client, &deploy, &[&alice, &program]).await.unwrap();
    chain.advance_secs(1).await.unwrap();
    assert!(runs(&client, &alice, program.pubkey()).await);
    let before = all_accounts(&chain).await;
    chain.close().await;

    let chain = open(dir.path());
    assert!(all_accounts(&chain).await == before);
    assert!(runs(&chain.client(), &alice, program.pubkey()).await);
}
