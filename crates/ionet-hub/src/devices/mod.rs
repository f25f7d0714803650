//! What the hub knows of its devices beyond their connections: their lives, and what their past is worth.

pub(crate) mod lives;
pub(crate) mod reputation;

pub(crate) use lives::Lives;
