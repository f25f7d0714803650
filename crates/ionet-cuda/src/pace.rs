//! How much a card is asked for at once: enough that asking costs nothing, little enough that a job which is told to stop has ended some tens
//! of milliseconds later, on the slowest cards too.

/// Work of one card between two looks at the stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Operations of the product.
    pub(crate) operations: u64,
    /// Blocks of memory that are filled.
    pub(crate) blocks: u64,
    /// Groups that are hashed.
    pub(crate) groups: u64,
}

impl Pace {
    /// The usual one: about four milliseconds of the fastest cards each.
    pub(crate) const USUAL: Self = Self { operations: 1 << 40, blocks: 1 << 20, groups: 1 << 17 };
}
