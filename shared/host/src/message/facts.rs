//! The facts of a request, fetched when a policy needs them.

use crate::property;
use crate::status::Status;
use mesh_policy::client_ip::{forwarded_address, parse_address};
use mesh_policy::facts::{Attribute, Facts, Needs};
use mesh_policy::headers::Headers;
use mesh_policy::path::Expansions;
use std::net::IpAddr;
use std::rc::Rc;

static NO_HEADERS: Headers = Headers::EMPTY;

/// The attributes with the identity of the peer's certificate, in the order in which Envoy's RBAC filter
/// reads them.
const IDENTITIES: [[&str; 2]; 3] = [
    ["connection", "uri_san_peer_certificate"],
    ["connection", "dns_san_peer_certificate"],
    ["connection", "subject_peer_certificate"],
];

/// The claims that a jwt-authz module in front of this one has exported.
const CLAIMS: [&str; 2] = ["filter_state", "wasm.jwt_claims"];

/// What was fetched of a request besides its headers. The outer `Option` is `None` until it was fetched.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    source: Option<Option<IpAddr>>,
    principal: Option<Option<Vec<u8>>>,
    claims: Option<Option<Rc<serde_json::Value>>>,
    attributes: Vec<Attribute>,
    paths: Expansions,
}

impl Fetched {
    pub(crate) fn set_claims(&mut self, claims: Option<Rc<serde_json::Value>>) {
        self.claims = Some(claims);
    }

    /// Forgets what a filter may have changed, so that the next one reads it anew.
    pub(crate) fn forget_changeable(&mut self) {
        let is_fixed = |attribute: &Attribute| {
            attribute.path.first().is_some_and(|first| ["source", "connection"].contains(&&**first))
        };
        self.attributes.retain(is_fixed);
    }

    /// Frees the readings of the path while the request waits. They are found again when a test needs them.
    pub(crate) fn forget_paths(&mut self) {
        self.paths = Expansions::default();
    }

    pub(crate) fn has_claims(&self) -> bool {
        matches!(self.claims, Some(Some(_)))
    }

    /// Fetches what `needs` names and was not fetched before.
    pub(crate) fn facts<'a>(
        &'a mut self,
        needs: &Needs,
        headers: Option<&'a Headers>,
        removed: &'a Headers,
    ) -> Result<Facts<'a>, Status> {
        let is_forwarded =
            || headers.is_some_and(|headers| forwarded_address(headers, needs.trusted_hops).is_some());
        if needs.source && self.source.is_none() && !is_forwarded() {
            let address = property::get(&["source", "address"])?;
            self.source = Some(address.and_then(|address| parse_address(&address)));
        }
        if needs.principal && self.principal.is_none() {
            self.principal = Some(principal()?);
        }
        if needs.claims && self.claims.is_none() {
            let claims = property::get(&CLAIMS)?;
            self.claims = Some(claims.and_then(|claims| serde_json::from_slice(&claims).ok().map(Rc::new)));
        }
        for path in &needs.attributes {
            if !self.attributes.iter().any(|attribute| attribute.path == *path) {
                self.attributes.push(Attribute { path: path.clone(), value: property::get(path)? });
            }
        }
        Ok(Facts {
            headers: headers.unwrap_or(&NO_HEADERS),
            removed,
            source: self.source.flatten(),
            principal: self.principal.as_ref().and_then(Option::as_deref),
            claims: self.claims.as_ref().and_then(Option::as_deref),
            attributes: &self.attributes,
            paths: Some(&self.paths),
        })
    }
}

fn principal() -> Result<Option<Vec<u8>>, Status> {
    for path in &IDENTITIES {
        let identity = property::get(path)?.filter(|identity| !identity.is_empty());
        if identity.is_some() {
            return Ok(identity);
        }
    }
    Ok(None)
}
