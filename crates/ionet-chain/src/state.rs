//! The chain's state, owned by one thread: executes transactions, applies what they changed, and leaves a record
//! of it for the journal.

use crate::{
    ChainError,
    history::{HistoryEntry, TimeStep},
    index::AccountIndex,
    journal::{Commit, Deliver, Location},
    recent::RecentSignatures,
    record::{self, AccountRecord, Balances, InnerRecord, Record, ReturnRecord, TokenBalance, TransactionRecord},
    rpc::{Encoding, Fetched},
    server::subscriptions::CommittedTransaction,
    shared::Shared,
    snapshot::SnapshotData,
    timeline::{BLOCKHASH_WINDOW_SLOTS, Moment, Timeline, machine_unix_ms},
    token,
};
use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount, WritableAccount};
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_clock::Clock;
use solana_epoch_schedule::EpochSchedule;
use solana_message::{AddressLoader, VersionedMessage, v0::LoadedAddresses};
use solana_sdk_ids::{bpf_loader_upgradeable, native_loader};
use solana_signature::Signature;
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Slots that the `SlotHashes` sysvar covers.
const SLOT_HASHES: u64 = 512;

/// A transaction whose signatures were found right.
pub(crate) struct Submission {
    pub(crate) transaction: VersionedTransaction,
    pub(crate) wire: Vec<u8>,
}

/// What executing a transaction did, or would do.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) err: Option<TransactionError>,
    /// Whether a block may hold it: it paid its fee, even if it failed after that.
    pub(crate) included: bool,
    pub(crate) signature: Signature,
    pub(crate) logs: Vec<String>,
    pub(crate) compute_units: u64,
    pub(crate) fee: u64,
    pub(crate) inner: Vec<InnerRecord>,
    pub(crate) return_data: Option<ReturnRecord>,
    pub(crate) keys: Vec<Address>,
    pub(crate) loaded: LoadedAddresses,
    pub(crate) pre: Balances,
    pub(crate) post: Balances,
    /// Writable accounts afterwards.
    pub(crate) accounts: Vec<(Address, AccountSharedData)>,
}

impl Outcome {
    fn refused(err: TransactionError) -> Self {
        Self { err: Some(err), ..Self::default() }
    }
}

/// What a request left for the journal.
#[derive(Default)]
struct Pending {
    record: Vec<u8>,
    entry: Option<HistoryEntry>,
    step: Option<TimeStep>,
    event: Option<Arc<CommittedTransaction>>,
}

pub(crate) struct State {
    svm: LiteSVM,
    timeline: Timeline,
    slot_hashes: VecDeque<(u64, solana_hash::Hash)>,
    schedule: EpochSchedule,
    index: AccountIndex,
    /// Every account that the journal ever wrote; the others are ground.
    written: HashSet<Address>,
    recent: RecentSignatures,
    pending: Pending,
    /// True while the state is between two records; a panic then leaves it unusable.
    applying: bool,
    journal_bytes_since_snapshot: u64,
    pub(crate) shared: Arc<Shared>,
}

impl State {
    /// A state from the ground and what snapshot and journal say on top of it.
    pub(crate) fn new(
        mut svm: LiteSVM,
        accounts: HashMap<Address, Option<AccountSharedData>>,
        now: Moment,
        recent: Vec<(u64, Signature)>,
        journal_bytes_since_snapshot: u64,
        shared: Arc<Shared>,
    ) -> Self {
        let mut written = HashSet::with_capacity(accounts.len());
        let mut programs = Vec::new();
        for (address, account) in accounts {
            written.insert(address);
            match account {
                Some(account) if is_program(&account) => programs.push((address, account)),
                Some(account) => svm.set_account_no_checks(address, account),
                None => remove(&mut svm, address),
            }
        }
        for (address, account) in programs {
            set_program(&mut svm, address, account);
        }
        let mut index = AccountIndex::default();
        for (address, account) in &svm.accounts_db().inner {
            index.replace(address, None, Some(account));
        }
        let mut recent_signatures = RecentSignatures::default();
        let mut sorted = recent;
        sorted.sort_unstable_by_key(|(slot, _)| *slot);
        for (slot, signature) in sorted {
            recent_signatures.insert(slot, signature);
        }
        let mut state = Self {
            timeline: Timeline::at(&shared.genesis, now),
            slot_hashes: VecDeque::new(),
            schedule: svm.get_sysvar::<EpochSchedule>(),
            svm,
            index,
            written,
            recent: recent_signatures,
            pending: Pending::default(),
            applying: false,
            journal_bytes_since_snapshot,
            shared,
        };
        state.refresh_sysvars();
        state
    }

