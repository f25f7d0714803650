//! What one writes first: a map from device id to a struct, behind one lock, each signature checked as it comes.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use ionet_types::agent::{Heartbeat, Session, device_id};
use serde_json::{Value, json};

use crate::crowd::{self, Crowd, START};
use crate::{THREADS, resident_bytes};

/// A device, as plainly as can be.
#[derive(Debug, Clone)]
struct Plain {
    session: Session,
    sequence: u64,
    last_seen_unix_secs: i64,
    connected_since_unix_secs: i64,
    minutes: Vec<bool>,
    state: String,
}

type Table = HashMap<String, Plain>;

fn enter(table: &mut Table, key: &[u8; 32], session: Session) {
    let plain = Plain {
        session,
        sequence: 0,
        last_seen_unix_secs: START,
        connected_since_unix_secs: START,
        minutes: vec![false; 60],
        state: "ready".to_owned(),
    };
    table.insert(device_id(key), plain);
}

fn take(table: &Mutex<Table>, id: &str, key: &[u8; 32], heartbeat: &Heartbeat, signed: bool) -> Option<()> {
    if signed {
        let session = table.lock().ok()?.get(id)?.session;
        heartbeat.verify(&session, key).ok()?;
    }
    let mut table = table.lock().ok()?;
    let plain = table.get_mut(id)?;
    if heartbeat.sequence <= plain.sequence || plain.state != "ready" || plain.connected_since_unix_secs > START {
        return None;
    }
    plain.sequence = heartbeat.sequence;
    plain.last_seen_unix_secs = START;
    *plain.minutes.get_mut(usize::try_from(START / 60 % 60).ok()?)? = true;
    Some(())
}

pub(crate) fn memory(devices: usize) -> anyhow::Result<Value> {
    let before = resident_bytes()?;
    let mut table = Table::new();
    for number in 0..devices {
        let (key, session) = crowd::stranger(number);
        enter(&mut table, &key, session);
    }
    ensure!(table.values().filter(|plain| plain.last_seen_unix_secs == START).count() == devices, "all are there");
    Ok(json!({ "bytes_per_device": (resident_bytes()? - before) as f64 / devices as f64 }))
}

pub(crate) fn measure(devices: usize) -> anyhow::Result<Value> {
    let mut crowd = Crowd::signed(devices, THREADS);
    crowd::shuffle(&mut crowd.devices);
    let ids: Vec<String> = crowd.devices.iter().map(|device| device_id(&device.key)).collect();
    let run = |signed: bool| -> anyhow::Result<f64> {
        let mut table = Table::new();
        crowd.devices.iter().for_each(|device| enter(&mut table, &device.key, device.session));
        let (table, taken) = (Mutex::new(table), AtomicUsize::new(0));
        let began = Instant::now();
        std::thread::scope(|scope| {
            let share = devices.div_ceil(THREADS);
            for (devices, ids) in crowd.devices.chunks(share).zip(ids.chunks(share)) {
                let (table, taken) = (&table, &taken);
                scope.spawn(move || {
                    let all = devices.iter().zip(ids);
                    let ok = all.filter(|(device, id)| take(table, id, &device.key, &device.heartbeat, signed).is_some()).count();
                    taken.fetch_add(ok, Ordering::Relaxed);
                });
            }
        });
        let elapsed = began.elapsed();
        ensure!(taken.into_inner() == devices, "all were taken");
        let table = table.into_inner().ok().context("no thread panicked")?;
        ensure!(table.values().all(|plain| plain.minutes.iter().any(|minute| *minute)), "all count");
        Ok(devices as f64 / elapsed.as_secs_f64())
    };
    Ok(json!({ "unsigned_per_sec": run(false)?, "signed_per_sec": run(true)? }))
}
