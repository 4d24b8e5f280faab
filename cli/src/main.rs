//! `mesh-filters`: builds the filters' modules and runs them in a real Envoy.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use mesh_filters::module::{Module, SHIPPED};
use mesh_filters::workspace;

/// WebAssembly filters for Envoy and Istio.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the modules into dist/<filter>.wasm.
    ///
    /// Two builds of the same source give the same bytes, on any machine.
    Build {
        /// The filters to build; all when none is named.
        filters: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build { filters } => build(&filters),
    }
}

fn build(filters: &[String]) -> anyhow::Result<ExitCode> {
    let named: Vec<Module> = filters
        .iter()
        .map(|name| Module::find(name).with_context(|| format!("there is no filter `{name}`; {}", known())))
        .collect::<anyhow::Result<_>>()?;
    for module in if named.is_empty() { SHIPPED.to_vec() } else { named } {
        let path = module.build()?;
        let size = std::fs::metadata(&path)?.len();
        println!("{} ({size} bytes)", path.strip_prefix(workspace::root()).unwrap_or(&path).display());
    }
    Ok(ExitCode::SUCCESS)
}

fn known() -> String {
    let names: Vec<_> = SHIPPED.iter().map(|module| format!("`{}`", module.name())).collect();
    format!("known: {}", names.join(", "))
}