    pub(crate) fn now(&self) -> Moment {
        self.timeline.now()
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub(crate) fn schedule(&self) -> &EpochSchedule {
        &self.schedule
    }

    pub(crate) fn account(&self, address: &Address) -> Option<&AccountSharedData> {
        self.svm.accounts_db().get_account_ref(address)
    }

    pub(crate) fn index(&self) -> &AccountIndex {
        &self.index
    }

    pub(crate) fn svm(&self) -> &LiteSVM {
        &self.svm
    }

    pub(crate) fn is_applying(&self) -> bool {
        self.applying
    }

    /// Lets time pass: real time as the machine's clock says, stepped time one slot when the slot is full.
    pub(crate) fn tick(&mut self) {
        let now = self.timeline.now();
        let (slot, unix_secs) = if self.shared.genesis.real_clock {
            let slot = self.shared.genesis.real_slot(machine_unix_ms());
            (slot, self.shared.genesis.real_unix_secs(slot))
        } else if now.slot_is_full() {
            (now.slot + 1, now.unix_secs)
        } else {
            return;
        };
        self.move_to(slot, unix_secs);
    }

    fn move_to(&mut self, slot: u64, unix_secs: i64) {
        if self.timeline.move_to(&self.shared.genesis, slot, unix_secs) {
            self.recent.forget_before(slot.saturating_sub(BLOCKHASH_WINDOW_SLOTS));
            self.refresh_sysvars();
        }
    }

    fn refresh_sysvars(&mut self) {
        let Moment { slot, unix_secs, .. } = self.timeline.now();
        let epoch = self.schedule.get_epoch(slot);
        self.svm.set_sysvar(&Clock {
            slot,
            epoch_start_timestamp: self.shared.genesis.start_unix_ms.div_euclid(1000),
            epoch,
            leader_schedule_epoch: self.schedule.get_leader_schedule_epoch(slot),
            unix_timestamp: unix_secs,
        });
        let first = slot.saturating_sub(SLOT_HASHES).max(crate::genesis::GENESIS_SLOT);
        let have = self.slot_hashes.front().map_or(first, |(newest, _)| (newest + 1).max(first));
        for slot in have..slot {
            self.slot_hashes.push_front((slot, self.shared.genesis.blockhash(slot, 0)));
        }
        while self.slot_hashes.back().is_some_and(|(oldest, _)| *oldest < first) {
            self.slot_hashes.pop_back();
        }
        self.svm.set_sysvar(&SlotHashes::new(self.slot_hashes.make_contiguous()));
    }

    /// Executes a transaction without keeping anything of it.
    pub(crate) fn simulate(&self, transaction: VersionedTransaction) -> Result<Outcome, String> {
        if let Some(err) = self.refuse_early(&transaction) {
            return Ok(Outcome::refused(err));
        }
        self.execute(transaction)
    }

    /// Executes a transaction and keeps it if it may be included and, unless `keep_failed`, succeeded.
    pub(crate) fn submit(&mut self, submission: Submission, keep_failed: bool) -> Result<Result<Signature, Outcome>, String> {
        let outcome = match self.refuse_early(&submission.transaction) {
            Some(err) => Outcome::refused(err),
            None => self.execute(submission.transaction)?,
        };
        if !outcome.included || (outcome.err.is_some() && !keep_failed) {
            return Ok(Err(outcome));
        }
        Ok(Ok(self.include(outcome, &submission.wire)))
    }

    /// Whether a transaction with this signature was kept while its blockhash could still be named.
    pub(crate) fn is_recent(&self, signature: &Signature) -> bool {
        self.recent.contains(signature)
    }

    fn refuse_early(&self, transaction: &VersionedTransaction) -> Option<TransactionError> {
        let Some(signature) = transaction.signatures.first() else {
            return Some(TransactionError::MissingSignatureForFee);
        };
        if self.is_recent(signature) {
            return Some(TransactionError::AlreadyProcessed);
        }
        let blockhash = transaction.message.recent_blockhash();
        self.timeline.slot_of(blockhash).is_none().then_some(TransactionError::BlockhashNotFound)
    }

    /// Runs the machine on a transaction, changing nothing.
    fn execute(&self, transaction: VersionedTransaction) -> Result<Outcome, String> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let mut keys = transaction.message.static_account_keys().to_vec();
        let loaded = match &transaction.message {
            VersionedMessage::V0(message) if !message.address_table_lookups.is_empty() => {
                match self.svm.accounts_db().load_addresses(&message.address_table_lookups) {
                    Ok(loaded) => loaded,
                    Err(err) => return Ok(Outcome::refused(err.into())),
                }
            }
            _ => LoadedAddresses::default(),
        };
        keys.extend(loaded.writable.iter().chain(&loaded.readonly));
        // The machine is only read here, so a panic in it costs this transaction and nothing else.
        let result = catch_unwind(AssertUnwindSafe(|| self.svm.simulate_transaction(transaction).map_err(Box::new)))
            .map_err(|_| "the virtual machine failed on this transaction".to_owned())?;
        let (err, meta, accounts) = match result {
            Ok(info) => (None, info.meta, info.post_accounts),
            Err(failed) => (Some(failed.err), failed.meta, Vec::new()),
        };
        let mut outcome = Outcome {
            included: err.is_none() || meta.signature != Signature::default(),
            err,
            signature,
            logs: meta.logs,
            compute_units: meta.compute_units_consumed,
            fee: meta.fee,
            inner: record::inner_records(meta.inner_instructions),
            return_data: (!meta.return_data.data.is_empty())
                .then(|| ReturnRecord { program: meta.return_data.program_id.to_bytes(), data: meta.return_data.data }),
            keys,
            loaded,
            accounts,
            ..Outcome::default()
        };
        if outcome.err.is_some() && outcome.included {
            // Only the fee is taken of a transaction that failed.
            let payer = outcome.keys[0];
            if let Some(mut account) = self.account(&payer).cloned() {
                account.set_lamports(account.lamports().saturating_sub(outcome.fee));
                outcome.accounts.push((payer, account));
            }
        }
        if outcome.included {
            outcome.pre = balances(&outcome.keys, |address| self.account(address));
            outcome.post = balances(&outcome.keys, |address| match outcome.accounts.iter().find(|(changed, _)| changed == address) {
                Some((_, account)) => Some(account).filter(|account| account.lamports() > 0),
                None => self.account(address),
            });
        }
        Ok(outcome)
    }

