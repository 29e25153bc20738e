use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::psql::{self, quoted};
use crate::{URL, psql::run};

/// A server that takes connections: of a [`Cluster`], or one that somebody else keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The URL up to the name of the database.
    before: String,
    /// What follows it.
    after: String,
    /// The database that was named: one that exists.
    first: String,
}

impl Server {
    /// The server of a URL like `postgres://user@host:5432/database?sslmode=disable`. The database has to exist; tests
    /// make others beside it.
    ///
    /// # Errors
    /// If the URL is not of that form.
    pub fn of(url: &str) -> Result<Self> {
        let wrong = || format!("{URL} is not like postgres://user@host:5432/database");
        let scheme = url.find("://").with_context(wrong)? + "://".len();
        let path = url.get(scheme..).and_then(|rest| rest.find('/')).with_context(wrong)? + scheme + 1;
        let (before, rest) = url.split_at(path);
        let (first, after) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        Ok(Self { before: before.to_owned(), after: after.to_owned(), first: first.to_owned() })
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("{}{database}{}", self.before, self.after)
    }

    /// Runs statements in a database and answers what they print: one line a row, columns divided by `|`.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, database: &str, statements: &str) -> Result<String> {
        run(&self.url(database), statements)
    }

    /// Makes a database and answers its URL.
    ///
    /// # Errors
    /// What the server says: among others, that there is one of this name.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.query(&self.first, &format!("CREATE DATABASE {}", quoted(name)))?;
        Ok(self.url(name))
    }

    /// Makes a database of a name that nobody else has.
    ///
    /// # Errors
    /// What the server says.
    pub fn fresh_database(&self) -> Result<Database> {
        let name = format!("chatroom_test_{:016x}", getrandom::u64()?);
        let url = self.create_database(&name)?;
        Ok(Database { server: self.clone(), name, url })
    }
}

/// A database of one test. Dropping it removes it, and closes connections to it.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
    url: String,
}

impl Database {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it and answers what they print, as [`Server::query`] does.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, statements: &str) -> Result<String> {
        run(&self.url, statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", quoted(&self.name));
        // A server that is gone has no database either.
        let _ = psql::run(&self.server.url(&self.server.first), &drop);
    }
}

/// The cluster of this process, if nobody named another server.
static OWN: Mutex<Option<Cluster>> = Mutex::new(None);

/// The server that tests share: the one that [`URL`] names, else one that lasts as long as this process.
///
/// # Errors
/// If the variable holds no URL, or a cluster cannot be started.
pub fn shared() -> Result<Server> {
    if let Ok(url) = std::env::var(URL) {
        return Server::of(&url);
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = match own.take() {
        Some(cluster) => cluster,
        None => Cluster::start()?,
    };
    Ok(own.insert(cluster).server().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_database_is_replaced_in_a_url() {
        let server = Server::of("postgres://a:b@h:1/postgres?sslmode=disable").unwrap();
        assert_eq!(server.url("other"), "postgres://a:b@h:1/other?sslmode=disable");
        let server = Server::of("postgres://h/x").unwrap();
        assert_eq!((server.url("y"), server.first.as_str()), ("postgres://h/y".to_owned(), "x"));
    }

    #[test]
    fn a_url_without_a_database_is_refused() {
        for url in ["", "localhost", "postgres://localhost"] {
            assert!(Server::of(url).unwrap_err().to_string().contains(URL), "{url}");
        }
    }
}
