//! Tests of the places: VMs without interleaving, random scripts of several VMs, and every script of a few calls.

mod every_script;
mod laws;
mod simulation;
mod units;
