//! Where organisations' journals and documents are: a store for each, each with its own writer's epoch.

use std::fmt::Debug;
use std::path::PathBuf;

use super::postgres::PostgresStorage;
use super::sqlite::SqliteStorage;
use super::{StorageError, Writer};
use crate::tenant::Tenants;

/// Opens the stores of organisations.
pub trait Stores: Send + Sync + Debug {
    /// Opens an organisation's store for writing and takes its next epoch; makes it where there is none. Waits for the disc
    /// or the network.
    ///
    /// # Errors
    /// What the backend says; other organisations' stores are not touched.
    fn open(&self, organisation: &str) -> Result<Box<dyn Writer>, StorageError>;

    /// A directory on this machine for what follows from an organisation's journal and may be made again. It may not be there yet.
    fn beside(&self, organisation: &str) -> PathBuf;
}

/// SQLite: one database in a directory that has the organisation's name, all of them in one data directory.
#[derive(Clone, Debug)]
pub struct SqliteStores(pub PathBuf);

impl Stores for SqliteStores {
    fn open(&self, organisation: &str) -> Result<Box<dyn Writer>, StorageError> {
        Ok(Box::new(SqliteStorage::open(&self.0.join(organisation))?))
    }

    fn beside(&self, organisation: &str) -> PathBuf {
        self.0.join(organisation)
    }
}

/// PostgreSQL: one schema for each organisation, all of them in the database of one connection string.
#[derive(Clone)]
pub struct PostgresStores {
    /// The connection string.
    pub connection: String,
    /// The data directory of this machine.
    pub directory: PathBuf,
}

impl Debug for PostgresStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The string may hold a password.
        f.debug_struct("PostgresStores").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl PostgresStores {
    /// The schema of an organisation: `main`, or `org_` and its name with underscores for hyphens, which no name has.
    #[must_use]
    pub fn schema(organisation: &str) -> String {
        if organisation == Tenants::MAIN {
            organisation.into()
        } else {
            format!("org_{}", organisation.replace('-', "_"))
        }
    }
}

impl Stores for PostgresStores {
    fn open(&self, organisation: &str) -> Result<Box<dyn Writer>, StorageError> {
        Ok(Box::new(PostgresStorage::open(&self.connection, &Self::schema(organisation))?))
    }

    fn beside(&self, organisation: &str) -> PathBuf {
        self.directory.join(organisation)
    }
}
