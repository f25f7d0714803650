//! Reference values of the models that the multiplier table lists: what a device that claims to be one is measured against.
//!
//! Arithmetic speed is single precision without tensor units, memory speed the bandwidth of the card's own memory, both as the vendor states
//! them, of the smallest variant that is sold under the name; `memory_mib` is the nominal size, of which a driver reports up to 2 % less.
//! Vendors say nothing of the machine around a card: its clock and network are what this network asks of it (docs/economy.md, section 5: the
//! download of tier 3 for data-centre cards, of tier 2 for others).

use ionet_rules::rewards::Measurement;

/// What a model is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name in the multiplier table.
    pub model: &'static str,
    /// Reference values of one processor and the machine around it.
    pub values: Measurement,
    /// Its memory in MiB.
    pub memory_mib: u32,
    /// Who says so, and where.
    pub source: &'static str,
}

impl Reference {
    /// The values of a device with `processors` of them: arithmetic and memory speed add up, clock and network do not.
    pub fn times(&self, processors: u32) -> Measurement {
        Measurement {
            memory_mb_per_sec: self.values.memory_mb_per_sec.saturating_mul(processors),
            gflops: self.values.gflops.saturating_mul(processors),
            ..self.values
        }
    }
}

/// One logical CPU of a machine that is rented for its processors: what the slowest servers still in use reach (two threads on a core of
/// 2.2 GHz with 256-bit multiply-add, a fortieth of eight channels of DDR4-2933), so that no honest machine is late.
pub const GENERIC_CPU: Reference = Reference {
    model: "CPU",
    values: Measurement { bandwidth_mbps: 100, memory_mb_per_sec: 2_000, cpu_mhz: 2_000, gflops: 25 },
    memory_mib: 1_024,
    source: "Intel Xeon Scalable (Cascade Lake) and AMD EPYC 7002 product briefs: base clock, vector width, memory channels; halved",
};

/// The row of a model by its name in the multiplier table.
pub fn by_name(model: &str) -> Option<&'static Reference> {
    TABLE.iter().find(|row| row.model == model)
}

/// The row that fits the name that a driver or a system gives, such as `NVIDIA GeForce RTX 4090` or `Apple M3 Pro`. All words must fit: a
/// `RTX 4090 Laptop GPU` or a `RTX 4070 SUPER` is another model.
pub fn by_driver_name(name: &str) -> Option<&'static Reference> {
    let wanted = words(name);
    TABLE.iter().find(|row| wanted.clone().eq(words(row.model)))
}

/// The words that tell models apart, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> + Clone + '_ {
    const BRANDS: [&str; 5] = ["nvidia", "geforce", "quadro", "tesla", "apple"];
    let words = name.split([' ', '-']).map(str::to_ascii_lowercase).filter(|word| !word.is_empty() && word != "generation");
    words.skip_while(|word| BRANDS.contains(&word.as_str()))
}

const fn card(model: &'static str, gflops: u32, memory_mb_per_sec: u32, memory_gib: u32, source: &'static str) -> Reference {
    let values = Measurement { bandwidth_mbps: 400, memory_mb_per_sec, cpu_mhz: 2_000, gflops };
    Reference { model, values, memory_mib: memory_gib * 1_024, source }
}

const fn data_centre(model: &'static str, gflops: u32, memory_mb_per_sec: u32, memory_gib: u32, source: &'static str) -> Reference {
    let card = card(model, gflops, memory_mb_per_sec, memory_gib, source);
    Reference { values: Measurement { bandwidth_mbps: 800, ..card.values }, ..card }
}

/// Apple's chips are rented for their processors: performance cores times clock times 32 operations a cycle (four vector units of 128 bits).
const fn apple(model: &'static str, cores: u32, mhz: u32, memory_mb_per_sec: u32, memory_gib: u32, source: &'static str) -> Reference {
    let values = Measurement { bandwidth_mbps: 400, memory_mb_per_sec, cpu_mhz: mhz, gflops: cores * mhz * 32 / 1_000 };
    Reference { model, values, memory_mib: memory_gib * 1_024, source }
}

