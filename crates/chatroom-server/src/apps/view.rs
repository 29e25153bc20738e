use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chatroom_core::{App, AppChange, AppId, AppKey, AppRegistry, Error, Ids, Origin, StorageError};

use crate::auth::Signer;
use crate::rate::AppCalls;

/// An app that is not deleted, with what its calls need.
pub(crate) struct AppEntry {
    pub(crate) app: App,
    /// Its id as `application` shows it.
    pub(crate) application: String,
    pub(crate) signer: Signer,
    /// Its calls. Lives as long as the app, whatever becomes of its credentials.
    pub(crate) calls: Arc<AppCalls>,
}

/// By organization, then by app: two borrowed texts find an entry.
type View = HashMap<Arc<str>, HashMap<Arc<str>, Arc<AppEntry>>>;

/// The registry of a store, and what it held when it was last asked.
pub(crate) struct Apps {
    registry: Arc<dyn AppRegistry>,
    ids: Arc<dyn Ids>,
    view: RwLock<View>,
    has_demo: Arc<AtomicBool>,
    /// One refresh at a time, or an older answer could replace a newer one.
    refreshing: tokio::sync::Mutex<()>,
}

impl Apps {
    /// Reads all apps.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    pub(crate) async fn load(
        registry: Arc<dyn AppRegistry>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StorageError> {
        let apps = Self {
            registry,
            ids,
            view: RwLock::default(),
            has_demo: Arc::default(),
            refreshing: tokio::sync::Mutex::default(),
        };
        apps.refresh().await?;
        Ok(apps)
    }

    /// The app of this key, if it answers calls.
    pub(crate) fn answering(&self, org: &str, app: &str) -> Option<Arc<AppEntry>> {
        self.find(org, app).filter(|entry| entry.app.answers())
    }

    /// The app of this key.
    pub(crate) fn find(&self, org: &str, app: &str) -> Option<Arc<AppEntry>> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).get(org)?.get(app).cloned()
    }

    /// All apps, sorted by their keys.
    pub(crate) fn all(&self) -> Vec<Arc<AppEntry>> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = view.values().flat_map(HashMap::values).cloned().collect();
        all.sort_by(|a, b| a.app.key.cmp(&b.app.key));
        all
    }

    /// Whether there is a demo app, now and whenever it is asked.
    pub(crate) fn has_demo(&self) -> Arc<AtomicBool> {
        self.has_demo.clone()
    }

    /// Makes a change; durable on return, and in force for the next call, unless the store cannot be read just then:
    /// then it is in force once [`follow`](super::follow) has read it.
    ///
    /// # Errors
    /// [`Error::Rejected`] or [`Error::Storage`], if it is not made, or it is not known.
    pub(crate) async fn change(&self, change: AppChange) -> Result<App, Error> {
        let app = self.registry.change(self.ids.operation(), self.ids.app(), change).await?;
        // What is made is not told as a failure: a secret that comes with it is shown this once.
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "an app is changed and cannot be read, which is tried again: {error}");
        }
        Ok(app)
    }

    /// Reads all apps again.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read; the view stays as it was.
    pub(crate) async fn refresh(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let apps = self.registry.apps().await?;
        let mut calls: HashMap<AppId, Arc<AppCalls>> =
            self.all().iter().map(|entry| (entry.app.id, entry.calls.clone())).collect();
        self.has_demo.store(apps.iter().any(|app| app.origin == Origin::Demo), Ordering::Relaxed);
        let mut view = View::new();
        for app in apps {
            let (org, name) = halves(&app.key);
            let calls = calls.remove(&app.id).unwrap_or_default();
            let (application, signer) = (app.id.to_string(), Signer::of(&app));
            let entry = Arc::new(AppEntry { app, application, signer, calls });
            view.entry(org).or_default().insert(name, entry);
        }
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        Ok(())
    }
}

fn halves(key: &AppKey) -> (Arc<str>, Arc<str>) {
    (key.org().into(), key.app().into())
}

#[cfg(test)]
mod tests {
    use chatroom_core::test_util::{CountingIds, ManualClock};
    use chatroom_core::{MockAppRegistry, NewApp, SecretDigest, SigningKey, StorageErrorKind};

    use super::*;
    use crate::config::Config;
    use crate::serve::Stores;

    #[tokio::test]
    async fn a_change_that_is_made_is_not_told_as_a_failure_although_the_apps_cannot_be_read() {
        let store = Stores::memory(&Config::default(), Arc::new(ManualClock::at(0))).registry;
        let mut registry = MockAppRegistry::new();
        registry.expect_apps().times(1).returning(|| Ok(Vec::new()));
        registry.expect_apps().returning(|| Err(StorageError::new(StorageErrorKind::Unavailable, "away")));
        registry.expect_change().returning(move |operation, app, change| {
            futures_util::FutureExt::now_or_never(store.change(operation, app, change)).unwrap()
        });
        let apps = Apps::load(Arc::new(registry), Arc::new(CountingIds::default())).await.unwrap();
        let new = NewApp {
            key: "a#b".parse().unwrap(),
            client_id: "id".into(),
            secret: SecretDigest([0; 32]),
            signing_key: SigningKey([0; 32]),
            origin: Origin::Command,
        };
        let made = apps.change(AppChange::Create(new)).await.unwrap();
        assert_eq!(made.key.to_string(), "a#b");
    }
}
