//! A buffer that is spread over cards gives the commitment that it gives in one piece.

use ionet_proofs::tree::{GROUP_BYTES, Node, Shape, Tree, group_node};
use ionet_types::agent::challenge::BLOCK_BYTES;
use proptest::prelude::*;

use super::emulator::{Form, machine};
use crate::device::Memory;
use crate::spread::{Committed, Nodes, Part, read};

fn whole(key: &[u8; 32], shape: Shape, buffer: &[u8]) -> Tree {
    let nodes: Vec<Node> = (0..).zip(buffer.chunks(GROUP_BYTES)).map(|(group, bytes)| group_node(key, shape, group, bytes)).collect();
    Tree::new(*key, shape, nodes)
}

/// Commits to `buffer` in parts that end at these places, each on a card of its own, and compares some openings.
fn compare(buffer: &[u8], mut ends: Vec<usize>, part_bytes: u64, opened: &[u64]) {
    ends.push(buffer.len());
    ends.sort_unstable();
    ends.dedup();
    let Some(machine) = machine(Form::Plain, &vec![(1, 1 << 30); ends.len()]) else { return };
    let (key, shape) = ([9; 32], Shape { bytes: buffer.len() as u64, part_bytes });
    let (mut parts, mut nodes, mut start) = (Vec::new(), Vec::new(), 0);
    for (card, end) in machine.cards.iter().zip(ends) {
        let memory = Memory::new(card, (end - start) as u64).unwrap();
        memory.write(&buffer[start..end]).unwrap();
        let part = Part { start: start as u64, memory };
        let nodes_here = Nodes::new(shape, &part, Memory::new(card, Nodes::bytes(&part)).unwrap());
        nodes_here.hash(&part, part.groups(), &key).unwrap();
        nodes.push(nodes_here);
        parts.push(part);
        start = end;
    }
    let committed = Committed::new(&key, shape, &parts, nodes).unwrap();
    let plain = whole(&key, shape, buffer);
    assert_eq!(committed.root(), plain.root());
    assert_eq!(committed.root().0, *blake3::keyed_hash(&key, buffer).as_bytes());
    let count = shape.bytes.div_ceil(part_bytes);
    for part in opened.iter().map(|part| part % count).chain([0, count - 1]) {
        let start = part * part_bytes / GROUP_BYTES as u64 * GROUP_BYTES as u64;
        let group = read(&parts, start..(start + GROUP_BYTES as u64).min(shape.bytes)).unwrap();
        let of_plain = plain.open_with(part, &group, |_, _| Err(())).unwrap();
        assert_eq!(committed.open(part, &group).unwrap(), of_plain, "part {part} of {count}");
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 31 + place / 977 + place / 250_007) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_buffer_in_any_parts(
        sixteens in 1usize..20_000,
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        chunks in 0u32..5,
        opened in prop::collection::vec(any::<u64>(), 8),
    ) {
        let length = sixteens * 16;
        let ends = ends.iter().map(|end| (end.index(sixteens) + 1) * 16).collect();
        compare(&bytes(length), ends, (BLOCK_BYTES as u64) << chunks, &opened);
    }
}

#[test]
fn buffers_so_large_that_cards_make_subtrees() {
    let opened: Vec<u64> = (0..64u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20).collect();
    // Subtrees of two and of eight groups; ends that are whole, within a subtree, and within a group.
    for (groups, odd) in [(1_024, 0), (2_047, 0), (4_099, 16), (5_120, 5_008)] {
        let length = groups * GROUP_BYTES + odd;
        for ends in [vec![], vec![length / 32 * 16], vec![GROUP_BYTES * 3, GROUP_BYTES * 3 + 32, GROUP_BYTES * 1_000 + 48], vec![16, 32]] {
            compare(&bytes(length), ends, BLOCK_BYTES as u64, &opened);
        }
    }
}
