//! Changes to a header map, one host call at a time: the map is never sent back whole.

use crate::abi;
use crate::status::{Status, found};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, Headers};

/// A header map of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Map {
    Request = 0,
    RequestTrailers = 1,
    Response = 2,
    ResponseTrailers = 3,
}

impl Map {
    /// Fetches the map.
    pub(crate) fn fetch(self) -> Result<Headers, Status> {
        Headers::parse(abi::map(self as u32)?).map_err(|_| Status::ParseFailure)
    }

    /// One value of the map: the first.
    pub(crate) fn first(self, name: &str) -> Result<Option<Vec<u8>>, Status> {
        found(abi::map_value(self as u32, name.as_bytes()))
    }

    /// Carries out a change, in the proxy and in the copy that was fetched.
    pub(crate) fn apply(self, copy: Option<&mut Headers>, edit: &Edit) -> Result<(), Status> {
        match edit {
            Edit::Set(name, value) => {
                // The host's `replace` leaves every value but the first.
                if copy.as_ref().is_some_and(|copy| copy.get(name.as_str()).count() <= 1) {
                    abi::replace_map_value(self as u32, name.as_str().as_bytes(), value.as_bytes())?;
                } else {
                    self.remove(name)?;
                    abi::add_map_value(self as u32, name.as_str().as_bytes(), value.as_bytes())?;
                }
                if let Some(copy) = copy {
                    copy.remove(name);
                    copy.add(name, value);
                }
            }
            Edit::Add(name, value) => {
                abi::add_map_value(self as u32, name.as_str().as_bytes(), value.as_bytes())?;
                if let Some(copy) = copy {
                    copy.add(name, value);
                }
            }
            Edit::Target(target) => {
                if self == Self::Request {
                    abi::replace_map_value(self as u32, b":path", target.as_bytes())?;
                    if let Some(copy) = copy {
                        copy.set_target(target);
                    }
                }
            }
            Edit::Remove(name) => {
                self.remove(name)?;
                if let Some(copy) = copy {
                    copy.remove(name);
                }
            }
        }
        Ok(())
    }

    fn remove(self, name: &HeaderName) -> Result<(), Status> {
        found(abi::remove_map_value(self as u32, name.as_str().as_bytes())).map(drop)
    }
}
