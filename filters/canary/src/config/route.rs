//! What a route of a block has of the block's own config, and what has to agree.

use super::{Config, Split, Splits};
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::key_part::KeyPart;
use mesh_policy::mode::Mode;
use mesh_policy::routes::{Misfit, RouteConfig};
use mesh_policy::settings::Settings;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["output", "trusted_override"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        // The header map is fetched in any case, to remove what clients may not set.
        let mut needs = Needs { headers: true, ..Needs::default() };
        let of_rules = self.rules.iter().filter(|rule| rule.mode != Mode::Off).map(|rule| &rule.matches);
        let of_override = self.trusted_override.iter().map(|trusted| &trusted.matches);
        for matches in of_override.chain(of_rules) {
            needs.add(&matches.needs());
        }
        for split in self.splits.0.iter().filter(|split| split.mode != Mode::Off) {
            needs.add(&split.matches.needs());
            split.sticky.iter().for_each(|part| needs.add(&part.needs()));
        }
        needs
    }

    fn own_headers(&self) -> Vec<&HeaderName> {
        self.own_headers().collect()
    }

    /// A split of the block's own config has its rollout and its guard on every route.
    fn complete(&mut self, own: &Self) -> Result<(), Vec<Misfit>> {
        let mut misfits = Vec::new();
        for (index, split) in self.splits.0.iter().enumerate() {
            let fields = [("rollout", split.rollout.is_some()), ("guard", split.guard.is_some())];
            for (field, _) in fields.into_iter().filter(|(_, is_given)| *is_given) {
                misfits.push(Misfit { path: self.splits.path(index, field), message: OF_BLOCK.to_owned() });
            }
        }
        let is_trusted_by_address =
            own.trusted_override.as_ref().is_some_and(|trusted| trusted.matches.needs().source);
        // A route that is off follows no override.
        let is_on = self.settings.mode != Mode::Off;
        if is_on && is_trusted_by_address && self.settings.client_ip != own.settings.client_ip {
            misfits.push(Misfit { path: "client_ip".to_owned(), message: OF_OVERRIDE.to_owned() });
        }
        for split in &mut self.splits.0 {
            if let Some(own) = own.splits.of_name(&split.name) {
                split.rollout.clone_from(&own.rollout);
                split.guard.clone_from(&own.guard);
            }
        }
        if misfits.is_empty() { Ok(()) } else { Err(misfits) }
    }

    /// Splits of one name give everybody the same variant.
    fn misfits(&self, other: &Self) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        for (index, split) in self.splits.0.iter().enumerate() {
            let Some(same) = other.splits.of_name(&split.name) else { continue };
            let is_by_address = split.sticky.iter().any(|part| matches!(part, KeyPart::ClientIp(_)));
            if is_by_address && self.settings.client_ip != other.settings.client_ip {
                misfits.push("client_ip".to_owned());
            }
            misfits.extend(differences(split, same).into_iter().map(|field| self.splits.path(index, &field)));
        }
        misfits.into_iter().map(|path| Misfit { path, message: OF_COHORT.to_owned() }).collect()
    }
}

const OF_BLOCK: &str = "found it in a route, expected it in the block's own config, at its split of this name: it is the same for all routes";
const OF_OVERRIDE: &str = "found another value than in the block's own config, expected the same: `trusted_override.match` tests the client's address";
const OF_COHORT: &str = "found another value than in the block's other configs, expected the same: splits of one name are one cohort";

impl Splits {
    fn of_name(&self, name: &str) -> Option<&Split> {
        self.0.iter().find(|split| split.name == name)
    }
}

/// The fields in which a split gives other variants to users than another one of its name.
fn differences(split: &Split, other: &Split) -> Vec<String> {
    let mut fields = Vec::new();
    if split.sticky != other.sticky {
        fields.push("sticky".to_owned());
    }
    // Cookies with the same name and another scope give a user several identities.
    if let (Some(cookie), Some(same)) = (&split.assign_cookie, &other.assign_cookie)
        && cookie != same
    {
        fields.push("assign_cookie".to_owned());
    }
    if split.variants.len() == other.variants.len() {
        let pairs = split.variants.iter().zip(&other.variants).enumerate();
        let different = pairs.filter(|(_, (variant, same))| variant != same);
        fields.extend(different.map(|(index, _)| format!("variants[{index}]")));
    } else {
        fields.push("variants".to_owned());
    }
    fields
}