/// Every model of the multiplier table, in its order.
pub const TABLE: &[Reference] = &[
    data_centre("B200", 75_000, 7_700_000, 180, "NVIDIA HGX B200 specifications, an eighth of the board"),
    data_centre("H200", 67_000, 4_800_000, 141, "NVIDIA H200 datasheet, SXM"),
    data_centre("H100 80GB HBM3", 67_000, 3_350_000, 80, "NVIDIA H100 datasheet, SXM"),
    data_centre("H100 PCIe", 51_000, 2_000_000, 80, "NVIDIA H100 datasheet, PCIe"),
    data_centre("H100 80G PCIe", 51_000, 2_000_000, 80, "NVIDIA H100 datasheet, PCIe"),
    data_centre("A100 80GB PCIe", 19_500, 1_935_000, 80, "NVIDIA A100 datasheet, 80GB PCIe"),
    data_centre("A100-SXM4-80GB", 19_500, 2_039_000, 80, "NVIDIA A100 datasheet, 80GB SXM"),
    data_centre("A100-PCIE-40GB", 19_500, 1_555_000, 40, "NVIDIA A100 datasheet, 40GB PCIe"),
    data_centre("L40S", 91_600, 864_000, 48, "NVIDIA L40S datasheet"),
    card("RTX 4090", 82_600, 1_008_000, 24, "NVIDIA Ada GPU architecture whitepaper"),
    card("RTX 4090 D", 73_500, 1_008_000, 24, "NVIDIA GeForce RTX 4090 D specifications: cores times boost clock"),
    card("RTX 3060", 12_700, 360_000, 12, "NVIDIA GeForce RTX 3060 specifications: cores times boost clock"),
    card("RTX 3060 Ti", 16_200, 448_000, 8, "NVIDIA GeForce RTX 3060 Ti specifications: cores times boost clock"),
    card("RTX 3070", 20_300, 448_000, 8, "NVIDIA Ampere GA102 architecture whitepaper"),
    card("RTX 3070 Ti", 21_700, 608_000, 8, "NVIDIA GeForce RTX 3070 Ti specifications: cores times boost clock"),
    card("RTX 3080", 29_800, 760_000, 10, "NVIDIA Ampere GA102 architecture whitepaper"),
    card("RTX 3080 Ti", 34_100, 912_000, 12, "NVIDIA GeForce RTX 3080 Ti specifications: cores times boost clock"),
    card("RTX 3090", 35_600, 936_000, 24, "NVIDIA Ampere GA102 architecture whitepaper"),
    card("RTX 3090 Ti", 40_000, 1_008_000, 24, "NVIDIA Ada GPU architecture whitepaper, comparison"),
    card("RTX 4060", 15_100, 272_000, 8, "NVIDIA GeForce RTX 4060 specifications: cores times boost clock"),
    card("RTX 4060 Ti", 22_100, 288_000, 8, "NVIDIA GeForce RTX 4060 Ti specifications: cores times boost clock"),
    card("RTX 4070", 29_100, 504_000, 12, "NVIDIA GeForce RTX 4070 specifications: cores times boost clock"),
    card("RTX 4070 Ti", 40_100, 504_000, 12, "NVIDIA GeForce RTX 4070 Ti specifications: cores times boost clock"),
    card("RTX 4080", 48_700, 716_000, 16, "NVIDIA Ada GPU architecture whitepaper"),
    data_centre("L4", 30_300, 300_000, 24, "NVIDIA L4 datasheet"),
    card("RTX 4000", 7_100, 416_000, 8, "NVIDIA Quadro RTX 4000 datasheet"),
    card("RTX 4000 SFF Ada", 19_200, 280_000, 20, "NVIDIA RTX 4000 SFF Ada Generation datasheet"),
    card("RTX 5000", 11_200, 448_000, 16, "NVIDIA Quadro RTX 5000 datasheet"),
    card("RTX 5000 Ada", 65_300, 576_000, 32, "NVIDIA RTX 5000 Ada Generation datasheet"),
    card("RTX 6000 Ada", 91_100, 960_000, 48, "NVIDIA RTX 6000 Ada Generation datasheet"),
    card("RTX A4000", 19_200, 448_000, 16, "NVIDIA RTX A4000 datasheet"),
    card("RTX A5000", 27_800, 768_000, 24, "NVIDIA RTX A5000 datasheet"),
    card("RTX A6000", 38_700, 768_000, 48, "NVIDIA RTX A6000 datasheet"),
    data_centre("Tesla T4", 8_100, 300_000, 16, "NVIDIA T4 datasheet"),
    data_centre("V100-PCIE-16GB", 14_000, 900_000, 16, "NVIDIA V100 datasheet, PCIe"),
    data_centre("V100-PCIE-32GB", 14_000, 900_000, 32, "NVIDIA V100 datasheet, PCIe"),
    data_centre("V100-SXM2-16GB", 15_700, 900_000, 16, "NVIDIA V100 datasheet, SXM2"),
    data_centre("V100-SXM2-32GB", 15_700, 900_000, 32, "NVIDIA V100 datasheet, SXM2"),
    data_centre("V100S-PCIE-32GB", 16_400, 1_134_000, 32, "NVIDIA V100S datasheet"),
    apple("M3", 4, 4_050, 100_000, 8, "Apple M3 technical specifications; clock as the system reports it"),
    apple("M3 Pro", 5, 4_050, 150_000, 18, "Apple M3 Pro technical specifications, 11 cores; clock as the system reports it"),
    apple("M3 Max", 10, 4_050, 300_000, 36, "Apple M3 Max technical specifications, 14 cores; clock as the system reports it"),
    apple("M4", 4, 4_400, 120_000, 16, "Apple M4 technical specifications; clock as the system reports it"),
    apple("M4 Pro", 8, 4_500, 273_000, 24, "Apple M4 Pro technical specifications, 12 cores; clock as the system reports it"),
    apple("M4 Max", 10, 4_500, 410_000, 36, "Apple M4 Max technical specifications, 14 cores; clock as the system reports it"),
];