    /// Applies what a transaction did, and leaves the record of it.
    fn include(&mut self, mut outcome: Outcome, wire: &[u8]) -> Signature {
        let moment = self.timeline.now();
        let signature = outcome.signature;
        outcome.accounts.retain(|(address, account)| match self.account(address) {
            Some(old) => old != account,
            None => account.lamports() > 0,
        });
        let bytes = |keys: &[Address]| keys.iter().map(Address::to_bytes).collect();
        let watched = self.shared.subscriptions.any();
        let record = Record::Transaction(TransactionRecord {
            moment: moment.into(),
            wire,
            err: outcome.err.clone(),
            fee: outcome.fee,
            compute_units: outcome.compute_units,
            logs: if watched { outcome.logs.clone() } else { std::mem::take(&mut outcome.logs) },
            inner: outcome.inner,
            return_data: outcome.return_data,
            loaded_writable: bytes(&outcome.loaded.writable),
            loaded_readonly: bytes(&outcome.loaded.readonly),
            pre: outcome.pre,
            post: outcome.post,
            accounts: outcome
                .accounts
                .iter()
                .map(|(address, account)| match account.lamports() {
                    0 => AccountRecord::gone(address),
                    _ => AccountRecord::new(address, account),
                })
                .collect(),
        });
        let mut bytes = Vec::with_capacity(2048);
        record::append(&mut bytes, &record);
        drop(record);
        self.pending.record = bytes;
        let told = watched.then(|| (outcome.logs, outcome.err.clone(), outcome.keys.clone(), outcome.accounts.clone()));
        self.pending.entry = Some(HistoryEntry {
            signature,
            slot: moment.slot,
            unix_secs: moment.unix_secs,
            err: outcome.err.map(Box::new),
            addresses: outcome.keys,
            location: Location { segment: 0, len: 0, offset: 0 },
        });
        self.applying = true;
        // A program cannot be loaded before the account that holds its code is there.
        outcome.accounts.sort_by_key(|(_, account)| is_program(account));
        for (address, account) in outcome.accounts {
            self.write_account(address, account);
        }
        self.recent.insert(moment.slot, signature);
        self.timeline.count_write(&self.shared.genesis);
        self.applying = false;
        self.pending.event = told.map(|(logs, err, keys, accounts)| {
            Arc::new(CommittedTransaction {
                signature,
                slot: moment.slot,
                err,
                logs,
                keys,
                accounts: accounts.into_iter().map(|(address, account)| self.told(address, account)).collect(),
            })
        });
        signature
    }

