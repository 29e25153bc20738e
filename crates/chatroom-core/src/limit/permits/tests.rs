//! Nodes, their clocks, the network and the ledger, in time that runs by itself.

mod check;
mod network;
mod node;
mod presses;
mod safety;
mod steps;
