//! What a person sees at a start: where the server is, and how to get on.

use std::fmt::Write;
use std::path::Path;

use chatroom_core::{ChatroomId, Origin};
use chatroom_store_postgres::Durability;
use secrecy::ExposeSecret;

use super::credentials_file::{CALLBACK_SECRET, CredentialsFile};
use super::listener::Address;
use crate::apps::{AppEntry, Demo};
use crate::config::{Config, StoreSync};

/// What the banner tells of.
pub(super) struct Banner<'a> {
    pub(super) config: &'a Config,
    pub(super) addresses: &'a [Address],
    pub(super) apps: &'a [std::sync::Arc<AppEntry>],
    /// What a 200 means, where that depends.
    pub(super) durability: Option<Durability>,
    /// What this start made.
    pub(super) demo: Option<&'a Demo>,
    /// Where its secret was written; `None` if the banner shows it, because a person looks at a terminal.
    pub(super) credentials: Option<&'a CredentialsFile>,
}

impl Banner<'_> {
    /// The whole text.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = format!("chatroom-server {}\n\n", env!("CARGO_PKG_VERSION"));
        for address in self.addresses {
            match address {
                Address::Tcp(_) => writeln!(text, "  listening on   http://{address}")?,
                Address::Unix(_) => writeln!(text, "  listening on   {address}")?,
            }
        }
        match (self.config.data_dir(), self.durability) {
            (Some(dir), _) => writeln!(text, "  data in        {}", absolute(dir))?,
            (None, Some(durability)) => {
                writeln!(text, "  data in        PostgreSQL; a 200 means: {durability}")?;
            }
            (None, None) => writeln!(text, "  data           in memory, gone when the server ends")?,
        }
        if self.config.data_dir().is_some() && self.config.store.sync == StoreSync::None {
            writeln!(text, "  sync           none: a loss of power loses what was answered")?;
        }
        match self.demo {
            Some(demo) => self.demo(demo, &mut text)?,
            None => self.later(&mut text)?,
        }
        Ok(text)
    }

    /// The first start: the demo app, and three commands to paste.
    fn demo(&self, demo: &Demo, text: &mut String) -> std::fmt::Result {
        writeln!(text, "  app key        {}", demo.key)?;
        writeln!(text, "  client id      {}", demo.client_id)?;
        let (callback_secret, body) = match self.credentials {
            Some(file) => {
                let path = file.path.to_string_lossy();
                writeln!(text, "  client secret  in {path}")?;
                let cut = format!("$({} {})", cut(CALLBACK_SECRET), quoted(&path));
                (cut, quoted(&format!("@{path}")))
            }
            None => {
                let secret = demo.client_secret.expose_secret();
                writeln!(text, "  client secret  {secret}")?;
                writeln!(text, "                 (not kept and not shown again)")?;
                let body = format!(
                    r#"{{"grant_type":"client_credentials","client_id":"{}","client_secret":"{secret}"}}"#,
                    demo.client_id
                );
                (quoted(demo.callback_secret.expose_secret()), quoted(&body))
            }
        };
        let (curl, base) = self.curl();
        let (org, app) = (demo.key.org(), demo.key.app());
        let token = format!("{base}/{org}/{app}/token");
        let member = member_url(&base, org, app, demo.room, demo.member);
        writeln!(
            text,
            "\nReceive callbacks, in another terminal, where the source is:\n\n\
             CALLBACK_SECRET={callback_secret} \\\n  \
             cargo run --release -p chatroom-callback --example receiver\n\n\
             Get a token:\n\n\
             TOKEN=$({curl} -sS -X POST {} \\\n  -H 'Content-Type: application/json' \\\n  -d {body} \\\n  \
             | {})\n\n\
             Remove a member from the demo room:\n\n\
             {curl} -sS -X DELETE {} \\\n  -H 'Accept: application/json' \\\n  -H \"Authorization: Bearer $TOKEN\"",
            quoted(&token),
            cut("access_token"),
            quoted(&member),
        )
    }

    /// Later starts: how to get on.
    fn later(&self, text: &mut String) -> std::fmt::Result {
        let of = self.config.data_dir().filter(|dir| *dir != Path::new("./data"));
        let of = of.map(|dir| format!(" --data-dir {}", quoted(&absolute(dir)))).unwrap_or_default();
        match self.apps.iter().find(|entry| entry.app.origin == Origin::Demo) {
            Some(entry) => {
                let key = &entry.app.key;
                let name = format!("{}/{}", key.org(), key.app());
                writeln!(text, "  app key        {key}\n")?;
                writeln!(text, "The client id:       chatroom-server app show {name}{of}")?;
                writeln!(text, "For a lost secret:   chatroom-server app rotate-secret {name}{of}")?;
                writeln!(text, "For a token:         chatroom-server token issue {name}{of}")
            }
            None if self.apps.is_empty() => {
                writeln!(text, "\nThere is no app yet: chatroom-server app create ORG/APP{of}")
            }
            None => {
                for entry in self.apps.iter().filter(|entry| entry.app.answers()).take(MOST) {
                    writeln!(text, "  app key        {}", entry.app.key)?;
                }
                if self.config.data_dir().is_some() {
                    writeln!(text, "\nAll apps: chatroom-server app list{of}")?;
                }
                Ok(())
            }
        }
    }

    /// How this machine reaches the server, and what its URLs begin with.
    fn curl(&self) -> (String, String) {
        let tcp = self.addresses.iter().find_map(|address| match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        });
        if let Some(mut address) = tcp {
            if address.ip().is_unspecified() {
                address.set_ip(match address {
                    std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                    std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                });
            }
            // Square brackets mean something to curl otherwise.
            let curl = if address.is_ipv6() { "curl -g" } else { "curl" };
            return (curl.to_owned(), format!("http://{address}"));
        }
        let path = self.addresses.iter().find_map(|address| match address {
            Address::Unix(path) => Some(absolute(path)),
            Address::Tcp(_) => None,
        });
        let path = quoted(&path.unwrap_or_default());
        (format!("curl --unix-socket {path}"), "http://localhost".to_owned())
    }
}

/// Apps that the banner names.
const MOST: usize = 5;

fn member_url(base: &str, org: &str, app: &str, room: ChatroomId, member: &str) -> String {
    format!("{base}/{org}/{app}/chatrooms/{room}/users/{member}")
}

fn absolute(path: &Path) -> String {
    // Without the `.` of `./data`; where that fails, the path as it was given says enough.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// The command that cuts a text out of JSON.
fn cut(key: &str) -> String {
    format!(r#"sed -n 's/.*"{key}":"\([^"]*\)".*/\1/p'"#)
}

/// A text as one word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
