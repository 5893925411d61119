//! An operator's status: the table of design section 4 as data, and nothing else.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::config::StatusChoice;

/// What an operator is doing, as far as the phone is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// ログアウト: no CTI login.
    LoggedOut,
    /// 業務: at work, not offered calls (P15).
    Work,
    /// 待機: the only status in which calls are offered (P16).
    Ready,
    /// 休憩 (P17).
    Break,
    /// 呼出中: an offer, or being consulted (P23).
    Ringing,
    /// 発信中 (P18).
    Dialing,
    /// 通話中 (P19).
    Talking,
    /// 通話中(転換): the consulted party answered (P20).
    Consulting,
    /// 保留中 (P21).
    Holding,
    /// 業務(チケット処理): the call is over, its ticket is being handled (P22).
    AfterCallWork,
}

/// The three statuses that a person may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Resting {
    /// 業務
    Work,
    /// 待機
    Ready,
    /// 休憩
    Break,
}

/// What moves an operator from one status to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// CTI login; the setting says where to.
    LogIn(Resting),
    /// CTI logout, or a lost device whose grace is over.
    LogOut,
    /// A status button, or the end of after-call work by limit or by the next status chosen.
    Choose(Resting),
    /// The operator is rung: a call, a callback, a consult.
    Ring,
    /// The ringing ended without the operator's doing: rescinded, abandoned, withdrawn, or kept Ready after a miss.
    RingGone,
    /// The ringing ended by a miss or another status chosen meanwhile.
    RingLeft(Resting),
    /// The operator answered.
    Answer,
    /// The operator dials.
    Dial,
    /// The dialled customer answered.
    DialAnswered,
    /// The dial came to nothing and there is no ticket to handle.
    DialBack(Resting),
    /// The customer is put on hold, also by starting a consult.
    Hold,
    /// The hold is released.
    Release,
    /// The consulted party answered.
    ConsultAnswered,
    /// The consult was cancelled or the consulted party left.
    ConsultEnded,
    /// Operator, customer and consulted party are joined.
    Join,
    /// The operator's part in the call is over.
    CallEnded,
    /// A supervisor's part in a call is over.
    SupervisionEnded(Resting),
}

impl Status {
    /// Every status, in the order of the design's table.
    pub const ALL: [Self; 10] = [
        Self::LoggedOut,
        Self::Work,
        Self::Ready,
        Self::Break,
        Self::Ringing,
        Self::Dialing,
        Self::Talking,
        Self::Consulting,
        Self::Holding,
        Self::AfterCallWork,
    ];

    /// The status that follows `input`, or `None` where the pair is refused. This is the table.
    #[must_use]
    pub const fn next(self, input: Input) -> Option<Self> {
        Some(match (self, input) {
            (Self::LoggedOut, Input::LogIn(to)) => to.status(),
            (Self::Work | Self::Ready | Self::Break | Self::AfterCallWork, Input::LogOut) => Self::LoggedOut,
            (Self::Work | Self::Ready | Self::Break | Self::AfterCallWork, Input::Choose(to)) => to.status(),
            (Self::Ready, Input::Ring) => Self::Ringing,
            (Self::Ringing, Input::RingGone) => Self::Ready,
            (Self::Ringing, Input::RingLeft(to)) => to.status(),
            (Self::Ringing, Input::Answer) => Self::Talking,
            // A callback is accepted: its customer is dialled.
            (Self::Ringing | Self::Work | Self::Ready | Self::Break | Self::AfterCallWork, Input::Dial) => {
                Self::Dialing
            }
            (Self::Dialing, Input::DialAnswered) => Self::Talking,
            (Self::Dialing, Input::DialBack(to)) => to.status(),
            (Self::Talking | Self::Holding, Input::Hold) => Self::Holding,
            (Self::Holding, Input::Release) => Self::Talking,
            (Self::Holding, Input::ConsultAnswered) => Self::Consulting,
            (Self::Consulting, Input::ConsultEnded) => Self::Holding,
            (Self::Consulting, Input::Join) => Self::Talking,
            (Self::Talking | Self::Consulting | Self::Holding | Self::Dialing, Input::CallEnded) => Self::AfterCallWork,
            (Self::Talking, Input::SupervisionEnded(to)) => to.status(),
            _ => return None,
        })
    }

    /// Whether the operator's time counts as busy (occupancy's numerator).
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(
            self,
            Self::Ringing | Self::Dialing | Self::Talking | Self::Consulting | Self::Holding | Self::AfterCallWork
        )
    }

    /// Whether the operator has a leg in a call, connected or not.
    #[must_use]
    pub const fn has_leg(self) -> bool {
        matches!(self, Self::Ringing | Self::Dialing | Self::Talking | Self::Consulting | Self::Holding)
    }

    /// As operators see it in the Japanese console.
    #[must_use]
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::LoggedOut => "ログアウト",
            Self::Work => "業務",
            Self::Ready => "待機",
            Self::Break => "休憩",
            Self::Ringing => "呼出中",
            Self::Dialing => "発信中",
            Self::Talking => "通話中",
            Self::Consulting => "通話中(転換)",
            Self::Holding => "保留中",
            Self::AfterCallWork => "業務(チケット処理)",
        }
    }
}

impl Resting {
    /// As a status.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Work => Status::Work,
            Self::Ready => Status::Ready,
            Self::Break => Status::Break,
        }
    }
}

impl StatusChoice {
    /// Without the reason.
    #[must_use]
    pub const fn resting(self) -> Resting {
        match self {
            Self::Work(_) => Resting::Work,
            Self::Ready => Resting::Ready,
            Self::Break(_) => Resting::Break,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoggedOut => "LoggedOut",
            Self::Work => "Work",
            Self::Ready => "Ready",
            Self::Break => "Break",
            Self::Ringing => "Ringing",
            Self::Dialing => "Dialing",
            Self::Talking => "Talking",
            Self::Consulting => "Consulting",
            Self::Holding => "Holding",
            Self::AfterCallWork => "AfterCallWork",
        })
    }
}
