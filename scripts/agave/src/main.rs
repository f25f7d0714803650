//! An Agave validator for one machine: its own cluster of one, with a faucet and with programs that are there from
//! the first slot. Prints one JSON line once it answers, and runs until it is killed.

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use solana_faucet::faucet::{Faucet, run_faucet};
use solana_keypair::Keypair;
use solana_net_utils::SocketAddrSpace;
use solana_pubkey::Pubkey;
use solana_rpc::rpc::JsonRpcConfig;
use solana_signer::Signer;
use solana_test_validator::{TestValidatorGenesis, UpgradeableProgramInfo};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Starts an Agave test validator on loopback.
#[derive(Parser)]
struct Args {
    /// An empty folder for the validator's ledger.
    #[arg(long)]
    ledger: PathBuf,
    /// Port of JSON-RPC; websockets are one above.
    #[arg(long, default_value_t = 8899)]
    rpc_port: u16,
    /// A program that is there from genesis, as ADDRESS:FILE. May be given several times.
    #[arg(long = "program", value_name = "ADDRESS:FILE")]
    programs: Vec<Program>,
}

#[derive(Clone)]
struct Program {
    address: Pubkey,
    file: PathBuf,
}

impl FromStr for Program {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (address, file) = text.split_once(':').context("a program is ADDRESS:FILE")?;
        Ok(Self { address: address.parse().map_err(|err| anyhow!("{address}: {err}"))?, file: file.into() })
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    if args.rpc_port == u16::MAX {
        bail!("the websocket's port is one above --rpc-port, and there is none above {}", u16::MAX);
    }
    let programs: Vec<_> = args
        .programs
        .into_iter()
        .map(|program| {
            std::fs::metadata(&program.file).with_context(|| program.file.display().to_string())?;
            Ok(UpgradeableProgramInfo {
                program_id: program.address,
                loader: solana_sdk_ids::bpf_loader_upgradeable::ID,
                upgrade_authority: Pubkey::default(),
                program_path: program.file,
            })
        })
        .collect::<Result<_>>()?;
    let faucet = Keypair::new();
    let rich = faucet.pubkey();
    let faucet_address = start_faucet(faucet)?;
    let validator = TestValidatorGenesis::default()
        .ledger_path(&args.ledger)
        .rpc_port(args.rpc_port)
        .rpc_config(JsonRpcConfig {
            enable_rpc_transaction_history: true,
            // Event records stand in inner instructions, which are kept only with this.
            enable_extended_tx_metadata_storage: true,
            faucet_addr: Some(faucet_address),
            ..JsonRpcConfig::default_for_test()
        })
        .add_upgradeable_programs_with_path(&programs)
        .start_with_mint_address(rich, SocketAddrSpace::new(true))
        .map_err(|err| anyhow!("the validator does not start: {err}"))?;
    println!("{}", serde_json::json!({ "rpc": validator.rpc_url(), "websocket": validator.rpc_pubsub_url() }));
    loop {
        thread::park();
    }
}

/// Everything there is at genesis belongs to the faucet.
fn start_faucet(keypair: Keypair) -> Result<SocketAddr> {
    let faucet = Arc::new(Mutex::new(Faucet::new(keypair, None, None, None)));
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(run_faucet(faucet, (Ipv4Addr::LOCALHOST, 0).into(), Some(sender)));
    });
    receiver.recv_timeout(Duration::from_secs(30)).context("the faucet does not start")?.map_err(|err| anyhow!("{err}"))
}
