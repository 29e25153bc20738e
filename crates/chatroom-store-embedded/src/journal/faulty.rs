//! A journal in memory that fails when it is told to, and waits when it is told to.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};

use chatroom_core::Timestamp;

use super::{Groups, Head, Journal, JournalError, JournalReader, Left, Visit};
use crate::error::LoadError;

/// A handle to what the journal holds and does next.
#[derive(Clone, Default)]
pub(crate) struct FaultyJournal(Arc<(Mutex<Script>, Condvar)>);

#[derive(Default)]
struct Script {
    groups: Vec<(Head, Vec<u8>)>,
    /// How often somebody began to append.
    begun: usize,
    /// Whether appends wait.
    held: bool,
    /// What the next append does instead of its work.
    failure: Option<Left>,
    /// How often something was trimmed.
    trims: usize,
    /// What happens while something is trimmed.
    meanwhile: Option<Box<dyn FnMut() + Send>>,
}

impl FaultyJournal {
    /// Lets appends wait, until [`release`](Self::release), or until what is answered is dropped: a test that fails
    /// ends then, instead of waiting for a writer that waits for it.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.0.0.lock().unwrap().held = true;
        Held(self)
    }

    /// Lets appends go on; the next one fails like this, if at all.
    pub(crate) fn release(&self, failure: Option<Left>) {
        let mut script = self.0.0.lock().unwrap();
        (script.held, script.failure) = (false, failure);
        self.0.1.notify_all();
    }

    /// Waits until so many appends have begun.
    pub(crate) async fn wait_for(&self, begun: usize) {
        while self.begun() < begun {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn begun(&self) -> usize {
        self.0.0.lock().unwrap().begun
    }

    /// Does this whenever something is trimmed.
    pub(crate) fn at_each_trim(&self, meanwhile: impl FnMut() + Send + 'static) {
        self.0.0.lock().unwrap().meanwhile = Some(Box::new(meanwhile));
    }

    /// Makes this group one that cannot be read.
    pub(crate) fn spoil(&self, number: u64) {
        let mut script = self.0.0.lock().unwrap();
        let group = script.groups.iter_mut().find(|(head, _)| head.number == number);
        group.unwrap().1.fill(0xFF);
    }

    pub(crate) fn trims(&self) -> usize {
        self.0.0.lock().unwrap().trims
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.0.0.lock().unwrap().groups.iter().map(|(head, _)| head.number).collect()
    }
}

/// Releases the journal.
pub(crate) struct Held<'a>(&'a FaultyJournal);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut script = self.0.0.0.lock().unwrap();
        script.held = false;
        self.0.0.1.notify_all();
    }
}

impl Groups for FaultyJournal {
    fn oldest(&mut self, limit: usize) -> Result<Vec<Head>, JournalError> {
        Ok(self.0.0.lock().unwrap().groups.iter().map(|(head, _)| *head).take(limit).collect())
    }

    fn replay(&mut self, from: u64, visit: &mut Visit<'_>) -> Result<(), LoadError> {
        let groups = self.0.0.lock().unwrap().groups.clone();
        groups.iter().filter(|(head, _)| head.number >= from).try_for_each(|(head, blob)| visit(*head, blob))
    }

    fn store_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Journal for FaultyJournal {
    fn append(&mut self, number: u64, at: Timestamp, blob: &[u8]) -> Result<(), JournalError> {
        let mut script = self.0.0.lock().unwrap();
        script.begun += 1;
        self.0.1.notify_all();
        let mut script = self.0.1.wait_while(script, |script| script.held).unwrap();
        if let Some(left) = script.failure.take() {
            return Err(JournalError { left, doing: "writing a group", source: "told to fail".into() });
        }
        script.groups.push((Head { number, at, bytes: blob.len() as u64 }, blob.to_vec()));
        Ok(())
    }

    fn trim(&mut self, below: u64) -> Result<(), JournalError> {
        let mut script = self.0.0.lock().unwrap();
        script.groups.retain(|(head, _)| head.number >= below);
        script.trims += 1;
        if let Some(meanwhile) = &mut script.meanwhile {
            meanwhile();
        }
        Ok(())
    }

    fn bytes(&mut self) -> Result<u64, JournalError> {
        Ok(self.0.0.lock().unwrap().groups.iter().map(|(head, _)| head.bytes).sum())
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, JournalError> {
        Ok(Box::new(self.clone()))
    }
}

impl JournalReader for FaultyJournal {
    fn group(&mut self, number: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let script = self.0.0.lock().unwrap();
        Ok(script.groups.iter().find(|(head, _)| head.number == number).map(|(_, blob)| blob.clone()))
    }

    fn groups(&mut self, numbers: Range<u64>) -> Result<Vec<Vec<u8>>, JournalError> {
        let script = self.0.0.lock().unwrap();
        let there = script.groups.iter().filter(|(head, _)| numbers.contains(&head.number));
        Ok(there.map(|(_, blob)| blob.clone()).collect())
    }

    fn checkpoint(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}
