use ionet_proofs::*;
use ionet_types::agent::challenge::*;
use std::num::NonZeroUsize;
use std::time::Instant;
fn main() {
    let t = |job| Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed([2; 32]), job };
    for _ in 0..3 {
        let mut x = std::hint::black_box(88172645463325252u64);
        let n = 100_000_000u64;
        let s = Instant::now();
        for _ in 0..n {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        std::hint::black_box(x);
        let mhz = 6.0 * n as f64 / s.elapsed().as_secs_f64() / 1e6;
        let steps = 200_000;
        let s = Instant::now();
        let mut y = 12345u128;
        for _ in 0..steps {
            y = clock::step(y);
        }
        let e = s.elapsed().as_secs_f64();
        let s = Instant::now();
        let mut z = y;
        for _ in 0..steps {
            z = clock::step_back(z);
        }
        let b = s.elapsed().as_secs_f64();
        println!(
            "mhz {mhz:.0} step {:.1} ns = {:.0} cycles; back {:.1} ns ratio {:.1} {z}",
            e / steps as f64 * 1e9,
            e / steps as f64 * mhz * 1e6,
            b / steps as f64 * 1e9,
            e / b
        );
    }
    for threads in [1usize, 2] {
        let cpu = Cpu::new(NonZeroUsize::new(threads).unwrap());
        for rounds in [4u16, 16, 32, 64, 128] {
            let job = MemoryJob { lanes: 16, lane_blocks: 32768, rounds, passes: 4, openings: 8 };
            let seed = Seed::new("n", &[1; 32], &t(Job::Memory(job)));
            let order = memory::MemoryOrder::new(&seed, job);
            let s = Instant::now();
            let mut w = cpu.memory(&order, &Stop::default()).unwrap();
            let f = s.elapsed().as_secs_f64();
            let s = Instant::now();
            w.scan(&Fixed([3; 32]), &Stop::default()).unwrap();
            let sc = s.elapsed().as_secs_f64() / 4.0;
            println!(
                "threads {threads} rounds {rounds}: fill {:.2} GB/s scan {:.2} GB/s ratio {:.1}",
                job.bytes() as f64 / f / 1e9,
                job.bytes() as f64 / sc / 1e9,
                f / sc
            );
        }
        for side in [512u32, 1024, 2048] {
            let job = ProductJob { side, rows: side * (8192 / side).max(2), openings: 16 };
            let seed = Seed::new("n", &[1; 32], &t(Job::Product(job)));
            let order = product::ProductOrder::new(&seed, job);
            let s = Instant::now();
            let w = cpu.product(&order, &Stop::default()).unwrap();
            let f = s.elapsed().as_secs_f64();
            let nonce = Fixed([3; 32]);
            let rows = product::opened_rows(&seed, &job, &nonce);
            let opened = w.open(&rows);
            let s = Instant::now();
            let mut c = product::RowCheck::new(&seed, &order, &nonce);
            assert!(rows.iter().zip(&opened).all(|(r, o)| c.is_row(*r, o)));
            let v = s.elapsed().as_secs_f64();
            println!(
                "threads {threads} side {side} rows {}: {:.1} gflops {:.3}s verify {:.3} ms ratio {:.0}",
                job.rows,
                job.operations() as f64 / f / 1e9,
                f,
                v * 1e3,
                f * threads as f64 / v
            );
        }
    }
}
