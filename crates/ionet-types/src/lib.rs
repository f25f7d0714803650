//! The nouns that travel: what the hub, the agents and the clients say to each other.

pub mod agent;
