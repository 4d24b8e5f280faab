//! The table as a worker gets at it.

use super::{LAYOUT, Settings, Table};
use mesh_policy::scope::Scope;
use mesh_policy::store::{Store, StoreError};
use mesh_policy::table::Names;
use std::cell::OnceCell;

/// The table of a scope, once a worker of the proxy has stored its seed.
#[derive(Debug)]
pub struct Seeded {
    scope: Scope,
    settings: Settings,
    table: OnceCell<Table>,
}

impl Seeded {
    /// The table of a scope that may have none yet. Nothing is stored.
    #[must_use]
    pub const fn unknown(scope: Scope, settings: Settings) -> Self {
        Self { scope, settings, table: OnceCell::new() }
    }

    /// The table of a scope. The first worker stores `fresh`, which is random, as its seed.
    ///
    /// # Errors
    /// The store fails.
    pub fn with(
        scope: Scope,
        settings: Settings,
        store: &mut impl Store,
        fresh: [u8; 16],
    ) -> Result<Self, StoreError> {
        let seed = Names::new(LAYOUT, &scope).seed(store, fresh)?;
        let table = OnceCell::from(Table::new(&scope, settings, seed));
        Ok(Self { scope, settings, table })
    }

    /// The table; `None` if it has no seed yet, so nothing is stored in it.
    ///
    /// # Errors
    /// The store fails.
    pub fn get(&self, store: &mut impl Store) -> Result<Option<&Table>, StoreError> {
        if self.table.get().is_none()
            && let Some(seed) = Names::new(LAYOUT, &self.scope).stored_seed(store)?
        {
            let _known = self.table.set(Table::new(&self.scope, self.settings, seed));
        }
        Ok(self.table.get())
    }
}
