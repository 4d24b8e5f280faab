//! Tests of the guard: workers without interleaving, random scripts of several workers and configs, and every script of a
//! few merges.

mod every_script;
mod laws;
mod numbered;
mod simulation;
mod units;