#[cfg(test)]
mod tests {
    use ionet_rules::multipliers;

    use super::*;

    #[test]
    fn every_model_of_the_multiplier_table_has_a_row_in_its_place() {
        let listed: Vec<&str> = multipliers::TABLE.iter().map(multipliers::Multiplier::name).collect();
        let rows: Vec<&str> = TABLE.iter().map(|row| row.model).collect();
        assert_eq!(rows, listed);
        for row in TABLE.iter().chain([&GENERIC_CPU]) {
            let Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops } = row.values;
            assert!(bandwidth_mbps >= 100 && (2_000..=5_000).contains(&cpu_mhz), "{}", row.model);
            assert!(memory_mb_per_sec >= 2_000 && gflops >= 25 && row.memory_mib >= 1_024 && !row.source.is_empty(), "{}", row.model);
            assert_eq!(by_name(row.model).is_some(), row.model != "CPU");
        }
    }

    #[test]
    fn a_greater_multiplier_is_a_greater_claim_within_a_generation() {
        let speed = |model: &&str| by_name(model).unwrap().values.gflops;
        for pair in [["RTX 3060", "RTX 3070", "RTX 3080", "RTX 3090"], ["RTX 4060", "RTX 4070", "RTX 4080", "RTX 4090"]] {
            assert!(pair.is_sorted_by_key(speed));
        }
        assert!(["V100-PCIE-16GB", "A100-PCIE-40GB", "H100 PCIe", "H200", "B200"].is_sorted_by_key(speed));
    }

    #[test]
    fn drivers_names_find_their_model_and_no_other() {
        let found = |name| by_driver_name(name).map(|row| row.model);
        for (name, model) in [
            ("NVIDIA GeForce RTX 4090", "RTX 4090"),
            ("NVIDIA GeForce RTX 4090 D", "RTX 4090 D"),
            ("NVIDIA GeForce RTX 3060 Ti", "RTX 3060 Ti"),
            ("GeForce RTX 3080", "RTX 3080"),
            ("NVIDIA H100 80GB HBM3", "H100 80GB HBM3"),
            ("NVIDIA H100 PCIe", "H100 PCIe"),
            ("NVIDIA H200", "H200"),
            ("NVIDIA B200", "B200"),
            ("NVIDIA A100 80GB PCIe", "A100 80GB PCIe"),
            ("NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB"),
            ("A100-PCIE-40GB", "A100-PCIE-40GB"),
            ("NVIDIA L40S", "L40S"),
            ("NVIDIA L4", "L4"),
            ("Quadro RTX 4000", "RTX 4000"),
            ("NVIDIA RTX 4000 SFF Ada Generation", "RTX 4000 SFF Ada"),
            ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
            ("NVIDIA RTX A6000", "RTX A6000"),
            ("Tesla T4", "Tesla T4"),
            ("Tesla V100-SXM2-32GB", "V100-SXM2-32GB"),
            ("Apple M3 Pro", "M3 Pro"),
            ("Apple M4", "M4"),
        ] {
            assert_eq!(found(name), Some(model), "{name}");
        }
        for name in [
            "NVIDIA GeForce RTX 4090 Laptop GPU",
            "NVIDIA GeForce RTX 4070 SUPER",
            "NVIDIA RTX 4000 Ada Generation",
            "Quadro RTX 6000",
            "NVIDIA L40",
            "NVIDIA GH200 480GB",
            "Apple M3 Ultra",
            "Intel(R) Xeon(R) Processor",
            "NVIDIA",
            "",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
        assert!(TABLE.iter().all(|row| found(row.model) == Some(row.model)), "each name of the table is found, and as itself");
    }

    #[test]
    fn processors_add_up() {
        let eight = by_name("H100 80GB HBM3").unwrap().times(8);
        assert_eq!((eight.gflops, eight.memory_mb_per_sec, eight.cpu_mhz), (536_000, 26_800_000, 2_000));
        assert_eq!(GENERIC_CPU.times(u32::MAX).gflops, u32::MAX);
    }
}