    /// An account as subscribers get it, in whatever encoding they want.
    fn told(&self, address: Address, account: AccountSharedData) -> Fetched {
        let how = Encoding { encoding: UiAccountEncoding::JsonParsed, slice: None };
        let account = Some(account).filter(|account| account.lamports() > 0).unwrap_or_default();
        Fetched::with_account(self, address, account, how)
    }

    fn write_account(&mut self, address: Address, account: AccountSharedData) {
        let new = Some(&account).filter(|account| account.lamports() > 0);
        self.index.replace(&address, self.svm.accounts_db().get_account_ref(&address), new);
        self.written.insert(address);
        if account.lamports() == 0 {
            remove(&mut self.svm, address);
        } else if is_program(&account) {
            set_program(&mut self.svm, address, account);
        } else {
            self.svm.set_account_no_checks(address, account);
        }
    }

    /// Moves stepped time by `secs`, and by one slot.
    pub(crate) fn advance(&mut self, secs: u64) -> Result<(), ChainError> {
        if self.shared.genesis.real_clock {
            return Err(ChainError::Clock("this chain runs on real time"));
        }
        let now = self.timeline.now();
        let unix_secs = i64::try_from(secs)
            .ok()
            .and_then(|secs| now.unix_secs.checked_add(secs))
            .ok_or(ChainError::Clock("the step leads past the end of time"))?;
        self.applying = true;
        self.move_to(now.slot + 1, unix_secs);
        let moment = self.timeline.now();
        record::append(&mut self.pending.record, &Record::Advance(moment.into()));
        self.pending.step = Some(TimeStep { slot: moment.slot, unix_secs });
        self.applying = false;
        Ok(())
    }

    /// Hands over what the last request left.
    pub(crate) fn take_commit(&mut self, deliver: Option<Deliver>) -> Commit {
        let pending = std::mem::take(&mut self.pending);
        self.journal_bytes_since_snapshot += pending.record.len() as u64;
        Commit { record: pending.record, entry: pending.entry, step: pending.step, now: self.timeline.now(), event: pending.event, deliver }
    }

    /// The snapshot of this moment, once the journal has grown by `every_bytes` since the last.
    pub(crate) fn due_snapshot(&mut self, every_bytes: u64) -> Option<SnapshotData> {
        if self.journal_bytes_since_snapshot < every_bytes {
            return None;
        }
        self.journal_bytes_since_snapshot = 0;
        Some(SnapshotData {
            moment: self.timeline.now(),
            accounts: self.written.iter().map(|address| (*address, self.account(address).cloned())).collect(),
        })
    }
}

fn is_program(account: &AccountSharedData) -> bool {
    account.executable() && *account.owner() != native_loader::ID
}

/// Puts a program account in place and its code into the machine's cache.
fn set_program(svm: &mut LiteSVM, address: Address, account: AccountSharedData) {
    if let Err(err) = svm.set_account(address, account.clone().into()) {
        // The account is as the journal says; only calls of this program will fail.
        tracing::warn!("program {address} does not load: {err}");
        svm.set_account_no_checks(address, account);
    }
}

/// An account without lamports is dropped by the machine.
fn remove(svm: &mut LiteSVM, address: Address) {
    let gone = solana_account::Account { owner: bpf_loader_upgradeable::ID, ..solana_account::Account::default() };
    if let Err(err) = svm.set_account(address, gone) {
        tracing::warn!("account {address} could not be removed: {err}");
    }
}

fn balances<'a>(keys: &[Address], account: impl Fn(&Address) -> Option<&'a AccountSharedData>) -> Balances {
    let mut balances = Balances { lamports: Vec::with_capacity(keys.len()), tokens: Vec::new() };
    for (number, key) in keys.iter().enumerate() {
        let Some(found) = account(key) else {
            balances.lamports.push(0);
            continue;
        };
        balances.lamports.push(found.lamports());
        if let Some(holding) = token::holding(found)
            && let Some(decimals) = account(&holding.mint).and_then(token::mint_decimals)
            && let Ok(account_index) = u8::try_from(number)
        {
            balances.tokens.push(TokenBalance {
                account_index,
                decimals,
                amount: holding.amount,
                mint: holding.mint.to_bytes(),
                owner: holding.owner.to_bytes(),
                program: found.owner().to_bytes(),
            });
        }
    }
    balances
}
