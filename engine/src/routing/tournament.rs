//! The best head among a class's pools: a winner tree, so that one changed head costs O(log pools).

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A line's first operator, as the class ranks them; smaller wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) rank: u32,
    pub(crate) key: u64,
    pub(crate) operator: u32,
}

impl Head {
    pub(crate) const NOBODY: Self = Self { rank: u32::MAX, key: u64::MAX, operator: u32::MAX };
}

/// Node 1 is the root; the leaves are the second half, padded with nobody to a power of two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tournament {
    nodes: Vec<Head>,
}

impl Tournament {
    pub(crate) fn new(heads: Vec<Head>) -> Self {
        let width = heads.len().next_power_of_two();
        let mut nodes = vec![Head::NOBODY; 2 * width];
        nodes[width..width + heads.len()].copy_from_slice(&heads);
        for node in (1..width).rev() {
            nodes[node] = nodes[2 * node].min(nodes[2 * node + 1]);
        }
        Self { nodes }
    }

    pub(crate) fn winner(&self) -> Option<u32> {
        // With one pool the only leaf is node 1.
        let winner = self.nodes[1];
        (winner != Head::NOBODY).then_some(winner.operator)
    }

    pub(crate) fn update(&mut self, leaf: u32, head: Head) {
        let mut node = self.nodes.len() / 2 + leaf as usize;
        self.nodes[node] = head;
        while node > 1 {
            crate::effort::step();
            let best = self.nodes[node].min(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == best {
                break;
            }
            self.nodes[node] = best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_least_head_whatever_changes() {
        let head = |key, operator| Head { rank: 0, key, operator };
        for width in 1..9u32 {
            let mut tournament = Tournament::new(vec![Head::NOBODY; width as usize]);
            assert_eq!(tournament.winner(), None);
            let mut heads = vec![Head::NOBODY; width as usize];
            let mut state = 1u64;
            for _ in 0..200 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let leaf = (state >> 33) as u32 % width;
                let new = if state >> 60 < 4 { Head::NOBODY } else { head(state >> 50, leaf) };
                heads[leaf as usize] = new;
                tournament.update(leaf, new);
                let best = heads.iter().min().filter(|&&h| h != Head::NOBODY).map(|h| h.operator);
                assert_eq!(tournament.winner(), best);
            }
        }
    }
}
