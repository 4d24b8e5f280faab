//! What a user writes: the blocks of the chain, read into configs that can only be valid.

mod block;
mod route;

pub use block::{Block, FilterConfig};
pub use route::{MAX_ROUTES, Route, Routed};

use mesh_config::kinds::{choice, list};
use mesh_config::{Kind, ProblemKind, Value};
use mesh_policy::mode::Mode;

/// Maximum number of blocks.
pub const MAX_BLOCKS: usize = 16;

mesh_config::object! {
    /// A config of the suite.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// Whether decisions are enforced. The most lenient of this, a filter's own mode and that of a part of it, such as
        /// a limit, applies.
        pub mode: Mode = default("enforce", choice()),
        /// The [blocks](#blocks), each with a filter: requests pass them in this order, responses in reverse.
        pub filters: Vec<Block> = required(blocks()),
    }
}

mesh_config::root!(Config, "suite");

fn blocks() -> impl Kind<Out = Vec<Block>> {
    list(block::BlockKind)
        .not_empty()
        .at_most(MAX_BLOCKS, "blocks")
        .unique_by(
            "",
            "one with a `name` that no other block has; `-`, `.` and `_` count as the same",
            &Block::name_in_state,
        )
        .and_then(|value, blocks| check_claims(value, &blocks).map(|()| blocks))
}

/// Refuses blocks that read claims in front of the block that verifies tokens.
fn check_claims(value: &Value<'_>, blocks: &[Block]) -> Option<()> {
    let is_verifying = |block: &Block| matches!(block.filter, FilterConfig::JwtAuthz(_));
    let Some(first) = blocks.iter().position(is_verifying) else { return Some(()) };
    let mut good = Some(());
    for (index, block) in blocks.iter().enumerate().take(first + 1) {
        if block.filter.reads_claims() {
            // The configs of the first one verify tokens, and the matches of its routes are tried before.
            let (path, message) = if index == first {
                let message = "found claims in a match of the first `jwt_authz`, expected a match without claims: \
                               its routes are chosen before a token is verified";
                (format!("[{index}].routes"), message)
            } else {
                let message = "found claims in front of the first `jwt_authz`, expected this block behind it: \
                               no token is verified before";
                (format!("[{index}].{}", block.filter.key()), message)
            };
            good = value.problem_at(&path, ProblemKind::Conflict, message);
        }
    }
    good
}

#[cfg(test)]
mod tests;
