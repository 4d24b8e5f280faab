//! Reading and editing header maps. Edits are single host calls: the map is never sent back as a whole.

use crate::abi::{self, HeaderMap};
use crate::status::{Status, optional};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, Headers};

/// The map as it was fetched and edited since; fetches it if it was not.
pub(crate) fn fetch(map: HeaderMap, fetched: &mut Option<Headers>) -> Result<&Headers, Status> {
    let headers = match fetched.take() {
        Some(headers) => headers,
        None => Headers::parse(abi::map(map)?).map_err(|_| Status::ParseFailure)?,
    };
    Ok(fetched.insert(headers))
}

/// The first value of a header.
pub(crate) fn first(map: HeaderMap, name: &str) -> Result<Option<Vec<u8>>, Status> {
    optional(abi::map_value(map, name.as_bytes()))
}

/// Applies an edit to the proxy's map and to the fetched copy.
pub(crate) fn apply(map: HeaderMap, fetched: Option<&mut Headers>, edit: &Edit) -> Result<(), Status> {
    match edit {
        Edit::Set(name, value) => {
            // The host's `replace` keeps every value but the first.
            if fetched.as_ref().is_some_and(|fetched| fetched.get(name.as_str()).count() <= 1) {
                abi::replace_map_value(map, name.as_str().as_bytes(), value.as_bytes())?;
            } else {
                remove(map, name)?;
                abi::add_map_value(map, name.as_str().as_bytes(), value.as_bytes())?;
            }
            if let Some(fetched) = fetched {
                fetched.remove(name);
                fetched.add(name, value);
            }
        }
        Edit::Add(name, value) => {
            abi::add_map_value(map, name.as_str().as_bytes(), value.as_bytes())?;
            if let Some(fetched) = fetched {
                fetched.add(name, value);
            }
        }
        Edit::Target(target) => {
            if map == HeaderMap::Request {
                replace(map, fetched, ":path", target.as_bytes())?;
            }
        }
        Edit::Status(status) => {
            if map == HeaderMap::Response {
                replace(map, fetched, ":status", &digits(*status)?)?;
            }
        }
        Edit::Remove(name) => {
            // Removing an absent header costs as much, and the proxy selects the route again.
            let is_absent = |fetched: &Headers| fetched.get(name.as_str()).next().is_none();
            match fetched {
                Some(fetched) if is_absent(fetched) => {}
                Some(fetched) => {
                    remove(map, name)?;
                    fetched.remove(name);
                }
                None => remove(map, name)?,
            }
        }
    }
    Ok(())
}

/// Replaces a header that cannot be repeated.
fn replace(map: HeaderMap, fetched: Option<&mut Headers>, name: &str, value: &[u8]) -> Result<(), Status> {
    abi::replace_map_value(map, name.as_bytes(), value)?;
    if let Some(fetched) = fetched {
        fetched.replace(name, value);
    }
    Ok(())
}

/// A status as `:status` has it. Envoy fails on one that is no status.
fn digits(status: u16) -> Result<[u8; 3], Status> {
    if !matches!(status, 200..=599) {
        return Err(Status::BadArgument);
    }
    let digits = [status / 100, status / 10 % 10, status % 10];
    Ok(digits.map(|digit| b'0' + (digit & 0xf) as u8))
}

fn remove(map: HeaderMap, name: &HeaderName) -> Result<(), Status> {
    optional(abi::remove_map_value(map, name.as_str().as_bytes())).map(drop)
}
