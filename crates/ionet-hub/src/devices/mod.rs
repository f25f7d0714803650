//! What the hub knows of its devices beyond their connections: their lives.

pub(crate) mod lives;

pub(crate) use lives::Lives;
