//! The cluster as its scheduler sees it: machines with equal room and model stand for each other.

use std::hash::{BuildHasherDefault, DefaultHasher};

use hashbrown::HashMap;
use ionet_market::shape::{Room, Slot};

use crate::data::{Node, Task};

pub(crate) type Hasher = BuildHasherDefault<DefaultHasher>;

/// A room and model that some machine has or had.
pub(crate) struct Group {
    pub(crate) room: Room,
    pub(crate) model: u8,
    pub(crate) nodes: Vec<usize>,
    /// Where it is in the list of those that have machines.
    at: usize,
}

/// The machines by room and model. A group keeps its number, so that what is known of it can be kept beside.
#[derive(Default)]
pub(crate) struct Groups {
    known: Vec<Group>,
    numbers: HashMap<(Room, u8), usize, Hasher>,
    inhabited: Vec<usize>,
}

impl Groups {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let mut groups = Self::default();
        for (number, node) in nodes.iter().enumerate() {
            groups.insert(number, node.whole, node.model);
        }
        groups
    }

    /// Numbers of the groups that have machines.
    pub(crate) fn inhabited(&self) -> &[usize] {
        &self.inhabited
    }

    pub(crate) fn get(&self, number: usize) -> &Group {
        &self.known[number]
    }

    /// How many groups there ever were: all numbers are below.
    pub(crate) fn known(&self) -> usize {
        self.known.len()
    }

    /// Puts the task on the last machine of the group, and says which that is. The machine's GPUs keep their order.
    pub(crate) fn take(&mut self, number: usize, task: &Task, slot: Slot) -> Option<usize> {
        let (mut room, model) = (self.known[number].room, self.known[number].model);
        room.take(&task.demand, slot).ok()?;
        let group = &mut self.known[number];
        let node = group.nodes.pop()?;
        if group.nodes.is_empty() {
            let at = group.at;
            self.inhabited.swap_remove(at);
            if let Some(&moved) = self.inhabited.get(at) {
                self.known[moved].at = at;
            }
        }
        self.insert(node, room, model);
        Some(node)
    }

    fn insert(&mut self, node: usize, room: Room, model: u8) {
        let number = *self.numbers.entry((room, model)).or_insert_with(|| {
            self.known.push(Group { room, model, nodes: Vec::new(), at: 0 });
            self.known.len() - 1
        });
        let group = &mut self.known[number];
        if group.nodes.is_empty() {
            group.at = self.inhabited.len();
            self.inhabited.push(number);
        }
        group.nodes.push(node);
    }
}
