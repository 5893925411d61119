//! Recordings that can be played, by the engine's ids.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use callfloor_engine::AudioId;
use callfloor_sip::media::Clip;

/// Decoded recordings.
#[derive(Debug)]
pub struct Clips {
    by_id: RwLock<HashMap<AudioId, Arc<Clip>>>,
    ring_back: Arc<Clip>,
    /// Played where a recording is unknown: short, so that no flow stands still.
    unknown: Arc<Clip>,
}

impl Clips {
    /// No recordings yet, with the tones that a caller hears while a number rings and where a recording is unknown.
    #[must_use]
    pub fn new(ring_back: Clip, unknown: Clip) -> Self {
        Self { by_id: RwLock::default(), ring_back: Arc::new(ring_back), unknown: Arc::new(unknown) }
    }

    /// Puts a recording in place of what was there.
    pub fn put(&self, audio: AudioId, clip: Clip) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).insert(audio, Arc::new(clip));
    }

    pub(super) fn get(&self, audio: AudioId) -> Arc<Clip> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        by_id.get(&audio).map_or_else(|| Arc::clone(&self.unknown), Arc::clone)
    }

    pub(super) fn ring_back(&self) -> Arc<Clip> {
        Arc::clone(&self.ring_back)
    }
}
