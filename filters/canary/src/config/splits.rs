//! The splits, in their long and their short form.

use super::guard::Guard;
use super::rollout::Rollout;
use super::split::Split;
use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, list};
use mesh_config::{Form, ProblemKind, Value};

/// Maximum number of splits, which are tried one by one.
const MAX_SPLITS: usize = 32;

/// The splits of a config: a list, or a single one with its rollout and its guard beside it.
#[derive(Clone, Debug)]
pub struct Splits(pub Vec<Split>, Written);

/// The form in which they are written.
#[derive(Clone, Copy, Debug)]
enum Written {
    Long,
    /// Whether the rollout and the guard are beside the split.
    Short {
        rollout: bool,
        guard: bool,
    },
}

impl Splits {
    /// The path of a split's field, by the split's index.
    pub(super) fn path(&self, index: usize, field: &str) -> String {
        match self.1 {
            Written::Long => format!("splits[{index}].{field}"),
            Written::Short { rollout: true, .. } if field == "rollout" => field.to_owned(),
            Written::Short { guard: true, .. } if field == "guard" => field.to_owned(),
            Written::Short { .. } => format!("split.{field}"),
        }
    }
}

impl Object for Splits {
    type Context<'a> = ();

    const NAME: &'static str = "Splits";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let several = list(Split::kind())
            .at_most(MAX_SPLITS, "splits")
            .unique("name", "a name that no other split has");
        let splits = form.restriction("splits", SPLITS, several);
        let split = form.restriction("split", SPLIT, some(Split::kind()));
        let variants = split.as_ref().and_then(|split| Some(&split.as_ref()?.variants[..]));
        let rollout = form.restriction("rollout", ROLLOUT, some(Rollout::kind(variants)));
        let guard = form.restriction("guard", GUARD, some(Guard::kind(variants)));
        let given = ["split", "rollout", "guard"].map(|name| (name, form.is_given(name)));
        if form.is_given("splits")
            && let Some((name, _)) = given.into_iter().find(|(_, is_given)| *is_given)
        {
            let message = "found it beside `splits`, expected one of the two forms";
            return form.problem_at(name, ProblemKind::Conflict, message);
        }
        let [(_, is_split), (_, is_rollout), (_, is_guard)] = given;
        for (name, is_given) in [("rollout", is_rollout), ("guard", is_guard)] {
            if is_given && !is_split {
                let message = "found it without `split`, expected both";
                return form.problem_at(name, ProblemKind::Conflict, message);
            }
        }
        let Some(mut split) = split? else { return Some(Self(splits?, Written::Long)) };
        for (name, is_double) in
            [("rollout", is_rollout && split.rollout.is_some()), ("guard", is_guard && split.guard.is_some())]
        {
            if is_double {
                let message = "found one here and one in `split`, expected one of them";
                return form.problem_at(name, ProblemKind::Duplicate, message);
            }
        }
        split.rollout = split.rollout.or(rollout?);
        split.guard = split.guard.or(guard?);
        Some(Self(vec![split], Written::Short { rollout: is_rollout, guard: is_guard }))
    }
}

const SPLITS: &str = "The splits, tried in their order. The first one that matches decides. Default: none.";
const SPLIT: &str =
    "Short for `splits` with a single one; its `rollout` and `guard` may stand beside it. Default: none.";
const ROLLOUT: &str = "The rollout of `split`. Default: the weights hold.";
const GUARD: &str = "The guard of `split`. Default: nothing is taken out.";
