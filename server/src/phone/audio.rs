//! What can be played, by the engine's ids: recordings that an administrator uploaded, texts that a program spoke, tones.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use callfloor_engine::AudioId;
use callfloor_sip::media::Clip;

use crate::demo::audio;

/// Decoded recordings.
#[derive(Debug)]
pub struct Clips {
    by_id: RwLock<HashMap<AudioId, Arc<Clip>>>,
    /// The recording that is heard while a number rings; `None`: a tone.
    ring_back: RwLock<Option<AudioId>>,
    ring_tone: Arc<Clip>,
    /// Played where a recording is unknown: short, so that no flow stands still.
    unknown: Arc<Clip>,
}

impl Default for Clips {
    /// Hold music and tones that need no file.
    fn default() -> Self {
        let music = (audio::MUSIC, Arc::new(Clip::hold_music()));
        Self {
            by_id: RwLock::new(HashMap::from([music])),
            ring_back: RwLock::default(),
            ring_tone: Arc::new(Clip::ring_back()),
            unknown: Arc::new(Clip::beep()),
        }
    }
}

impl Clips {
    /// Puts a recording in place of what was there; `None` takes it away. Who hears the old one hears it to its end.
    pub fn put(&self, audio: AudioId, clip: Option<Clip>) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        match clip {
            Some(clip) => by_id.insert(audio, Arc::new(clip)),
            None => by_id.remove(&audio),
        };
    }

    /// Sets what is heard while a number rings; `None`: a tone.
    pub fn set_ring_back(&self, audio: Option<AudioId>) {
        *self.ring_back.write().unwrap_or_else(PoisonError::into_inner) = audio;
    }

    pub(super) fn get(&self, audio: AudioId) -> Arc<Clip> {
        self.known(audio).unwrap_or_else(|| Arc::clone(&self.unknown))
    }

    pub(super) fn ring_back(&self) -> Arc<Clip> {
        let chosen = *self.ring_back.read().unwrap_or_else(PoisonError::into_inner);
        chosen.and_then(|audio| self.known(audio)).unwrap_or_else(|| Arc::clone(&self.ring_tone))
    }

    fn known(&self, audio: AudioId) -> Option<Arc<Clip>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(&audio).map(Arc::clone)
    }
}
