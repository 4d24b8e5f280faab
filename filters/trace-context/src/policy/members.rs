//! What passes of a request's baggage, and what the filter sets in it.

use super::Policy;
use super::editor::Editor;
use super::metric::Metric;
use crate::baggage;
use crate::config::Baggage;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::verdict::Count;
use std::borrow::Cow;
use std::net::IpAddr;

impl Policy {
    #[inline(never)]
    pub(super) fn filter_baggage(
        &self,
        request: &MatchInput<'_>,
        editor: &mut Editor<'_>,
        counts: &mut Vec<Count<Metric>>,
    ) {
        let Some(config) = &self.config.baggage else { return };
        let values: Vec<_> = config.set.iter().map(|set| member_value(&set.from, request)).collect();
        // What is carried is what the inbound side has set: a call without a value keeps it.
        let is_carried = editor.is_carried(&baggage::HEADER);
        let set: Vec<baggage::Set<'_>> = config
            .set
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_some() || !is_carried)
            .map(|(set, value)| baggage::Set { key: &set.key, value: value.as_deref() })
            .collect();
        let limits = baggage::Limits {
            max_members: config.max_members as usize,
            max_bytes: config.max_bytes as usize,
        };
        let is_allowed =
            |key: &[u8]| if is_carried { may_be_carried(config, key) } else { is_allowed(config, key) };
        let (edit, dropped) = baggage::edit(editor.headers(), is_allowed, limits, &set);
        match edit {
            baggage::Edit::Unchanged => {}
            baggage::Edit::Remove => editor.remove(&baggage::HEADER),
            baggage::Edit::Replace(value) => editor.set(baggage::HEADER, value),
        }
        let reasons =
            [dropped.not_allowed, dropped.malformed, dropped.too_many, dropped.too_large, dropped.replaced];
        for (value, number) in reasons.into_iter().enumerate() {
            if number > 0 {
                counts.push(Count::labelled(Metric::BaggageDropped, value).times(number.into()));
            }
        }
    }
}

/// Whether a client's member may have this key.
fn is_allowed(config: &Baggage, key: &[u8]) -> bool {
    config.allow.as_ref().is_none_or(|tests| tests.iter().any(|test| test.is_match(key)))
}

/// Whether a carried member may have this key: one that the filter sets, as the filter spells it, or one of a client.
fn may_be_carried(config: &Baggage, key: &[u8]) -> bool {
    match config.set.iter().find(|set| set.key.may_be_read_as(key)) {
        Some(set) => set.key.as_str().as_bytes() == key,
        None => is_allowed(config, key),
    }
}

/// The value of a member that is set: a key part, of which an address is written as text.
fn member_value<'a>(part: &'a KeyPart, request: &'a MatchInput<'_>) -> Option<Cow<'a, [u8]>> {
    let value = part.single(request)?;
    if !matches!(part, KeyPart::ClientIp(_)) {
        return Some(value);
    }
    let v4 = <[u8; 4]>::try_from(&*value).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(&*value).map(IpAddr::from)).ok()?;
    Some(Cow::Owned(address.to_string().into_bytes()))
}
