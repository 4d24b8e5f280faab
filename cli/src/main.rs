//! `mesh-filters`: builds the filters' modules and runs them in a real Envoy.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use mesh_filters::bench::Effort;
use mesh_filters::registry::{self, FILTERS, Filter};
use mesh_filters::{check, demo, schema, workspace};

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
    /// Two builds of the same source give the same bytes, on any machine. Also makes dist/keys/, the demo's
    /// key pair, if it is not there: docker compose serves the public half.
    Build {
        /// The filters to build; all when none is named.
        #[arg(value_parser = filter())]
        filters: Vec<Filter>,
    },
    /// Run the filters in a real Envoy, with curl lines to try them.
    ///
    /// Envoy is $ENVOY, or `envoy` on PATH if its version is supported, or version $ENVOY_VERSION (1.40.0)
    /// installed under target/. Ports are those of envoy-configs/envoy/demo.yaml where they are free.
    Demo {
        /// Run the curl lines, print what comes back, and fail where it is not what is expected.
        #[arg(long)]
        check: bool,
        /// Check a gateway that runs already, on this host with the ports of the files (docker compose:
        /// `localhost`). It must be a fresh one: limits remember whom they have seen.
        #[arg(long, value_name = "HOST", requires = "check")]
        against: Option<String>,
    },
    /// Check a filter's config before it hurts: every problem, a line each.
    ///
    /// With the parser that the module uses. Exits with 1 if there is a problem.
    Check {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Filter,
        /// The config, a JSON file; `-` is standard input.
        config: PathBuf,
    },
    /// Print the JSON Schema of a filter's config (draft 2020-12).
    ///
    /// Editors take it from `"$schema"` at the top of a JSON config, or from a comment
    /// `# yaml-language-server: $schema=…` in YAML.
    Schema {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Filter,
        /// Print the Markdown tables of the filter's README instead.
        #[arg(long)]
        table: bool,
    },
    /// Measure what a filter costs, beside Envoy's own and a module that does nothing.
    ///
    /// A machine with little else to do gives the steadiest figures. Quote ratios.
    Bench {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Filter,
        /// Also measure an older build, `<FOLDER>/<filter>.wasm`, in turns with the present one, and print
        /// the ratio of the two.
        #[arg(long, value_name = "FOLDER")]
        against: Option<PathBuf>,
        /// Rounds; each measures every listener once, the lowest third counts.
        #[arg(long, default_value_t = 30)]
        rounds: usize,
        /// Requests for each listener in a round.
        #[arg(long, default_value_t = 10_000)]
        requests: u64,
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
        Command::Demo { against: Some(host), .. } => demo::check_against(&host),
        Command::Demo { check: true, .. } => demo::check(),
        Command::Demo { .. } => demo::show(),
        Command::Check { filter, config } => check::check(filter, &config),
        Command::Schema { filter, table } => Ok(schema::schema(filter, table)),
        Command::Bench { filter, against, rounds, requests } => {
            filter.bench(against.as_deref(), Effort { rounds, requests }).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn build(filters: &[Filter]) -> anyhow::Result<ExitCode> {
    for filter in if filters.is_empty() { &FILTERS } else { filters } {
        let path = filter.module().build()?;
        let size = std::fs::metadata(&path)?.len();
        println!("{} ({size} bytes)", path.strip_prefix(workspace::root()).unwrap_or(&path).display());
    }
    demo::keys::prepare()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the name of a filter.
fn filter() -> impl TypedValueParser<Value = Filter> {
    PossibleValuesParser::new(registry::names())
        .try_map(|name| registry::find(&name).with_context(|| format!("there is no filter `{name}`")))
}
