//! The records of an epoch's file, as bytes: fixed size, little-endian, without padding, so that any reader can find one without the others.

use ionet_rules::money::{Io, MicroUsd, Usdc};
use ionet_rules::stored;

stored! {
    /// What the epoch knows of one device. Sorted by key; a key stands once.
    pub struct DeviceRecord {
        /// The device's public key.
        pub key: [u8; 32],
        /// The account that the device's earnings are claimed from.
        pub beneficiary: [u8; 32],
        /// The account that the co-staker's part is claimed from; zero without one.
        pub co_staker: [u8; 32],
        /// Staked and counting, the owner's part and the co-staker's, base units.
        pub staked: Io,
        /// Compute credits earned in the epoch, millionths: (1 - d) of the worked value after fees.
        pub compute_credits: MicroUsd,
        /// Suppliers' part of work paid in IO that the device delivered, base units.
        pub work_io: Io,
        /// Suppliers' part of work paid in USDC that the device delivered, base units.
        pub work_usdc: Usdc,
        /// Continuous uptime when the epoch began, seconds.
        pub uptime_secs: u32,
        /// Continuous uptime when the epoch ended, seconds.
        pub uptime_at_end_secs: u32,
        /// The last P before this epoch, millionths; counts while the device is hired.
        pub last_p_millionths: u32,
        /// Processors.
        pub processors: u32,
        /// Place of its model in the header's list.
        pub model: u16,
        /// The co-staker's share of the availability reward, basis points.
        pub co_share_bps: u16,
        /// How many of the test records are the device's; they follow those of the device before it.
        pub tests: u16,
        /// Connectivity tier, 0 to 4.
        pub tier: u8,
        /// 0 good, 1 blocked, 2 terminated.
        pub standing: u8,
        /// 1 while its stake is being withdrawn.
        pub unstaking: u8,
        /// 1 when its last proof before the epoch was right.
        pub last_proof_passed: u8,
        /// 1 when it has passed the cluster-formation test.
        pub cluster_formation_passed: u8,
        /// 1 when its owner has set a payout wallet.
        pub payout_wallet_set: u8,
        /// 1 when it was hired.
        pub hired: u8,
        /// 1 when the epoch's own proof was right.
        pub proof_passed: u8,
        /// Unused, zero.
        pub reserved: [u8; 2],
    }
    /// One test of one device within the epoch.
    pub struct TestRecord {
        /// Network bandwidth, Mbps.
        pub bandwidth_mbps: u32,
        /// Memory bandwidth, MB per second.
        pub memory_mb_per_sec: u32,
        /// CPU clock, MHz.
        pub cpu_mhz: u32,
        /// Arithmetic speed, billions of operations per second.
        pub gflops: u32,
        /// 0 missed, 1 passed, 2 wrong.
        pub outcome: u8,
        /// Unused, zero.
        pub reserved: [u8; 3],
    }
    /// What one device earned. Line n belongs to device n.
    pub struct LineRecord {
        /// Base score, tenths of a point.
        pub base_score_tenths: u64,
        /// Weight in its availability pot: base score times P; 0 when a check failed.
        pub weight: u64,
        /// Weight in its compute pot; 0 when a check failed.
        pub compute_weight: u64,
        /// Availability reward, base units; the co-staker's part is in it.
        pub availability_io: Io,
        /// The co-staker's part of it, base units.
        pub co_staker_io: Io,
        /// Compute reward, base units.
        pub compute_io: Io,
        /// Work paid in IO, base units.
        pub work_io: Io,
        /// Work paid in USDC, base units.
        pub work_usdc: Usdc,
        /// P of the epoch, millionths.
        pub p_millionths: u32,
        /// The checks that failed, bit n for the check with number n; 0 when it may earn.
        pub failed_checks: u16,
        /// Unused, zero.
        pub reserved: u16,
    }
    /// What a beneficiary has earned in its life, this epoch included: a leaf of the tree. Sorted by beneficiary; only those above zero.
    pub struct Total {
        /// The account that it is claimed from.
        pub beneficiary: [u8; 32],
        /// Lifetime IO, base units.
        pub io: Io,
        /// Lifetime USDC, base units.
        pub usdc: Usdc,
    }
}

const _: () = assert!(size_of::<DeviceRecord>() == 160);
const _: () = assert!(size_of::<TestRecord>() == 20);
const _: () = assert!(size_of::<LineRecord>() == 72);
const _: () = assert!(size_of::<Total>() == 48);
