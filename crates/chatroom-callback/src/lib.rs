//! Delivers events to the servers of apps.
